import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Failure } from '../../src/core/failure.ts'
import type { Message } from '../../src/core/message.ts'
import { settle } from '../support/clock.ts'
import { PROTOCOL } from '../../src/scripts/protocol.ts'
import { bundle, compiled, inline, json, startScripts, TestRun, through } from './setting.ts'

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function numberOf(message: Message): number {
  return (message.body.value() as { n: number }).n
}

/** A program in place of the real one; `send(type, id, payload)` writes a reply, `requests` calls back for each request. */
async function impostor(t: TestContext, code: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'host.cjs')
  await writeFile(
    path,
    `const fs = require('node:fs')
    const send = (type, id, payload, length) => {
      const body = Buffer.from(payload)
      const head = Buffer.alloc(16)
      head.writeUInt32LE(length ?? 12 + body.length, 0)
      head.writeUInt32LE(type, 4)
      head.writeUInt32LE(id, 8)
      fs.writeSync(3, Buffer.concat([head, body]))
    }
    const requests = (handle) => {
      let input = Buffer.alloc(0)
      const chunk = Buffer.alloc(65536)
      for (;;) {
        const read = fs.readSync(3, chunk)
        if (read === 0) process.exit()
        input = Buffer.concat([input, chunk.subarray(0, read)])
        while (input.length >= 4 && input.length >= 4 + input.readUInt32LE(0)) {
          const size = 4 + input.readUInt32LE(0)
          if (input[4] === 1) send(2, input.readUInt32LE(8), JSON.stringify({ compiled: { code: '', form: 'body', async: false, entry: '', insertions: [], uses: { body: true, headers: true, properties: true, extras: [] } }, warnings: [] }))
          if (input[4] === 3) handle(input.readUInt32LE(8))
          input = input.subarray(size)
        }
      }
    }
    const greet = (protocol = ${PROTOCOL}) => send(1, 0, JSON.stringify({ protocol, bound: false }))
    ${code}`,
  )
  return path
}

