import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ManualClock } from '../support/clock.ts'
import { startService, TestCaller, type Said } from '../support/credentials.ts'
import { Secret } from '../../src/core/secret.ts'
import type { OAuth2Options } from '../../src/credentials/oauth2.ts'
import { failureOf, gate, numbered, SECOND, SECRET, setUpOAuth2, tokenOf } from '../support/oauth2.ts'

test('a failed renewal keeps the old token until shortly before its end', async (t) => {
  let broken = false
  const { clock, get, log } = await setUpOAuth2(
    t,
    (_asked, count) =>
      broken ? { status: 401, body: { error: 'invalid_client' } } : numbered(100)(_asked, count),
    {},
    0,
  )
  await get()
  broken = true
  await clock.advance(60 * SECOND)
  assert.equal(tokenOf(await get()), 'Bearer token-number-1')
  assert.equal(log.count('token request failed'), 1)
  await clock.advance(34 * SECOND)
  assert.equal(tokenOf(await get()), 'Bearer token-number-1')
  await clock.advance(2 * SECOND)
  assert.equal((await failureOf(get())).code, 'credential.refused')
})

test('a refusal is remembered for 30 s, then twice as long, and at most for 5 min', async (t) => {
  const { clock, service, get } = await setUpOAuth2(t, () => ({
    status: 401,
    body: { error: 'invalid_client' },
  }))
  for (const seconds of [30, 60, 120, 240, 300, 300]) {
    const before = service.asked.length
    await failureOf(get())
    assert.equal(service.asked.length, before + 1)
    await clock.advance((seconds - 1) * SECOND)
    const failure = await failureOf(get())
    assert.match(failure.hint!, /asked again in 1 s at the earliest/)
    assert.equal(service.asked.length, before + 1, `asked within ${seconds} s`)
    await clock.advance(SECOND)
  }
})

test('each caller gets a failure of its own', async (t) => {
  const { authorizer } = await setUpOAuth2(t, () => ({ status: 403 }))
  const [first, second] = await Promise.all(
    [1, 2].map(() => failureOf(Promise.resolve(authorizer.authorize(new TestCaller())))),
  )
  assert.notEqual(first, second)
  assert.equal(first!.message, second!.message)
})

test('a refused client fails with status, OAuth error and what to do, and without its secret', async (t) => {
  const { get, log } = await setUpOAuth2(t, () => ({
    status: 401,
    body: { error: 'invalid_client', error_description: `Client authentication failed for ${SECRET}` },
  }))
  const failure = await failureOf(get())
  assert.equal(failure.code, 'credential.refused')
  assert.equal(
    failure.message,
    'the token service refused credential "im_write": 401 invalid_client (Client authentication failed for [secret])',
  )
  assert.match(failure.hint!, /Verify clientId and clientSecret/)
  assert.equal(failure.receiver?.status, 401)
  assert.doesNotMatch(JSON.stringify([failure, log.lines]), new RegExp(SECRET))
})

test('a service that repeats a short secret, or the pair in the header, shows neither', async (t) => {
  const short = 'abc1234'
  const pair = Buffer.from(`client:${short}`).toString('base64')
  const cases: [description: string, told: string][] = [
    [`bad header: Basic ${pair}`, ''],
    [`client_secret=${short}`, ''],
    [`no ${Buffer.from(short).toString('base64')}`, ''],
    ['Bad client credentials', ' (Bad client credentials)'],
  ]
  for (const [description, told] of cases) {
    const { get, log } = await setUpOAuth2(
      t,
      () => ({ status: 401, body: { error: 'invalid_client', error_description: description } }),
      { clientSecret: [new Secret(short)] },
    )
    const failure = await failureOf(get())
    assert.equal(
      failure.message,
      `the token service refused credential "im_write": 401 invalid_client${told}`,
    )
    assert.doesNotMatch(JSON.stringify([failure, log.lines]), /abc1234|YWJjMTIzNA|OmFiYzEyMzQ/)
  }
  const { get, redacted } = await setUpOAuth2(t, ({ headers }) => ({
    status: 401,
    body: { error: 'invalid_client', error_description: `bad header: ${headers.authorization}` },
  }))
  assert.match((await failureOf(get())).message, /\(bad header: Basic \[secret\]\)/)
  assert.ok(redacted.has(Buffer.from(`client:${SECRET}`).toString('base64')))
})

