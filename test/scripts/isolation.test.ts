import assert from 'node:assert/strict'
import { text as readAll } from 'node:stream/consumers'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { build } from 'esbuild'
import { bestHold, launch } from '../../src/scripts/launch.ts'
import type { ScriptService } from '../../src/scripts/pool.ts'
import { compiled, file, json, startScripts, TestRun, through } from './setting.ts'

describe('a script cannot', () => {
  let scripts: ScriptService
  let close = async () => {}
  before(async () => {
    scripts = await startScripts({ after: (action) => void (close = action as () => Promise<void>) })
  })
  after(() => close())

  it('see anything but the language and its message', async () => {
    const names =
      'process require module exports fetch setTimeout setInterval setImmediate queueMicrotask eval Buffer WebAssembly ' +
      'SharedArrayBuffer Atomics Proxy WeakRef FinalizationRegistry globalThis global root GLOBAL self window structuredClone ' +
      'URL TextEncoder crypto performance navigator localStorage WebSocket Worker XMLHttpRequest VMError __filename escape'
    const list = names.split(' ').map((name) => `${name}: typeof ${name}`)
    const message = await through(scripts, `message.body = { ${list.join()} }`)
    for (const [name, type] of Object.entries(message.body.value() as object))
      assert.equal(type, 'undefined', name)
  })

  const attempts: [what: string, text: string][] = [
    ['make code', "message.body = new Function('return this')()"],
    ['make code by a constructor', "message.body = (() => {}).constructor('return this')()"],
    ['make asynchronous code', "message.body = await (async () => {}).constructor('return 1')()"],
    ['make a generator', "message.body = [...(function* () {}).constructor('yield 1')()]"],
    ['change an intrinsic', 'Array.prototype.map = () => 1'],
    ['change a prototype', 'Object.prototype.x = 1'],
    ['replace a function', 'JSON.stringify = () => "{}"'],
    ['change what it is given', 'log.info = () => {}'],
    ['make a global', 'leaked = 1'],
    ['call through this', 'this.x = 1'],
    ['use with', 'const f = function () { return arguments.callee }; f()'],
    ['get memory past the limit', 'new ArrayBuffer(8).transfer(1 << 30)'],
    ['get a large buffer', 'new ArrayBuffer(1 << 30)'],
  ]
  for (const [what, text] of attempts)
    it(`${what}: ${text}`, async () => {
      await assert.rejects(through(scripts, text), { code: 'script.error' })
    })

  it('reach the world of the process through what it gets', async () => {
    const text = `
      const found = []
      const seen = new Set()
      const walk = (value, path) => {
        if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) return
        seen.add(value)
        if (typeof value === 'function' && /^(process|require|readSync|reallyExit|binding|dlopen|kill)$/.test(value.name)) found.push(path)
        for (const key of Reflect.ownKeys(value)) {
          const { value: inner, get, set } = Reflect.getOwnPropertyDescriptor(value, key)
          walk(inner, path + '.' + String(key)); walk(get, path); walk(set, path)
        }
        walk(Reflect.getPrototypeOf(value), path + '^')
      }
      for (const [name, value] of Object.entries({ message, log, console, attach, fail, Object, Function, Promise, Reflect, Error, Intl, Temporal }))
        walk(value, name)
      try { null.x } catch (error) { walk(error, 'error') }
      message.body = { found, seen: seen.size > 500, frozen: [...seen].filter((o) => !Object.isFrozen(o)).length }`
    const value = (await through(scripts, text)).body.value() as { found: string[]; seen: boolean }
    assert.deepEqual([value.found, value.seen], [[], true])
  })

  it('leave anything behind for the next message', async () => {
    const script = await compiled(
      scripts,
      `message.body = [message.secret, log.secret, Math.secret, 'x'.secret, RegExp.$1, message.getBody.secret]
       for (const o of [message, log, Math, message.getBody, Date])
         try { o.secret = 'left' } catch {}
       /(secret)/.exec('secret')`,
    )
    for (let i = 0; i < 2; i++) {
      const message = json({})
      await script.run(message, new TestRun(), { timeout: 2000 })
      assert.deepEqual(message.body.value(), [null, null, null, null, null, null])
    }
  })

  it('leave a promise that acts on a later message', async () => {
    const script = await compiled(
      scripts,
      file(`let release
        export default async (message) => {
          if (message.body.first) await new Promise((resolve) => { release = resolve })
          else release?.()
          log.info('end of ' + message.body.name)
          message.body.done = true
        }`),
    )
    await assert.rejects(script.run(json({ first: true, name: 'one' }), new TestRun(), { timeout: 2000 }))
    const message = json({ name: 'two' })
    await script.run(message, new TestRun(), { timeout: 2000 })
    assert.deepEqual(message.body.value(), { name: 'two', done: true })
  })

  const refused: [text: string, message: RegExp][] = [
    ["message.headers.a = 'x\\r\\nSet-Cookie: a=b'", /the header "a" holds a line end/],
    ["message.headers.a = 'x\\0'", /the header "a" holds/],
    ["message.headers['a b'] = 'x'", /"a b" cannot be the name of a header/],
    ["message.headers['content-type'] = 'text/plain\\n'", /"content-type" holds a line end/],
    ['message.headers.a = ["x"]', /the header "a" is a list/],
    ['message.headers = 5', /message.headers is a number/],
    ['message.properties = [1]', /message.properties is a list/],
    ['message.body = () => {}', /the body is a function/],
    ['message.body = 5n', /the body cannot be written as JSON: .*BigInt/],
    ['const a = {}; a.a = a; message.body = a', /the body cannot be written as JSON/],
    ['message.body = { toJSON() { throw new Error("mine") } }', /the body cannot be written as JSON: mine/],
  ]
  for (const [text, message] of refused)
    it(`give back what cannot be sent: ${text}`, async () => {
      await assert.rejects(through(scripts, text), { code: 'script.output', message })
    })

  it('plant keys that reach prototypes', async () => {
    const message = await through(
      scripts,
      `message.body = JSON.parse('{"__proto__":{"x":1},"a":[{"constructor":{"prototype":{"x":1}},"b":1}],"constructor":"kept"}')
       message.properties = JSON.parse('{"__proto__":{"x":1},"b":{"__proto__":1}}')`,
    )
    assert.equal(message.body.text(), '{"a":[{"b":1}],"constructor":"kept"}')
    assert.deepEqual({ ...message.properties }, { b: {} })
  })
})

