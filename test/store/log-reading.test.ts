import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { LogBusy, LogOverdue, LogReading } from '../../src/store/log-reading.ts'
import { NOW, runRecord, stores } from './support.ts'

test('runs, attachments and the audit log are read from another thread, which is there while somebody asks', async (t) => {
  const { messageLog, audit, folder, clock } = await stores(t)
  const run = runRecord()
  messageLog.attachment(run.id, NOW, 'log', 'order.json', '{}', 'application/json')
  messageLog.snapshot(run.id, NOW, 'log', 'trace', { headers: {}, properties: {}, body: 'payload' })
  messageLog.close(run)
  audit.record({ who: 'a file', what: 'reload', outcome: 'done' })
  await messageLog.flush()
  const reading = new LogReading(folder, clock)
  t.after(() => reading.close())
  const found = await reading.ask('runs', { filter: { limit: 10 }, patience: 1000 })
  assert.deepEqual([found.runs.map(({ id }) => id), found.reached], [[run.id], undefined])
  const shown = (await reading.ask('run', { id: run.id }))!
  assert.deepEqual([shown.attachments.length, 'snapshots' in shown], [1, false])
  const snapshots = (await reading.ask('snapshots', { id: run.id }))!
  assert.deepEqual(
    snapshots.map(({ body }) => body),
    ['payload'],
  )
  assert.equal(await reading.ask('snapshots', { id: 'missing' }), undefined)
  assert.equal(await reading.ask('run', { id: 'missing' }), undefined)
  const { content } = (await reading.ask('attachment', { run: run.id, name: 'order.json' }))!
  assert.equal(Buffer.from(content).toString(), '{}')
  await clock.advance(60_000)
  assert.equal((await reading.ask('audit', { limit: 10 })).length, 1)
})

test('a search whose time is up tells how far it came', async (t) => {
  const { messageLog, folder, clock } = await stores(t)
  for (let i = 0; i < 12_000; i++) messageLog.close(runRecord({ startedAt: NOW + i }))
  await messageLog.flush()
  const reading = new LogReading(folder, clock)
  t.after(() => reading.close())
  const filter = { limit: 10, text: 'nowhere' }
  const { runs, reached } = await reading.ask('runs', { filter, patience: -1 })
  assert.deepEqual([runs, reached], [[], NOW + 7000])
  const rest = await reading.ask('runs', { filter: { ...filter, until: reached! }, patience: 60_000 })
  assert.deepEqual(rest, { runs: [], reached: undefined })
})

test('too many questions at once are refused, and those that wait when it closes fail', async (t) => {
  const { folder, clock } = await stores(t)
  const reading = new LogReading(folder, clock)
  const asked = Array.from({ length: 17 }, () => reading.ask('audit', { limit: 1 }))
  const outcomes = Promise.allSettled(asked)
  await reading.close()
  const reasons = (await outcomes).map((one) => (one.status === 'rejected' ? one.reason : undefined))
  assert.ok(reasons[16] instanceof LogBusy)
  assert.equal(reasons[0].code, 'store.fault')
})

test('a question that takes far too long ends with its thread; those behind it are answered', async (t) => {
  const { audit, messageLog, folder, clock } = await stores(t)
  audit.record({ who: 'a file', what: 'reload', outcome: 'done' })
  await messageLog.flush()
  const reading = new LogReading(folder, clock)
  t.after(() => reading.close())
  const first = assert.rejects(reading.ask('audit', { limit: 1 }), LogOverdue)
  const behind = [reading.ask('audit', { limit: 2 }), reading.ask('audit', { limit: 3 })]
  const over = clock.advance(30_000)
  await first
  const found = await Promise.all(behind)
  assert.deepEqual(
    found.map(({ length }) => length),
    [1, 1],
  )
  await over
  assert.equal((await reading.ask('audit', { limit: 1 })).length, 1)
})

test('a question that SQLite does not take is a fault, and no trouble of the disk', async (t) => {
  const { messageLog, folder, clock } = await stores(t)
  await messageLog.flush()
  const reading = new LogReading(folder, clock)
  t.after(() => reading.close())
  const question = { limit: 1, what: Array.from({ length: 40_000 }, () => '*') }
  await assert.rejects(reading.ask('audit', question), (error: Error & { code?: string }) => {
    assert.equal(error.code, undefined)
    return true
  })
})

test('a log that is damaged is told in words', async (t) => {
  const { folder, clock, close } = await stores(t)
  await close()
  writeFileSync(join(folder, 'log.db'), 'nothing that SQLite knows'.repeat(100))
  const reading = new LogReading(folder, clock)
  t.after(() => reading.close())
  await assert.rejects(reading.ask('audit', { limit: 1 }), { code: 'store.damaged' })
})
