import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { dataFolder, reader, stores } from './support.ts'

/** An engine in another process, and what it says is on disk. */
function startWriter(t: TestContext, folder: string) {
  const script = fileURLToPath(new URL('./writer-process.ts', import.meta.url))
  const child: ChildProcess = spawn(process.execPath, [script, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const said: string[] = []
  const waiting: { count: number; resolve: () => void }[] = []
  createInterface({ input: child.stdout! }).on('line', (line) => {
    said.push(line)
    for (const { count, resolve } of waiting) if (said.length >= count) resolve()
  })
  return {
    pid: child.pid!,
    said,
    lines: (count: number) => new Promise<void>((resolve) => waiting.push({ count, resolve })),
    async kill() {
      const closed = once(child, 'close')
      child.kill('SIGKILL')
      await closed
    },
  }
}

const ids = (said: string[], word: string): string[] =>
  said.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1))

test('after a kill -9 all that was acknowledged is there, and what was open is ABANDONED', async (t) => {
  const folder = await dataFolder(t)
  const writer = startWriter(t, folder)
  await writer.lines(100)
  await writer.kill()

  const opened = await stores(t, { folder })
  const log = reader(t, folder)
  const closed = ids(writer.said, 'closed')
  for (const id of closed) {
    const run = log.run(id)!
    assert.equal(run.status, 'COMPLETED')
    assert.deepEqual(
      run.lines.map(({ text }) => text),
      [`line of ${id}`],
    )
  }
  const left = ids(writer.said, 'opened').filter((id) => !closed.includes(id))
  assert.ok(left.length > 0)
  for (const id of left) {
    assert.equal(log.run(id)!.status, 'ABANDONED')
    assert.equal(log.run(id)!.duration, undefined)
  }
  assert.ok(opened.abandoned >= left.length && opened.abandoned <= left.length + 1)
  assert.equal(log.runs({ statuses: ['PROCESSING'], limit: 10 }).length, 0)

  const fired = ids(writer.said, 'fired').map(Number)
  assert.ok((await opened.state.lastFire('writer'))! >= fired.at(-1)!)
  for (const scheduledAt of fired)
    assert.equal(await opened.state.atomically([{ kind: 'fire', timer: 'writer', scheduledAt }]), false)
})

test('a second engine on a data folder is refused while the first lives, and can start right after its kill -9', async (t) => {
  const folder = await dataFolder(t)
  const writer = startWriter(t, folder)
  await writer.lines(1)
  await assert.rejects(stores(t, { folder }), (error: Error & { code: string; hint: string }) => {
    assert.equal(error.name, 'StoreError')
    assert.equal(error.code, 'store.in-use')
    assert.equal(error.message, `another engine (pid ${writer.pid}) uses "${folder}"`)
    assert.match(error.hint, /data folder of its own/)
    return true
  })
  await writer.lines(writer.said.length + 10)
  await writer.kill()
  const { messageLog } = await stores(t, { folder })
  assert.equal(messageLog.lost, 0)
})

test('a second engine in the same process is refused, too, and can start after the first was closed', async (t) => {
  const first = await stores(t)
  await assert.rejects(stores(t, { folder: first.folder }), { code: 'store.in-use' })
  await first.close()
  const second = await stores(t, { folder: first.folder })
  assert.equal(second.abandoned, 0)
})

test('readers see a log that another process writes, one consistent run after the other', async (t) => {
  const folder = await dataFolder(t)
  const writer = startWriter(t, folder)
  const log = reader(t, folder)
  let seen = 0
  for (let round = 1; round <= 5; round++) {
    await writer.lines(round * 20)
    const runs = log.runs({ limit: 10_000 })
    assert.ok(runs.length > seen)
    seen = runs.length
    for (const id of ids(writer.said, 'closed')) assert.equal(log.run(id)!.status, 'COMPLETED')
  }
})

test('a log whose engine was killed can be read before another one starts', async (t) => {
  const folder = await dataFolder(t)
  const writer = startWriter(t, folder)
  await writer.lines(30)
  await writer.kill()
  const log = reader(t, folder)
  for (const id of ids(writer.said, 'closed')) assert.equal(log.run(id)!.status, 'COMPLETED')
})
