import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OAuth2Options } from '../../src/credentials/oauth2.ts'
import { settle } from '../support/clock.ts'
import { TestCaller } from '../support/credentials.ts'
import { failureOf, gate, numbered, SECOND, setUpOAuth2, tokenOf } from '../support/oauth2.ts'

const DAY = 24 * 3600 * SECOND

test('a credential that is warm asks when the engine starts, once; others do not', async (t) => {
  const cold = await setUpOAuth2(t)
  cold.authorizer.warm!()
  assert.equal(cold.authorizer.state().status, 'unused')
  const warm = await setUpOAuth2(t, numbered(100), { warm: true })
  warm.authorizer.warm!()
  warm.authorizer.warm!()
  await warm.log.seen('token obtained')
  await settle()
  assert.equal(warm.authorizer.state().status, 'ready')
  assert.equal(tokenOf(await warm.authorizer.authorize(new TestCaller())), 'Bearer token-number-1')
  assert.equal(warm.service.asked.length, 1)
  assert.equal(cold.service.asked.length, 0)
})

test('a service that refuses at the start is told in the log, and nothing goes astray', async (t) => {
  const { authorizer, log } = await setUpOAuth2(t, () => ({ status: 401 }), { warm: true })
  authorizer.warm!()
  await log.seen('token request failed')
  await settle()
  assert.equal(authorizer.state().status, 'refused')
})

test('a token of 58 days needs no timer, and is renewed a minute before its end', async (t) => {
  const { clock, service, get } = await setUpOAuth2(t, numbered(58 * 86_400), { maxLifetime: 366 * DAY }, 0)
  await get()
  await clock.advance(SECOND)
  assert.equal(clock.pending, 0)
  await clock.advance(58 * DAY - 62 * SECOND)
  await get()
  assert.equal(service.asked.length, 1)
  await clock.advance(2 * SECOND)
  await get()
  assert.equal(service.asked.length, 2)
})

test('tokens of 2 s are used for half of their life, in the background renewed before', async (t) => {
  const { clock, service, get } = await setUpOAuth2(t, numbered(2), {}, 0.5)
  for (let i = 0; i < 100; i++) {
    await get()
    await settle()
    await clock.advance(100)
  }
  assert.ok(
    service.asked.length >= 10 && service.asked.length <= 14,
    `${service.asked.length} requests in 10 s`,
  )
})

test('a clock that jumps ahead and back again costs one renewal at the most', async (t) => {
  const { clock, service, get } = await setUpOAuth2(t, numbered(1800), {}, 0)
  await get()
  clock.jump(7200 * SECOND)
  await get()
  assert.equal(service.asked.length, 2)
  clock.jump(-7200 * SECOND)
  await get()
  await clock.advance(1700 * SECOND)
  await get()
  assert.equal(service.asked.length, 2)
  await clock.advance(50 * SECOND)
  await get()
  assert.equal(service.asked.length, 3)
})

test('a clock that jumps makes no remembered refusal longer or shorter', async (t) => {
  const { clock, service, get } = await setUpOAuth2(t, () => ({ status: 401 }))
  await failureOf(get())
  clock.jump(3600 * SECOND)
  await failureOf(get())
  clock.jump(-7200 * SECOND)
  await clock.advance(29 * SECOND)
  await failureOf(get())
  assert.equal(service.asked.length, 1)
  await clock.advance(SECOND)
  await failureOf(get())
  assert.equal(service.asked.length, 2)
})

test('a thousand callers wait for one renewal, and each gives up for itself', async (t) => {
  const held = gate()
  const { authorizer, clock, service } = await setUpOAuth2(t, async (asked, count) => {
    await held.passed
    return numbered(100)(asked, count)
  })
  const callers = Array.from({ length: 1000 }, (_, i) => new TestCaller(i % 2 === 0 ? SECOND : Infinity))
  const waiting = callers.map((caller) =>
    Promise.resolve(authorizer.authorize(caller)).then(tokenOf, (error: { code: string }) => error.code),
  )
  await clock.advance(SECOND)
  held.open()
  const results = await Promise.all(waiting)
  assert.deepEqual([...new Set(results.filter((_, i) => i % 2 === 0))], ['credential.timeout'])
  assert.deepEqual([...new Set(results.filter((_, i) => i % 2 === 1))], ['Bearer token-number-1'])
  assert.equal(service.asked.length, 1)
  assert.equal(
    callers.reduce((sum, { listening }) => sum + listening, 0),
    0,
    'nobody listens any more',
  )
  await clock.advance(SECOND)
  assert.equal(clock.pending, 0)
})

