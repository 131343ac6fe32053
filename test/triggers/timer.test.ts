import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../src/core/failure.ts'
import { timer } from '../../src/triggers/timer.ts'
import { ManualClock, settle } from '../support/clock.ts'
import { MemoryState, prepare } from './deployment.ts'
import { HOUR, MINUTE, start } from './start-timer.ts'

test('every: at once, then each period; the run is durable and knows when it was due and when it began', async () => {
  const { clock, times, requests, state, next, stop } = await start({ every: 5 * MINUTE })
  assert.deepEqual(times(), ['12:00'])
  assert.equal(next(), Date.parse('2026-11-21T12:05:00Z'))
  await clock.advance(11 * MINUTE)
  assert.deepEqual(times(), ['12:00', '12:05', '12:10'])
  const { durable, trigger, message } = requests[1]!
  assert.deepEqual(
    { durable, ...trigger, empty: message.body.isEmpty },
    {
      durable: true,
      kind: 'timer',
      data: { scheduledAt: '2026-11-21T12:05:00.000Z', firedAt: '2026-11-21T12:05:00.000Z' },
      empty: true,
    },
  )
  assert.deepEqual(state.fired[1], { timer: 'test every 5m', at: '2026-11-21T12:05:00.000Z' })
  await stop()
  assert.equal(clock.pending, 0)
  await clock.advance(HOUR)
  assert.equal(requests.length, 3)
})

test('every with startAt counts from there, also when that is over', async () => {
  const future = await start({ every: 10 * MINUTE, startAt: '2026-11-21T12:15' })
  await future.clock.advance(26 * MINUTE)
  assert.deepEqual(future.times(), ['12:15', '12:25'])
  const past = await start({ every: 10 * MINUTE, startAt: '2026-11-20T00:05' })
  await past.clock.advance(16 * MINUTE)
  assert.deepEqual(past.times(), ['12:05', '12:15'])
})

test('cron fires by the clocks of its zone, through both changes of the year', async () => {
  const spring = await start(
    { cron: '30 2 * * *', timezone: 'Europe/Brussels' },
    { clock: new ManualClock('2026-03-28T00:00:00Z') },
  )
  await spring.clock.advance(72 * HOUR)
  assert.deepEqual(spring.days(), ['03-28T01:30', '03-29T01:00', '03-30T00:30'])
  const autumn = await start(
    { cron: '30 2 * * *', timezone: 'Europe/Brussels' },
    { clock: new ManualClock('2026-10-24T00:00:00Z') },
  )
  await autumn.clock.advance(72 * HOUR)
  assert.deepEqual(autumn.days(), ['10-24T00:30', '10-25T00:30', '10-26T01:30'])
})

test('at fires at each of its times that is still to come', async () => {
  const at = ['2026-11-21T13:00', '2026-11-21T12:30Z', '2026-11-21T11:00', '2026-11-21T15:00+01:00']
  const { clock, times, next } = await start({ at })
  await clock.advance(3 * HOUR)
  assert.deepEqual(times(), ['12:30', '13:00', '14:00'])
  assert.equal(next(), undefined)
  assert.equal(clock.pending, 0)
})

test('startAt and endAt bound the ticks, both included', async () => {
  const { clock, times } = await start({
    cron: '0 * * * *',
    startAt: '2026-11-21T14:00',
    endAt: '2026-11-21T16:00',
  })
  await clock.advance(12 * HOUR)
  assert.deepEqual(times(), ['14:00', '15:00', '16:00'])
})

test('once fires on the first deployment of a version, and on that of the next one', async () => {
  const state = new MemoryState()
  const first = await start({ once: true }, { state })
  await first.clock.advance(HOUR)
  assert.deepEqual(first.times(), ['12:00'])
  assert.equal(first.next(), undefined)
  const again = await start({ once: true }, { state, clock: first.clock })
  await again.clock.advance(HOUR)
  assert.deepEqual(again.times(), [])
  const newer = await start({ once: true }, { state, clock: first.clock, flow: { version: 'v2' } })
  assert.deepEqual(newer.times(), ['14:00'])
})

test('once with startAt waits for it', async () => {
  const { clock, times } = await start({ once: true, startAt: '2026-11-21T12:30' })
  await clock.advance(HOUR)
  assert.deepEqual(times(), ['12:30'])
})

test('jitter delays each tick by chance; the time it was due stays', async () => {
  const chances = [0.5, 0.1]
  const { clock, requests } = await start(
    { cron: '0 * * * *', jitter: 10 * MINUTE },
    { random: () => chances.shift() ?? 0 },
  )
  await clock.advance(3 * HOUR)
  const data = requests.map(({ trigger }) =>
    Object.values(trigger.data).map((time) => String(time).slice(11, 16)),
  )
  assert.deepEqual(data, [
    ['13:00', '13:05'],
    ['14:00', '14:01'],
    ['15:00', '15:00'],
  ])
})

