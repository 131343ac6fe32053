import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../src/core/failure.ts'
import { type ManualClock, settle } from '../support/clock.ts'
import { TestCaller } from '../support/credentials.ts'
import {
  failureOf,
  gate,
  numbered,
  SECOND,
  SECRET,
  setUpOAuth2,
  tokenOf,
  type OAuth2Setup,
} from '../support/oauth2.ts'

test('a thousand callers at once cause one token request and get the same grant', async (t) => {
  const { authorizer, service } = await setUpOAuth2(t)
  const grants = await Promise.all(
    Array.from({ length: 1000 }, async () => authorizer.authorize(new TestCaller())),
  )
  assert.equal(service.asked.length, 1)
  assert.equal(new Set(grants).size, 1)
  assert.deepEqual(grants[0]!.headers, ['authorization', 'Bearer token-number-1'])
})

test('a cached token is given synchronously', async (t) => {
  const { authorizer, get } = await setUpOAuth2(t)
  const first = await get()
  assert.equal(authorizer.authorize(new TestCaller()), first)
})

test('a token is handed out until the margin and not within it', async (t) => {
  const { clock, service, get } = await setUpOAuth2(t, numbered(1800), {}, 0)
  await get()
  await clock.advance(1739 * SECOND)
  assert.equal(tokenOf(await get()), 'Bearer token-number-1')
  await clock.advance(2 * SECOND)
  assert.equal(tokenOf(await get()), 'Bearer token-number-2')
  assert.equal(service.asked.length, 2)
})

test('shortly before the margin a caller gets the old token while a new one is fetched', async (t) => {
  const { clock, log, get } = await setUpOAuth2(t, numbered(1800), {}, 0.5)
  await get()
  await clock.advance((1740 - 14) * SECOND)
  assert.equal(tokenOf(await get()), 'Bearer token-number-1')
  await log.seen('token obtained', 2)
  await settle()
  assert.equal(tokenOf(await get()), 'Bearer token-number-2')
})

test('tokens of 30 s work without a storm', async (t) => {
  const { clock, service, get } = await setUpOAuth2(t, numbered(30))
  for (let second = 0; second < 30; second++) {
    await get()
    await clock.advance(SECOND)
  }
  assert.ok(service.asked.length <= 3, `${service.asked.length} requests`)
})

test('a service that gives the same token until it ends is not asked all the time', async (t) => {
  let clock: ManualClock
  const setup = await setUpOAuth2(t, () => ({
    body: { access_token: 'the-same-token', expires_in: Math.max(1, 300 - clock.ticks() / 1000) },
  }))
  clock = setup.clock
  for (let i = 0; i < 290; i++) {
    await setup.get()
    await clock.advance(SECOND)
  }
  assert.ok(setup.service.asked.length < 12, `${setup.service.asked.length} requests`)
})

test('a lifetime counts from before the request was sent', async (t) => {
  let clock: ManualClock
  const setup = await setUpOAuth2(t, async () => {
    await clock.advance(5 * SECOND)
    return { body: { access_token: 'slow-token', expires_in: 100 } }
  })
  clock = setup.clock
  await setup.get()
  assert.equal(setup.authorizer.state().details['expires'], 'in 95 s')
})

test('a clock that is set back makes no token older or younger', async (t) => {
  const { clock, service, get } = await setUpOAuth2(t, numbered(1800), {}, 0)
  await get()
  clock.jump(-3600 * SECOND)
  await get()
  assert.equal(service.asked.length, 1)
  await clock.advance(1745 * SECOND)
  await get()
  assert.equal(service.asked.length, 2)
})

test('a machine that slept notices by the wall clock that the token is too old', async (t) => {
  const { clock, service, get } = await setUpOAuth2(t, numbered(1800), {}, 0)
  await get()
  clock.jump(1800 * SECOND)
  assert.equal(tokenOf(await get()), 'Bearer token-number-2')
  assert.equal(service.asked.length, 2)
})

test('a caller that gives up ends only its own wait', async (t) => {
  const held = gate()
  const { authorizer, service } = await setUpOAuth2(t, async () => {
    await held.passed
    return { body: { access_token: 'late-token', expires_in: 60 } }
  })
  const leaving = new TestCaller()
  const left = failureOf(Promise.resolve(authorizer.authorize(leaving)))
  const staying = Promise.resolve(authorizer.authorize(new TestCaller()))
  leaving.cancel(new Failure('flow.cancelled', 'the run was cancelled'))
  assert.equal((await left).code, 'flow.cancelled')
  assert.equal(leaving.listening, 0)
  held.open()
  assert.equal(tokenOf(await staying), 'Bearer late-token')
  assert.equal(service.asked.length, 1)
})