test('a renewal goes on when every caller has given up, and its token is kept', async (t) => {
  const held = gate()
  const { authorizer, clock, log, service, get } = await setUpOAuth2(t, async (asked, count) => {
    await held.passed
    return numbered(100)(asked, count)
  })
  const gone = failureOf(Promise.resolve(authorizer.authorize(new TestCaller(SECOND))))
  await clock.advance(SECOND)
  await gone
  assert.equal(authorizer.state().status, 'renewing')
  held.open()
  await log.seen('token obtained')
  await settle()
  await get()
  assert.equal(service.asked.length, 1)
})

test('after a token was invalidated the next request asks anew, also where the service had refused', async (t) => {
  let good = true
  const { authorizer, service, redacted, get } = await setUpOAuth2(t, (asked, count) =>
    good ? numbered(100)(asked, count) : { status: 401 },
  )
  await get()
  authorizer.invalidate!()
  assert.equal(authorizer.state().status, 'unused')
  assert.equal(redacted.has('token-number-1'), false)
  assert.equal(tokenOf(await get()), 'Bearer token-number-2')
  good = false
  authorizer.invalidate!()
  await failureOf(get())
  await failureOf(get())
  assert.equal(service.asked.length, 3)
  good = true
  authorizer.invalidate!()
  assert.equal(tokenOf(await get()), 'Bearer token-number-4')
})

test('a token that was being asked for when a person invalidated the credential is asked for once more', async (t) => {
  const held = gate()
  const { authorizer, clock, service, get } = await setUpOAuth2(t, async (asked, count) => {
    if (count === 1) await held.passed
    return numbered(100)(asked, count)
  })
  const waiting = get()
  while (service.asked.length < 1) await settle()
  await clock.advance(SECOND)
  authorizer.invalidate!()
  held.open()
  assert.equal(tokenOf(await waiting), 'Bearer token-number-2')
})

test('a token that was asked for before another one was refused is asked for once more', async (t) => {
  const held = gate()
  const { clock, service, get, log } = await setUpOAuth2(
    t,
    async (asked, count) => {
      if (count === 2) await held.passed
      return numbered(100)(asked, count)
    },
    {},
    1,
  )
  const grant = await get()
  await clock.advance(30 * SECOND)
  assert.equal(await get(), grant, 'it is renewed in the background')
  while (service.asked.length < 2) await settle()
  await clock.advance(SECOND)
  grant.reject()
  const next = get()
  held.open()
  assert.equal(tokenOf(await next), 'Bearer token-number-3')
  assert.equal(log.count('token obtained'), 3)
})

test('a failed renewal in the background is tried again at growing distances while requests go on', async (t) => {
  let broken = false
  const { authorizer, clock, service, get } = await setUpOAuth2(
    t,
    (asked, count) => (broken ? { status: 403 } : numbered(600)(asked, count)),
    {},
    1,
  )
  const grant = await get()
  broken = true
  const asked: number[] = []
  for (let second = 0; second < 594; second++) {
    const before = service.asked.length
    assert.equal(await get(), grant)
    while (authorizer.state().status === 'renewing') await settle()
    if (service.asked.length > before) asked.push(second)
    await clock.advance(SECOND)
  }
  assert.deepEqual(asked, [510, 540])
  await clock.advance(2 * SECOND)
  assert.equal((await failureOf(get())).code, 'credential.refused')
})

test('the state tells age, scope that was not granted, and what to do', async (t) => {
  const { authorizer, clock, get } = await setUpOAuth2(
    t,
    () => ({ body: { access_token: 'narrow-token', expires_in: 600, scope: 'im.read' } }),
    { scope: 'im.read im.write' },
  )
  await get()
  await clock.advance(90 * SECOND)
  const { details } = authorizer.state()
  assert.deepEqual(
    { ...details, obtained: '' },
    {
      uses: 1,
      renewals: 1,
      obtained: '',
      age: '90 s',
      lifetime: '10 min',
      expires: 'in 8 min 30 s',
      'granted scope': 'im.read',
      'scope not granted': 'im.write',
    },
  )
})

test('attempts, delay and factor of the retries are settings', async (t) => {
  const { clock, log, service, get } = await setUpOAuth2(
    t,
    () => ({ status: 503 }),
    { retry: { attempts: 4, delay: 2 * SECOND, factor: 1 } },
    1,
  )
  const failing = failureOf(get())
  for (let attempt = 1; attempt < 4; attempt++) {
    await log.seen('it is tried again', attempt)
    assert.match(String(log.lines.at(-1)!.fields['again']), /^in 2000 ms$/)
    await clock.advance(2 * SECOND - 1)
    assert.equal(service.asked.length, attempt)
    await clock.advance(1)
  }
  assert.match((await failing).message, /503 \(4 attempts\)$/)
})

