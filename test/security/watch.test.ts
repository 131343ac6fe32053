import assert from 'node:assert/strict'
import { createHook } from 'node:async_hooks'
import fs from 'node:fs'
import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Clock, Timer } from '../../src/core/world.ts'
import { Watch } from '../../src/security/watch.ts'
import { realClock } from '../../src/world.ts'
import { ManualClock, settle } from '../support/clock.ts'
import { TestLog } from '../support/credentials.ts'
import { projectWith } from '../support/files.ts'

/** Without the look that comes every few seconds: what is noticed was told by an event. */
class EventsOnly implements Clock {
  /** Nothing is looked at, nor will be without an event. */
  resting = false
  private readonly onRest: () => void

  constructor(onRest: () => void) {
    this.onRest = onRest
  }

  now = realClock.now
  ticks = realClock.ticks

  after(ms: number, action: () => void): Timer {
    this.resting = ms > 1000
    if (!this.resting) return realClock.after(ms, action)
    this.onRest()
    return { cancel: () => (this.resting = false) }
  }
}

/** A watch over `material` and further files of a folder; `noticed` resolves when it has called so many times, and rests. */
async function setUp(
  t: TestContext,
  content: Readonly<Record<string, string>>,
  { files = [], clock }: { files?: string[]; clock?: Clock } = {},
) {
  const folder = projectWith(t, content)
  const at = (name: string) => join(folder, name)
  const log = new TestLog()
  let calls = 0
  let told = () => {}
  let change = () => {}
  const events = new EventsOnly(() => told())
  const noticed = (count: number) =>
    new Promise<void>((resolve) => {
      told = () => {
        if (calls >= count && (clock || events.resting)) resolve()
      }
      told()
    })
  const watch = new Watch({
    what: 'credentials',
    clock: clock ?? events,
    log,
    folder: at('material'),
    files: () => files.map(at),
    changed: () => {
      calls++
      change()
      told()
      return Promise.resolve(true)
    },
  })
  t.after(() => watch.close())
  await noticed(1)
  return { watch, log, at, noticed, calls: () => calls, onChange: (action: () => void) => (change = action) }
}

const A = { 'material/a.yaml': 'type: basic\n' }

test('the first look is a change: something may have happened while the engine read', async (t) => {
  const { calls } = await setUp(t, A)
  assert.equal(calls(), 1)
})

const changes: Record<string, (at: (name: string) => string) => void> = {
  'a rewritten file': (at) => writeFileSync(at('material/a.yaml'), 'type: bearer\n'),
  'a replaced file': (at) => {
    writeFileSync(at('material/.new'), 'type: bearer\n')
    renameSync(at('material/.new'), at('material/a.yaml'))
  },
  'a new file': (at) => writeFileSync(at('material/b.yaml'), 'type: basic\n'),
  'a removed file': (at) => unlinkSync(at('material/a.yaml')),
  'a renamed file': (at) => renameSync(at('material/a.yaml'), at('material/b.yaml')),
  'the folder removed': (at) => rmSync(at('material'), { recursive: true }),
  'the folder replaced': (at) => {
    mkdirSync(at('next'))
    writeFileSync(at('next/a.yaml'), 'type: bearer\n')
    renameSync(at('material'), at('former'))
    renameSync(at('next'), at('material'))
  },
}
for (const [what, change] of Object.entries(changes))
  test(`noticed: ${what}`, async (t) => {
    const { at, noticed } = await setUp(t, A)
    change(at)
    await noticed(2)
  })

test('a folder that comes later is watched, with its subfolders, and again after it was removed', async (t) => {
  const { at, noticed } = await setUp(t, {})
  mkdirSync(at('material'))
  await noticed(2)
  mkdirSync(at('material/sub'))
  await noticed(3)
  writeFileSync(at('material/sub/a.yaml'), 'type: basic\n')
  await noticed(4)
  rmSync(at('material'), { recursive: true })
  await noticed(5)
  mkdirSync(at('material'))
  await noticed(6)
  writeFileSync(at('material/a.yaml'), 'type: basic\n')
  await noticed(7)
})

test('a file that is referred to is noticed when it comes, however deep, and when it is replaced', async (t) => {
  const { at, noticed } = await setUp(t, A, { files: ['run/secrets/key'] })
  mkdirSync(at('run'))
  await noticed(2)
  mkdirSync(at('run/secrets'))
  await noticed(3)
  writeFileSync(at('run/secrets/key'), 'one')
  await noticed(4)
  writeFileSync(at('run/secrets/key.new'), 'two')
  renameSync(at('run/secrets/key.new'), at('run/secrets/key'))
  await noticed(5)
  renameSync(at('run/secrets'), at('run/former'))
  await noticed(6)
  renameSync(at('run/former'), at('run/secrets'))
  await noticed(7)
  rmSync(at('run'), { recursive: true })
  await noticed(8)
})

test('an event tells that a file changed where its times and its size do not', async (t) => {
  const same = { ino: 1n, size: 13n, mtimeNs: 0n, ctimeNs: 0n }
  const coarse = t.mock.method(fs.promises, 'stat', () => Promise.resolve(same))
  syncBuiltinESMExports()
  t.after(() => {
    coarse.mock.restore()
    syncBuiltinESMExports()
  })
  const { at, noticed } = await setUp(t, A)
  writeFileSync(at('material/a.yaml'), 'type: BASIC\n')
  await noticed(2)
})

test('a file that is referred to only since a change is watched at once', async (t) => {
  const files: string[] = []
  const { at, noticed, onChange } = await setUp(t, { ...A, 'keys/one': '1' }, { files })
  onChange(() => (files[0] = 'keys/one'))
  writeFileSync(at('material/a.yaml'), 'type: bearer # ${file:keys/one}\n')
  await noticed(3)
  writeFileSync(at('keys/one'), '2')
  await noticed(4)
})

