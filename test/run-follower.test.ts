import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { FollowRequest } from '../src/core/control.ts'
import type { RunRecord } from '../src/core/stores.ts'
import { RunEvents } from '../src/run-events.ts'
import { RunFollower } from '../src/run-follower.ts'
import { createRedactor } from '../src/security/redaction.ts'
import type { LogEvent } from '../src/store/following.ts'
import { ManualClock } from './support/clock.ts'
import { MemoryLog } from './support/message-log.ts'
import { NOW, runRecord } from './store/support.ts'

function following(t: TestContext, request: Partial<FollowRequest> = {}) {
  const clock = new ManualClock(NOW)
  const redactor = createRedactor()
  redactor.add('very-secret-value')
  const log = new RunEvents(new MemoryLog(), redactor, (error) => assert.fail(String(error)))
  const said: string[] = []
  let omitted = 0
  const follower = new RunFollower({
    selection: {},
    ...request,
    clock,
    show: (event) => said.push(inShort(event)),
    omit: (count) => void (omitted += count),
    ended: () => said.push('end'),
  })
  log.listen((event) => follower.take(event))
  t.after(() => follower.stop())
  return {
    log,
    clock,
    follower,
    line: (run: Pick<RunRecord, 'id'>, text: string) => log.line(run.id, NOW, 'info', 'log', text, undefined),
    said: () => said.splice(0),
    omitted: () => omitted,
  }
}

function inShort(event: LogEvent): string {
  if (event.kind === 'line') return `${event.flow}: ${event.line.text}`
  const { flow, status, progress } = event.run
  return `${flow} ${event.kind === 'progress' ? progress!.done : status}`
}

test('lines come with their run: at once where it is known, else before its end', async (t) => {
  const { log, clock, line, said, follower } = following(t)
  const short = runRecord({ flow: 'short' })
  const long = runRecord({ flow: 'long', status: 'PROCESSING' })
  line(short, 'quick')
  line(long, 'first')
  assert.deepEqual(said(), [])
  log.close(short)
  assert.deepEqual(said(), ['short: quick', 'short COMPLETED'])
  await log.open(long)
  line(long, 'has very-secret-value')
  assert.deepEqual(said(), ['long PROCESSING', 'long: first', 'long: has [secret]'])
  log.close({ ...long, status: 'FAILED' })
  assert.deepEqual(said(), ['long FAILED'])
  line(long, 'late')
  await clock.advance(3000)
  line({ id: 'x' }, 'of nobody')
  await clock.advance(2000)
  assert.deepEqual(said(), ['undefined: late'])
  await clock.advance(3000)
  assert.deepEqual(said(), ['undefined: of nobody'])
  const before = runRecord({ flow: 'before', status: 'PROCESSING' })
  follower.know(log.live(before))
  line(before, 'goes on')
  assert.deepEqual(said(), ['before: goes on'])
})

test('progress is told at once, and then every two seconds at the most', async (t) => {
  const { log, clock, said } = following(t)
  const run = runRecord({ status: 'PROCESSING' })
  log.progress('unknown', { step: 'a', done: 1, failed: 0 })
  await log.open(run)
  const move = (done: number) => log.progress(run.id, { step: 'a', done, failed: 0 })
  move(1)
  move(2)
  await clock.advance(2000)
  move(2)
  move(3)
  assert.deepEqual(said(), ['orders PROCESSING', 'orders 1', 'orders 2'])
})

test('of one run that is followed, nothing of others is told', async (t) => {
  const own = runRecord({ status: 'PROCESSING' })
  const { log, follower, line, said } = following(t, { run: own.id })
  const other = runRecord({ flow: 'other', status: 'PROCESSING' })
  for (const run of [own, other]) follower.know(log.live(run))
  for (const run of [own, other]) {
    line(run, 'a line')
    log.progress(run.id, { step: 'a', done: 1, failed: 0 })
  }
  log.close({ ...other, status: 'COMPLETED' })
  assert.deepEqual(said(), ['orders: a line', 'orders 1'])
})

test('only what was asked for is told', async (t) => {
  const all = [
    runRecord({ flow: 'orders/new', correlationId: 'c-1' }),
    runRecord({ flow: 'items', status: 'FAILED', failure: { code: 'x.y', message: 'No Good' } }),
    runRecord({ flow: 'orders/old', searchable: { 'x-order': '77' } }),
  ]
  const told = async (request: Partial<FollowRequest>) => {
    const { log, line, said } = following(t, request)
    for (const run of all) {
      line(run, `line of ${run.flow}`)
      log.close(run)
    }
    return said()
  }
  assert.deepEqual(await told({ selection: { flows: ['orders/*'], correlationId: 'c-1' } }), [
    'orders/new: line of orders/new',
    'orders/new COMPLETED',
  ])
  assert.deepEqual(await told({ selection: { codes: ['x.*'] } }), ['items FAILED'])
  assert.deepEqual(await told({ selection: { headers: [['X-Order', '77']] } }), ['orders/old COMPLETED'])
  assert.deepEqual(await told({ selection: { text: 'of ITEMS' } }), ['items: line of items'])
  assert.deepEqual(await told({ selection: { text: 'no good' } }), ['items FAILED'])
  assert.deepEqual(await told({ run: all[1]!.id }), ['items: line of items', 'items FAILED', 'end'])
})

test('lines that find no place are counted', async (t) => {
  const { log, line, said, omitted } = following(t)
  const run = runRecord()
  for (let i = 0; i < 210; i++) line(run, `${i}`)
  log.close(run)
  assert.deepEqual([said().length, omitted()], [201, 10])
  for (let i = 0; i < 6000; i++) line({ id: `r${i}` }, 'x')
  assert.equal(omitted(), 1010)
})
