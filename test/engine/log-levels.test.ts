import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LogLevels } from '../../src/engine/log-levels.ts'
import { ManualClock } from '../support/clock.ts'
import { preparedFlow, request, step, testEngine } from '../support/engine.ts'
import { HeardLog } from '../store/support.ts'

const HOUR = 60 * 60 * 1000

test('a level that was set keeps more of runs, also of one that goes on, and ends by itself', async () => {
  const { engine, clock, log } = testEngine()
  let goOn = () => {}
  const wait = () => new Promise<void>((resolve) => (goOn = resolve))
  const flow = preparedFlow([step(() => {}), step(wait), step((_, line) => line.log('debug', 'detail'))])
  engine.deploy(flow)
  const going = engine.process('test', request())
  assert.equal(log.snapshots.length, 0)
  const { until } = engine.levels.set('test', 'trace', HOUR)
  assert.equal(until, clock.now() + HOUR)
  goOn()
  await going
  assert.deepEqual(
    log.snapshots.map(({ step: id, level }) => [id, level]),
    [
      ['step-1', 'trace'],
      ['step-2', 'trace'],
    ],
  )
  assert.deepEqual(
    log.lines.map(({ text }) => text),
    ['detail'],
  )

  engine.deploy(preparedFlow([step((_, line) => line.log('debug', 'of v2'))], { version: 'v2' }))
  await clock.advance(HOUR - 1)
  await engine.process('test', request())
  assert.equal(log.snapshots.length, 3)
  await clock.advance(1)
  await engine.process('test', request())
  assert.equal(log.snapshots.length, 3)
  assert.equal(log.lines.length, 2)
  await engine.stop(0)
})

test('none keeps lines out; a reset ends it at once', async () => {
  const { engine, log } = testEngine()
  engine.deploy(preparedFlow([step((_, line) => line.log('info', 'seen'))]))
  engine.levels.set('test', 'none', HOUR)
  await engine.process('test', request())
  engine.levels.reset('test')
  await engine.process('test', request())
  assert.deepEqual([log.lines.length, log.closed.length], [1, 2])
  await engine.stop(0)
})

test('it is told once when it is set and once when it ends; set again, the later end counts', async () => {
  const clock = new ManualClock(Date.parse('2026-11-21T12:00:00Z'))
  const log = new HeardLog()
  const levels = new LogLevels(clock, log)
  levels.set('orders', 'trace', HOUR)
  await clock.advance(HOUR / 2)
  levels.set('orders', 'debug', HOUR)
  await clock.advance(HOUR / 2)
  assert.equal(levels.of('orders').set?.level, 'debug')
  await clock.advance(HOUR / 2)
  assert.equal(levels.of('orders').set, undefined)
  levels.reset('orders')
  assert.deepEqual(
    log.said.map(({ fields, text }) => [(fields as { until?: string }).until, text]),
    [
      ['2026-11-21T13:00:00.000Z', 'the log level of the flow "orders" is set to trace until then'],
      ['2026-11-21T13:30:00.000Z', 'the log level of the flow "orders" is set to debug until then'],
      [undefined, 'the log level of the flow "orders" is its own again'],
    ],
  )
})
