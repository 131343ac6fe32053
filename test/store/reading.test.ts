import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { RunRecord } from '../../src/core/stores.ts'
import type { FollowSetting, LogEvent } from '../../src/store/following.ts'
import type { RunFilter } from '../../src/store/run-conditions.ts'
import { ManualClock } from '../support/clock.ts'
import { dataFolder, reader, runRecord, stores, NOW, VERSION } from './support.ts'

async function written(t: TestContext, runs: readonly RunRecord[]) {
  const opened = await stores(t)
  for (const run of runs) opened.messageLog.close(run)
  await opened.messageLog.flush()
  const log = reader(t, opened.folder)
  const found = (filter: Omit<RunFilter, 'limit'>, limit = 100) =>
    log.runs({ ...filter, limit }).map(({ id }) => runs.findIndex((run) => run.id === id))
  return { ...opened, log, found }
}

test('runs come newest first, by when they started, page after page', async (t) => {
  const runs = [5, 1, 4, 2, 3, 3].map((at) => runRecord({ startedAt: NOW + at }))
  const { found } = await written(t, runs)
  assert.deepEqual(found({}), [0, 2, 5, 4, 3, 1])
  assert.deepEqual(found({}, 2), [0, 2])
  assert.deepEqual(found({ before: runs[2]!.id }, 2), [5, 4])
  assert.deepEqual(found({ before: runs[5]!.id }), [4, 3, 1])
})

test('runs are found by flow, status, time, correlation id, header and text, and by several of them', async (t) => {
  const failure = { code: 'receiver.status', message: 'it answered 503 to "100%_x"' }
  const runs = [
    runRecord({ startedAt: NOW, flow: 'items' }),
    runRecord({ startedAt: NOW + 1, status: 'FAILED', failure }),
    runRecord({ startedAt: NOW + 2, correlationId: 'c-1', searchable: { 'x-order': '77', 'x-shop': 'a' } }),
    runRecord({ startedAt: NOW + 3, flow: 'items', status: 'CANCELLED', searchable: { 'x-order': '78' } }),
  ]
  const { found, messageLog } = await written(t, runs)
  messageLog.line(runs[3]!.id, NOW, 'info', 'log', 'Order 4711 Accepted', undefined)
  await messageLog.flush()
  assert.deepEqual(found({ flows: ['items'] }), [3, 0])
  assert.deepEqual(found({ flows: ['item'] }), [])
  assert.deepEqual(found({ statuses: ['FAILED'] }), [1])
  assert.deepEqual(found({ statuses: ['COMPLETED'] }), [2, 0])
  assert.deepEqual(found({ statuses: ['RETRY'] }), [])
  assert.deepEqual(found({ since: NOW + 1, until: NOW + 3 }), [2, 1])
  assert.deepEqual(found({ correlationId: 'c-1' }), [2])
  assert.deepEqual(found({ correlationId: runs[0]!.id }), [0])
  assert.deepEqual(found({ headers: [['X-Order', '77']] }), [2])
  assert.deepEqual(found({ headers: [['x-order', '7']] }), [])
  assert.deepEqual(found({ text: '4711 accepted' }), [3])
  assert.deepEqual(found({ text: '503' }), [1])
  assert.deepEqual(found({ text: '100%_X' }), [1])
  assert.deepEqual(found({ text: '5_3' }), [])
  assert.deepEqual(found({ flows: ['items'], statuses: ['CANCELLED'], text: 'order', since: NOW }), [3])
  assert.deepEqual(found({ flows: ['items'], statuses: ['FAILED'] }), [])
})

test('a run is found by its id, its beginning or its end', async (t) => {
  const runs = [
    runRecord({ id: '0193-aaaa-1111' }),
    runRecord({ id: '0193-aaab-2211' }),
    runRecord({ id: '0194-aaac-3333' }),
    runRecord({ id: '0194' }),
  ]
  const { log } = await written(t, runs)
  assert.deepEqual(log.find('0193-aaaa-1111'), ['0193-aaaa-1111'])
  assert.deepEqual(log.find('0193-aaab'), ['0193-aaab-2211'])
  assert.deepEqual(log.find('3333'), ['0194-aaac-3333'])
  assert.deepEqual(log.find('11'), ['0193-aaab-2211', '0193-aaaa-1111'])
  assert.deepEqual(log.find('0194'), ['0194'])
  assert.deepEqual(log.find('%'), [])
  assert.deepEqual(log.find(''), [])
})