test('links are followed: a swapped folder in the middle, and a target written in place', async (t) => {
  const { at, noticed } = await setUp(t, { ...A, 'v1/key': 'one', 'v2/key': 'two' }, { files: ['now/key'] })
  symlinkSync('v1', at('now'))
  await noticed(2)
  symlinkSync('v2', at('now.new'))
  renameSync(at('now.new'), at('now'))
  await noticed(3)
  writeFileSync(at('v2/key'), 'three')
  await noticed(4)
})

test('a link that leads to itself ends nothing', async (t) => {
  const { at, noticed } = await setUp(t, A, { files: ['loop/key'] })
  symlinkSync('loop', at('loop'))
  await noticed(2)
  unlinkSync(at('loop'))
  mkdirSync(at('loop'))
  await noticed(3)
})

test('what changes while it is read is looked at afterwards', async (t) => {
  const folder = projectWith(t, A)
  const reading = Promise.withResolvers<void>()
  const again = Promise.withResolvers<void>()
  let calls = 0
  const watch = new Watch({
    what: 'credentials',
    clock: new EventsOnly(() => {}),
    log: new TestLog(),
    folder: join(folder, 'material'),
    files: () => [],
    async changed() {
      calls++
      if (calls === 2) again.resolve()
      else {
        writeFileSync(join(folder, 'material/a.yaml'), 'type: bearer\n')
        await reading.promise
        assert.equal(calls, 1, 'one after the other')
      }
      return true
    },
  })
  t.after(() => watch.close())
  setImmediate(reading.resolve)
  await again.promise
})

test('what could not be read for a fault is read again, and the same fault is told once', async (t) => {
  const clock = new ManualClock()
  const { watch, at, calls, onChange, log } = await setUp(t, A, { clock })
  const look = async () => {
    while (clock.pending === 0) await settle()
    await clock.advance(5000)
    while (clock.pending === 0) await settle()
  }
  await look()
  const before = calls()
  onChange(() => {
    throw new Error('a fault')
  })
  writeFileSync(at('material/a.yaml'), 'type: bearer\n')
  await watch.again()
  await look()
  await look()
  assert.equal(calls(), before + 3)
  assert.equal(log.lines.filter(({ level }) => level === 'error').length, 1)
})

test('events that do not end put the look off for a second, not for ever', async (t) => {
  const clock = new ManualClock()
  const { at, noticed } = await setUp(t, A, { clock })
  while (clock.pending === 0) await settle()
  await clock.advance(5000)
  while (clock.pending === 0) await settle()
  for (let i = 0; i < 12; i++) {
    writeFileSync(at('material/a.yaml'), `type: bearer # ${i}\n`)
    await settle()
    await settle()
    await clock.advance(90)
  }
  await noticed(2)
})

test('without events a look every five seconds finds what changed, and reads nothing else', async (t) => {
  const clock = new ManualClock()
  const { at, noticed, calls, watch } = await setUp(t, { ...A, key: 'one' }, { files: ['key'], clock })
  const look = async () => {
    while (clock.pending === 0) await settle()
    await clock.advance(5000)
    while (clock.pending === 0) await settle()
  }
  linkSync(at('key'), at('material/elsewhere'))
  await look()
  await look()
  // Written under another name, in a folder of its own: no event is sent for "key".
  mkdirSync(at('other'))
  renameSync(at('material/elsewhere'), at('other/elsewhere'))
  await look()
  await look()
  const before = calls()
  writeFileSync(at('other/elsewhere'), 'another')
  await look()
  await noticed(before + 1)
  await look()
  await look()
  await watch.close()
  assert.equal(calls(), before + 1)
})

test('a watch that the system refuses is one warning, and the looks go on', async (t) => {
  const refused = t.mock.method(fs, 'watch', () => {
    throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
  })
  syncBuiltinESMExports()
  t.after(() => {
    refused.mock.restore()
    syncBuiltinESMExports()
  })
  const clock = new ManualClock()
  const { at, noticed, log } = await setUp(t, { ...A, 'material/sub/b.yaml': 'type: basic\n' }, { clock })
  writeFileSync(at('material/a.yaml'), 'type: bearer\n')
  while (clock.pending === 0) await settle()
  await clock.advance(5000)
  await noticed(2)
  assert.ok(refused.mock.callCount() > 2)
  assert.deepEqual(
    log.lines.map(({ level }) => level),
    ['warn'],
  )
  assert.match(String(log.lines[0]!.fields['hint']), /fs\.inotify/)
  assert.match(log.lines[0]!.text, /\(ENOSPC\); credentials are looked at every 5 s/)
})

test('closed, it leaves no watch and no timer behind', async (t) => {
  const open = new Set<number>()
  const hook = createHook({
    init: (id, type) => void (type === 'FSEVENTWRAP' && open.add(id)),
    destroy: (id) => void open.delete(id),
  }).enable()
  t.after(() => hook.disable())
  const clock = new ManualClock()
  const { watch, at, noticed } = await setUp(t, A, { clock })
  assert.ok(open.size > 0)
  writeFileSync(at('material/a.yaml'), 'type: bearer\n')
  while (clock.pending === 0) await settle()
  await clock.advance(5000)
  await noticed(2)
  while (clock.pending === 0) await settle()
  await watch.close()
  assert.equal(clock.pending, 0)
  for (let turn = 0; turn < 1000 && open.size > 0; turn++) await settle()
  assert.equal(open.size, 0)
})
