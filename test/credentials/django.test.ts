import assert from 'node:assert/strict'
import { after, before, describe, test, type TestContext } from 'node:test'
import { Secret } from '../../src/core/secret.ts'
import type { OAuth2Options } from '../../src/credentials/oauth2.ts'
import { ManualClock } from '../support/clock.ts'
import { noDjango, startDjango } from '../support/django.ts'
import { authorizerFor, failureOf, tokenOf } from '../support/oauth2.ts'

const NASTY = 's+e/c=r:e%t&~"0123456789'
const PASSWORD = "users & password's 0123"

describe('django-oauth-toolkit, a server in Python', { skip: noDjango ?? false }, () => {
  let server: Awaited<ReturnType<typeof startDjango>>
  before(async () => {
    server = await startDjango({
      scopes: ['orders.read', 'orders.write'],
      clients: [
        { id: 'acme', secret: NASTY, grant: 'client-credentials' },
        { id: 'logins', secret: NASTY, grant: 'password' },
      ],
      users: [{ name: 'jane', password: PASSWORD }],
    })
  })
  after(() => server?.stop())

  const credential = (t: TestContext, options: Partial<OAuth2Options> = {}) => {
    const clock = new ManualClock()
    const { tokenServiceUrl } = server
    const client = { clientId: 'acme', clientSecret: [new Secret(NASTY)] }
    return { clock, ...authorizerFor(t, clock, { tokenServiceUrl, ...client, ...options }) }
  }
  const jane = {
    clientId: 'logins',
    grantType: 'password',
    username: 'jane',
    password: new Secret(PASSWORD),
  }

  test('a token for a form-encoded header with every odd character; it is renewed', async (t) => {
    const { get, authorizer, clock } = credential(t, { scope: ['orders.read'] })
    const first = tokenOf(await get())
    assert.match(first, /^Bearer \w{30}$/)
    const { details } = authorizer.state()
    assert.equal(details['lifetime'], '30 s')
    assert.equal(details['granted scope'], 'orders.read')
    await clock.advance(28_000)
    assert.notEqual(tokenOf(await get()), first)
  })

  test('a token for id and secret in the body; without a scope it grants all', async (t) => {
    const { get, authorizer } = credential(t, { clientAuthentication: 'body' })
    assert.match(tokenOf(await get()), /^Bearer /)
    assert.equal(authorizer.state().details['granted scope'], 'orders.read orders.write')
  })

  test('it reads the header form-encoded: raw is refused, and the hint leads back', async (t) => {
    const failure = await failureOf(credential(t, { basicEncoding: 'raw' }).get())
    assert.match(failure.message, /: 401 invalid_client$/)
    assert.match(failure.hint!, /basicEncoding: form/)
  })

  for (const clientAuthentication of ['header', 'body'] as const)
    test(`a wrong secret in the ${clientAuthentication}: 401 invalid_client`, async (t) => {
      const { get, authorizer } = credential(t, {
        clientAuthentication,
        clientSecret: [new Secret('wrong-secret-0123456789')],
      })
      const failure = await failureOf(get())
      assert.equal(failure.code, 'credential.refused')
      assert.equal(failure.message, 'the token service refused credential "foreign": 401 invalid_client')
      assert.match(failure.hint!, /^Verify clientId and clientSecret/)
      assert.equal(authorizer.state().status, 'refused')
      assert.doesNotMatch(JSON.stringify(failure) + failure.message + failure.hint, /wrong-secret/)
    })

  test('a scope that it does not know: 400 invalid_scope, and the hint leads to scope', async (t) => {
    const failure = await failureOf(credential(t, { scope: 'nobody.knows' }).get())
    assert.equal(failure.code, 'credential.refused')
    assert.match(failure.message, /: 400 invalid_scope$/)
    assert.match(failure.hint!, /^Check scope/)
  })

  test('a grant that the client may not use: 400 unauthorized_client, and the hint names it', async (t) => {
    const failure = await failureOf(credential(t, { ...jane, clientId: 'acme' }).get())
    assert.match(failure.message, /: 400 unauthorized_client$/)
    assert.match(failure.hint!, /^Allow the grant password for this client/)
  })

  test('password: the refresh token, a new one each time, renews the token', async (t) => {
    const { get, clock } = credential(t, jane)
    const tokens = [tokenOf(await get())]
    for (let i = 0; i < 3; i++) {
      await clock.advance(28_000)
      tokens.push(tokenOf(await get()))
    }
    assert.equal(new Set(tokens).size, 4)
  })

  test('password: a wrong one is 400 invalid_grant, with its words', async (t) => {
    const failure = await failureOf(
      credential(t, { ...jane, password: new Secret('wrong-0123456789') }).get(),
    )
    assert.match(failure.message, /: 400 invalid_grant \(Invalid credentials given\.\)$/)
    assert.match(failure.hint!, /^Verify username and password/)
  })

  test('refresh_token: it works once, and its successor after it; used up it is refused', async (t) => {
    const refreshToken = new Secret(await refreshTokenOf(server.tokenServiceUrl))
    const login = { clientId: 'logins', grantType: 'refresh_token', refreshToken }
    const { get, clock } = credential(t, login)
    const first = tokenOf(await get())
    await clock.advance(28_000)
    assert.notEqual(tokenOf(await get()), first)
    const failure = await failureOf(credential(t, login).get())
    assert.equal(failure.code, 'credential.refused')
    assert.match(failure.message, /: 400 invalid_grant$/)
    assert.match(failure.hint!, /^The refresh token has expired, was revoked, or was used/)
  })
})

async function refreshTokenOf(tokenServiceUrl: string): Promise<string> {
  const answer = await fetch(tokenServiceUrl, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'password',
      username: 'jane',
      password: PASSWORD,
      client_id: 'logins',
      client_secret: NASTY,
    }),
  })
  return ((await answer.json()) as { refresh_token: string }).refresh_token
}