describe('what a script sets', () => {
  let scripts: ScriptService
  let close = async () => {}
  before(async () => {
    scripts = await startScripts({ after: (action) => void (close = action as () => Promise<void>) })
  })
  after(() => close())

  const types: [text: string, type: string | undefined][] = [
    ['message.body = { a: 1 }', 'application/json'],
    ["message.body = 'text'", 'text/plain; charset=utf-8'],
    ['message.body = JSON.stringify([1])', 'application/json'],
    ["message.body = 'a,b'; message.headers['Content-Type'] = 'text/csv'", 'text/csv'],
    ['message.body = new Uint8Array([1])', 'application/octet-stream'],
    ['message.body = null', undefined],
    ["message.setHeader('Content-Type', 'application/vnd.x+json')", 'application/vnd.x+json'],
    ["delete message.headers['content-type']", undefined],
  ]
  for (const [text, type] of types)
    it(`decides the content type: ${text}`, async () => {
      const message = await through(scripts, text, json({ old: true }))
      assert.equal(message.body.contentType, type)
      assert.equal(message.headers['content-type'], undefined)
    })

  it('keeps a JSON type of its own, in UTF-8', async () => {
    const message = json({})
    message.body = message.body.as('application/vnd.acme+json; charset=iso-8859-1')
    await through(scripts, "message.body.a = 'ä'", message)
    assert.deepEqual(
      [message.body.contentType, message.body.value()],
      ['application/vnd.acme+json; charset=utf-8', { a: 'ä' }],
    )
  })
})

