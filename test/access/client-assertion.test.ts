import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { SignJWT, UnsecuredJWT, type JWK, type JWTPayload } from 'jose'
import * as oauth from 'oauth4webapi'
import { readClientKey, readKeyFile } from '../../src/access/client-keys.ts'
import { SIGNATURE_ALGORITHMS } from '../../src/access/signature-algorithms.ts'
import { UsedOnce } from '../../src/access/used-once.ts'
import { ManualClock } from '../support/clock.ts'
import { certificateOf, otherRsa, p256, pemOf, rsa } from '../support/keys.ts'
import { discovered, door, HASH, ISSUER } from './fixture.ts'
import { sign, testKey, type TestKey } from './issuer-fixture.ts'

const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const TOKEN_URL = `${ISSUER}/oauth2/token`
const key = await testKey('k1')
const next = await testKey('k2', 'RS256')
const stranger = await testKey('k1')

const fileOf = (...keys: JWK[]) => `jwks: ${JSON.stringify({ keys })}\n`

/** An engine with a client that signs. */
async function signing(t: TestContext, clients: Record<string, string> = { shop: fileOf(key.jwk) }) {
  const at = await door(t, clients)
  let ids = 0
  const now = () => Math.floor(at.clock.now() / 1000)
  const assert = (
    own: Record<string, unknown> = {},
    by: TestKey = key,
    header: Record<string, unknown> = {},
  ) =>
    sign(
      by,
      {
        iss: 'shop',
        sub: 'shop',
        aud: ISSUER,
        iat: now(),
        exp: now() + 60,
        jti: `j${++ids}`,
        ...own,
      },
      header,
    )
  const ask = (assertion: string, form: Record<string, string> = {}, path = '/oauth2/token', headers = {}) =>
    at.ask(path, {
      headers,
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_assertion_type: TYPE,
        client_assertion: assertion,
        ...form,
      }),
    })
  const why = () => at.log.lines.at(-1)!.text
  return { ...at, now, assert, send: ask, why }
}