/** The events of one look after the other, in short. */
function following(t: TestContext, folder: string, setting: FollowSetting) {
  const clock = new ManualClock(NOW)
  const stop = new AbortController()
  t.after(() => stop.abort())
  const events = reader(t, folder).follow(setting, clock, stop.signal)
  const said: string[] = []
  const ended = (async () => {
    for await (const event of events) said.push(inShort(event))
  })()
  return {
    async look(ms = 200): Promise<string[]> {
      await clock.advance(ms)
      return said.splice(0)
    },
    stop: () => stop.abort(),
    ended,
    said,
  }
}

function inShort(event: LogEvent): string {
  if (event.kind === 'line') return `${event.flow}: ${event.line.text}`
  const { flow, status, progress } = event.run
  return `${flow} ${event.kind === 'progress' ? progress!.done : status}`
}

test('following shows runs that begin, their lines, and how they end', async (t) => {
  const { messageLog, folder } = await stores(t)
  messageLog.deployed(VERSION)
  const line = (run: RunRecord, text: string) => messageLog.line(run.id, NOW, 'info', 'log', text, undefined)
  const early = runRecord({ flow: 'early' })
  messageLog.close(early)
  const going = runRecord({ status: 'PROCESSING', flow: 'going' })
  await messageLog.open(going)
  const follower = following(t, folder, { earlier: 5 })
  assert.deepEqual(await follower.look(), ['early COMPLETED', 'going PROCESSING'])
  assert.deepEqual(await follower.look(), [])

  const long = runRecord({ status: 'PROCESSING' })
  line(long, 'first')
  await messageLog.open(long)
  assert.deepEqual(await follower.look(), ['orders PROCESSING', 'orders: first'])
  line(long, 'second')
  line(going, 'of the other')
  await messageLog.flush()
  assert.deepEqual(await follower.look(), ['orders: second', 'going: of the other'])
  line(long, 'last')
  messageLog.close({ ...long, status: 'FAILED' })
  messageLog.close({ ...going, status: 'COMPLETED' })
  await messageLog.flush()
  assert.deepEqual(await follower.look(), ['going COMPLETED', 'orders: last', 'orders FAILED'])

  const short = runRecord({ flow: 'short' })
  line(short, 'quick')
  await messageLog.flush()
  assert.deepEqual(await follower.look(), [])
  messageLog.close(short)
  await messageLog.flush()
  assert.deepEqual(await follower.look(), ['short: quick', 'short COMPLETED'])
  line(short, 'late')
  await messageLog.flush()
  assert.deepEqual(await follower.look(), ['short: late'])

  messageLog.line('lost', NOW, 'info', 'log', 'of nobody', undefined)
  await messageLog.flush()
  assert.deepEqual(await follower.look(4800), [])
  assert.deepEqual(await follower.look(400), ['undefined: of nobody'])
  follower.stop()
  await follower.ended
})

test('following starts before there is a log, and goes on when another engine takes over', async (t) => {
  const folder = await dataFolder(t)
  const follower = following(t, folder, { earlier: 0 })
  assert.deepEqual(await follower.look(), [])
  const first = await stores(t, { folder })
  await first.messageLog.open(runRecord({ status: 'PROCESSING' }))
  assert.deepEqual(await follower.look(), ['orders PROCESSING'])
  await first.close()
  await stores(t, { folder })
  assert.deepEqual(await follower.look(), ['orders ABANDONED'])
})

test('following keeps to a flow, to a status, or to one run until it ends', async (t) => {
  const { messageLog, folder } = await stores(t)
  const going = runRecord({ status: 'PROCESSING' })
  await messageLog.open(going)
  const byFlow = following(t, folder, { earlier: 5, selection: { flows: ['items'] } })
  const byStatus = following(t, folder, { earlier: 5, selection: { statuses: ['FAILED'] } })
  const byRun = following(t, folder, { earlier: 5, run: going.id })
  const other = runRecord({ flow: 'items', status: 'FAILED' })
  messageLog.line(other.id, NOW, 'info', 'log', 'of items', undefined)
  messageLog.line(going.id, NOW, 'info', 'log', 'of orders', undefined)
  messageLog.close(other)
  await messageLog.flush()
  assert.deepEqual(await byFlow.look(), ['items: of items', 'items FAILED'])
  assert.deepEqual(await byStatus.look(), ['items FAILED'])
  assert.deepEqual(await byRun.look(), ['orders: of orders'])
  messageLog.close({ ...going, status: 'COMPLETED' })
  await messageLog.flush()
  assert.deepEqual(await byRun.look(), ['orders COMPLETED'])
  await byRun.ended
})

