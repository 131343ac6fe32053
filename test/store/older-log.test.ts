import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openDatabase, transaction } from '../../src/store/sqlite/database.ts'
import { LOG_MIGRATIONS } from '../../src/store/sqlite/schema.ts'
import { ManualClock } from '../support/clock.ts'
import { dataFolder, reader, runRecord, stores, NOW } from './support.ts'

/** A `log.db` as the first version made it: a completed run with a step and a line, and one that goes on. */
async function firstVersion(t: TestContext) {
  const folder = await dataFolder(t)
  const database = openDatabase(join(folder, 'log.db'), {
    timeout: 250,
    pragmas: ['auto_vacuum = INCREMENTAL', 'journal_mode = WAL'],
    migrations: LOG_MIGRATIONS.slice(0, 1),
  })
  transaction(database, () =>
    database.exec(`
      INSERT INTO flows (number, name) VALUES (1, 'orders');
      INSERT INTO versions (number, flow, version, file, steps)
        VALUES (1, 1, 'v1', 'flows/orders.yaml', '[{"id":"log","kind":"log","line":3,"parent":-1}]');
      INSERT INTO runs (id, flow, version, status, trigger, started, duration, hosts, timings)
        VALUES ('old-done', 1, 1, 1, 'timer', ${NOW}, 12345, 'api.example.com', x'00006405'),
          ('old-open', 1, 1, 0, 'timer', ${NOW + 1}, NULL, NULL, NULL);
      INSERT INTO lines (run, at, level, step, text) VALUES ('old-done', ${NOW}, 1, 'log', 'of old');
    `),
  )
  database.close()
  return folder
}

test('a log of the first version is brought up to date with all that is in it', async (t) => {
  const folder = await firstVersion(t)
  const { messageLog, abandoned } = await stores(t, { folder })
  assert.equal(abandoned, 1)
  const run = runRecord({ status: 'PROCESSING' })
  await messageLog.open(run)
  messageLog.progress(run.id, { step: 'log', done: 1, failed: 0 })
  await messageLog.flush()
  assert.equal(messageLog.lost, 0)
  const log = reader(t, folder)
  assert.deepEqual(
    log.runs({ limit: 10 }).map(({ id, status, progress }) => [id, status, progress?.done]),
    [
      [run.id, 'PROCESSING', 1],
      ['old-open', 'ABANDONED', undefined],
      ['old-done', 'COMPLETED', undefined],
    ],
  )
  const old = log.run('old-done')!
  assert.deepEqual([old.duration, old.hosts, old.version], [12.345, ['api.example.com'], 'v1'])
  assert.deepEqual(old.steps[0], {
    index: 0,
    id: 'log',
    kind: 'log',
    line: 3,
    parent: -1,
    start: 0.05,
    duration: 0.005,
    outcome: 'done',
  })
  assert.equal(old.lines[0]!.text, 'of old')
})

test('a log of the second version is read before it is brought up to date', async (t) => {
  const folder = await firstVersion(t)
  openDatabase(join(folder, 'log.db'), {
    timeout: 250,
    pragmas: [],
    migrations: LOG_MIGRATIONS.slice(0, 2),
  }).close()
  const log = reader(t, folder)
  assert.deepEqual(
    log.runs({ limit: 10, statuses: ['COMPLETED'] }).map(({ id, calledBy }) => [id, calledBy]),
    [['old-done', undefined]],
  )
  assert.equal(log.run('old-done')!.related!.calledCount, 0)
  const summing = log.summarize({})
  for (const slice of summing.slices()) assert.equal(slice.found.length, 0)
  assert.equal(summing.summary.runs, 2)
})

test('a log that no newer engine has opened yet is read as it is, and followed while one takes it over', async (t) => {
  const folder = await firstVersion(t)
  const log = reader(t, folder)
  assert.deepEqual(
    log.runs({ limit: 10, flows: ['orders'], text: 'of old' }).map(({ id, progress }) => [id, progress]),
    [['old-done', undefined]],
  )
  assert.deepEqual(log.find('open'), ['old-open'])
  assert.equal(log.run('old-open')!.progress, undefined)

  const clock = new ManualClock(NOW)
  const stop = new AbortController()
  const events: string[] = []
  const ended = (async () => {
    for await (const event of log.follow({ earlier: 0 }, clock, stop.signal))
      if (event.kind !== 'line')
        events.push(`${event.kind} ${event.run.id.slice(0, 8)} ${event.run.progress?.done}`)
  })()
  await clock.advance(200)
  const { messageLog } = await stores(t, { folder })
  const run = runRecord({ id: 'new-sync', status: 'PROCESSING' })
  await messageLog.open(run)
  await clock.advance(200)
  messageLog.progress(run.id, { step: 'log', done: 7, failed: 0 })
  await messageLog.flush()
  await clock.advance(2000)
  stop.abort()
  await ended
  assert.deepEqual(events, ['run new-sync undefined', 'run old-open undefined', 'progress new-sync 7'])
  assert.equal(log.run(run.id)!.progress!.done, 7)
})

test('a log of the third version has no audit entries, and gets them', async (t) => {
  const folder = await firstVersion(t)
  openDatabase(join(folder, 'log.db'), {
    timeout: 250,
    pragmas: [],
    migrations: LOG_MIGRATIONS.slice(0, 3),
  }).close()
  const log = reader(t, folder)
  assert.deepEqual([log.audit({ limit: 10 }), log.newestAudit()], [[], 0])
  const { audit, messageLog } = await stores(t, { folder })
  audit.record({ who: 'a file', what: 'reload', outcome: 'done' })
  await messageLog.flush()
  assert.deepEqual(
    log.audit({ limit: 10 }).map(({ what }) => what),
    ['reload'],
  )
  assert.deepEqual(
    log.runs({ limit: 10, statuses: ['COMPLETED'] }).map(({ id }) => id),
    ['old-done'],
  )
})