describe('the process of a script', () => {
  it('holds nothing to do harm with, even for who gets out of the sandbox', async (t) => {
    const host = join(import.meta.dirname, '../../src/scripts/host')
    const { outputFiles } = await build({
      stdin: {
        contents: `
          import { captured } from './captured.ts'
          import { scrub } from './scrub.ts'
          const names = /^(require|binding|_linkedBinding|dlopen|kill|_kill|reallyExit|abort|exit|execve|spawn|fetch|readSync|openSync|readFileSync|getBuiltinModule|setFlagsFromString|chdir|setuid|loadEnvFile|_debugProcess|setTimeout|compileFunction|runInThisContext|createContext|Worker|WebSocket|Script)$/
          scrub()
          const found = []
          const seen = new Set()
          const walk = [[globalThis, 'global'], [(function () {}).constructor, 'Function'], [new Error(), 'error']]
          for (let i = 0; i < walk.length; i++) {
            const [value, path] = walk[i]
            if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) continue
            seen.add(value)
            if (typeof value === 'function' && names.test(value.name)) found.push(path)
            walk.push([Reflect.getPrototypeOf(value), path + '^'])
            for (const key of Reflect.ownKeys(value)) {
              const property = Reflect.getOwnPropertyDescriptor(value, key)
              for (const inner of [property.value, property.get, property.set]) walk.push([inner, path + '.' + String(key)])
            }
          }
          let code = 'made'
          try { (function () {}).constructor('return 1')() } catch { code = 'refused' }
          const text = JSON.stringify({ found, code, process: typeof process, env: typeof globalThis.process })
          captured.write(new Uint8Array([...text].map((c) => c.charCodeAt(0))), 0, text.length)`,
        resolveDir: host,
        loader: 'ts',
      },
      bundle: true,
      write: false,
      platform: 'node',
      format: 'iife',
    })
    const launched = launch(Buffer.from(outputFiles[0]!.contents), bestHold(), 64)
    t.after(() => launched.process.kill('SIGKILL'))
    assert.deepEqual(JSON.parse(await readAll(launched.socket)), {
      found: [],
      code: 'refused',
      process: 'undefined',
      env: 'undefined',
    })
  })

  it('has no environment, no files, no network and no rights', async (t) => {
    const program = `
      const fs = require('node:fs')
      const attempt = (action) => { try { return action() } catch (error) { return error.code ?? error.message } }
      const result = {
        env: Object.keys(process.env),
        read: attempt(() => fs.readFileSync('/etc/hostname')),
        write: attempt(() => fs.writeFileSync('/tmp/sluice-escape', 'x')),
        spawn: attempt(() => require('node:child_process').spawnSync('id')),
        worker: attempt(() => new (require('node:worker_threads').Worker)('1', { eval: true })),
        sqlite: attempt(() => require('node:sqlite')),
        addon: attempt(() => process.dlopen({ exports: {} }, '/x.node')),
        inspector: attempt(() => require('node:inspector').open()),
        engine: attempt(() => process.kill(process.ppid, 0)),
      }
      fs.writeSync(3, JSON.stringify(result))`
    const hold = bestHold()
    const launched = launch(Buffer.from(program), hold, 64)
    t.after(() => launched.process.kill('SIGKILL'))
    const result = JSON.parse(await readAll(launched.socket)) as Record<string, unknown>
    assert.deepEqual(result, {
      env: [],
      read: 'ERR_ACCESS_DENIED',
      write: 'ERR_ACCESS_DENIED',
      spawn: 'ERR_ACCESS_DENIED',
      worker: 'ERR_ACCESS_DENIED',
      sqlite: 'ERR_UNKNOWN_BUILTIN_MODULE',
      addon: result['addon'],
      inspector: result['inspector'],
      engine: hold.user ? 'EPERM' : true,
    })
    assert.match(String(result['addon']), /^ERR_/)
    assert.match(String(result['inspector']), /^ERR_/)
  })
})
