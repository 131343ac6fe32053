import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test, type TestContext } from 'node:test'
import type { JWK } from 'jose'
import { Provider } from 'oidc-provider'
import { Failure } from '../../src/core/failure.ts'
import { Secret } from '../../src/core/secret.ts'
import type { OAuth2Options } from '../../src/credentials/oauth2.ts'
import { ManualClock } from '../support/clock.ts'
import { ed25519, otherRsa, p256, pemOf, rsa } from '../support/keys.ts'
import { TestCaller } from '../support/credentials.ts'
import { authorizerFor } from '../support/oauth2.ts'
import { listenOnLoopback } from '../support/loopback.ts'

const NASTY = 'p+w/=%:&? "~!*\'()-0123456789'
const PLAIN = 'post-secret-0123456789-0123456789'
const KEYS = { rsa, pss: rsa, p256, ed25519 }

/** A token service that no one here wrote. */
async function startProvider(t: TestContext): Promise<string> {
  t.mock.method(console, 'warn', () => {})
  const server = createServer()
  const issuer = `http://${await listenOnLoopback(t, server)}`
  const client = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }
  const provider = new Provider(issuer, {
    clients: [
      {
        ...client,
        client_id: 'basic client',
        client_secret: NASTY,
        token_endpoint_auth_method: 'client_secret_basic',
      },
      {
        ...client,
        client_id: 'post',
        client_secret: PLAIN,
        token_endpoint_auth_method: 'client_secret_post',
      },
      {
        ...client,
        client_id: 'secret-jwt',
        client_secret: PLAIN,
        token_endpoint_auth_method: 'client_secret_jwt',
      },
      ...Object.entries(KEYS).map(([name, { publicKey }]) => ({
        ...client,
        client_id: name,
        jwks: { keys: [publicKey.export({ format: 'jwk' }) as JWK] },
        token_endpoint_auth_method: 'private_key_jwt' as const,
      })),
    ],
    scopes: ['im.read', 'im.write'],
    enabledJWA: { clientAuthSigningAlgValues: ['HS256', 'RS256', 'PS256', 'ES256', 'Ed25519', 'EdDSA'] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      introspection: { enabled: true },
      revocation: { enabled: true },
    },
    ttl: { ClientCredentials: () => 90 },
  })
  server.on('request', provider.callback())
  return `${issuer}/token`
}

test('oidc-provider gives a token for a form-encoded Basic header with every odd character, a scope and a lifetime', async (t) => {
  const clock = new ManualClock()
  const { authorizer, get } = authorizerFor(t, clock, {
    tokenServiceUrl: await startProvider(t),
    clientId: 'basic client',
    clientSecret: [new Secret(NASTY)],
    scope: 'im.read im.write',
  })
  const grant = await get()
  assert.match(grant.headers[1]!, /^Bearer [\w-]{20,}$/)
  const { details } = authorizer.state()
  assert.equal(details['lifetime'], '90 s')
  assert.equal(details['granted scope'], 'im.read im.write')
  await clock.advance(80_000)
  assert.notEqual((await get()).headers[1], grant.headers[1])
})

test('oidc-provider takes tokens back, from a client with a secret and from one with a key, found by its metadata', async (t) => {
  const issuer = new URL(await startProvider(t)).origin
  const clients: readonly Partial<OAuth2Options>[] = [
    { clientId: 'post', clientSecret: [new Secret(PLAIN)], clientAuthentication: 'body' },
    { clientId: 'rsa', clientAssertion: { key: new Secret(pemOf(rsa)) } },
  ]
  for (const client of clients) {
    const { authorizer, get } = authorizerFor(t, new ManualClock(Date.now()), { issuer, ...client })
    const token = (await get()).headers[1]!.slice('Bearer '.length)
    const isActive = async () => {
      const body = new URLSearchParams({ token, client_id: 'post', client_secret: PLAIN })
      const answer = await fetch(`${issuer}/token/introspection`, { method: 'POST', body })
      return ((await answer.json()) as { active: boolean }).active
    }
    if (client.clientId === 'post') assert.equal(await isActive(), true)
    assert.deepEqual(await authorizer.revoke!(new TestCaller()), { outcome: 'revoked' })
    assert.equal(await isActive(), false)
    assert.notEqual((await get()).headers[1], `Bearer ${token}`)
  }
})

