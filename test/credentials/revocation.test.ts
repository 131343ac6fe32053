import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { decodeJwt } from 'jose'
import { Secret } from '../../src/core/secret.ts'
import type { OAuth2Options } from '../../src/credentials/oauth2.ts'
import { TestCaller, type Said } from '../support/credentials.ts'
import { pemOf, rsa } from '../support/keys.ts'
import { setUpOAuth2, tokenOf } from '../support/oauth2.ts'

/** A service that takes tokens back. @param said what it answers then */
async function setUp(t: TestContext, options: Partial<OAuth2Options> = {}, said: Said = {}) {
  const setup = await setUpOAuth2(
    t,
    ({ url }, count) =>
      url.startsWith('/revoke')
        ? said
        : { body: { access_token: `token-number-${count}`, expires_in: 3600 } },
    { scope: 'im.read', audience: 'https://api.example.com/', parameters: { body: { company: 'acme' } } },
  )
  const { service } = setup
  const again = await setUpOAuth2(
    t,
    service.answer,
    {
      revocationUrl: `http://127.0.0.1:${service.port}/revoke?realm=acme`,
      retry: { attempts: 1 },
      ...options,
    },
    0.5,
    setup,
  )
  const revocations = () => service.asked.filter(({ url }) => url.startsWith('/revoke'))
  return { ...again, revocations, revoke: () => again.authorizer.revoke!(new TestCaller()) }
}

test('a token is revoked by a form with the token and the client alone, and the next request gets a new one', async (t) => {
  const { get, revoke, revocations, log } = await setUp(t, {
    scope: 'im.read',
    audience: 'https://api.example.com/',
    contentType: 'application/json',
    parameters: { body: { company: 'acme' }, headers: { 'x-realm': 'acme' } },
  })
  const grant = await get()
  assert.deepEqual(await revoke(), { outcome: 'revoked' })
  const [asked] = revocations()
  assert.equal(asked!.method, 'POST')
  assert.equal(asked!.url, '/revoke?realm=acme')
  assert.equal(asked!.body, 'token=token-number-1&token_type_hint=access_token')
  assert.equal(asked!.headers['content-type'], 'application/x-www-form-urlencoded')
  assert.equal(asked!.headers['x-realm'], 'acme')
  const pair = `client:${encodeURIComponent('manager-secret-0123456789')}`
  assert.equal(asked!.headers.authorization, `Basic ${Buffer.from(pair).toString('base64')}`)
  assert.equal(log.count('token revoked at the token service'), 1)
  assert.notEqual(tokenOf(await get()), tokenOf(grant))
})

test('a client that authenticates by its body, or by a JWT of its own, does so here, too', async (t) => {
  const body = await setUp(t, { clientAuthentication: 'body' })
  await body.get()
  await body.revoke()
  assert.equal(
    body.revocations()[0]!.body,
    'token=token-number-1&token_type_hint=access_token&client_id=client&client_secret=manager-secret-0123456789',
  )
  const jwt = await setUp(t, {
    clientSecret: undefined as never,
    clientAssertion: { key: new Secret(pemOf(rsa)) },
  })
  await jwt.get()
  await jwt.revoke()
  const form = new URLSearchParams(jwt.revocations()[0]!.body)
  assert.equal(form.get('client_id'), 'client')
  assert.equal(decodeJwt(form.get('client_assertion')!).aud, `http://127.0.0.1:${jwt.service.port}/revoke`)
})

test('where there is no token nothing is asked', async (t) => {
  const { revoke, revocations, service } = await setUp(t)
  assert.deepEqual(await revoke(), { outcome: 'nothing' })
  assert.equal(revocations().length, 0)
  assert.equal(service.asked.length, 0)
})

test('a removed credential gives its token back; a stopped one keeps it', async (t) => {
  const stopped = await setUp(t)
  await stopped.get()
  stopped.authorizer.stop!()
  const removed = await setUp(t)
  await removed.get()
  removed.authorizer.remove!()
  await assert.rejects(removed.get(), { code: 'credential.missing' })
  await removed.log.seen('token revoked')
  assert.equal(removed.revocations().length, 1)
  assert.equal(stopped.revocations().length, 0)
  assert.equal(stopped.log.count('revoked'), 0)
})

test('a service that does not answer holds up nobody', async (t) => {
  const { get, authorizer, service, clock, log } = await setUp(t, { connectTimeout: 0, readTimeout: 0 })
  await get()
  const asked = Promise.withResolvers<void>()
  service.answer = () => {
    asked.resolve()
    return new Promise<Said>(() => {})
  }
  authorizer.remove!()
  await asked.promise
  assert.equal(log.count('revoked'), 0)
  await clock.advance(30_000)
  await log.seen('the token could not be revoked')
})