describe('clients that sign (private_key_jwt)', () => {
  it('get tokens for the issuer and for each address of the token endpoint', async (t) => {
    const { assert: make, send, call, now, ask } = await signing(t)
    const audiences = [ISSUER, TOKEN_URL, `${ISSUER}/oauth/token`, [ISSUER, TOKEN_URL]]
    for (const aud of audiences) {
      const { status, body } = await send(await make({ aud }))
      assert.equal(status, 200, String(aud))
      assert.equal((await call(String(body['access_token']))).status, 200)
    }
    const forms: [form: Record<string, string>, header: object, claims: object][] = [
      [{ client_id: 'shop', scope: 'ESBMessaging.send' }, {}, {}],
      [{ token_format: 'opaque' }, { kid: 'unknown' }, {}],
      [{}, { kid: undefined, typ: 'client-authentication+jwt' }, { iat: undefined }],
      [{}, {}, { exp: now() + 600 }],
      [{}, {}, { exp: now() - 59, nbf: now() - 70 }],
    ]
    for (const [form, header, claims] of forms) {
      const { status, body } = await send(await make(claims as JWTPayload, key, { ...header }), form)
      assert.equal(status, 200, JSON.stringify(body))
      assert.equal((await call(String(body['access_token']))).status, 200)
    }
    const { body: metadata } = await ask('/.well-known/oauth-authorization-server', { method: 'GET' })
    for (const at of ['token', 'revocation', 'introspection']) {
      assert.ok((metadata[`${at}_endpoint_auth_methods_supported`] as string[]).includes('private_key_jwt'))
      const algorithms = metadata[`${at}_endpoint_auth_signing_alg_values_supported`] as string[]
      assert.deepEqual([algorithms.includes('ES256'), algorithms.includes('HS256')], [true, false])
    }
  })

  it('are refused with invalid_client where the assertion is not good, with the reason in the log only', async (t) => {
    const {
      assert: make,
      send,
      why,
      now,
      clock,
    } = await signing(t, {
      shop: fileOf(key.jwk),
      secret: '',
      off: `enabled: false\n${fileOf(next.jwk)}`,
    })
    const claims = { iss: 'shop', sub: 'shop', aud: ISSUER, exp: now() + 600, jti: 'x' }
    const hs256 = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      .sign(Buffer.from(JSON.stringify(key.jwk)))
    const of = (id: string) => ({ iss: id, sub: id })
    const bad: [assertion: () => string | Promise<string>, why: RegExp, form?: Record<string, string>][] = [
      [async () => new UnsecuredJWT(claims).encode(), /not signed with RS256/],
      [async () => hs256, /not signed with RS256/],
      [async () => await make({}, stranger), /not signed with a key of client "shop"/],
      [async () => await make({}, next), /has no key for RS256/],
      [
        async () =>
          (await make({}, key, { jwk: stranger.jwk, kid: 'k1', jku: 'https://evil.example.com/' })) + 'x',
        /not signed with|cannot be read/,
      ],
      [async () => await make({ iss: 'other' }), /does not name the client as "iss" and "sub"/],
      [async () => await make({ iss: undefined }), /does not name the client/],
      [async () => await make({ sub: undefined, iss: undefined }), /does not name the client/],
      [async () => await make(of('nobody')), /no such client/],
      [async () => await make(of('secret')), /has no public key/],
      [async () => await make(of('off'), next), /"off" is disabled/],
      [async () => await make(), /client_id is another one/, { client_id: 'other' }],
      [async () => await make({ aud: undefined }), /"aud" of the assertion is missing|somebody else/],
      [async () => await make({ aud: 'https://other.example.com' }), /meant for somebody else/],
      [async () => await make({ aud: `${ISSUER}/` }), /meant for somebody else/],
      [async () => await make({ aud: [ISSUER, 'https://other.example.com'] }), /meant for others, too/],
      [async () => await make({ exp: undefined }), /"exp" of the assertion is missing/],
      [async () => await make({ exp: now() - 61 }), /has expired/],
      [async () => await make({ exp: now() + 661 }), /more than 600 s/],
      [async () => await make({ nbf: now() + 61 }), /"nbf" of the assertion/],
      [async () => await make({ jti: undefined }), /"jti" of the assertion is missing/],
      [async () => await make({ jti: 7 }), /"jti" of the assertion is no text/],
      [async () => await make({ jti: '' }), /"jti" of the assertion is no text/],
      [async () => 'x', /no JWT that can be read/],
      [async () => 'x'.repeat(9000), /longer than 8192/],
    ]
    for (const [made, reason, form] of bad) {
      const assertion = await made()
      const { status, body, headers } = await send(assertion, form)
      assert.deepEqual([status, body['error']], [401, 'invalid_client'], String(reason))
      assert.equal(headers.get('www-authenticate'), null)
      assert.match(why(), reason)
      assert.equal(body['error_description'], 'the client assertion is not good')
      assert.equal(why().includes(assertion.slice(0, 60)) && assertion.length > 1, false)
      await clock.advance(60_000)
    }
  })

  it('say with invalid_request what cannot be understood', async (t) => {
    const { assert: make, send, basic } = await signing(t)
    const wrong: [form: Record<string, string>, headers?: Record<string, string>][] = [
      [{ client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer' }],
      [{ client_assertion_type: '' }],
      [{ client_assertion: '' }],
      [{ client_secret: 'x'.repeat(20), client_id: 'shop' }],
      [{}, basic()],
    ]
    for (const [form, headers] of wrong) {
      const { status, body } = await send(await make(), form, '/oauth2/token', headers)
      assert.deepEqual([status, body['error']], [400, 'invalid_request'], JSON.stringify(form))
    }
  })

  it('use each assertion once, also when it was sent twice at the same time', async (t) => {
    const { assert: make, send, why, clock, now } = await signing(t)
    const assertion = await make()
    const both = await Promise.all([send(assertion), send(assertion)])
    assert.deepEqual(both.map(({ status }) => status).toSorted(), [200, 401])
    assert.match(why(), /used before/)
    assert.equal((await send(assertion, {}, '/oauth2/introspect')).status, 401)
    const again = await make({ jti: 'same', exp: now() + 600 })
    assert.equal((await send(again)).status, 200)
    await clock.advance(590_000)
    assert.equal((await send(again)).status, 401, 'as long as it is good')
    assert.equal((await send(await make({ jti: 'same' }))).status, 401, 'a new one with the same id, too')
  })

  it('are slowed down after five wrong assertions within a minute', async (t) => {
    const { assert: make, send, clock } = await signing(t)
    for (let i = 0; i < 5; i++) assert.equal((await send(await make({}, stranger))).status, 401)
    const limited = await send(await make())
    assert.deepEqual([limited.status, limited.headers.get('retry-after')], [429, '60'])
    await clock.advance(60_000)
    assert.equal((await send(await make())).status, 200)
  })

  it('are counted by network alone where there is no such client', async (t) => {
    const { assert: make, send, why } = await signing(t)
    const unknown = async (id: string) => (await send(await make({ iss: id, sub: id }))).status
    for (let i = 0; i < 50; i++) assert.equal(await unknown(`nobody${i % 2}`), 401)
    assert.equal(await unknown('nobody2'), 429)
    assert.match(why(), /too many wrong assertions from this network/)
    assert.equal((await send(await make())).status, 429)
  })

  it('have several keys while one is replaced; tokens end with the last key of their time', async (t) => {
    const { assert: make, send, call, write } = await signing(t)
    const token = async (by: TestKey) => String((await send(await make({}, by))).body['access_token'])
    const first = await token(key)
    write({ shop: fileOf(key.jwk, next.jwk) })
    const during = [await token(key), await token(next)]
    assert.equal((await call(first)).status, 200)
    write({ shop: fileOf(next.jwk) })
    assert.equal((await send(await make())).status, 401, 'the first key')
    for (const one of during) assert.equal((await call(one)).status, 200)
    assert.equal((await call(first)).status, 401)
    write({ shop: `secretHash: ${HASH}\n${fileOf(next.jwk)}` })
    for (const one of during) assert.equal((await call(one)).status, 200, 'beside a secret')
    write({ shop: fileOf(stranger.jwk) })
    for (const one of during) assert.equal((await call(one)).status, 401)
  })

  it('end and look at their tokens with assertions, too', async (t) => {
    const { assert: make, send, call } = await signing(t)
    const token = String((await send(await make())).body['access_token'])
    const at = async (path: string, aud: string) => send(await make({ aud }), { token }, `/oauth2/${path}`)
    assert.equal((await at('introspect', `${ISSUER}/oauth2/introspect`)).body['active'], true)
    assert.equal((await at('revoke', TOKEN_URL)).status, 200)
    assert.equal((await call(token)).status, 401)
    assert.equal((await send(await make({ aud: `${ISSUER}/oauth2/introspect` }))).status, 401)
  })

  for (const alg of SIGNATURE_ALGORITHMS)
    it(`are understood by oauth4webapi, which signs with ${alg}`, async (t) => {
      const made = await testKey('k1', alg)
      const at = await door(t, { shop: fileOf(made.jwk) })
      const { options, server } = await discovered(at.url)
      const skew = Math.floor(at.clock.now() / 1000) - Math.floor(Date.now() / 1000)
      const client = { client_id: 'shop', [oauth.clockSkew]: skew }
      const proof = oauth.PrivateKeyJwt({ key: made.privateKey, kid: 'k1' })
      const response = await oauth.clientCredentialsGrantRequest(server, client, proof, {}, options)
      const { access_token: token } = await oauth.processClientCredentialsResponse(server, client, response)
      const looked = await oauth.introspectionRequest(server, client, proof, token, options)
      assert.equal((await oauth.processIntrospectionResponse(server, client, looked)).active, true)
      const ended = await oauth.revocationRequest(server, client, proof, token, options)
      await oauth.processRevocationResponse(ended)
      assert.equal((await at.call(token)).status, 401)
    })
})

describe('public keys of clients', () => {
  it('are told from others with the reason', () => {
    const [jwk] = readKeyFile(rsa.publicKey.export({ type: 'spki', format: 'pem' })) as [JWK]
    const short = { ...jwk, n: jwk.n!.slice(0, 100) }
    const bad: [jwk: unknown, why: RegExp][] = [
      ['x', /is no key/],
      [null, /is no key/],
      [[], /is no key/],
      [{ kty: 'oct', k: 'c2VjcmV0' }, /is not public/],
      [rsa.privateKey.export({ format: 'jwk' }), /is not public/],
      [{ ...jwk, use: 'enc' }, /not for signatures/],
      [{ ...jwk, alg: 'ES256' }, /"alg"/],
      [{ ...jwk, alg: 'HS256' }, /"alg"/],
      [short, /cannot be used/],
      [{ kty: 'EC', crv: 'secp256k1', x: jwk.n, y: jwk.n }, /cannot be used/],
      [{ kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' }, /cannot be used/],
    ]
    for (const [one, why] of bad) {
      const read = readClientKey(one)
      assert.match('why' in read ? read.why : 'good', why)
    }
    const narrowed = readClientKey({ ...jwk, alg: 'PS384', use: 'sig' })
    assert.deepEqual('why' in narrowed || narrowed.algorithms, ['PS384'])
  })

  it('come from PEM, certificates, a JWK and a JWK Set, without what is not needed', () => {
    const { publicKey } = rsa
    const jwk = publicKey.export({ format: 'jwk' }) as JWK
    const expected = { kty: 'RSA', n: jwk.n, e: 'AQAB' }
    const ec = p256.publicKey.export({ format: 'jwk' })
    const good: [text: string, keys: object[]][] = [
      [publicKey.export({ type: 'spki', format: 'pem' }), [expected]],
      [publicKey.export({ type: 'pkcs1', format: 'pem' }), [expected]],
      [certificateOf(rsa), [expected]],
      [JSON.stringify({ ...jwk, kid: 'k', x5c: ['...'], key_ops: ['verify'] }), [{ ...expected, kid: 'k' }]],
      [` ${JSON.stringify({ keys: [jwk, ec] })}`, [expected, ec]],
    ]
    for (const [text, keys] of good) {
      const read = readKeyFile(text)
      assert.deepEqual(read, keys)
    }
    const bad: [text: string, why: RegExp][] = [
      [pemOf(otherRsa), /private key/],
      [JSON.stringify(otherRsa.privateKey.export({ format: 'jwk' })), /is not public/],
      ['{"keys":[]}', /holds no keys/],
      ['{', /no JSON/],
      ['hello', /no public key/],
    ]
    for (const [text, why] of bad) {
      const read = readKeyFile(text)
      assert.match('why' in read ? read.why : 'good', why)
    }
  })
})

describe('what may be used once', () => {
  it('is forgotten after its end, and nothing is taken where there is no room', async () => {
    const clock = new ManualClock()
    const once = new UsedOnce(clock)
    const until = clock.now() + 120_000
    assert.equal(once.use('shop', 'a', until), 'new')
    assert.equal(once.use('shop', 'a', until + 300_000), 'used')
    for (let i = 1; i < 100_000; i++) once.use('shop', `n${i}`, until)
    assert.equal(once.use('shop', 'more', until), 'full')
    assert.equal(once.use('other', 'more', until), 'new', 'others have their room')
    assert.equal(once.use('shop', 'a', until), 'used', 'nothing is forgotten before its end')
    await clock.advance(180_000)
    assert.equal(once.use('shop', 'a', clock.now() + 60_000), 'new')
  })
})
