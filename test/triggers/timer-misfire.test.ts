import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock, settle } from '../support/clock.ts'
import { MemoryState } from './deployment.ts'
import { HOUR, MINUTE, start } from './start-timer.ts'

/** The engine was down from 12:10 to 15:30 of a timer that is due each hour. */
async function afterDowntime(misfire: string | undefined, options: object = { cron: '0 * * * *' }) {
  const state = new MemoryState()
  const before = await start(options, { state })
  await before.clock.advance(10 * MINUTE)
  await before.stop()
  const running: (() => void)[] = []
  const after = await start(misfire === undefined ? options : { ...options, misfire }, {
    state,
    clock: new ManualClock('2026-11-21T15:30:00Z'),
    run: () => new Promise((resolve) => void running.push(resolve)),
  })
  return {
    ...after,
    finishOne: async () => {
      running.shift()!()
      await settle()
    },
  }
}

test('misfire last makes up for the last tick only, and is the default', async () => {
  for (const misfire of ['last', undefined]) {
    const { times, clock, finishOne, log, missedTicks } = await afterDowntime(misfire)
    assert.deepEqual(times(), ['15:00'])
    assert.deepEqual(missedTicks, [2])
    assert.match(JSON.stringify(log.lines), /"ticks":2/)
    await finishOne()
    await clock.advance(HOUR)
    assert.deepEqual(times(), ['15:00', '16:00'])
  }
})

test('misfire skip makes up for none', async () => {
  const { times, clock, missedTicks } = await afterDowntime('skip')
  assert.deepEqual(times(), [])
  assert.deepEqual(missedTicks, [3])
  await clock.advance(HOUR)
  assert.deepEqual(times(), ['16:00'])
})

test('misfire all makes up for each, one after the other', async () => {
  const { times, clock, finishOne, missedTicks } = await afterDowntime('all')
  assert.deepEqual(times(), ['13:00'])
  assert.deepEqual(missedTicks, [])
  await finishOne()
  assert.deepEqual(times(), ['13:00', '14:00'])
  await finishOne()
  await finishOne()
  assert.deepEqual(times(), ['13:00', '14:00', '15:00'])
  await clock.advance(HOUR)
  assert.deepEqual(times(), ['13:00', '14:00', '15:00', '16:00'])
})

test('every after downtime: at once; with misfire all the missed ones before', async () => {
  const options = { every: HOUR }
  assert.deepEqual((await afterDowntime('last', options)).times(), ['15:30'])
  assert.deepEqual((await afterDowntime('skip', options)).times(), ['15:30'])
  const all = await afterDowntime('all', options)
  for (let i = 0; i < 3; i++) await all.finishOne()
  assert.deepEqual(all.times(), ['13:00', '14:00', '15:00', '15:30'])
})

test('a changed schedule does not make up for ticks that were not its own', async () => {
  const state = new MemoryState()
  const before = await start({ cron: '0 12 * * *' }, { state })
  await before.stop()
  const after = await start(
    { cron: '0 * * * *', misfire: 'all' },
    { state, clock: new ManualClock('2026-11-21T18:30:00Z') },
  )
  assert.deepEqual(after.times(), [])
})

test('misfire all is bounded to the newest 1,000', async () => {
  const state = new MemoryState()
  await (await start({ cron: '* * * * *' }, { state })).stop()
  const after = await start(
    { cron: '* * * * *', misfire: 'all' },
    { state, clock: new ManualClock('2026-12-21T12:00:30Z') },
  )
  while (after.requests.length < 1000) await settle()
  await settle()
  assert.equal(after.requests.length, 1000)
  assert.equal(after.days()[0], '12-20T19:21')
  assert.equal(after.days().at(-1), '12-21T12:00')
})

test('a tick that was recorded before is not fired again', async () => {
  const state = new MemoryState()
  const one = await start({ cron: '0 * * * *' }, { state })
  const two = await start({ cron: '0 * * * *' }, { state, clock: one.clock })
  await one.clock.advance(3 * HOUR)
  assert.deepEqual([...one.times(), ...two.times()].toSorted(), ['13:00', '14:00', '15:00'])
})

test('a jump of the wall clock forward is noticed within 30 s', async () => {
  const { clock, times } = await start({ cron: '0 * * * *' })
  clock.jump(2 * HOUR + 30 * MINUTE)
  await clock.advance(30_000)
  assert.deepEqual(times(), ['14:00'])
  await clock.advance(30 * MINUTE)
  assert.deepEqual(times(), ['14:00', '15:00'])
})

test('a jump of the wall clock backwards fires nothing twice', async () => {
  const { clock, times } = await start({ cron: '0 * * * *' })
  await clock.advance(2 * HOUR + MINUTE)
  clock.jump(-90 * MINUTE)
  await clock.advance(HOUR)
  assert.deepEqual(times(), ['13:00', '14:00'])
  await clock.advance(2 * HOUR)
  assert.deepEqual(times(), ['13:00', '14:00', '15:00'])
})

test('a period goes on after a jump of the wall clock backwards', async () => {
  const { clock, times } = await start({ every: 10 * MINUTE })
  await clock.advance(10 * MINUTE)
  clock.jump(-5 * HOUR)
  await clock.advance(11 * MINUTE)
  assert.deepEqual(times(), ['12:00', '12:10', '07:20'])
})

test('without the state store nothing fires; it goes on as soon as the store works again', async () => {
  const state = new MemoryState()
  const { clock, times, log } = await start({ cron: '0 * * * *' }, { state })
  state.broken = new Error('the disk is full')
  await clock.advance(HOUR)
  assert.deepEqual(times(), [])
  assert.equal(log.lines[0]!.level, 'error')
  state.broken = undefined
  await clock.advance(5_000)
  assert.deepEqual(times(), ['13:00'])
})

test('a tick is run once it is on disk, also when the timer is stopped meanwhile', async () => {
  const state = new MemoryState()
  const { clock, times, stop } = await start({ cron: '0 * * * *' }, { state })
  let written: () => void = () => {}
  state.disk = new Promise((resolve) => (written = resolve))
  await clock.advance(HOUR)
  assert.deepEqual(times(), [])
  const stopped = stop()
  written()
  await stopped
  assert.deepEqual(times(), ['13:00'])
  assert.equal(clock.pending, 0)
})

test('a timer that is stopped before it found out where it was left fires nothing', async () => {
  const state = new MemoryState()
  let found: () => void = () => {}
  state.disk = new Promise((resolve) => (found = resolve))
  const { times, stop, clock } = await start({ every: MINUTE }, { state })
  await stop()
  found()
  await clock.advance(HOUR)
  assert.deepEqual(times(), [])
})
