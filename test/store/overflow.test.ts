import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import type { Worker } from 'node:worker_threads'
import { reader, runRecord, stores, NOW, type Opened } from './support.ts'

/** Holds the lock on `log.db`, as a disk that takes nothing. Returns how to let go. */
function lock(t: TestContext, folder: string): () => void {
  const database = new DatabaseSync(join(folder, 'log.db'), { timeout: 5000 })
  t.after(() => database.isOpen && database.close())
  database.exec('BEGIN IMMEDIATE')
  return () => database.close()
}

/** Until all is written that was kept while the disk refused. */
async function caughtUp({ messageLog, clock }: Opened): Promise<void> {
  do {
    await clock.advance(1000)
    await messageLog.flush()
  } while (messageLog.backlog > 0)
  await messageLog.flush()
}

const NOTHING = { headers: {}, properties: {} }

test('when memory is full, payloads are dropped first, then lines, then runs; each is counted, with one warning', async (t) => {
  const opened = await stores(t)
  const { messageLog, folder, log } = opened
  const unlock = lock(t, folder)
  const line = (text: string) => messageLog.line('run', NOW, 'info', 'log', text, undefined)
  const close = () => messageLog.close(runRecord())

  for (let i = 0; i < 24_999; i++) close()
  messageLog.snapshot('run', NOW, 'log', 'debug', NOTHING)
  assert.equal(messageLog.lost, 0)
  messageLog.snapshot('run', NOW, 'log', 'debug', NOTHING)
  messageLog.attachment('run', NOW, 'log', 'dropped', 'x', 'text/plain')
  assert.equal(messageLog.lost, 2)

  for (let i = 0; i < 12_499; i++) close()
  line('kept')
  assert.equal(messageLog.lost, 2)
  line('dropped')
  assert.equal(messageLog.lost, 3)

  for (let i = 0; i < 12_500; i++) close()
  assert.equal(messageLog.lost, 3)
  close()
  await messageLog.open(runRecord())
  assert.equal(messageLog.lost, 5)
  assert.equal(messageLog.backlog, 49_998)
  assert.equal(log.texts('warn').filter((text) => /records are lost/.test(text)).length, 1)

  unlock()
  await caughtUp(opened)
  close()
  await messageLog.flush()
  assert.equal(messageLog.lost, 5)
  assert.equal(reader(t, folder).runs({ limit: 100_000 }).length, 49_999)
  assert.deepEqual(reader(t, folder).run('run'), undefined)
})

test('few records that are large fill the memory, too', async (t) => {
  const opened = await stores(t)
  const { messageLog, folder } = opened
  const unlock = lock(t, folder)
  const content = Buffer.alloc(8 * 1024 * 1024)
  for (let i = 0; i < 5; i++) messageLog.attachment('run', NOW, 'log', `a${i}`, content, 'image/png')
  assert.equal(messageLog.lost, 1)
  messageLog.close(runRecord())
  assert.equal(messageLog.lost, 1)
  unlock()
  await caughtUp(opened)
  assert.equal(reader(t, folder).attachment('run', 'a3')!.size, content.length)
  assert.equal(reader(t, folder).attachment('run', 'a4'), undefined)
})

test('a disk that refuses stops nobody: it is said once, what came is kept and written later, in order', async (t) => {
  const opened = await stores(t)
  const { messageLog, folder, log } = opened
  const unlock = lock(t, folder)
  const first = runRecord({ status: 'PROCESSING' })
  await messageLog.open(first)
  assert.equal(messageLog.backlog, 1)
  const trouble = messageLog.trouble
  assert.match(
    trouble!,
    /^the message log has not been written since 2026-11-21T12:00:00\.000Z: ".*log\.db" is locked by another process$/,
  )
  messageLog.line(first.id, NOW, 'info', 'log', 'one', undefined)
  await messageLog.flush()
  messageLog.line(first.id, NOW, 'info', 'log', 'two', undefined)
  messageLog.close({ ...first, status: 'COMPLETED' })
  assert.equal(
    log.texts('warn').filter((text) => /^the message log cannot be written; .* kept/.test(text)).length,
    1,
  )
  await opened.clock.advance(1000)
  await messageLog.flush()
  assert.equal(messageLog.trouble, trouble)
  unlock()
  await caughtUp(opened)
  await log.hear(/is being written again/)
  assert.equal(messageLog.trouble, undefined)
  assert.equal(messageLog.lost, 0)
  assert.equal(messageLog.backlog, 0)
  const run = reader(t, folder).run(first.id)!
  assert.equal(run.status, 'COMPLETED')
  assert.deepEqual(
    run.lines.map(({ text }) => text),
    ['one', 'two'],
  )
})

test('closing while the disk refuses ends, and counts what is lost', async (t) => {
  const opened = await stores(t)
  const unlock = lock(t, opened.folder)
  opened.messageLog.close(runRecord())
  await opened.close()
  assert.equal(opened.messageLog.lost, 1)
  unlock()
})

/** The store's thread, as Node tells of it. */
function nextWorker(): Promise<Worker> {
  return new Promise((resolve) => process.once('worker', resolve))
}

test('when the thread dies it is started once more and nothing is lost; open runs stay open', async (t) => {
  const starting = nextWorker()
  const { messageLog, state, folder, log } = await stores(t)
  const run = runRecord({ status: 'PROCESSING' })
  await messageLog.open(run)
  const again = nextWorker()
  await (await starting).terminate()
  messageLog.line(run.id, NOW, 'info', 'log', 'meanwhile', undefined)
  await messageLog.flush()
  await again
  assert.deepEqual(log.texts('warn'), ['the thread of the message log ended; it is started again'])
  assert.equal(messageLog.lost, 0)
  assert.equal(reader(t, folder).run(run.id)!.status, 'PROCESSING')
  assert.equal(reader(t, folder).run(run.id)!.lines.length, 1)
  assert.equal(await state.atomically([{ kind: 'fire', timer: 'a', scheduledAt: 1 }]), true)
})

test('when the thread dies again the engine goes on without a log: records are counted, state says no', async (t) => {
  const first = nextWorker()
  const { messageLog, state, log, close } = await stores(t)
  const second = nextWorker()
  await (await first).terminate()
  const worker = await second
  await once(worker, 'online')
  await messageLog.open(runRecord())
  const asked = assert.rejects(state.atomically([{ kind: 'fire', timer: 'a', scheduledAt: 1 }]), {
    code: 'store.fault',
  })
  await worker.terminate()
  await asked
  await log.hear(/from now on nothing is recorded/)
  assert.match(messageLog.trouble!, /^the message log has not been written since .*: its thread ended/)
  messageLog.close(runRecord())
  await messageLog.open(runRecord())
  await messageLog.flush()
  assert.equal(messageLog.lost, 2)
  assert.equal(messageLog.backlog, 0)
  await assert.rejects(state.lastFire('a'), { code: 'store.fault' })
  await close()
})
