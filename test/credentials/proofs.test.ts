import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt, jwtVerify } from 'jose'
import { Secret } from '../../src/core/secret.ts'
import type { OAuth2Options } from '../../src/credentials/oauth2.ts'
import { TestCaller, type Asked } from '../support/credentials.ts'
import { p256, pemOf, rsa } from '../support/keys.ts'
import { failureOf, numbered, setUpOAuth2, tokenOf } from '../support/oauth2.ts'

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const TYPE = 'urn:ietf:params:oauth:token-type:'
const key = new Secret(pemOf(rsa))
const alone = { clientId: undefined as never, clientSecret: undefined as never }
const pairsOf = ({ body }: Asked) => [...new URLSearchParams(body)]
const formOf = (asked: Asked) => Object.fromEntries(pairsOf(asked))

test('jwt-bearer: a service account without a client (Google)', async (t) => {
  const { get, service, clock } = await setUpOAuth2(t, numbered(3599), {
    ...alone,
    grantType: 'jwt-bearer',
    assertion: {
      key,
      keyId: 'k1',
      issuer: 'a@project.example.com',
      lifetime: 3_600_000,
      claims: { scope: 'https://www.googleapis.com/auth/cloud-platform' },
    },
  })
  assert.equal(tokenOf(await get()), 'Bearer token-number-1')
  const [asked] = service.asked
  const { assertion, ...form } = formOf(asked!)
  assert.deepEqual(form, { grant_type: JWT_BEARER })
  assert.equal(asked!.headers['authorization'], undefined)
  const { payload, protectedHeader } = await jwtVerify(assertion!, rsa.publicKey, {
    currentDate: new Date(clock.now()),
  })
  const { jti, iat, exp, ...claims } = payload
  assert.deepEqual(protectedHeader, { alg: 'RS256', typ: 'JWT', kid: 'k1' })
  assert.deepEqual(claims, {
    iss: 'a@project.example.com',
    aud: service.url,
    scope: 'https://www.googleapis.com/auth/cloud-platform',
  })
  assert.ok(jti)
  assert.equal(exp! - iat!, 3600)
})

test('jwt-bearer: for a user, with the host as audience and the client beside it (DocuSign, Salesforce)', async (t) => {
  const { get, service } = await setUpOAuth2(t, numbered(3600), {
    grantType: JWT_BEARER,
    clientAuthentication: 'body',
    assertion: {
      key: new Secret(pemOf(p256)),
      subject: 'user-1',
      audience: ['account.example.com'],
    },
    scope: 'signature',
  })
  await get()
  const pairs = pairsOf(service.asked[0]!)
  assert.deepEqual(
    pairs.map(([name]) => name),
    ['grant_type', 'assertion', 'client_id', 'client_secret', 'scope'],
  )
  const { iss, sub, aud } = decodeJwt(pairs[1]![1])
  assert.deepEqual([iss, sub, aud], ['client', 'user-1', 'account.example.com'])
})

test('token exchange: every parameter of RFC 8693, as it is sent', async (t) => {
  const options: Partial<OAuth2Options> = {
    grantType: 'token-exchange',
    subjectToken: { token: new Secret('subject-0123456789'), type: 'id_token' },
    actorToken: { token: new Secret('actor-0123456789') },
    requestedTokenType: 'access_token',
    audience: 'orders',
    resource: ['https://api.example.com/'],
    scope: 'read',
  }
  const { get, service, redacted } = await setUpOAuth2(
    t,
    () => ({
      body: {
        access_token: 'exchanged',
        issued_token_type: `${TYPE}access_token`,
        token_type: 'N_A',
        expires_in: 60,
      },
    }),
    options,
  )
  assert.equal(tokenOf(await get()), 'Bearer exchanged')
  assert.deepEqual(pairsOf(service.asked[0]!), [
    ['grant_type', EXCHANGE],
    ['requested_token_type', `${TYPE}access_token`],
    ['subject_token', 'subject-0123456789'],
    ['subject_token_type', `${TYPE}id_token`],
    ['actor_token', 'actor-0123456789'],
    ['actor_token_type', `${TYPE}jwt`],
    ['scope', 'read'],
    ['audience', 'orders'],
    ['resource', 'https://api.example.com/'],
  ])
  assert.match(service.asked[0]!.headers['authorization']!, /^Basic /)
  assert.ok(redacted.has('subject-0123456789') && redacted.has('actor-0123456789'))
})

test('token exchange without a client, of a token in a file, with a type of the service (workload identity)', async (t) => {
  const { get, service } = await setUpOAuth2(t, numbered(60), {
    ...alone,
    grantType: EXCHANGE,
    subjectToken: { token: new Secret('projected-0123456789'), type: 'urn:acme:token' },
  })
  await get()
  assert.deepEqual(formOf(service.asked[0]!), {
    grant_type: EXCHANGE,
    subject_token: 'projected-0123456789',
    subject_token_type: 'urn:acme:token',
  })
})

test('another projected token asks anew, and the token before stands in', async (t) => {
  const options = (text: string) => ({
    ...alone,
    grantType: EXCHANGE,
    subjectToken: { token: new Secret(text) },
  })
  const first = await setUpOAuth2(t, numbered(3600), options('projected-0123456789'))
  await first.get()
  const second = await setUpOAuth2(t, undefined, options('projected-9876543210'), 0.5, first)
  second.authorizer.inherit!(first.authorizer)
  assert.equal(tokenOf(await second.get()), 'Bearer token-number-2')
})

test('a refused assertion: what to look at, by grant', async (t) => {
  const refused = () => ({ status: 400, body: { error: 'invalid_grant' } })
  const cases: [Partial<OAuth2Options>, RegExp][] = [
    [{ grantType: 'jwt-bearer', assertion: { key } }, /issuer, subject and audience/],
    [
      { grantType: 'token-exchange', subjectToken: { token: new Secret('t-0123456789') } },
      /subject or actor token/,
    ],
  ]
  for (const [options, hint] of cases) {
    const { get, service } = await setUpOAuth2(t, refused, options)
    assert.match((await failureOf(get())).hint!, hint)
    assert.equal(service.asked.length, 1)
  }
})

test('a credential test names the fields, and tries no other place for an assertion than the body', async (t) => {
  const { authorizer, service } = await setUpOAuth2(
    t,
    () => ({ status: 400, body: { error: 'invalid_request' } }),
    { grantType: 'jwt-bearer', clientAuthentication: 'header', assertion: { key } },
  )
  const steps = await authorizer.test!(new TestCaller(), { tryOthers: true })
  assert.deepEqual(steps[0]!.asked.fields, ['grant_type', 'assertion'])
  assert.ok(steps.length > 3)
  for (const { url, body } of service.asked) {
    assert.doesNotMatch(url, /assertion/)
    assert.match(body, /assertion/)
  }
  const ids = service.asked.map(({ body }) => /eyJ[\w.-]+/.exec(body)![0]).map((jwt) => decodeJwt(jwt).jti)
  assert.equal(new Set(ids).size, service.asked.length)
})
