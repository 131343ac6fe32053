import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '../../src/core/secret.ts'
import type { OAuth2Options } from '../../src/credentials/oauth2.ts'
import { TestCaller, type Asked } from '../support/credentials.ts'
import { failureOf, numbered, SECRET, setUpOAuth2, tokenOf } from '../support/oauth2.ts'

const PASSWORD = new Secret('users & password 0123')
const user = { username: 'jane@acme', password: PASSWORD }

/** Each credential, and the request that it makes: method, path and query, body. */
const requests: [title: string, options: Partial<OAuth2Options>, ...wanted: string[]][] = [
  [
    'password, the client in the header',
    { grantType: 'password', ...user, scope: 'a' },
    'POST /token',
    'grant_type=password&username=jane%40acme&password=users+%26+password+0123&scope=a',
  ],
  [
    'password, the client in the body',
    { grantType: 'password', ...user, clientAuthentication: 'body' },
    'POST /token',
    `grant_type=password&username=jane%40acme&password=users+%26+password+0123&client_id=client&client_secret=${SECRET}`,
  ],
  [
    'a grant of the service itself, with what it wants (Zoom)',
    { grantType: 'account_credentials', parameters: { body: { account_id: 'A1' } } },
    'POST /token',
    'grant_type=account_credentials&account_id=A1',
  ],
  [
    'a grant that is a URL, with a user (UKG)',
    {
      grantType: 'http://auth0.com/oauth/grant-type/password-realm',
      ...user,
      contentType: 'application/json',
      parameters: { body: { realm: 'ukg' } },
    },
    'POST /token',
    '{"grant_type":"http://auth0.com/oauth/grant-type/password-realm","username":"jane@acme","password":"users & password 0123","realm":"ukg"}',
  ],
  [
    'openapi_2lo in the query (Ariba)',
    { grantType: 'openapi_2lo', grantTypeIn: 'query', contentType: 'none' },
    'POST /token?grant_type=openapi_2lo',
    '',
  ],
  [
    'no grant, and other names (Feishu)',
    {
      grantType: 'none',
      clientAuthentication: 'body',
      contentType: 'application/json',
      parameterNames: { clientId: 'app_id', clientSecret: 'app_secret' },
    },
    'POST /token',
    `{"app_id":"client","app_secret":"${SECRET}"}`,
  ],
  [
    'a login without a client (Business One)',
    {
      grantType: 'none',
      clientAuthentication: 'none',
      clientId: undefined as never,
      clientSecret: undefined as never,
      ...user,
      contentType: 'application/json',
      parameterNames: { username: 'UserName', password: 'Password' },
      parameters: { body: { CompanyDB: 'ACME' } },
    },
    'POST /token',
    '{"UserName":"jane@acme","Password":"users & password 0123","CompanyDB":"ACME"}',
  ],
  [
    'everything in the URL of a GET, where that is allowed',
    { grantType: 'password', ...user, method: 'GET', allowSecretInUrl: true },
    'GET /token?grant_type=password&username=jane%40acme&password=users+%26+password+0123',
    '',
  ],
]
for (const [title, options, line, body] of requests) {
  test(`token request: ${title}`, async (t) => {
    const { get, service } = await setUpOAuth2(t, numbered(3600), options)
    assert.equal(tokenOf(await get()), 'Bearer token-number-1')
    const [asked] = service.asked
    assert.equal(`${asked!.method} ${asked!.url}`, line)
    assert.equal(asked!.body, body)
  })
}

test('a password is redacted as long as its credential is there', async (t) => {
  const { authorizer, redacted } = await setUpOAuth2(t, numbered(60), { grantType: 'password', ...user })
  assert.ok(redacted.has(PASSWORD.reveal()))
  authorizer.stop!()
  assert.equal(redacted.size, 0)
})

test('a refused user is told apart from a refused client, without the password', async (t) => {
  const { get, log } = await setUpOAuth2(
    t,
    () => ({ status: 400, body: { error: 'invalid_grant', error_description: `not ${PASSWORD.reveal()}` } }),
    { grantType: 'password', ...user },
  )
  const failure = await failureOf(get())
  assert.equal(
    failure.message,
    'the token service refused credential "im_write": 400 invalid_grant (not [secret])',
  )
  assert.match(failure.hint!, /Verify username and password/)
  assert.doesNotMatch(JSON.stringify([failure, log.lines]), /users & password/)
})

test('another password keeps the token of the same user as long as no new one can be had', async (t) => {
  const first = await setUpOAuth2(t, numbered(3600), { grantType: 'password', ...user })
  await first.get()
  const options = {
    grantType: 'password',
    ...user,
    password: new Secret('another-password'),
    retry: { attempts: 1 },
  }
  const second = await setUpOAuth2(t, undefined, options, 0.5, first)
  second.authorizer.inherit!(first.authorizer)
  first.service.answer = () => ({ status: 503 })
  assert.equal(tokenOf(await second.get()), 'Bearer token-number-1')
  first.service.answer = () => ({ body: { access_token: 'of-the-new-password', expires_in: 3600 } })
  await first.clock.advance(300_000)
  assert.equal(tokenOf(await second.get()), 'Bearer of-the-new-password')
})