test('following shows how far a run has come, at most every 2 s, and in between what else happens', async (t) => {
  const { messageLog, folder } = await stores(t)
  const progress = (run: RunRecord, done: number, failed = 0) =>
    messageLog.progress(run.id, { step: 'copy', done, failed })
  const before = runRecord({ flow: 'before', status: 'PROCESSING' })
  await messageLog.open(before)
  progress(before, 5)
  await messageLog.flush()
  const follower = following(t, folder, { earlier: 0 })
  assert.deepEqual(await follower.look(), [])
  const sync = runRecord({ flow: 'sync', status: 'PROCESSING' })
  await messageLog.open(sync)
  assert.deepEqual(await follower.look(), ['sync PROCESSING'])
  progress(sync, 100)
  await messageLog.flush()
  assert.deepEqual(await follower.look(1800), [])
  progress(sync, 200)
  messageLog.close(runRecord({ flow: 'other' }))
  await messageLog.flush()
  assert.deepEqual(await follower.look(), ['sync 200', 'other COMPLETED'])
  progress(sync, 300)
  progress(before, 6)
  await messageLog.flush()
  assert.deepEqual(await follower.look(), ['before 6'])
  assert.deepEqual(await follower.look(1600), [])
  assert.deepEqual(await follower.look(), ['sync 300'], 'it is told though nothing more was written')
  assert.deepEqual(await follower.look(60_000), [])
  progress(sync, 300, 1)
  await messageLog.flush()
  assert.deepEqual(await follower.look(), ['sync 300'], 'only the failed ones are more')
  progress(sync, 400)
  messageLog.close({ ...sync, status: 'COMPLETED', progress: { step: 'copy', done: 401, failed: 0 } })
  await messageLog.flush()
  assert.deepEqual(await follower.look(), ['sync COMPLETED'])
})

test('following one run, a flow or a status shows the progress that belongs there', async (t) => {
  const { messageLog, folder } = await stores(t)
  const sync = runRecord({ flow: 'sync', status: 'PROCESSING' })
  const other = runRecord({ flow: 'other', status: 'PROCESSING' })
  for (const run of [sync, other]) {
    messageLog.line(run.id, NOW, 'info', 'log', 'begun', undefined)
    await messageLog.open(run)
    messageLog.progress(run.id, { step: 'copy', done: 1, failed: 0 })
  }
  await messageLog.flush()
  const byRun = following(t, folder, { earlier: 5, run: sync.id })
  const byFlow = following(t, folder, { earlier: 0, selection: { flows: ['sync'] } })
  const going = following(t, folder, { earlier: 0, selection: { statuses: ['PROCESSING'] } })
  const failed = following(t, folder, { earlier: 0, selection: { statuses: ['FAILED'] } })
  assert.deepEqual(await byRun.look(), ['sync: begun', 'sync 1'])
  assert.deepEqual(await byFlow.look(), [])
  for (const run of [sync, other]) messageLog.progress(run.id, { step: 'copy', done: 2, failed: 0 })
  await messageLog.flush()
  assert.deepEqual(await byRun.look(2000), ['sync 2'])
  assert.deepEqual(await byFlow.look(2000), ['sync 2'])
  assert.deepEqual(await going.look(2200), ['sync 2', 'other 2'])
  assert.deepEqual(await failed.look(2200), [])
})

test('following keeps up with more than one look takes', async (t) => {
  const { messageLog, folder } = await stores(t)
  const follower = following(t, folder, { earlier: 0 })
  await follower.look()
  for (let i = 0; i < 2500; i++) messageLog.close(runRecord())
  await messageLog.flush()
  assert.equal((await follower.look()).length, 2500)
})