test('a caller whose time is over gets a time-out, and the token is kept for the next one', async (t) => {
  const held = gate()
  const { authorizer, clock, log, get } = await setUpOAuth2(t, async () => {
    await held.passed
    return { body: { access_token: 'late-token', expires_in: 60 } }
  })
  const late = failureOf(Promise.resolve(authorizer.authorize(new TestCaller(3 * SECOND))))
  await clock.advance(3 * SECOND)
  const failure = await late
  assert.equal(failure.code, 'credential.timeout')
  assert.match(failure.message, /the token of credential "im_write" did not come in time/)
  held.open()
  await log.seen('token obtained')
  await settle()
  assert.equal(tokenOf(await get()), 'Bearer late-token')
})

test('200 refusals of one token cause one renewal', async (t) => {
  const { authorizer, service, get } = await setUpOAuth2(t)
  const grant = await get()
  const again = await Promise.all(
    Array.from({ length: 200 }, async () => {
      assert.equal(grant.reject(), true)
      return authorizer.authorize(new TestCaller())
    }),
  )
  assert.equal(service.asked.length, 2)
  assert.deepEqual([...new Set(again.map(tokenOf))], ['Bearer token-number-2'])
})

test('a late refusal of an old token drops nothing', async (t) => {
  const { service, get } = await setUpOAuth2(t)
  const old = await get()
  old.reject()
  const current = await get()
  assert.equal(old.reject(), true)
  assert.equal(await get(), current)
  assert.equal(service.asked.length, 2)
})

/** A call as `net/send` makes it: once more after a refusal. Gives the tokens it sent. */
async function call({ get }: OAuth2Setup, takes: (token: string) => boolean): Promise<string[]> {
  const first = await get()
  const sent = [tokenOf(first)]
  if (takes(tokenOf(first)) || !first.reject()) return sent
  const second = await get()
  if (second === first) return sent
  if (takes(tokenOf(second))) second.accepted!()
  else second.reject()
  return [...sent, tokenOf(second)]
}

test('a receiver that refuses every token causes one renewal, and further ones at growing distances', async (t) => {
  const setup = await setUpOAuth2(t, numbered(86_400))
  for (let i = 0; i < 50; i++) await call(setup, () => false)
  assert.equal(setup.service.asked.length, 2)
  const renewed: number[] = []
  for (let second = 1; second <= 300; second++) {
    await setup.clock.advance(SECOND)
    const before = setup.service.asked.length
    await call(setup, () => false)
    if (setup.service.asked.length > before) renewed.push(second)
  }
  assert.deepEqual(renewed, [1, 3, 7, 15, 31, 63, 123, 183, 243])
})

test('tokens that are revoked one after another are each renewed at once, and never sent again', async (t) => {
  const setup = await setUpOAuth2(t)
  const revoked = new Set<string>()
  for (let i = 1; i <= 8; i++) {
    revoked.add(`Bearer token-number-${i}`)
    assert.deepEqual(await call(setup, (token) => !revoked.has(token)), [
      `Bearer token-number-${i}`,
      `Bearer token-number-${i + 1}`,
    ])
    await setup.clock.advance(100)
  }
})

test('a renewed token that is revoked before its first use was told of is renewed after a second', async (t) => {
  const setup = await setUpOAuth2(t)
  ;(await setup.get()).reject()
  const renewed = await setup.get()
  await setup.clock.advance(SECOND)
  assert.equal(renewed.reject(), true)
  assert.equal(tokenOf(await setup.get()), 'Bearer token-number-3')
})

test('a renewal that helped ends the pauses', async (t) => {
  const setup = await setUpOAuth2(t, numbered(86_400))
  for (let i = 0; i < 20; i++) {
    await call(setup, () => false)
    await setup.clock.advance(SECOND)
  }
  await setup.clock.advance(60 * SECOND)
  const current = setup.service.asked.length
  const revoked = `Bearer token-number-${current}`
  const next = [revoked, `Bearer token-number-${current + 1}`]
  assert.deepEqual(await call(setup, (token) => token !== revoked), next)
  assert.equal((await call(setup, () => false)).length, 2)
})