const refusals: readonly { said: Said; reason: RegExp; hint: RegExp | undefined }[] = [
  {
    said: {
      status: 400,
      body: { error: 'unsupported_token_type', error_description: 'no: token-number-1!' },
    },
    reason: /^127\.0\.0\.1:\d+ answered 400 unsupported_token_type \(no: \[\w+\]!\)$/,
    hint: /leave revocationUrl out/,
  },
  { said: { status: 401 }, reason: / answered 401$/, hint: /may revoke tokens/ },
  { said: { status: 404, body: 'no' }, reason: / answered 404$/, hint: /nothing at this address/ },
  { said: { status: 503 }, reason: / answered 503$/, hint: undefined },
  { said: { status: 307, headers: { location: '/other' } }, reason: /redirected \(307\)/, hint: /ends up/ },
]

for (const { said, reason, hint } of refusals)
  test(`a refusal is told without the token: ${said.status}`, async (t) => {
    const { get, revoke, revocations, log } = await setUp(t, {}, said)
    await get()
    const told = await revoke()
    assert.equal(told.outcome, 'failed')
    assert.ok(told.outcome === 'failed')
    assert.match(told.reason, reason)
    if (hint) assert.match(told.hint!, hint)
    else assert.equal(told.hint, undefined)
    assert.equal(revocations().length, 1)
    assert.equal(log.count('the token could not be revoked'), 1)
    assert.doesNotMatch(JSON.stringify([told, log.lines]), /token-number-1/)
  })

test('a token that was kept for the next engine is revoked by it, though it was not used yet', async (t) => {
  const first = await setUp(t, { exclusive: true })
  await first.get()
  first.authorizer.stop!()
  const options = {
    revocationUrl: `http://127.0.0.1:${first.service.port}/revoke?realm=acme`,
    exclusive: true,
  }
  const next = await setUpOAuth2(t, first.service.answer, { ...options, retry: { attempts: 1 } }, 0.5, first)
  assert.deepEqual(await next.authorizer.revoke!(new TestCaller()), { outcome: 'revoked' })
  assert.match(first.revocations()[0]!.body, /^token=token-number-1&/)
  assert.equal(tokenOf(await next.get()), 'Bearer token-number-3')
})

const RFC8414 = '/.well-known/oauth-authorization-server'

async function setUpIssuer(
  t: TestContext,
  revocation: string | undefined,
  options: Partial<OAuth2Options> = {},
) {
  const revoked: string[] = []
  const setup = await setUpOAuth2(t, ({ method, url, body, headers }, count) => {
    const issuer = `http://${headers.host}`
    if (url === RFC8414)
      return {
        body: {
          issuer,
          token_endpoint: `${issuer}/token`,
          ...(revocation !== undefined && { revocation_endpoint: revocation.replace('ISSUER', issuer) }),
        },
      }
    if (method === 'POST' && url === '/gone') revoked.push(body)
    return { body: { access_token: `token-number-${count}`, expires_in: 3600 } }
  })
  const issued = await setUpOAuth2(
    t,
    setup.service.answer,
    {
      tokenServiceUrl: undefined as never,
      issuer: `http://127.0.0.1:${setup.service.port}`,
      retry: { attempts: 1 },
      ...options,
    },
    0.5,
    setup,
  )
  return { ...issued, revoked, revoke: () => issued.authorizer.revoke!(new TestCaller()) }
}

test('the metadata of the issuer says where tokens are revoked', async (t) => {
  const { get, revoke, revoked } = await setUpIssuer(t, 'ISSUER/gone')
  await get()
  assert.deepEqual(await revoke(), { outcome: 'revoked' })
  assert.equal(revoked.length, 1)
})

test('an address that the metadata says on another host gets no token, and does not keep tokens from being asked for', async (t) => {
  const { get, revoke } = await setUpIssuer(t, 'https://evil.example.com/gone')
  await get()
  const told = await revoke()
  assert.ok(told.outcome === 'failed')
  assert.equal(
    told.reason,
    'the metadata of the issuer names a place to revoke tokens on another host: evil.example.com',
  )
})

test('an issuer that does not take tokens back: the way out is said', async (t) => {
  const { get, revoke } = await setUpIssuer(t, undefined)
  await get()
  const told = await revoke()
  assert.ok(told.outcome === 'failed')
  assert.match(told.reason, /revocation_endpoint/)
  assert.match(told.hint!, /revocationUrl/)
})
