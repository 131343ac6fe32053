import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { loadSettings } from '../../src/config.ts'
import { openDatabase } from '../../src/store/sqlite/database.ts'
import { retention } from '../../src/store/sqlite/retention.ts'
import { LOG_MIGRATIONS } from '../../src/store/sqlite/schema.ts'
import { dataFolder, reader, runRecord, stores, NOW } from './support.ts'

const DAY = 24 * 60 * 60 * 1000
const GB = 1024 ** 3

test('runs older than the limit go at the start, with all that belongs to them; younger ones stay', async (t) => {
  const folder = await dataFolder(t)
  const before = await stores(t, { folder, retention: { days: 365, bytes: GB } })
  const old = Array.from({ length: 450 }, (_, i) =>
    runRecord({ startedAt: NOW - 31 * DAY - i, searchable: { 'x-order': String(i) } }),
  )
  const young = Array.from({ length: 10 }, (_, i) => runRecord({ startedAt: NOW - 29 * DAY - i }))
  for (const run of [...old, ...young]) {
    before.messageLog.line(run.id, run.startedAt, 'info', 'log', 'a line', undefined)
    before.messageLog.attachment(run.id, run.startedAt, 'log', 'a', 'content', 'text/plain')
    before.messageLog.snapshot(run.id, run.startedAt, 'log', 'debug', { headers: {}, properties: {} })
    before.messageLog.close(run)
  }
  before.messageLog.line('left no record', NOW - 31 * DAY, 'info', 'log', 'orphan', undefined)
  await before.close()

  const after = await stores(t, { folder })
  assert.deepEqual(await after.log.hear(/deleted old runs/), { runs: 450 })
  await after.close()
  const database = new DatabaseSync(join(folder, 'log.db'))
  t.after(() => database.close())
  const count = (table: string) => database.prepare(`SELECT count(*) AS n FROM ${table}`).get()!['n']
  assert.deepEqual(['runs', 'attachments', 'snapshots', 'searchable'].map(count), [10, 10, 10, 0])
})

test('lines of runs that left no record go with their age', async (t) => {
  const folder = await dataFolder(t)
  const before = await stores(t, { folder, retention: { days: 365, bytes: GB } })
  before.messageLog.line('left no record', NOW - 31 * DAY, 'info', 'log', 'orphan', undefined)
  before.messageLog.close(runRecord({ startedAt: NOW - 31 * DAY }))
  await before.close()
  const after = await stores(t, { folder })
  await after.log.hear(/deleted old runs/)
  await after.messageLog.open(runRecord())
  await after.close()
  const database = new DatabaseSync(join(folder, 'log.db'))
  t.after(() => database.close())
  assert.equal(database.prepare('SELECT count(*) AS n FROM lines').get()!['n'], 0)
})

test('it looks again every hour, and leaves runs alone that go on', async (t) => {
  const { messageLog, clock, log, folder } = await stores(t, { retention: { days: 1, bytes: GB } })
  const run = runRecord({ startedAt: NOW })
  const going = runRecord({ startedAt: NOW, status: 'PROCESSING' })
  messageLog.close(run)
  await messageLog.open(going)
  for (let hour = 0; hour < 24; hour++) await clock.advance(60 * 60 * 1000)
  await messageLog.flush()
  assert.notEqual(reader(t, folder).run(run.id), undefined)
  await clock.advance(60 * 60 * 1000)
  assert.deepEqual(await log.hear(/deleted old runs/), { runs: 1 })
  assert.equal(reader(t, folder).run(run.id), undefined)
  assert.equal(reader(t, folder).run(going.id)!.status, 'PROCESSING')
})

test('beyond the size the oldest runs go, and the file shrinks', async (t) => {
  const folder = await dataFolder(t)
  const file = join(folder, 'log.db')
  const before = await stores(t, { folder })
  const runs = Array.from({ length: 200 }, () => runRecord())
  for (const run of runs) {
    before.messageLog.attachment(run.id, NOW, 'log', 'a', Buffer.alloc(20_000, 1), 'image/png')
    before.messageLog.close(run)
  }
  await before.close()
  assert.ok((await stat(file)).size > 4_000_000)

  const after = await stores(t, { folder, retention: { days: 30, bytes: 2_000_000 } })
  await after.log.hear(/deleted old runs/)
  const log = reader(t, folder)
  const left = log.runs({ limit: 1000 })
  log.close()
  assert.ok(left.length >= 60 && left.length < 100, `${left.length} runs are left`)
  assert.equal(left[0]!.id, runs.at(-1)!.id)
  await after.close()
  assert.ok((await stat(file)).size <= 2_000_000)
})

test('what the audit log holds makes no run go', async (t) => {
  const folder = await dataFolder(t)
  const before = await stores(t, { folder })
  const run = runRecord()
  before.messageLog.close(run)
  for (let i = 0; i < 5000; i++)
    before.audit.record({
      who: 'x'.repeat(200),
      what: 'token.issued',
      outcome: 'done',
      detail: 'y'.repeat(400),
    })
  await before.close()
  assert.ok((await stat(join(folder, 'log.db'))).size > 2_000_000)
  const database = openDatabase(join(folder, 'log.db'), {
    timeout: 250,
    pragmas: [],
    migrations: LOG_MIGRATIONS,
  })
  t.after(() => database.close())
  const slice = retention(database, { before: 0, bytes: 500_000, auditBefore: 0 })
  for (let left: number | undefined = 0; left !== undefined;) left = slice()
  assert.notEqual(reader(t, folder).run(run.id), undefined)
})

test('a slice takes some hundred runs at the most, the oldest ones, so that writing goes on in between', async (t) => {
  const folder = await dataFolder(t)
  const before = await stores(t, { folder, retention: { days: 365, bytes: GB } })
  const runs = Array.from({ length: 450 }, (_, i) => runRecord({ startedAt: NOW - 40 * DAY + i }))
  for (const run of [...runs, runRecord()]) before.messageLog.close(run)
  await before.close()
  const database = openDatabase(join(folder, 'log.db'), {
    timeout: 250,
    pragmas: [],
    migrations: LOG_MIGRATIONS,
  })
  t.after(() => database.close())
  const slice = retention(database, { before: NOW - 30 * DAY, bytes: GB, auditBefore: 0 })
  const oldest = () => Number(database.prepare('SELECT min(started) AS at FROM runs').get()!['at'])
  assert.deepEqual([slice(), oldest()], [200, runs[200]!.startedAt])
  assert.deepEqual([slice(), slice(), slice()], [200, 50, undefined])
  assert.ok(oldest() >= NOW)
})

test('the settings are 30 days and 1 GB where nothing is said', async (t) => {
  const { settings } = await loadSettings(await dataFolder(t), {}, {})
  assert.deepEqual(settings.messageLog, { days: 30, size: GB, auditDays: 365 })
})
