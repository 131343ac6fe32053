import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, it, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { OAuth2Client, OAuth2Fetch } from '@badgateway/oauth2-client'
import * as oauth from 'oauth4webapi'
import { newClientText } from '../../src/access/client-text.ts'
import { makeSecretHash } from '../../src/access/secret-hash.ts'
import { startProject } from '../support/project.ts'

const ID = 'shop-1.anna_a@example.com'
/** What clients encode, each in its own way. */
const SECRET = 'a-b_c.d~e f:g%41+h&i=j/k'
/** Some encode the colon and nothing else: with "%" and "+" beside it nobody could tell what is meant. */
const PLAIN_SECRET = 'a-b_c.d~e f:g&i=j/k'
const ROLES = ['ESBMessaging.send', 'sluice.introspect']
const hashes = [await makeSecretHash(SECRET), await makeSecretHash(PLAIN_SECRET)]
const run = promisify(execFile)

/** An engine with a protected endpoint and one client, whose tokens are good for an hour. */
async function engine(t: TestContext, tokenLifetime?: string) {
  const { url, log } = await startProject(t, {
    'flows/hello.yaml': `steps:\n  - endpoint: { path: /hello, method: [GET, POST] }\n  - set: { body: { hello: "\${trigger.caller.id}" } }\n`,
    'security-material/shop.yaml': newClientText({
      ...{ clientId: ID, description: undefined },
      ...{ hash: hashes[0]!, roles: ROLES, tokenLifetime },
    }).replace(/^secretHash: .*$/m, `secretHash: ${JSON.stringify(hashes)}`),
  })
  const secrets: string[] = [SECRET, PLAIN_SECRET]
  t.after(() =>
    assert.deepEqual(
      secrets.filter((secret) => log.join('').includes(secret)),
      [],
    ),
  )
  return { url, log, hello: `${url}/http/hello`, greeting: { hello: `oauth_client_${ID}` }, secrets }
}

const local: oauth.HttpRequestOptions<'POST', URLSearchParams> = { [oauth.allowInsecureRequests]: true }

describe('oauth4webapi', () => {
  const client: oauth.Client = { client_id: ID }

  const call = (token: string, address: string) =>
    oauth.protectedResourceRequest(token, 'GET', new URL(address), undefined, undefined, {
      [oauth.allowInsecureRequests]: true,
    })

  async function discovered(t: TestContext) {
    const started = await engine(t)
    const issuer = new URL(started.url)
    const found = await oauth.discoveryRequest(issuer, {
      algorithm: 'oauth2',
      [oauth.allowInsecureRequests]: true,
    })
    const as = await oauth.processDiscoveryResponse(issuer, found)
    return { ...started, as }
  }

  for (const [how, authentication] of [
    ['Basic', oauth.ClientSecretBasic(SECRET)],
    ['the body', oauth.ClientSecretPost(SECRET)],
  ] as const)
    it(`finds the token service and gets a token by ${how}, which is what RFC 9068 says`, async (t) => {
      const { as, url, hello, greeting, secrets } = await discovered(t)
      const asked = await oauth.clientCredentialsGrantRequest(as, client, authentication, {}, local)
      const token = await oauth.processClientCredentialsResponse(as, client, asked)
      secrets.push(token.access_token)
      assert.deepEqual([token.token_type, token.expires_in, token.scope], ['bearer', 3600, ROLES.join(' ')])
      const called = await call(token.access_token, hello)
      assert.deepEqual(await called.json(), greeting)
      const request = new Request(hello, { headers: { authorization: `Bearer ${token.access_token}` } })
      const claims = await oauth.validateJwtAccessToken(as, request, url, {
        [oauth.allowInsecureRequests]: true,
      })
      assert.deepEqual([claims.client_id, claims.scope], [ID, ROLES.join(' ')])
    })

  it('narrows roles, asks about a token and ends it', async (t) => {
    const { as, hello, secrets } = await discovered(t)
    const basic = oauth.ClientSecretBasic(SECRET)
    const scope = { scope: 'ESBMessaging.send' }
    const asked = await oauth.clientCredentialsGrantRequest(as, client, basic, scope, local)
    const token = await oauth.processClientCredentialsResponse(as, client, asked)
    secrets.push(token.access_token)
    assert.equal(token.scope, 'ESBMessaging.send')
    const look = async () =>
      await oauth.processIntrospectionResponse(
        ...([as, client] as const),
        await oauth.introspectionRequest(as, client, basic, token.access_token, local),
      )
    const told = await look()
    assert.deepEqual([told.active, told.client_id, told.scope], [true, ID, 'ESBMessaging.send'])
    const ended = await oauth.revocationRequest(as, client, basic, token.access_token, local)
    await oauth.processRevocationResponse(ended)
    assert.equal((await look()).active, false)
    await assert.rejects(call(token.access_token, hello), (error: oauth.WWWAuthenticateChallengeError) => {
      assert.equal(error.status, 401)
      assert.equal(error.cause[0]!.scheme, 'bearer')
      assert.equal(error.cause[0]!.parameters.error, 'invalid_token')
      return true
    })
  })
})