test('the hint for a refused client names the ways to send it that are not in use', async (t) => {
  const cases: [Partial<OAuth2Options>, string][] = [
    [{}, 'clientAuthentication: body, or basicEncoding: raw.'],
    [{ basicEncoding: 'raw' }, 'clientAuthentication: body, or basicEncoding: form.'],
    [{ clientAuthentication: 'body' }, 'clientAuthentication: header.'],
  ]
  for (const [options, wanted] of cases) {
    const { get } = await setUpOAuth2(t, () => ({ status: 401, body: { error: 'invalid_client' } }), options)
    const { hint } = await failureOf(get())
    assert.match(String(hint), new RegExp(`Some services want ${wanted}`))
  }
})

test('beside a secret that is a short word no word of the service that holds it is told', async (t) => {
  const { get } = await setUpOAuth2(
    t,
    () => ({ status: 400, body: { error: 'invalid_request', error_description: 'the client is not known' } }),
    { clientSecret: [new Secret('client')] },
  )
  assert.match((await failureOf(get())).message, /400 invalid_request$/)
})

const hints: [answer: Said, code: string, message: RegExp, hint: RegExp][] = [
  [
    { status: 400, body: { error: 'invalid_request', error_description: 'Missing grant_type' } },
    'credential.refused',
    /400 invalid_request \(Missing grant_type\)/,
    /which field is wrong/,
  ],
  [
    { status: 400, body: { error: 'invalid_scope' } },
    'credential.refused',
    /400 invalid_scope/,
    /Check scope/,
  ],
  [
    { status: 400, body: { error: 'unauthorized_client' } },
    'credential.refused',
    /400 unauthorized_client/,
    /Allow the grant/,
  ],
  [{ status: 401 }, 'credential.refused', /: 401$/, /generate a new secret in the admin console/],
  [{ status: 403 }, 'credential.refused', /: 403$/, /add the missing scope/],
  [{ status: 404, body: '<html>' }, 'credential.refused', /: 404$/, /Check tokenServiceUrl/],
  [
    { status: 429, headers: { 'retry-after': '120' } },
    'credential.refused',
    /: 429$/,
    /which other program uses the same client/,
  ],
  [
    { status: 307, headers: { location: 'https://evil.example/' } },
    'credential.answer',
    /redirected/,
    /into tokenServiceUrl/,
  ],
  [{ status: 200, body: '<html>' }, 'credential.answer', /no JSON object: 200/, /Check tokenServiceUrl/],
  [
    { status: 200, body: 'x'.repeat(1024 * 1024 + 1) },
    'credential.answer',
    /more than 1 MB/,
    /Check tokenServiceUrl/,
  ],
]
for (const [answer, code, message, hint] of hints) {
  test(`asked once, and told why: ${code} ${message.source}`, async (t) => {
    const { get, service } = await setUpOAuth2(t, () => answer)
    const failure = await failureOf(get())
    assert.equal(failure.code, code)
    assert.match(failure.message, message)
    assert.match(failure.hint!, hint)
    assert.equal(service.asked.length, 1)
  })
}

test('a redirect of the token service is not followed', async (t) => {
  const other = await startService(t, numbered(60))
  const { get } = await setUpOAuth2(t, () => ({ status: 308, headers: { location: other.url } }))
  assert.equal((await failureOf(get())).code, 'credential.answer')
  assert.equal(other.asked.length, 0)
})

test('503 is tried again with growing waits, and then there is a token', async (t) => {
  const { clock, log, service, get } = await setUpOAuth2(
    t,
    (asked, count) => (count < 3 ? { status: 503 } : numbered(60)(asked, count)),
    {},
    0.5,
  )
  const grant = get()
  await log.seen('it is tried again', 1)
  await clock.advance(749)
  assert.equal(service.asked.length, 1)
  await clock.advance(1)
  await log.seen('it is tried again', 2)
  await clock.advance(1500)
  assert.equal(tokenOf(await grant), 'Bearer token-number-3')
  assert.deepEqual(
    log.lines.map(({ level, fields }) => [level, fields['attempt'], fields['status']]),
    [
      ['warn', 1, 503],
      ['warn', 2, 503],
      ['info', 3, 200],
    ],
  )
})