describe('script processes', () => {
  it('start with the first script, with one more as a spare', async (t) => {
    const scripts = await startScripts(t, { children: 2 })
    assert.deepEqual(scripts.status(), {
      processes: [],
      spare: undefined,
      busy: 0,
      waiting: 0,
      running: 0,
      restarts: 0,
    })
    await compiled(scripts, 'message.body = 1')
    await scripts.ready()
    const { processes, spare } = scripts.status()
    assert.equal(processes.length, 2)
    assert.ok(spare !== undefined && isAlive(spare))
    assert.equal(scripts.rings()[0], 'process of its own without files, network and environment')
  })

  it('are all gone after close(), and what runs then fails', async (t) => {
    const scripts = await startScripts(t, { children: 2 })
    await scripts.ready()
    const script = await compiled(scripts, 'for (;;) {}')
    const running = assert.rejects(script.run(json({}), new TestRun(), { timeout: 5000 }), {
      code: 'flow.stopped',
    })
    const { processes, spare } = scripts.status()
    await scripts.close()
    await running
    for (const pid of [...processes, spare!]) assert.equal(isAlive(pid), false)
    await assert.rejects(script.run(json({}), new TestRun(), { timeout: 5000 }), { code: 'flow.stopped' })
    await assert.rejects(scripts.compile(inline('')), { code: 'flow.stopped' })
  })

  it('that are killed lose no message: the spare takes over', async (t) => {
    const scripts = await startScripts(t)
    await scripts.ready()
    const script = await compiled(scripts, 'for (let i = 0; i < 2e5; i++); message.body.n += 1')
    const { processes, spare } = scripts.status()
    const messages = Array.from({ length: 200 }, (_, n) => json({ n }))
    const all = messages.map((message) => script.run(message, new TestRun(), { timeout: 2000 }))
    await all[0]
    process.kill(processes[0]!, 'SIGKILL')
    await Promise.all(all)
    assert.deepEqual(
      messages.map(numberOf),
      messages.map((_, n) => n + 1),
    )
    while (scripts.status().processes.includes(processes[0]!)) await settle()
    assert.deepEqual(scripts.status().processes, [spare])
    assert.equal(scripts.status().restarts, 1)
  })

  it('that are killed from outside while a message is in them answer it elsewhere', async (t) => {
    const scripts = await startScripts(t)
    await scripts.ready()
    const script = await compiled(
      scripts,
      'message.body = 0; for (let i = 0; i < 1e8; i++) message.body += 1',
    )
    const message = json({})
    const running = script.run(message, new TestRun(), { timeout: 20_000 })
    const [pid] = scripts.status().processes
    while (scripts.status().running === 0) await settle()
    process.kill(pid!, 'SIGKILL')
    await running
    assert.equal(message.body.value(), 1e8)
    assert.match(scripts.notes.lines.map((line) => line.text).join(), /ended with messages in it/)
  })

  it('keep a hundred scripts ready and load the others when they are needed', async (t) => {
    const scripts = await startScripts(t)
    const all = []
    for (let i = 0; i < 101; i++) all.push(await compiled(scripts, `message.body = ${i}`))
    for (const i of [...all.keys(), 0]) {
      const message = json({})
      await all[i]!.run(message, new TestRun(), { timeout: 5000 })
      assert.equal(message.body.value(), i)
    }
  })

  it('share many messages between them', async (t) => {
    const scripts = await startScripts(t, { children: 2 })
    await scripts.ready()
    const script = await compiled(scripts, 'message.body.n += 1')
    const messages = Array.from({ length: 3000 }, (_, n) => json({ n, text: 'x'.repeat(n) }))
    await Promise.all(messages.map((message) => script.run(message, new TestRun(), { timeout: 5000 })))
    assert.deepEqual(
      messages.map(numberOf),
      messages.map((_, n) => n + 1),
    )
  })

  it('serve quick scripts while a slow one runs', async (t) => {
    const scripts = await startScripts(t, { children: 2 })
    await scripts.ready()
    const slow = await compiled(scripts, 'for (let i = 0; i < 3e8; i++); message.body = 1')
    const quick = await compiled(scripts, 'message.body = 2')
    let done = false
    const running = slow.run(json({}), new TestRun(), { timeout: 60_000 }).then(() => (done = true))
    for (let i = 0; i < 20; i++) await quick.run(json({}), new TestRun(), { timeout: 5000 })
    assert.equal(done, false)
    await running
  })

  const forged: [what: string, code: string][] = [
    ['an answer to another message', 'send(3, id + 1, \'{"b":5}\\n\')'],
    ['an answer of another kind', 'send(2, id, "{}")'],
    ['an answer too large to be true', 'send(3, id, "{", 2 ** 31)'],
    ['an answer too short', 'send(3, id, "", 3)'],
    ['a head that is no JSON', 'send(3, id, "{\\n")'],
    ['no head', 'send(3, id, "{}")'],
    ['a head of another shape', 'send(3, id, \'{"b":"x"}\\n\')'],
    ['a log line of another shape', 'send(3, id, \'{"b":5,"l":[["info",5]]}\\n\')'],
    ['an attachment of another shape', 'send(3, id, \'{"b":5,"a":["x"]}\\n\')'],
    ['a head of 100,000 levels', 'send(3, id, \'{"b":5,"p":\' + "[".repeat(1e5) + "\\n")'],
    ['nothing at all', 'process.exit(3)'],
  ]
  for (const [what, code] of forged)
    it(`that send ${what} are killed, and their message fails`, async (t) => {
      const scripts = await startScripts(t, {
        bundle: await impostor(t, `greet(); requests((id) => { ${code} })`),
      })
      const script = await compiled(scripts, '')
      const message = json({ a: 1 })
      const { body } = message
      const [pid] = scripts.status().processes
      await assert.rejects(script.run(message, new TestRun(), { timeout: 2000 }), { code: 'script.crashed' })
      assert.equal(message.body, body)
      assert.ok(!scripts.status().processes.includes(pid!))
    })

  it('that answer twice are killed', async (t) => {
    const code = 'greet(); requests((id) => { send(3, id, \'{"b":4}\\n\'); send(3, id, \'{"b":4}\\n\') })'
    const scripts = await startScripts(t, { bundle: await impostor(t, code) })
    const script = await compiled(scripts, '')
    const [pid] = scripts.status().processes
    const message = json({ a: 1 })
    await script.run(message, new TestRun(), { timeout: 2000 })
    assert.equal(message.body.isEmpty, true)
    // The second answer may come in a later read than the first.
    while (scripts.status().processes.includes(pid!)) await settle()
  })

  it('cannot plant keys that reach prototypes', async (t) => {
    const keys =
      '{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}},"\\u005f_proto__":1,"a":[{"__proto__":1,"b":2}],"constructor2":1}'
    const code = `greet(); requests((id) => send(3, id, ${JSON.stringify(`{"b":1,"p":${keys},"h":{"__proto__":"x","a":"b"}}\n${keys}`)}))`
    const scripts = await startScripts(t, { bundle: await impostor(t, code) })
    const message = await through(scripts, '')
    assert.equal(message.body.text(), '{"a":[{"b":2}],"constructor2":1}')
    assert.deepEqual({ ...message.properties }, { a: [{ b: 2 }], constructor2: 1 })
    assert.deepEqual({ ...message.headers }, { a: 'b' })
    assert.equal(({} as { x?: number }).x, undefined)
  })

  it('that cannot start are told of, with what to do', async (t) => {
    for (const [path, reason] of [
      [join(tmpdir(), 'sluice-no-such-file.cjs'), /npm run prepare/],
      [await impostor(t, 'greet(0)'), /out of date; run `npm run prepare`/],
      [await impostor(t, "throw new Error('broken build')"), /broken build/],
    ] as const) {
      const scripts = await startScripts(t, { bundle: path })
      await assert.rejects(scripts.compile(inline('')), (failure: Failure) => {
        assert.equal(failure.code, 'engine.fault')
        assert.match(failure.message, reason)
        return true
      })
      await assert.rejects(scripts.ready())
    }
  })
})

describe('an engine that is killed', () => {
  it('leaves no script process behind, not even one that hangs', async (t) => {
    const path = await bundle()
    const source = new URL('../../src/', import.meta.url)
    const program = `
      import { createScripts } from ${JSON.stringify(new URL('scripts/pool.ts', source).href)}
      import { realClock } from ${JSON.stringify(new URL('world.ts', source).href)}
      const log = { debug() {}, info() {}, warn() {}, error() {} }
      const scripts = createScripts({ world: { clock: realClock }, log, children: 1, bundle: ${JSON.stringify(path)} })
      await scripts.ready()
      const bound = scripts.rings().some((ring) => ring.startsWith('bound'))
      const { processes: [pid], spare } = scripts.status()
      console.log(JSON.stringify([pid, spare]))
      if (bound) scripts.compile({ file: 'a.js', form: 'module', text: 'for (;;) {}' }).catch(() => {})
      setInterval(() => {}, 1000)`
    const engine = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.after(() => engine.kill('SIGKILL'))
    const [line] = (await once(engine.stdout, 'data')) as [Buffer]
    const pids = JSON.parse(String(line)) as number[]
    for (const pid of pids) assert.ok(isAlive(pid))
    engine.kill('SIGKILL')
    await once(engine, 'exit')
    while (pids.some(isAlive)) await settle()
  })
})