test('many callers whose renewed token is refused cause no further renewal', async (t) => {
  const setup = await setUpOAuth2(t)
  await setup.get()
  await Promise.all(Array.from({ length: 200 }, () => call(setup, () => false)))
  await call(setup, () => false)
  assert.equal(setup.service.asked.length, 2)
})

test('a token that is renewed while the receiver refuses all of them is no reason to begin anew', async (t) => {
  const setup = await setUpOAuth2(t, numbered(20))
  for (let second = 0; second < 600; second++) {
    await call(setup, () => false)
    await setup.clock.advance(SECOND)
  }
  assert.ok(setup.service.asked.length <= 90, `${setup.service.asked.length} requests`)
})

test('a renewed token that was refused again says so, and when the next one is asked for', async (t) => {
  const setup = await setUpOAuth2(t)
  await call(setup, () => false)
  await setup.clock.advance(SECOND)
  await call(setup, () => false)
  await setup.clock.advance(SECOND / 2)
  assert.equal(
    (await setup.get()).describe(),
    'the token was renewed just now and refused again; the next one is asked for in 1.5 s at the earliest',
  )
})

test('when the service gives the refused token again it is the same grant', async (t) => {
  const { get } = await setUpOAuth2(t, () => ({ body: { access_token: 'the-same-token', expires_in: 600 } }))
  const grant = await get()
  assert.equal(grant.reject(), true)
  assert.equal(await get(), grant)
  assert.equal(grant.reject(), false)
})

test('a grant tells its age and scope, and never its token', async (t) => {
  const { clock, get } = await setUpOAuth2(t, () => ({
    body: { access_token: 'told-token', expires_in: 600, scope: 'im.read' },
  }))
  const grant = await get()
  await clock.advance(3 * SECOND)
  assert.equal(grant.describe(), 'a token was obtained 3 s ago with scope im.read')
})

test('less scope than was asked for is a warning', async (t) => {
  const { get, log } = await setUpOAuth2(
    t,
    () => ({ body: { access_token: 'narrow-token', expires_in: 600, scope: 'im.read' } }),
    { scope: 'im.read im.write' },
  )
  await get()
  const warning = log.lines.find((line) => line.level === 'warn')
  assert.equal(warning?.fields['lacking'], 'im.write')
})

test('tokens and secrets are registered for redaction until they are replaced', async (t) => {
  const { authorizer, redacted, get } = await setUpOAuth2(t)
  const pair = Buffer.from(`client:${SECRET}`).toString('base64')
  assert.deepEqual([...redacted], [SECRET, pair])
  const grant = await get()
  assert.deepEqual([...redacted], [SECRET, pair, 'token-number-1'])
  grant.reject()
  await get()
  assert.deepEqual([...redacted], [SECRET, pair, 'token-number-2'])
  authorizer.stop!()
  assert.deepEqual([...redacted], [])
})

test('the log has one line a fetch, with lifetime and without token', async (t) => {
  const { get, log } = await setUpOAuth2(t, numbered(1800))
  await get()
  assert.deepEqual(log.lines, [
    {
      level: 'info',
      text: 'token obtained',
      fields: { credential: 'im_write', attempt: 1, status: 200, lifetime: '1800s' },
    },
  ])
})

test('the state goes from unused over ready to refused', async (t) => {
  let broken = false
  const { authorizer, clock, get } = await setUpOAuth2(t, (asked, count) =>
    broken ? { status: 401, body: { error: 'invalid_client' } } : numbered(100)(asked, count),
  )
  assert.equal(authorizer.state().status, 'unused')
  await get()
  assert.equal(authorizer.state().status, 'ready')
  broken = true
  await clock.advance(200 * SECOND)
  await failureOf(get())
  const { status, details } = authorizer.state()
  assert.equal(status, 'refused')
  assert.equal(details['last error'], '401 invalid_client')
  assert.match(String(details['what to do']), /Verify clientId/)
  assert.equal(details['asks again'], 'in 30 s')
})

test('stopping calls off the request that is under way and fails those who wait', async (t) => {
  const held = gate()
  t.after(held.open)
  const { authorizer } = await setUpOAuth2(t, async () => {
    await held.passed
    return {}
  })
  const failing = failureOf(Promise.resolve(authorizer.authorize(new TestCaller())))
  authorizer.stop!()
  assert.equal((await failing).code, 'credential.missing')
  assert.throws(() => authorizer.authorize(new TestCaller()), { code: 'credential.missing' })
})