test('overlap skip leaves a tick out while the run before it is not over; the log tells the first and how many they were', async () => {
  let finish: () => void = () => {}
  const { clock, times, log, missedTicks } = await start(
    { every: HOUR },
    { run: () => new Promise((resolve) => (finish = resolve)) },
  )
  await clock.advance(2 * HOUR + MINUTE)
  assert.deepEqual(times(), ['12:00'])
  assert.deepEqual(missedTicks, [1, 1])
  assert.deepEqual(
    log.lines.map(({ level, text }) => [level, text]),
    [
      ['info', 'tick skipped: the run before it is not over'],
      ['debug', 'tick skipped: the run before it is not over'],
    ],
  )
  finish()
  await clock.advance(HOUR)
  assert.deepEqual(times(), ['12:00', '15:00'])
  const { level, text, fields } = log.lines.at(-1)!
  assert.deepEqual(
    [level, text, fields['ticks']],
    ['info', 'the timer runs again; 2 ticks in a row were not run', 2],
  )
})

test('overlap queue and allow hand each tick to the engine, which has the limits that go with it', async () => {
  for (const overlap of ['queue', 'allow']) {
    const { clock, times } = await start({ every: HOUR, overlap }, { run: () => new Promise(() => {}) })
    await clock.advance(2 * HOUR)
    assert.deepEqual(times(), ['12:00', '13:00', '14:00'])
  }
  const limits = (overlap?: string) => timer.concurrency({ ...(overlap && { overlap }) } as never)
  assert.deepEqual(limits(), { running: 1, waiting: 0 })
  assert.deepEqual(limits('skip'), { running: 1, waiting: 0 })
  assert.deepEqual(limits('queue'), { running: 1, waiting: 1000 })
  assert.deepEqual(limits('allow'), { running: 100, waiting: 0 })
  assert.equal(timer.timeout, 24 * HOUR)
})

test('a tick that the engine does not take is told in the log', async () => {
  const full = await start(
    { every: HOUR, overlap: 'queue' },
    { run: () => new Failure('flow.overload', 'too many wait') },
  )
  await settle()
  assert.deepEqual(
    full.log.lines.map(({ level, text }) => [level, text]),
    [['warn', 'tick not run: too many wait']],
  )
  assert.deepEqual(full.missedTicks, [1])
})

test('mistakes are problems, each with its place', () => {
  const told = (options: object) =>
    prepare(timer, options).problems.map(({ code, at, severity }) => [
      code,
      at,
      ...(severity ? [severity] : []),
    ])
  const cases: [options: object, ...problems: unknown[][]][] = [
    [{ every: MINUTE }],
    [{ once: true }],
    [{}, ['timer/schedule', undefined]],
    [{ once: false }, ['timer/schedule', undefined]],
    [{ cron: '0 2 * * *', every: MINUTE }, ['timer/schedule', ['every']]],
    [{ cron: '0 2 * *' }, ['timer/cron', ['cron']]],
    [{ cron: '0 0 30 2 *' }, ['timer/never', ['cron']]],
    [{ cron: '0 2 * * *', timezone: 'Europe/Brusels' }, ['timer/timezone', ['timezone']]],
    [{ at: ['2020-01-01T00:00'] }, ['timer/over', ['at'], 'warning']],
    [{ every: MINUTE, startAt: '2027-01-02T00:00', endAt: '2027-01-01T00:00' }, ['timer/window', ['endAt']]],
    [{ every: MINUTE, endAt: '2020-01-01T00:00' }, ['timer/over', ['endAt'], 'warning']],
    [{ every: MINUTE, jitter: 2 * MINUTE }, ['timer/jitter', ['jitter']]],
    [{ cron: '0,5 2 * * *', jitter: 6 * MINUTE }, ['timer/jitter', ['jitter']]],
    [{ cron: '0 2 * * *', jitter: HOUR }],
  ]
  for (const [options, ...problems] of cases)
    assert.deepEqual(told(options), problems, JSON.stringify(options))
  const [zone] = prepare(timer, { every: MINUTE, timezone: 'Europe/Brusels' }).problems
  assert.match(zone!.message, /"Europe\/Brusels" is not known; did you mean "Europe\/Brussels"\?/)
})

test('what it does is told in a line', () => {
  const summary = (options: object) => prepare(timer, options).prepared.summary
  assert.equal(summary({ every: 90_500 }), 'every 1m30s500ms')
  assert.equal(summary({ cron: '0 2 * * *', timezone: 'Europe/Brussels' }), 'cron 0 2 * * * Europe/Brussels')
  assert.equal(summary({ at: ['2027-01-01T00:00'] }), 'at 2027-01-01T00:00 UTC')
  assert.equal(summary({ once: true }), 'once')
})