test('oidc-provider refuses the same secret sent raw', async (t) => {
  const { get } = authorizerFor(t, new ManualClock(), {
    tokenServiceUrl: await startProvider(t),
    clientId: 'basic client',
    clientSecret: [new Secret(NASTY)],
    basicEncoding: 'raw',
  })
  await assert.rejects(get(), { code: 'credential.refused' })
})

test('oidc-provider gives a token for id and secret in the body', async (t) => {
  const { get } = authorizerFor(t, new ManualClock(), {
    tokenServiceUrl: await startProvider(t),
    clientId: 'post',
    clientSecret: [new Secret(PLAIN)],
    clientAuthentication: 'body',
    scope: 'im.read',
  })
  assert.match((await get()).headers[1]!, /^Bearer /)
})

test('oidc-provider refuses a wrong secret: status, OAuth error and what to do', async (t) => {
  const { get } = authorizerFor(t, new ManualClock(), {
    tokenServiceUrl: await startProvider(t),
    clientId: 'post',
    clientSecret: [new Secret('wrong-secret-0123456789')],
    clientAuthentication: 'body',
  })
  await assert.rejects(get(), (error) => {
    assert.ok(error instanceof Failure)
    assert.equal(error.code, 'credential.refused')
    assert.match(error.message, /^the token service refused credential "foreign": 401 invalid_client \(.+\)$/)
    assert.match(error.hint!, /Verify clientId and clientSecret/)
    assert.doesNotMatch(JSON.stringify(error) + error.message + error.hint, /wrong-secret/)
    return true
  })
})

test('oidc-provider takes client_secret_jwt, and each attempt anew', async (t) => {
  const clock = new ManualClock(Date.now())
  const tokenServiceUrl = await startProvider(t)
  const { get } = authorizerFor(t, clock, {
    tokenServiceUrl,
    clientId: 'secret-jwt',
    clientSecret: [new Secret(PLAIN)],
    clientAuthentication: 'clientSecretJwt',
  })
  const grant = await get()
  grant.reject()
  assert.notEqual((await get()).headers[1], grant.headers[1])
})

test('oidc-provider takes private_key_jwt with each kind of key; audience: token URL or issuer', async (t) => {
  const tokenServiceUrl = await startProvider(t)
  const issuer = new URL(tokenServiceUrl).origin
  const cases = [
    ['rsa', 'RS256', 'tokenUrl'],
    ['pss', 'PS256', issuer],
    ['p256', 'ES256', issuer],
    ['ed25519', 'EdDSA', 'tokenUrl'],
  ] as const
  for (const [name, algorithm, audience] of cases) {
    const { get } = authorizerFor(t, new ManualClock(Date.now()), {
      tokenServiceUrl,
      clientId: name,
      clientAssertion: { key: new Secret(pemOf(KEYS[name])), algorithm, audience: [audience] },
      scope: 'im.read',
    })
    assert.match((await get()).headers[1]!, /^Bearer /, algorithm)
  }
})

test('oidc-provider refuses an assertion of another key: the hint leads to key and audience', async (t) => {
  const { get } = authorizerFor(t, new ManualClock(Date.now()), {
    tokenServiceUrl: await startProvider(t),
    clientId: 'rsa',
    clientAssertion: { key: new Secret(pemOf(otherRsa)) },
  })
  await assert.rejects(get(), (error) => {
    assert.ok(error instanceof Failure)
    assert.match(error.message, /: 401 invalid_client/)
    assert.match(error.hint!, /the public key .* registered there/)
    return true
  })
})

test('oidc-provider takes no JSON request: the hint leads to contentType', async (t) => {
  const { get } = authorizerFor(t, new ManualClock(), {
    tokenServiceUrl: await startProvider(t),
    clientId: 'basic client',
    clientSecret: [new Secret(NASTY)],
    contentType: 'application/json',
  })
  await assert.rejects(get(), (error) => {
    assert.ok(error instanceof Failure)
    assert.match(error.message, /: 400 invalid_request/)
    assert.match(error.hint!, /contentType/)
    return true
  })
})
