import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Failure } from '../../src/core/failure.ts'
import { MISSING } from '../../src/scripts/missing.ts'
import type { ScriptService } from '../../src/scripts/pool.ts'
import { compiled, file, inline, json, mistake, startScripts, TestRun, through } from './setting.ts'

/** The place of the first `<` mark, and the text without marks: `<` begins, `>` ends what is marked. */
function marked(text: string): { text: string; offset: number; length: number } {
  const offset = text.indexOf('⟦')
  const end = text.indexOf('⟧') - 1
  return { text: text.replace('⟦', '').replace('⟧', ''), offset, length: end - offset }
}

describe('mistakes in a script', () => {
  let scripts: ScriptService
  let close = async () => {}
  before(async () => {
    scripts = await startScripts({ after: (action) => void (close = action as () => Promise<void>) })
  })
  after(() => close())

  const inText: [message: RegExp, text: string][] = [
    [/^Unexpected identifier 'bar'$/, 'foo ⟦bar⟧'],
    [/^Unexpected identifier 'bar'$/, 'const a = 1\nif (a) {\n  foo ⟦bar⟧\n}'],
    [/^Unexpected token '\}'$/, 'message.body = { a: 1 }\n⟦}⟧'],
    [/^missing \) after argument list$/, 'log.info("x" ⟦1⟧)'],
    [/^Invalid or unexpected token$/, "const s = ⟦'abc⟧\nconst t = 1"],
    [/^Identifier 'a' has already been declared$/, 'const a = 1\nconst ⟦a⟧ = 2'],
    [/^Unexpected token '\}'$/, '⟦}⟧}]}) ; ({a:[{'],
    [/^Unexpected end of input$/, 'if (true) {\n  log.info(1)⟦⟧'],
    [/^Expected ';'/, 'let x: number = 1\nfoo ⟦bar⟧'],
    [/"import" is not there/, 'const a = 1\n⟦import⟧ fs from "node:fs"'],
    [/"import\(\)" is not there/, 'const fs = await ⟦import⟧("fs")'],
    [/"require" is not there/, 'const fs = ⟦require⟧("fs")'],
    [/exports nothing/, '⟦export⟧ default (m) => m'],
    [/^"import" is not there/, '⟦import⟧ fs from "node:fs"\nconst a: number = 1'],
    [/exports nothing/, '⟦export⟧ const a: number = 1'],
    [/^"enum" is not there: types are only taken out/, 'const n: number = 1\n⟦enum⟧ X { A }'],
    [/^"enum" is not there/, 'const n: number = 1\nif (n) {\n  ⟦enum⟧ X {\n    A,\n    B,\n  }\n}'],
    [/^"enum" is not there/, '⟦const⟧ enum X { A }'],
    [/^"namespace" is not there/, '⟦namespace⟧ Shop { export const a = 1 }'],
    [/^a type in angle brackets is not there/, 'const a = ⟦<string>message.body⟧'],
    [/^Unexpected character '“'$/, 'message.body = ⟦“⟧a”'],
    [/^Expression expected$/, 'const n: number = ⟦;⟧'],
  ]
  for (const [message, text] of inText)
    it(`are shown where they are: ${text.replaceAll('\n', '⏎')}`, async () => {
      const { text: script, offset, length } = marked(text)
      const found = await mistake(scripts, script)
      assert.match(found.message, message)
      assert.deepEqual([found.offset, found.length], [offset, length])
    })

  const inFiles: [message: RegExp, text: string, name?: string][] = [
    [/^Unexpected (identifier|token)/, 'export default function (m) {\n  m.a ⟦b⟧\n}'],
    [/"import" is not there/, '⟦import⟧ { x } from "./x.js"\nexport default () => x'],
    [/"export \.\.\. from" is not there/, '⟦export⟧ * from "./x.js"'],
    [/fails when it is loaded: TypeError/, 'const a = null\nconst b = a.⟦b⟧\nexport default () => b'],
    [/parameter property/i, 'class A { constructor(private ⟦x: number⟧) {} }\nexport default (m) => {}'],
  ]
  for (const [message, text] of inFiles)
    it(`are shown in files: ${text.replaceAll('\n', '⏎')}`, async () => {
      const { text: script, offset } = marked(text)
      const found = await mistake(scripts, file(script))
      assert.match(found.message, message)
      assert.equal(found.offset, offset)
    })

  const exported: [message: string, hint: RegExp, text: string, name?: string][] = [
    ['"scripts/map.ts" has no default export', /^It exports nothing\. Write `export default/, 'const a = 1'],
    [
      '"scripts/map.ts" has no default export',
      /^It exports "one"\. Write `export default .* or name a function here/,
      'export const one = 1',
    ],
    [
      '"scripts/map.ts" exports no function "three"',
      /^It exports "one", "two"\.$/,
      'export function one() {}\nexport const two = 2',
      'three',
    ],
    [
      '"scripts/map.ts" exports no function "mapOrder"; did you mean "mapOrders"?',
      /^It exports "mapOrders"\. Without `function:` its default export is taken\.$/,
      'export function mapOrders() {}\nexport default () => {}',
      'mapOrder',
    ],
    [
      '"scripts/map.ts" exports no function "mapOrder"',
      /^It exports nothing by name\. Without `function:` its default export \("mapOrders"\) is taken\.$/,
      'export default function mapOrders() {}',
      'mapOrder',
    ],
    [
      '"mapOrders" is the default export of "scripts/map.ts"; it is not exported by its name',
      /^Leave `function:` out/,
      'export default function mapOrders() {}',
      'mapOrders',
    ],
    ['the default export of "scripts/map.ts" is no function', /`export default function/, 'export default 5'],
    ['"size" of "scripts/map.ts" is no function', /`export function size\(/, 'export const size = 5', 'size'],
  ]
  for (const [message, hint, text, name] of exported)
    it(`say which function is missing: ${name ?? 'default'} of ${text.replaceAll('\n', '⏎')}`, async () => {
      const found = await mistake(scripts, file(text, 'scripts/map.ts', name))
      assert.deepEqual([found.code, found.message], ['script/function', message])
      assert.match(found.hint!, hint)
    })

  const ways: [text: string, hint: RegExp][] = [
    ['import fs from "node:fs"', /put the code into the script, and call receivers with an http step/],
    ['const fs = require("fs")', /call receivers with an http step/],
    ['export default (m) => m', /put it into a file to export a function/],
    ['enum Colour { Red }', /`const Colour = \{ Red: "red", Green: "green" \} as const`/],
    ['namespace Shop { export const a = 1 }', /as const/],
    ['class A { constructor(private id: string) {} }', /this\.id = id/],
    ['const a = <string>message.body', /`value as Type`/],
    ['message.body = “a”', /straight quotes/],
    ["message.body = 'a\nb'", /backquotes/],
    ['if (true) {', /not closed/],
    ['const a = 1\nconst a = 2', /Choose another name/],
  ]
  for (const [text, hint] of ways)
    it(`say what to write instead: ${text.replaceAll('\n', '⏎')}`, async () => {
      const found = await mistake(scripts, text)
      assert.equal(found.code, 'script/mistake')
      assert.match(found.hint ?? '', hint)
    })

  it('that have no other way than the one said have no hint', async () => {
    assert.ok(!('hint' in (await mistake(scripts, 'foo bar'))))
  })

  for (const name of Object.keys(MISSING))
    it(`warn that "${name}" is not there, and it is not`, async () => {
      const script = await compiled(scripts, `message.body = 1\nconst a = ${name}.a`)
      assert.deepEqual(script.warnings, [
        {
          code: 'script/name',
          message: `"${name}" is not there in scripts`,
          hint: MISSING[name],
          offset: 27,
          length: name.length,
        },
      ])
      await assert.rejects(script.run(json({}), new TestRun(), { timeout: 2000 }), {
        message: /is not defined|of undefined/,
      })
      script.dispose()
    })

  const silent = [
    'const process = (item) => item; message.body = process(1)',
    'function fetch() {}\nfetch()',
    'message.body = [1].map((URL) => URL)',
    'const { a: Buffer = 1 } = message.body; log.info(Buffer)',
    'for (const [process] of []) log.info(process)',
    'try { null.x } catch (process) { log.info(process) }',
    'class URL {}\nnew URL()',
    'if (typeof fetch === "function") fetch()',
    'message.body.process = { fetch: message.headers.URL }; message.body.fetch()',
    'type URL = string; const a: URL = "1"; function fetching(process: { fetch: number }) {}',
    'setTimeout: for (const a of [1]) break setTimeout',
  ]
  for (const text of silent)
    it(`warn of nothing that may be there: ${text.replaceAll('\n', '⏎')}`, async () => {
      const script = await compiled(scripts, text)
      assert.deepEqual(script.warnings, [])
      script.dispose()
    })

  it('warn in files, too', async () => {
    const script = await compiled(scripts, file('export default (m) => { fetch(m.body) }'))
    assert.deepEqual(
      script.warnings.map(({ message, offset }) => [message, offset]),
      [['"fetch" is not there in scripts', 24]],
    )
    script.dispose()
  })

  for (const text of ['', ' \n', '// later', '/* a */ ;', 'type A = { b: string }'])
    it(`warn of a script that does nothing: ${JSON.stringify(text)}`, async () => {
      const script = await compiled(scripts, text)
      assert.deepEqual(
        script.warnings.map(({ code, message }) => [code, message]),
        [['script/empty', 'the script is empty: it does nothing']],
      )
      script.dispose()
    })

  it('names a top level that does not end', async (t) => {
    const service = await startScripts(t, { limits: { compile: 150 } })
    const found = await mistake(service, file('while (true) {}\nexport default () => {}'))
    assert.match(found.message, /ran longer than 150 ms and was stopped when it was loaded/)
    assert.equal((await through(service, 'message.body = 1')).body.value(), 1)
  })

  const atRunTime: [text: string, message: RegExp, line: number, column: number][] = [
    ['null.x', /^TypeError: Cannot read properties of null/, 1, 6],
    ['const a = 1\n\n  message.body.items.map((i) => i.x.y)', /^TypeError/, 3, 37],
    ['function f() {\n  throw new RangeError("too far")\n}\nf()', /^RangeError: too far$/, 2, 9],
    ['try { null.x } catch (e) { const t = 1; throw new Error("again") }', /^again$/, 1, 47],
    ['try { null.x } catch { throw new Error("again") }', /^again$/, 1, 30],
    ['try { null.x } catch ({ message: m }) { throw new Error(m) }', /null/, 1, 47],
    ['await null\nnull.x', /^TypeError/, 2, 6],
    ['const n: number = 1; nothing(n)', /^ReferenceError: nothing is not defined$/, 1, 22],
    ['JSON.parse("{")', /^SyntaxError/, 1, 6],
  ]
  for (const [text, message, line, column] of atRunTime)
    it(`at run time have their line and column: ${text.replaceAll('\n', '⏎')}`, async () => {
      await assert.rejects(through(scripts, text, json({ items: [{}] })), (failure: Failure) => {
        assert.equal(failure.code, 'script.error')
        assert.match(failure.message, message)
        assert.deepEqual(failure.place, { file: 'flows/orders.yaml', line, column })
        return true
      })
    })

  it('at run time are shown in the flow when the flow knows where', async () => {
    const script = await compiled(scripts, {
      ...inline('const a = 1\nnull.x'),
      place: (offset) => ({ file: 'flows/a.yaml', line: 100, column: offset }),
    })
    await assert.rejects(script.run(json({}), new TestRun(), { timeout: 2000 }), {
      place: { file: 'flows/a.yaml', line: 100, column: 17 },
    })
  })

  it('at run time name the file of the script', async () => {
    const text = 'const add = (m: { n: number }) => m.n.toFixed(1).x.y\nexport default (m) => add(m)'
    await assert.rejects(through(scripts, file(text)), {
      place: { file: 'scripts/map.ts', line: 1, column: 39 },
    })
  })

  const hints: [text: string, hint: RegExp][] = [
    ['fetch("https://x.example")', /http step/],
    ['setTimeout(() => {}, 1)', /no timers/],
    ['process.env.A', /param/],
    ['Buffer.from("a")', /Uint8Array/],
  ]
  for (const [text, hint] of hints)
    it(`say what to do instead: ${text}`, async () => {
      await assert.rejects(through(scripts, text), (failure: Failure) => {
        assert.match(failure.message, /is not defined/)
        assert.match(failure.hint ?? '', hint)
        return true
      })
    })

  const thrown: [text: string, message: string][] = [
    ['throw "text"', 'text'],
    ['throw null', 'null'],
    ['throw { a: 1 }', '{"a":1}'],
    ['throw Symbol("x")', 'Symbol(x)'],
    ['throw { get message() { throw 1 }, toJSON() { throw 2 } }', 'it threw something that cannot be shown'],
  ]
  for (const [text, message] of thrown)
    it(`may be thrown as anything: ${text}`, async () => {
      await assert.rejects(through(scripts, text), { code: 'script.error', message })
    })

  it('fail() ends the step with its status, code and place', async () => {
    await assert.rejects(
      through(scripts, "\nfail('no id', { status: 422, code: 'order.no-id' })"),
      (failure: Failure) => {
        assert.deepEqual(
          [failure.code, failure.message, failure.reply, failure.place?.line],
          ['order.no-id', 'no id', 422, 2],
        )
        return true
      },
    )
  })

  it('fail() without more is a failure of the flow; nonsense is not taken over', async () => {
    await assert.rejects(through(scripts, "fail('no')"), { code: 'flow.failed', message: 'no', reply: 500 })
    await assert.rejects(through(scripts, "fail('no', { status: 200, code: 'A b' })"), {
      code: 'flow.failed',
      reply: 500,
    })
  })

  it('a body that is not the JSON it should be is told as such', async () => {
    await assert.rejects(through(scripts, 'message.body.a = 1', json('{"a":')), { code: 'body.invalid' })
  })

  it('a promise that never settles fails at once', async () => {
    await assert.rejects(through(scripts, 'await new Promise(() => {})'), {
      code: 'script.error',
      message: /waits for something that never comes/,
    })
  })

  const returned: [text: string, message: RegExp][] = [
    ['return [1]', /returned a list/],
    ['return 5', /returned a number/],
    ['return { a: 1 }', /without body, headers or properties/],
  ]
  for (const [text, message] of returned)
    it(`a result that is no message is refused: ${text}`, async () => {
      await assert.rejects(through(scripts, text), { code: 'script.output', message })
    })
})