test('another user gets no token of the one before', async (t) => {
  const first = await setUpOAuth2(t, numbered(3600), { grantType: 'password', ...user })
  await first.get()
  const other = { grantType: 'password', ...user, username: 'joe' }
  const second = await setUpOAuth2(t, undefined, other, 0.5, first)
  second.authorizer.inherit!(first.authorizer)
  assert.equal(tokenOf(await second.get()), 'Bearer token-number-2')
})

const REFRESH = 'refresh-token-0'
const refreshing = { grantType: 'refresh_token', refreshToken: new Secret(REFRESH) }
const refreshOf = ({ body }: Asked) => new URLSearchParams(body).get('refresh_token')
/** A service that takes each refresh token once and gives the next one. */
function rotating() {
  let good = 0
  return (asked: Asked) =>
    refreshOf(asked) === `refresh-token-${good}`
      ? {
          body: { access_token: `token-${++good}`, refresh_token: `refresh-token-${good}`, expires_in: 60 },
        }
      : { status: 400, body: { error: 'invalid_grant' } }
}

test('a refresh token is used until the service gives another one', async (t) => {
  const { get, service, clock } = await setUpOAuth2(t, numbered(60), refreshing)
  await get()
  await clock.advance(60_000)
  await get()
  assert.deepEqual(service.asked.map(refreshOf), [REFRESH, REFRESH])
  assert.equal(service.asked[0]!.body, `grant_type=refresh_token&refresh_token=${REFRESH}`)
})

test('a refresh token that the service gives in its place is used from then on, and is redacted', async (t) => {
  const { get, clock, redacted, authorizer } = await setUpOAuth2(t, rotating(), refreshing)
  for (const count of [1, 2, 3]) {
    assert.equal(tokenOf(await get()), `Bearer token-${count}`)
    assert.ok(redacted.has(`refresh-token-${count}`))
    await clock.advance(60_000)
  }
  authorizer.stop!()
  assert.deepEqual([...redacted], [])
})

test('a newer version of the credential goes on with the newest refresh token', async (t) => {
  const first = await setUpOAuth2(t, rotating(), refreshing)
  await first.get()
  const second = await setUpOAuth2(t, undefined, { ...refreshing, scope: 'other' }, 0.5, first)
  assert.equal(tokenOf(await second.get()), 'Bearer token-2')
})

test('another refresh token in the file counts from then on, and the token before is not handed out', async (t) => {
  const first = await setUpOAuth2(t, rotating(), refreshing)
  await first.get()
  const options = { ...refreshing, refreshToken: new Secret('of-another-login') }
  const second = await setUpOAuth2(t, undefined, options, 0.5, first)
  second.authorizer.inherit!(first.authorizer)
  const failure = await failureOf(second.get())
  assert.match(failure.hint!, /The refresh token has expired.*put the new refresh token/)
  assert.equal(refreshOf(first.service.asked[1]!), 'of-another-login')
})

test('a refresh token that is under way when its credential changes is not lost', async (t) => {
  const answer = rotating()
  let arrived!: () => void
  let open!: () => void
  const asked = new Promise<void>((resolve) => (arrived = resolve))
  const passed = new Promise<void>((resolve) => (open = resolve))
  const first = await setUpOAuth2(
    t,
    async (request) => {
      arrived()
      await passed
      return answer(request)
    },
    refreshing,
  )
  const waiting = failureOf(first.get())
  await asked
  const second = await setUpOAuth2(t, undefined, { ...refreshing, lifetime: 5000 }, 0.5, first)
  first.authorizer.stop!()
  const next = second.get()
  open()
  assert.equal((await waiting).code, 'credential.missing')
  assert.equal(tokenOf(await next), 'Bearer token-2')
  assert.deepEqual(first.service.asked.map(refreshOf), [REFRESH, 'refresh-token-1'])
})

test('a refresh token that cannot be kept is used all the same, and the log says so', async (t) => {
  const first = await setUpOAuth2(t, rotating(), refreshing)
  first.storedTokens.keep = () => Promise.reject(new Error('the disk is full'))
  await first.get()
  await first.clock.advance(60_000)
  assert.equal(tokenOf(await first.get()), 'Bearer token-2')
  assert.equal(first.log.count('could not be kept'), 2)
  assert.doesNotMatch(JSON.stringify(first.log.lines), /refresh-token-\d/)
})

test('a test of the credential and a call at the same time use each refresh token once', async (t) => {
  const { get, authorizer, service } = await setUpOAuth2(t, rotating(), refreshing)
  const [grant, steps] = await Promise.all([get(), authorizer.test!(new TestCaller(), { tryOthers: false })])
  assert.ok(steps[0]!.ok)
  assert.match(tokenOf(grant), /token-[12]$/)
  assert.deepEqual(service.asked.map(refreshOf), [REFRESH, 'refresh-token-1'])
})

test('other ways to ask are tried with the password in the body only', async (t) => {
  const { authorizer, service } = await setUpOAuth2(
    t,
    () => ({ status: 400, body: { error: 'invalid_request' } }),
    { grantType: 'password', ...user },
  )
  const steps = await authorizer.test!(new TestCaller(), { tryOthers: true })
  assert.ok(steps.length > 3)
  for (const { url, body } of service.asked) {
    assert.doesNotMatch(url, /password=/)
    assert.match(body, /users/)
  }
  assert.deepEqual(steps[0]!.asked.fields, ['grant_type', 'username', 'password'])
})
