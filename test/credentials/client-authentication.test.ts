import assert from 'node:assert/strict'
import { createHash, createSecretKey, X509Certificate, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import { decodeProtectedHeader, jwtVerify } from 'jose'
import { Secret } from '../../src/core/secret.ts'
import type { OAuth2Options } from '../../src/credentials/oauth2.ts'
import { TestCaller, type Asked } from '../support/credentials.ts'
import { certificateOf, ed25519, p256, p384, p521, pemOf, rsa, type KeyPair } from '../support/keys.ts'
import { failureOf, numbered, SECRET, setUpOAuth2, tokenOf } from '../support/oauth2.ts'

const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const keyOf = (pair: KeyPair) => new Secret(pemOf(pair))
const without = { clientSecret: undefined as never }
/** A client with this assertion, signed with an RSA key where it says nothing else. */
const asserting = (
  assertion: NonNullable<OAuth2Options['clientAssertion']> = {},
): Partial<OAuth2Options> => ({ ...without, clientAssertion: { key: keyOf(rsa), ...assertion } })

const formOf = ({ body }: Asked) => Object.fromEntries(new URLSearchParams(body))

async function verify(asked: Asked, key: KeyObject, now: number) {
  const { client_assertion: jwt } = formOf(asked)
  const { payload, protectedHeader } = await jwtVerify(jwt!, key, { currentDate: new Date(now) })
  return { payload, header: protectedHeader }
}

test('id and secret in the query, where that is allowed; nobody sees them', async (t) => {
  const { get, service, log, authorizer } = await setUpOAuth2(t, () => ({ status: 500 }), {
    clientAuthentication: 'query',
    allowSecretInUrl: true,
    retry: { attempts: 1 },
  })
  const failure = await failureOf(get())
  const steps = await authorizer.test!(new TestCaller(), { tryOthers: true })
  assert.equal(service.asked[0]!.url, `/token?client_id=client&client_secret=${SECRET}`)
  assert.equal(service.asked[0]!.body, 'grant_type=client_credentials')
  assert.deepEqual(steps[0]!.asked.query, ['client_id', 'client_secret'])
  const cause = failure.cause as Error | undefined
  assert.doesNotMatch(
    JSON.stringify([failure, failure.stack, cause?.stack, log.lines, steps]),
    new RegExp(SECRET),
  )
})

test('private_key_jwt: the whole request, and what the JWT says', async (t) => {
  const { get, service, clock } = await setUpOAuth2(t, numbered(60), {
    ...asserting({ keyId: 'key-1' }),
    scope: 'im.read',
  })
  assert.equal(tokenOf(await get()), 'Bearer token-number-1')
  const [asked] = service.asked
  const { client_assertion: _, ...form } = formOf(asked!)
  assert.deepEqual(form, {
    grant_type: 'client_credentials',
    client_assertion_type: TYPE,
    client_id: 'client',
    scope: 'im.read',
  })
  assert.equal(asked!.headers['authorization'], undefined)
  const { payload, header } = await verify(asked!, rsa.publicKey, clock.now())
  assert.deepEqual(header, { alg: 'RS256', typ: 'JWT', kid: 'key-1' })
  const now = Math.floor(clock.now() / 1000)
  const { jti, ...claims } = payload
  assert.deepEqual(claims, { iss: 'client', sub: 'client', aud: service.url, iat: now, exp: now + 300 })
  assert.ok(jti)
})

test('every algorithm signs with its kind of key, and jose takes the signature', async (t) => {
  const cases = [
    [rsa, ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
    [p256, ['ES256']],
    [p384, ['ES384']],
    [p521, ['ES512']],
    [ed25519, ['EdDSA']],
  ] as const
  for (const [pair, algorithms] of cases)
    for (const algorithm of algorithms) {
      const options = asserting({ key: keyOf(pair), algorithm })
      const { get, service, clock } = await setUpOAuth2(t, numbered(60), options)
      await get()
      const { header } = await verify(service.asked[0]!, pair.publicKey, clock.now())
      assert.equal(header.alg, algorithm)
    }
})

test('every attempt has an assertion of its own', async (t) => {
  const { get, service, clock, log } = await setUpOAuth2(
    t,
    (_asked, count) => (count < 3 ? { status: 503 } : numbered(60)(_asked, count)),
    asserting(),
  )
  const waiting = get()
  for (const count of [1, 2]) {
    await log.seen('it is tried again', count)
    await clock.advance(2000)
  }
  await waiting
  assert.equal(service.asked.length, 3)
  const payloads = await Promise.all(
    service.asked.map(async (asked) => (await verify(asked, rsa.publicKey, clock.now())).payload),
  )
  assert.equal(new Set(payloads.map(({ jti }) => jti)).size, 3)
  assert.ok(payloads[2]!.iat! > payloads[0]!.iat!)
})

test('issuer, subject, audience, lifetime, claims and typ as they are written', async (t) => {
  const { get, service, clock } = await setUpOAuth2(
    t,
    numbered(60),
    asserting({
      issuer: 'the-issuer',
      subject: 'the-subject',
      audience: ['https://login.example.com/', 'tokenUrl'],
      lifetime: 30_000,
      claims: { tenant: 'acme', list: [1] },
      typ: 'client-authentication+jwt',
      sendClientId: false,
    }),
  )
  await get()
  const { payload, header } = await verify(service.asked[0]!, rsa.publicKey, clock.now())
  assert.equal(header.typ, 'client-authentication+jwt')
  assert.equal(payload.exp! - payload.iat!, 30)
  assert.deepEqual(payload.aud, ['https://login.example.com/', service.url])
  assert.deepEqual(
    [payload.iss, payload.sub, payload['tenant'], payload['list']],
    ['the-issuer', 'the-subject', 'acme', [1]],
  )
  assert.equal(formOf(service.asked[0]!)['client_id'], undefined)
})

test('the query of the token service is no part of the audience', async (t) => {
  const shared = await setUpOAuth2(t, numbered(60))
  const tokenServiceUrl = `${shared.service.url}?grant_type=client_credentials`
  const { get, clock } = await setUpOAuth2(t, undefined, { ...asserting(), tokenServiceUrl }, 0.5, shared)
  await get()
  const { payload } = await verify(shared.service.asked[0]!, rsa.publicKey, clock.now())
  assert.equal(payload.aud, shared.service.url)
})

test('thumbprints of a certificate, and the certificate itself, go into the header', async (t) => {
  const certificate = certificateOf(rsa)
  const { raw } = new X509Certificate(certificate)
  const thumbprint = (name: string) => createHash(name).update(raw).digest('base64url')
  const cases = [
    [{}, { 'x5t#S256': thumbprint('sha256') }],
    [{ x5t: 'sha1' }, { x5t: thumbprint('sha1') }],
    [{ x5t: 'both' }, { x5t: thumbprint('sha1'), 'x5t#S256': thumbprint('sha256') }],
    [{ x5t: 'none', x5c: true }, { x5c: [raw.toString('base64')] }],
  ] as const
  for (const [options, wanted] of cases) {
    const { get, service } = await setUpOAuth2(t, numbered(60), asserting({ certificate, ...options }))
    await get()
    const {
      alg: _alg,
      typ: _typ,
      ...header
    } = decodeProtectedHeader(formOf(service.asked[0]!)['client_assertion']!)
    assert.deepEqual(header, wanted)
  }
})

test('a service account tells the id of its key, and its key is redacted by itself', async (t) => {
  const pem = pemOf(rsa)
  const key = new Secret(JSON.stringify({ private_key: pem, private_key_id: 'google-1' }))
  const { get, service, redacted } = await setUpOAuth2(t, numbered(60), asserting({ key }))
  await get()
  const { client_assertion: jwt } = formOf(service.asked[0]!)
  assert.equal(decodeProtectedHeader(jwt!).kid, 'google-1')
  assert.ok(redacted.has(pem))
})

test('an assertion that the service quotes is not told', async (t) => {
  let quoted = ''
  const { get, log, redactedFor } = await setUpOAuth2(
    t,
    (asked) => {
      quoted = formOf(asked)['client_assertion']!
      return { status: 401, body: { error: 'invalid_client', error_description: `bad: ${quoted}` } }
    },
    asserting({ lifetime: 60_000 }),
  )
  const failure = await failureOf(get())
  assert.match(failure.hint!, /public key.*registered there.*audience/)
  assert.equal(redactedFor.get(quoted), 60_000)
  assert.equal(log.count('token request failed'), 1)
})

test('a token that somebody else made is sent as it is (workload identity)', async (t) => {
  const { get, service } = await setUpOAuth2(t, numbered(60), {
    ...without,
    clientAssertion: { token: new Secret('projected-token-0123'), type: 'urn:other' },
  })
  await get()
  const { client_assertion: token, client_assertion_type: type } = formOf(service.asked[0]!)
  assert.deepEqual([token, type], ['projected-token-0123', 'urn:other'])
})

test('client_secret_jwt signs with the secret, which is not sent', async (t) => {
  const { get, service, clock } = await setUpOAuth2(t, numbered(60), {
    clientAuthentication: 'clientSecretJwt',
    contentType: 'application/json',
  })
  await get()
  const body = JSON.parse(service.asked[0]!.body) as Record<string, string>
  const key = createSecretKey(Buffer.from(SECRET))
  const { payload, protectedHeader } = await jwtVerify(body['client_assertion']!, key, {
    currentDate: new Date(clock.now()),
  })
  assert.equal(protectedHeader.alg, 'HS256')
  assert.deepEqual([payload.iss, payload.sub, payload.aud], ['client', 'client', service.url])
  assert.doesNotMatch(service.asked[0]!.body, new RegExp(SECRET))
})

test('of two secrets the one that is taken signs from then on', async (t) => {
  const old = 'old-secret-0123456789-0123456789'
  const { get, clock, service } = await setUpOAuth2(
    t,
    async (asked, count) => {
      const { client_assertion: jwt } = formOf(asked)
      const key = createSecretKey(Buffer.from(old))
      const good = await jwtVerify(jwt!, key, { currentDate: new Date(clock.now()) }).catch(() => undefined)
      return good ? numbered(60)(asked, count) : { status: 401, body: { error: 'invalid_client' } }
    },
    { clientAuthentication: 'clientSecretJwt', clientSecret: [new Secret(SECRET), new Secret(old)] },
  )
  await get()
  await clock.advance(60_000)
  await get()
  assert.equal(service.asked.length, 3)
})

test('another key asks anew; the token of the old one stands in as long as the new one is refused', async (t) => {
  const first = await setUpOAuth2(t, numbered(3600), asserting())
  await first.get()
  const second = await setUpOAuth2(
    t,
    undefined,
    { ...without, clientAssertion: { key: keyOf(p256) } },
    0.5,
    first,
  )
  second.authorizer.inherit!(first.authorizer)
  first.service.answer = () => ({ status: 401, body: { error: 'invalid_client' } })
  assert.equal(tokenOf(await second.get()), 'Bearer token-number-1')
  assert.equal(first.service.asked.length, 2)
})

test('a credential test names what is sent, and tries clients with a secret otherwise', async (t) => {
  const setup = await setUpOAuth2(
    t,
    (asked) =>
      asked.headers['authorization'] === undefined
        ? { status: 401, body: { error: 'invalid_client' } }
        : { body: { access_token: 'x', expires_in: 60 } },
    { clientAuthentication: 'clientSecretJwt' },
  )
  const steps = await setup.authorizer.test!(new TestCaller(), { tryOthers: true })
  assert.deepEqual(steps[0]!.asked.fields, [
    'grant_type',
    'client_assertion_type',
    'client_assertion',
    'client_id',
  ])
  assert.equal(steps.at(-1)!.change, 'clientAuthentication: header')
  assert.match(steps[0]!.failure!.hint!, /clientAuthentication: header or body/)
})
