import assert from 'node:assert/strict'
import { after, before, describe, test, type TestContext } from 'node:test'
import { Secret } from '../../src/core/secret.ts'
import type { OAuth2Options } from '../../src/credentials/oauth2.ts'
import { ManualClock } from '../support/clock.ts'
import { noGlewlwyd, startGlewlwyd } from '../support/glewlwyd.ts'
import { authorizerFor, failureOf, tokenOf } from '../support/oauth2.ts'

/** Glewlwyd reads the Basic header raw. */
const NASTY = 's+e/c=r:e%t&~"0123456789'
const PLAIN = 'plain-secret-0123456789'
const PASSWORD = "users & password's 0123"

describe('glewlwyd, a server in C', { skip: noGlewlwyd ?? false }, () => {
  let server: Awaited<ReturnType<typeof startGlewlwyd>>
  before(async () => {
    const scopes = ['orders.read', 'orders.write']
    server = await startGlewlwyd(
      [
        { id: 'nasty', secret: NASTY, scopes },
        { id: 'plain', secret: PLAIN, scopes },
      ],
      [{ name: 'jane', password: PASSWORD, scopes: ['orders.read'] }],
    )
  })
  after(() => server?.stop())

  const credential = (t: TestContext, options: Partial<OAuth2Options> = {}) => {
    const clock = new ManualClock()
    const { tokenServiceUrl } = server
    const client = { clientId: 'plain', clientSecret: [new Secret(PLAIN)], scope: 'orders.read' }
    return { clock, ...authorizerFor(t, clock, { tokenServiceUrl, ...client, ...options }) }
  }
  const jane = { grantType: 'password', username: 'jane', password: new Secret(PASSWORD) }

  test('a token for id and secret in the header; it is renewed before its 30 s are over', async (t) => {
    const { get, authorizer, clock } = credential(t, { scope: ['orders.read', 'orders.write'] })
    const first = tokenOf(await get())
    assert.match(first, /^Bearer [\w-]+\.[\w-]+\.[\w-]+$/)
    const { details } = authorizer.state()
    assert.equal(details['lifetime'], '30 s')
    assert.equal(details['granted scope'], 'orders.read orders.write')
    await clock.advance(14_000)
    assert.equal(tokenOf(await get()), first)
    await clock.advance(14_000)
    assert.notEqual(tokenOf(await get()), first)
  })

  test('a token for id and secret in the body, with every odd character', async (t) => {
    const { get } = credential(t, {
      clientId: 'nasty',
      clientSecret: [new Secret(NASTY)],
      clientAuthentication: 'body',
    })
    assert.match(tokenOf(await get()), /^Bearer /)
  })

  test('it reads the header raw: form-encoded is refused with a hint to raw, which is taken', async (t) => {
    const nasty = { clientId: 'nasty', clientSecret: [new Secret(NASTY)] }
    const failure = await failureOf(credential(t, nasty).get())
    assert.equal(failure.code, 'credential.refused')
    assert.match(failure.hint!, /clientAuthentication: body, or basicEncoding: raw/)
    assert.match(tokenOf(await credential(t, { ...nasty, basicEncoding: 'raw' }).get()), /^Bearer /)
  })

  test('a wrong secret: 403 without a word, which the hint makes up for', async (t) => {
    const { get, authorizer } = credential(t, { clientSecret: [new Secret('wrong-secret-0123456789')] })
    const failure = await failureOf(get())
    assert.equal(failure.code, 'credential.refused')
    assert.equal(failure.message, 'the token service refused credential "foreign": 403')
    assert.match(failure.hint!, /a wrong secret.*Verify clientId and clientSecret/)
    assert.equal(authorizer.state().status, 'refused')
    assert.doesNotMatch(JSON.stringify(failure) + failure.message + failure.hint, /wrong-secret/)
  })

  test('of two secrets the second one is tried after that 403', async (t) => {
    const { get } = credential(t, {
      clientSecret: [new Secret('new-secret-0123456789'), new Secret(PLAIN)],
    })
    assert.match(tokenOf(await get()), /^Bearer /)
  })

  test('a scope that nobody granted: 400 scope_invalid, and the hint leads to scope', async (t) => {
    const failure = await failureOf(credential(t, { scope: 'nobody.knows' }).get())
    assert.equal(failure.code, 'credential.refused')
    assert.match(failure.message, /: 400 scope_invalid$/)
    assert.match(failure.hint!, /^Check scope/)
  })

  test('no scope at all: 403, and the hint leads to the scope', async (t) => {
    const { tokenServiceUrl } = server
    const { get } = authorizerFor(t, new ManualClock(), {
      tokenServiceUrl,
      clientId: 'plain',
      clientSecret: [new Secret(PLAIN)],
    })
    const failure = await failureOf(get())
    assert.match(failure.message, /: 403$/)
    assert.match(failure.hint!, /add the missing scope/)
  })

  test('the grant in the query is none to it: 400, and the hint leads to the request', async (t) => {
    const failure = await failureOf(credential(t, { grantTypeIn: 'query' }).get())
    assert.equal(failure.code, 'credential.refused')
    assert.match(failure.message, /: 400$/)
    assert.match(failure.hint!, /grantTypeIn: body/)
  })

  test('password: a token of the user, renewed with the refresh token that came along', async (t) => {
    const { get, clock } = credential(t, jane)
    const first = tokenOf(await get())
    assert.equal(claimsOf(first)['client_id'], 'plain')
    assert.notEqual(claimsOf(first)['sub'], 'plain')
    await clock.advance(28_000)
    const second = tokenOf(await get())
    assert.notEqual(second, first)
    assert.equal(claimsOf(second)['sub'], claimsOf(first)['sub'])
  })

  test('password: a wrong one is 403 without a word; the hint names the user, too', async (t) => {
    const failure = await failureOf(
      credential(t, { ...jane, password: new Secret('wrong-0123456789') }).get(),
    )
    assert.equal(failure.code, 'credential.refused')
    assert.match(failure.hint!, /Verify username and password/)
  })

  test('refresh_token: a token for one that a user got', async (t) => {
    const { get } = credential(t, {
      grantType: 'refresh_token',
      refreshToken: new Secret(await refreshTokenOf(server.tokenServiceUrl)),
    })
    assert.match(tokenOf(await get()), /^Bearer [\w-]+\.[\w-]+\.[\w-]+$/)
  })

  test('refresh_token: one that nobody gave out is 400 without a word; the hint leads to it', async (t) => {
    const failure = await failureOf(
      credential(t, { grantType: 'refresh_token', refreshToken: new Secret('nobody-gave-this-out') }).get(),
    )
    assert.equal(failure.code, 'credential.refused')
    assert.match(failure.message, /: 400$/)
    assert.match(failure.hint!, /The refresh token has expired, was revoked/)
  })
})

function claimsOf(authorization: string): Record<string, unknown> {
  const [, payload] = authorization.split('.')
  return JSON.parse(Buffer.from(payload!, 'base64url').toString())
}

async function refreshTokenOf(tokenServiceUrl: string): Promise<string> {
  const answer = await fetch(tokenServiceUrl, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'password',
      username: 'jane',
      password: PASSWORD,
      scope: 'orders.read',
      client_id: 'plain',
      client_secret: PLAIN,
    }),
  })
  return ((await answer.json()) as { refresh_token: string }).refresh_token
}