test('no further attempt begins after the deadline of 30 s', async (t) => {
  const { clock, log, service, get } = await setUpOAuth2(
    t,
    () => ({ status: 503 }),
    { retry: { attempts: 10, delay: 10 * SECOND, factor: 2 } },
    1,
  )
  const failing = failureOf(get())
  await log.seen('it is tried again')
  await clock.advance(10 * SECOND)
  assert.match((await failing).message, /503 \(2 attempts\)$/)
  assert.equal(service.asked.length, 2)
})

test('an answer that the settings of the credential call no longer good renews, another does not', async (t) => {
  const { get } = await setUpOAuth2(t, numbered(100), {
    invalidateOn: [401, 403],
    invalidateWhen: 'body.errors[0].code in [601, 602] || headers["x-token"] == "stale"',
  })
  const grant = await get()
  assert.deepEqual(grant.refusedBy, [401, 403])
  assert.equal(grant.refuses!(200, {}, { errors: [{ code: 602 }] }), true)
  assert.equal(grant.refuses!(200, {}, { errors: [{ code: 610 }] }), false)
  assert.equal(grant.refuses!(200, {}, { result: [] }), false)
  assert.equal(grant.refuses!(200, { 'x-token': 'stale' }, null), true)
  assert.equal(grant.refuses!(200, {}, null), false)
})

test('a condition that is no yes or no fails, naming credential and field', async (t) => {
  const { get } = await setUpOAuth2(t, numbered(100), { invalidateWhen: 'body.code' })
  const grant = await get()
  assert.throws(() => grant.refuses!(200, {}, { code: 7 }), {
    code: 'expression.failed',
    message: /^"invalidateWhen of credential "im_write"": /,
  })
})

test('a replaced token stays redacted for as long as it is good', async (t) => {
  const { clock, redactedFor, get } = await setUpOAuth2(t, numbered(600), {}, 0)
  await get()
  await clock.advance(541 * SECOND)
  await get()
  assert.deepEqual([...redactedFor], [['token-number-1', 59 * SECOND]])
})

const places: [tokenIn: NonNullable<OAuth2Options['tokenIn']>, headers: readonly string[], query: string][] =
  [
    [{ in: 'header', name: 'X-Access-Token' }, ['X-Access-Token', 'token-number-1'], ''],
    [{ prefix: 'Token ' }, ['authorization', 'Token token-number-1'], ''],
    [{ in: 'query', name: 'access_token' }, [], 'access_token=token-number-1'],
    [{ in: 'cookie', name: 'session' }, ['cookie', 'session=token-number-1'], ''],
  ]
for (const [tokenIn, headers, query] of places) {
  test(`a token goes where tokenIn says: ${JSON.stringify(tokenIn)}`, async (t) => {
    const { get } = await setUpOAuth2(t, numbered(3600), { tokenIn })
    const grant = await get()
    assert.deepEqual([grant.headers, grant.query], [headers, query])
  })
}

test('requests, failures, tokens and uses are counted for machines, with the time that is left', async (t) => {
  let refuse = false
  const { authorizer, clock, get } = await setUpOAuth2(
    t,
    (_asked, count) =>
      refuse
        ? { status: 503, body: 'busy' }
        : { body: { access_token: `token-number-${count}`, expires_in: 3600 } },
    { retry: { attempts: 1 } },
  )
  const none = { requests: 0, failures: 0, renewals: 0, uses: 0, failing: false, expiresIn: undefined }
  assert.deepEqual(authorizer.state().token, none)
  await get()
  await get()
  await clock.advance(600 * SECOND)
  const one = { requests: 1, failures: 0, renewals: 1, uses: 2, failing: false, expiresIn: 3000 * SECOND }
  assert.deepEqual(authorizer.state().token, one)
  refuse = true
  authorizer.invalidate!()
  await failureOf(get())
  assert.deepEqual(authorizer.state().token, {
    ...one,
    requests: 2,
    failures: 1,
    failing: true,
    uses: 3,
    expiresIn: undefined,
  })

  await clock.advance(5 * 60 * SECOND)
  const asking = get()
  assert.equal(authorizer.state().status, 'renewing')
  assert.equal(authorizer.state().token!.failing, true, 'while it asks again it is no better')
  await failureOf(asking)
  refuse = false
  await clock.advance(5 * 60 * SECOND)
  await get()
  assert.equal(authorizer.state().token!.failing, false)
})