test('three attempts at the most; then the service counts as not reachable', async (t) => {
  const { clock, log, service, authorizer, get } = await setUpOAuth2(t, () => ({
    status: 500,
    body: 'internal: x',
  }))
  const failing = failureOf(get())
  await log.seen('it is tried again', 1)
  await clock.advance(2 * SECOND)
  await log.seen('it is tried again', 2)
  await clock.advance(4 * SECOND)
  const failure = await failing
  assert.equal(failure.code, 'credential.unreachable')
  assert.match(failure.message, /cannot answer now: 500 \(3 attempts\)$/)
  assert.equal(service.asked.length, 3)
  assert.equal(authorizer.state().status, 'unreachable')
})

test('Retry-After within the deadline is waited for, in seconds and as a date', async (t) => {
  let clock: ManualClock
  const dates = [
    { 'retry-after': '7' },
    { 'retry-after': 'Sat, 21 Nov 2026 12:00:20 GMT', date: 'Sat, 21 Nov 2026 12:00:11 GMT' },
  ]
  const setup = await setUpOAuth2(t, (asked, count) =>
    count <= 2 ? { status: 429, headers: dates[count - 1]! } : numbered(60)(asked, count),
  )
  clock = setup.clock
  const grant = setup.get()
  await setup.log.seen('it is tried again', 1)
  await clock.advance(6999)
  assert.equal(setup.service.asked.length, 1)
  await clock.advance(1)
  await setup.log.seen('it is tried again', 2)
  await clock.advance(9 * SECOND)
  assert.equal(tokenOf(await grant), 'Bearer token-number-3')
})

test('Retry-After beyond the deadline fails at once, and nothing is asked until then', async (t) => {
  const { clock, service, get } = await setUpOAuth2(t, () => ({
    status: 429,
    headers: { 'retry-after': '120' },
  }))
  assert.equal((await failureOf(get())).code, 'credential.refused')
  await clock.advance(119 * SECOND)
  await failureOf(get())
  assert.equal(service.asked.length, 1)
  await clock.advance(SECOND)
  await failureOf(get())
  assert.equal(service.asked.length, 2)
})

test('a Retry-After of 0 asks for no wait, and the usual ones hold: nobody is asked without a pause', async (t) => {
  const { clock, service, get } = await setUpOAuth2(
    t,
    () => ({ status: 429, headers: { 'retry-after': '0' } }),
    { retry: { attempts: 1 } },
  )
  await failureOf(get())
  assert.match((await failureOf(get())).hint!, /asked again in 1 s at the earliest/)
  assert.equal(service.asked.length, 1)
  await clock.advance(SECOND)
  await failureOf(get())
  assert.equal(service.asked.length, 2)
})

test('a service that hangs ends in a time-out of the credential', async (t) => {
  const held = gate()
  t.after(held.open)
  const { clock, log, get, service } = await setUpOAuth2(
    t,
    async () => {
      await held.passed
      return {}
    },
    { readTimeout: 5 * SECOND },
  )
  const failing = failureOf(get())
  for (let attempt = 1; attempt <= 3; attempt++) {
    while (service.asked.length < attempt) await new Promise((done) => setImmediate(done))
    while (log.lines.length < attempt) await clock.advance(SECOND)
    await clock.advance(2 * SECOND)
  }
  const failure = await failing
  assert.equal(failure.code, 'credential.timeout')
  assert.match(failure.message, /the token service of credential "im_write" took too long/)
})

test('a service that is not there ends in credential.unreachable', async (t) => {
  const { clock, log, get, service } = await setUpOAuth2(t, numbered(60), {
    tokenServiceUrl: 'http://127.0.0.1:1/token',
  })
  const failing = failureOf(get())
  await log.seen('it is tried again', 1)
  await clock.advance(2 * SECOND)
  await log.seen('it is tried again', 2)
  await clock.advance(4 * SECOND)
  const failure = await failing
  assert.equal(failure.code, 'credential.unreachable')
  assert.match(failure.message, /could not be reached/)
  assert.equal(service.asked.length, 0)
})
