import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Events, OAuth2Server, type MutableResponse, type MutableToken } from 'oauth2-mock-server'
import type { Failure } from '../../src/core/failure.ts'
import { Secret } from '../../src/core/secret.ts'
import type { OAuth2Options } from '../../src/credentials/oauth2.ts'
import { ManualClock } from '../support/clock.ts'
import { authorizerFor, failureOf, tokenOf } from '../support/oauth2.ts'

/** A service of somebody else, which signs its tokens, and whose answers can be shaped. */
async function setUp(t: TestContext, options: Partial<OAuth2Options> = {}) {
  const server = new OAuth2Server()
  await server.issuer.keys.generate('RS256')
  await server.start(0, '127.0.0.1')
  t.after(() => server.stop())
  const clock = new ManualClock()
  const foreign = authorizerFor(t, clock, {
    tokenServiceUrl: `http://127.0.0.1:${server.address().port}/token`,
    clientId: 'acme',
    clientSecret: [new Secret('mock-secret-0123456789')],
    ...options,
  })
  const answers: ((answer: MutableResponse) => void)[] = []
  let count = 0
  let signed = 0
  server.service.on(Events.BeforeTokenSigning, ({ payload }: MutableToken) => {
    payload['jti'] = String(++signed)
  })
  server.service.on(Events.BeforeResponse, (answer: MutableResponse) => {
    count++
    answers.shift()?.(answer)
  })
  return { ...foreign, clock, server, answers, count: () => count }
}

function claimsOf(authorization: string): Record<string, unknown> {
  const [, payload] = authorization.split(' ')[1]!.split('.')
  return JSON.parse(Buffer.from(payload!, 'base64url').toString())
}

test('oauth2-mock-server gives a signed token with the scope that was asked for', async (t) => {
  const { get, authorizer } = await setUp(t, { scope: ['orders.read', 'orders.write'] })
  const token = tokenOf(await get())
  assert.match(token, /^Bearer [\w-]+\.[\w-]+\.[\w-]+$/)
  assert.equal(claimsOf(token)['scope'], 'orders.read orders.write')
  assert.equal(authorizer.state().details['lifetime'], '60 min')
})

test('oauth2-mock-server: what it wants besides goes along, and stands in the token', async (t) => {
  const { get } = await setUp(t, { parameters: { body: { aud: 'https://api.example.com' } } })
  assert.equal(claimsOf(tokenOf(await get()))['aud'], 'https://api.example.com')
})

const lifetimes: [expiresIn: unknown, life: string][] = [
  ['900', '15 min'],
  [900.5, '15 min 1 s'],
  [null, '60 min'],
]
for (const [expiresIn, life] of lifetimes) {
  test(`oauth2-mock-server says that a token lives ${JSON.stringify(expiresIn)}: it is ${life}`, async (t) => {
    const { get, authorizer, answers } = await setUp(t)
    answers.push(({ body }) => Object.assign(body, { expires_in: expiresIn }))
    await get()
    assert.equal(authorizer.state().details['lifetime'], life)
  })
}

test('oauth2-mock-server gives a token for 10 s: it is kept for 5 s, then another one comes', async (t) => {
  const { get, clock, answers, count } = await setUp(t)
  answers.push(({ body }) => Object.assign(body, { expires_in: 10 }))
  const first = tokenOf(await get())
  await clock.advance(2000)
  assert.equal(tokenOf(await get()), first)
  assert.equal(count(), 1)
  await clock.advance(3500)
  assert.notEqual(tokenOf(await get()), first)
  assert.equal(count(), 2)
})

test('oauth2-mock-server gives the token at another place: response says where', async (t) => {
  const { get, answers, authorizer } = await setUp(t, {
    response: {
      success: 'body.ok == true',
      token: 'body.data.token',
      expiresIn: 'body.data.ttl',
      unit: 'ms',
    },
  })
  answers.push((answer) => {
    answer.body = { ok: true, data: { token: 'token-at-another-place', ttl: 600_000 } }
  })
  assert.equal(tokenOf(await get()), 'Bearer token-at-another-place')
  assert.equal(authorizer.state().details['lifetime'], '10 min')
})

test('oauth2-mock-server refuses with status 200: success tells it', async (t) => {
  const { get, answers } = await setUp(t, { response: { success: 'body.errcode == null' } })
  answers.push((answer) => {
    answer.body = { errcode: 40013, errmsg: 'invalid appid' }
  })
  const failure = await failureOf(get())
  assert.equal(failure.code, 'credential.refused')
})

test('oauth2-mock-server answers an OAuth error with status 200: it is a refusal all the same', async (t) => {
  const { get, answers } = await setUp(t)
  answers.push((answer) => {
    answer.body = { error: 'invalid_client', error_description: 'bad client' }
  })
  const failure: Failure = await failureOf(get())
  assert.equal(failure.code, 'credential.refused')
  assert.match(failure.message, /invalid_client \(bad client\)/)
})

test('oauth2-mock-server is busy twice: the third attempt has the token', async (t) => {
  const { get, answers, log, clock, count } = await setUp(t)
  const busy = (answer: MutableResponse) => {
    answer.statusCode = 503
    answer.body = ''
  }
  answers.push(busy, busy)
  const coming = get()
  await log.seen('it is tried again', 1)
  await clock.advance(1000)
  await log.seen('it is tried again', 2)
  await clock.advance(2000)
  assert.match(tokenOf(await coming), /^Bearer /)
  assert.equal(count(), 3)
})

test('oauth2-mock-server takes a JSON request, too', async (t) => {
  const { get } = await setUp(t, { contentType: 'application/json', scope: 'orders.read' })
  assert.equal(claimsOf(tokenOf(await get()))['scope'], 'orders.read')
})
