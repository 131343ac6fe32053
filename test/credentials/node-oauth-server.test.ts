import assert from 'node:assert/strict'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import OAuth2Server from '@node-oauth/oauth2-server'
import { Secret } from '../../src/core/secret.ts'
import type { OAuth2Options } from '../../src/credentials/oauth2.ts'
import { ManualClock } from '../support/clock.ts'
import { authorizerFor, failureOf, tokenOf } from '../support/oauth2.ts'

const SECRET = 'node-secret-0123456789'
const GRANTED = ['orders.read', 'orders.write']
const LIFETIME = 20

async function requestOf(message: IncomingMessage): Promise<OAuth2Server.Request> {
  const url = new URL(message.url!, 'http://localhost')
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return new OAuth2Server.Request({
    headers: message.headers as Record<string, string>,
    method: message.method!,
    query: Object.fromEntries(url.searchParams),
    body: Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString())),
  })
}

/** A token service and a receiver of somebody else: /token gives tokens, everything else wants one. */
async function startServer(t: TestContext) {
  const tokens = new Map<string, OAuth2Server.Token>()
  const oauth = new OAuth2Server({
    allowBearerTokensInQueryString: true,
    model: {
      getClient: async (id: string, secret: string) =>
        id === 'acme' &&
        secret === SECRET && { id, grants: ['client_credentials'], accessTokenLifetime: LIFETIME },
      getUserFromClient: async (client: OAuth2Server.Client) => ({ name: client.id }),
      validateScope: async (_user: unknown, _client: unknown, scope: string[] = ['orders.read']) =>
        scope.every((word) => GRANTED.includes(word)) && scope,
      saveToken: async (token: OAuth2Server.Token, client: OAuth2Server.Client, user: OAuth2Server.User) => {
        const saved = { ...token, client, user }
        tokens.set(token.accessToken, saved)
        return saved
      },
      getAccessToken: async (text: string) => tokens.get(text),
    },
  })
  const server = createServer((message, reply) => {
    void requestOf(message).then(async (request) => {
      const response = new OAuth2Server.Response({})
      const isToken = message.url!.startsWith('/token')
      try {
        if (isToken) await oauth.token(request, response)
        else response.body = { user: (await oauth.authenticate(request, response)).user }
      } catch (error) {
        response.status ??= (error as OAuth2Server.OAuthError).code
      }
      reply.writeHead(response.status ?? 200, { 'content-type': 'application/json', ...response.headers })
      reply.end(JSON.stringify(response.body ?? {}))
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => {
    server.closeAllConnections()
    return new Promise((done) => server.close(done))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, tokens }
}

async function setUp(t: TestContext, options: Partial<OAuth2Options> = {}) {
  const { url, tokens } = await startServer(t)
  const clock = new ManualClock()
  const foreign = authorizerFor(t, clock, {
    tokenServiceUrl: `${url}/token`,
    clientId: 'acme',
    clientSecret: [new Secret(SECRET)],
    ...options,
  })
  return { ...foreign, url, tokens, clock }
}

for (const clientAuthentication of ['header', 'body'] as const) {
  test(`@node-oauth/oauth2-server gives a token for id and secret in the ${clientAuthentication}, and takes it`, async (t) => {
    const { get, url, authorizer } = await setUp(t, { clientAuthentication, scope: 'orders.read' })
    const authorization = tokenOf(await get())
    const reply = await fetch(`${url}/orders`, { headers: { authorization } })
    assert.equal(reply.status, 200)
    assert.deepEqual(await reply.json(), { user: { name: 'acme' } })
    assert.equal(authorizer.state().details['granted scope'], 'orders.read')
  })
}

test('@node-oauth/oauth2-server takes the token in the query where tokenIn says so', async (t) => {
  const { get, url } = await setUp(t, { tokenIn: { in: 'query', name: 'access_token' } })
  const { headers, query } = await get()
  assert.deepEqual(headers, [])
  assert.equal((await fetch(`${url}/orders?${query}`)).status, 200)
})

test('@node-oauth/oauth2-server refuses a wrong secret: status, OAuth error and what to do', async (t) => {
  const { get, tokens } = await setUp(t, { clientSecret: [new Secret('wrong-secret-0123456789')] })
  const failure = await failureOf(get())
  assert.equal(failure.code, 'credential.refused')
  assert.match(failure.message, /: 401 invalid_client/)
  assert.match(failure.hint!, /Verify clientId and clientSecret/)
  assert.equal(tokens.size, 0)
})

test('@node-oauth/oauth2-server knows the second of two secrets: it is the one that is used', async (t) => {
  const { get, authorizer } = await setUp(t, {
    clientSecret: [new Secret('wrong-secret-0123456789'), new Secret(SECRET)],
  })
  assert.match(tokenOf(await get()), /^Bearer /)
  assert.equal(authorizer.state().status, 'ready')
})

test('@node-oauth/oauth2-server refuses a scope: the hint leads to it', async (t) => {
  const { get } = await setUp(t, { scope: 'orders.delete' })
  const failure = await failureOf(get())
  assert.equal(failure.code, 'credential.refused')
  assert.match(failure.message, /: 400 invalid_scope/)
  assert.match(failure.hint!, /scope/)
})

test('@node-oauth/oauth2-server gives tokens for 20 s: one is kept for 10 s, then there is another', async (t) => {
  const { get, clock, tokens } = await setUp(t)
  const first = tokenOf(await get())
  await clock.advance(4000)
  assert.equal(tokenOf(await get()), first)
  assert.equal(tokens.size, 1)
  await clock.advance(7000)
  assert.notEqual(tokenOf(await get()), first)
  assert.equal(tokens.size, 2)
})