describe('@badgateway/oauth2-client', () => {
  for (const authenticationMethod of [
    'client_secret_basic',
    'client_secret_post',
    'client_secret_basic_interop',
  ] as const)
    it(`calls with a token that it fetches by itself (${authenticationMethod})`, async (t) => {
      const { url, hello, greeting, secrets } = await engine(t)
      const clientSecret = authenticationMethod.endsWith('interop') ? PLAIN_SECRET : SECRET
      const client = new OAuth2Client({
        ...{ server: url, clientId: ID, clientSecret, authenticationMethod },
        discoveryEndpoint: '/.well-known/oauth-authorization-server',
      })
      let fetched = 0
      const fetching = new OAuth2Fetch({
        client,
        scheduleRefresh: false,
        async getNewToken() {
          fetched++
          const token = await client.clientCredentials({ scope: ['ESBMessaging.send'] })
          secrets.push(token.accessToken)
          return token
        },
      })
      for (let call = 0; call < 2; call++) {
        const answer = await fetching.fetch(hello, { method: 'POST', body: '{}' })
        assert.deepEqual([answer.status, await answer.json()], [200, greeting])
      }
      assert.equal(fetched, 1)
    })

  it('fetches another token when the one it has was ended', async (t) => {
    const { url, hello, secrets } = await engine(t, 'untilNext')
    const client = new OAuth2Client({
      ...{ server: url, clientId: ID, clientSecret: PLAIN_SECRET },
      tokenEndpoint: '/oauth2/api/v1/token',
    })
    const fetching = new OAuth2Fetch({
      client,
      scheduleRefresh: false,
      getNewToken: () => client.clientCredentials(),
    })
    const status = async () => (await fetching.fetch(hello, { method: 'POST', body: '{}' })).status
    assert.equal(await status(), 200)
    const other = await client.clientCredentials()
    secrets.push(other.accessToken)
    assert.equal(await status(), 200)
  })
})

describe('curl', () => {
  const curl = async (...args: string[]) => (await run('curl', ['-s', ...args])).stdout

  for (const [how, args] of [
    ['Basic', ['-u', `${ID}:${SECRET}`, '-d', 'grant_type=client_credentials']],
    [
      'the body',
      [
        '-d',
        'grant_type=client_credentials',
        '-d',
        `client_id=${ID}`,
        '--data-urlencode',
        `client_secret=${SECRET}`,
      ],
    ],
  ] as const)
    it(`gets a token by ${how} from every address of the token service, and calls`, async (t) => {
      const { url, hello, greeting, secrets } = await engine(t)
      for (const path of ['/oauth2/token', '/oauth2/api/v1/token', '/oauth/token']) {
        const { access_token } = JSON.parse(await curl(...args, url + path)) as { access_token: string }
        secrets.push(access_token)
        const bearer = ['-H', `authorization: Bearer ${access_token}`]
        assert.deepEqual(JSON.parse(await curl(...bearer, hello)), greeting)
        assert.deepEqual(JSON.parse(await curl(...bearer, '-d', '{}', hello)), greeting)
        assert.deepEqual(JSON.parse(await curl('--oauth2-bearer', access_token, hello)), greeting)
      }
      assert.deepEqual(JSON.parse(await curl('-u', `${ID}:${SECRET}`, hello)), greeting)
    })
})
