import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { describe, it, type TestContext } from 'node:test'
import { decodeJwt, decodeProtectedHeader, type JWK } from 'jose'
import { OAuth2Server } from 'oauth2-mock-server'
import { Provider } from 'oidc-provider'
import { noGlewlwyd, startGlewlwyd } from '../support/glewlwyd.ts'
import { ed25519, p256, pemOf, rsa, type KeyPair } from '../support/keys.ts'
import { startProject } from '../support/project.ts'
import { listenOnLoopback } from '../support/loopback.ts'

const SECRET = 'secret-of-the-shop-0123456789'
const flow =
  'steps:\n  - endpoint: { path: /orders, access: { role: orders.write } }\n  - set: { body: "${trigger.caller}" }\n'

/** An engine that takes tokens of an issuer. */
async function engine(t: TestContext, issuer: string) {
  const { url, log } = await startProject(t, {
    'flows/orders.yaml': flow,
    'security-material/partner.yaml': `type: issuer\n${issuer}`,
  })
  return async (token: string) => {
    const headers = { authorization: `Bearer ${token}` }
    const answer = await fetch(`${url}/http/orders`, { method: 'POST', headers, body: '{}' })
    assert.equal(log.join('').includes(token), false)
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
}

async function ask(url: string, form: Record<string, string>): Promise<string> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`shop:${SECRET}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...form }),
  })
  const body = (await answer.json()) as Record<string, unknown>
  assert.equal(answer.status, 200, JSON.stringify(body))
  return String(body['access_token'])
}

const jwkOf = ({ privateKey }: KeyPair, kid: string): JWK => ({
  ...(privateKey.export({ format: 'jwk' }) as JWK),
  kid,
  use: 'sig',
})

async function startProvider(t: TestContext): Promise<string> {
  t.mock.method(console, 'warn', () => {})
  const server = createServer()
  const issuer = `http://${await listenOnLoopback(t, server)}`
  const provider = new Provider(issuer, {
    jwks: { keys: [jwkOf(rsa, 'r'), jwkOf(p256, 'e'), jwkOf(ed25519, 'o')] },
    clients: [
      {
        client_id: 'shop',
        client_secret: SECRET,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    scopes: ['orders.write', 'orders.read'],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_: unknown, resource: string) => ({
          scope: 'orders.write orders.read',
          audience: resource.replace(/:[A-Z]\w+$/, ''),
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: resource.replace(/^.*:/, '') } },
        }),
      },
    },
  })
  server.on('request', provider.callback())
  return issuer
}

describe('tokens of real issuers', () => {
  it('oidc-provider: found by discovery, with every way to sign', async (t) => {
    const issuer = await startProvider(t)
    const call = await engine(t, `issuer: ${issuer}\naudience: urn:flows\nroleClaims: scope\n`)
    const token = (alg: string, scope = 'orders.write', audience = 'urn:flows') =>
      ask(`${issuer}/token`, { scope, resource: `${audience}:${alg}` })
    for (const alg of ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']) {
      const given = await token(alg)
      assert.equal(decodeProtectedHeader(given).alg, alg)
      const { status, body } = await call(given)
      assert.deepEqual([status, body], [200, { id: 'partner:shop', roles: ['orders.write'] }], alg)
    }
    assert.equal((await call(await token('RS256', 'orders.read'))).status, 403)
    assert.equal((await call(await token('RS256', 'orders.write', 'urn:other'))).status, 401)
    assert.equal((await call(await token('RS512'))).status, 401, 'not among the usual algorithms')
    assert.equal((await call(await ask(`${issuer}/token`, {}))).status, 401, 'an opaque token')
    const [head, , signature] = (await token('RS256')).split('.')
    const claims = { ...decodeJwt(await token('RS256', 'orders.read')), scope: 'orders.write' }
    const body = Buffer.from(JSON.stringify(claims)).toString('base64url')
    assert.equal((await call(`${head}.${body}.${signature}`)).status, 401)
  })

  it('oauth2-mock-server: with a key that is published later', async (t) => {
    const server = new OAuth2Server()
    await server.issuer.keys.generate('RS256')
    await server.start(0, '127.0.0.1')
    t.after(() => server.stop())
    const issuer = server.issuer.url!
    const call = await engine(t, `issuer: ${issuer}\naudience: flows\nroleClaims: scope\n`)
    server.service.on('beforeTokenSigning', (token: { payload: Record<string, unknown> }) => {
      Object.assign(token.payload, { aud: 'flows', client_id: 'shop', scope: 'orders.write' })
    })
    const { status, body } = await call(await ask(`${issuer}/token`, {}))
    assert.deepEqual([status, body['id']], [200, 'partner:shop'])
  })

  it('Glewlwyd: its scopes are the audience', { skip: noGlewlwyd ?? false }, async (t) => {
    const { url, tokenServiceUrl, stop } = await startGlewlwyd(
      [{ id: 'shop', secret: SECRET, scopes: ['orders.write', 'orders.read'] }],
      [],
      {
        'jwt-type': 'rsa',
        key: pemOf(rsa),
        cert: rsa.publicKey.export({ type: 'spki', format: 'pem' }),
      },
    )
    t.after(stop)
    const discovery = `${url}/api/oidc/.well-known/openid-configuration`
    const call = await engine(
      t,
      `issuer: ${url}\ndiscovery: ${discovery}\naudience: orders.write\nroleClaims: scope\n`,
    )
    const { status, body } = await call(await ask(tokenServiceUrl, { scope: 'orders.write' }))
    assert.deepEqual([status, body], [200, { id: 'partner:shop', roles: ['orders.write'] }])
    assert.equal((await call(await ask(tokenServiceUrl, { scope: 'orders.read' }))).status, 401)
  })
})
