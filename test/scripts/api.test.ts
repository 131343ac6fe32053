import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Body } from '../../src/core/body.ts'
import { Message } from '../../src/core/message.ts'
import type { ScriptService } from '../../src/scripts/pool.ts'
import { compiled, file, inline, json, startScripts, TestRun, through } from './setting.ts'

describe('what a script sees and changes', () => {
  let scripts: ScriptService
  let close = async () => {}
  before(async () => {
    scripts = await startScripts({ after: (action) => void (close = action as () => Promise<void>) })
  })
  after(() => close())

  const bodies: [what: string, script: string, before: unknown, after: unknown][] = [
    [
      'changes the body in place',
      'message.body.total = message.body.qty * message.body.price',
      { qty: 2, price: 3 },
      { qty: 2, price: 3, total: 6 },
    ],
    ['replaces the body', 'message.body = [1, { a: null }]', { a: 1 }, [1, { a: null }]],
    [
      'takes the names of CPI for the body',
      'const b = message.getBody(); message.setBody({ got: b.a })',
      { a: 1 },
      { got: 1 },
    ],
    ['returns a message of its own', 'return { ...message, body: { n: 1 } }', { a: 1 }, { n: 1 }],
    ['returns the message itself', 'message.body.a++; return message', { a: 1 }, { a: 2 }],
    ['ends early', 'if (message.body.a) return; message.body = 0', { a: 1 }, { a: 1 }],
    [
      'declares names that it gets',
      'const { body } = message; const log = body.a; const message2 = log; message.body = { log, message2 }',
      { a: 7 },
      { log: 7, message2: 7 },
    ],
    ['awaits', 'const x = await Promise.all([1, Promise.resolve(2)]); message.body = x', {}, [1, 2]],
    [
      'uses the language of today',
      'message.body = Object.groupBy(message.body.items.toSorted((a, b) => a - b), (n) => n % 2 ? "odd" : "even")',
      { items: [3, 2, 1] },
      { odd: [1, 3], even: [2] },
    ],
    [
      'uses types',
      'type Item = { id: number }; const items = message.body.items as Item[]; message.body = items.map((i: Item): number => i.id)',
      { items: [{ id: 4 }] },
      [4],
    ],
    [
      'gives its own objects a toString',
      'message.body = { toString: 1, constructor: 2 }; const o = {}; o.toString = 3; message.body.o = o',
      {},
      { toString: 1, constructor: 2, o: { toString: 3 } },
    ],
    [
      'keeps lone surrogates and all of Unicode',
      'message.body.copy = message.body.text',
      { text: 'Ä€😀\u2028' },
      { text: 'Ä€😀\u2028', copy: 'Ä€😀\u2028' },
    ],
  ]
  for (const [what, script, given, expected] of bodies)
    it(what, async () => {
      const message = await through(scripts, script, json(given))
      assert.deepEqual(message.body.value(), expected)
      assert.equal(message.body.contentType, 'application/json')
    })

  it('reads and sets headers and properties, with the names of CPI, too', async () => {
    const message = json({})
    message.headers['x-old'] = 'old'
    message.headers['x-gone'] = 'gone'
    message.properties['list'] = [1]
    await through(
      scripts,
      `message.headers['X-New'] = message.getHeader('X-Old') + '!';
       message.setHeader('X-Number', 5);
       message.setHeader('x-gone', null);
       message.properties.list.push(2);
       message.setProperty('seen', message.getProperty('list').length);
       message.setProperty('type', message.getHeader('content-type'));`,
      message,
    )
    assert.deepEqual({ ...message.headers }, { 'x-old': 'old', 'x-new': 'old!', 'x-number': '5' })
    assert.deepEqual({ ...message.properties }, { list: [1, 2], seen: 2, type: 'application/json' })
  })

  it('removes a header that is deleted', async () => {
    const message = json({})
    message.headers['a'] = '1'
    await through(scripts, 'delete message.headers.a', message)
    assert.deepEqual({ ...message.headers }, {})
  })

  it('sees trigger, response, param and run when it names them', async () => {
    const message = json({})
    message.response = { status: 204, headers: { etag: 'x' }, url: 'https://a.example/' }
    await through(
      scripts,
      'message.body = { method: trigger.method, status: response.status, company: param.company, id: run.id, at: run.startedAt }',
      message,
    )
    assert.deepEqual(message.body.value(), {
      method: 'POST',
      status: 204,
      company: 'acme',
      id: 'run-1',
      at: '2026-11-21T12:00:00.000Z',
    })
  })

  it('has its own trigger for each message', async () => {
    const script = await compiled(scripts, 'message.body = { path: trigger.path, response }')
    const seen = []
    for (const path of ['/a', '/b']) {
      const run = new TestRun()
      Object.assign(run.trigger.data, { path })
      const message = json({})
      await script.run(message, run, { timeout: 2000 })
      seen.push(message.body.value())
    }
    assert.deepEqual(seen, [
      { path: '/a', response: null },
      { path: '/b', response: null },
    ])
  })

  it('logs, also by console, with levels and fields', async () => {
    const run = new TestRun()
    await through(
      scripts,
      `log.debug('d'); log.info('i', { n: 1 }); log.warn('w', 'x'); log.error(new TypeError('bad'));
       console.log('a', 1, { b: 2 }); console.error('e')`,
      json({}),
      run,
    )
    assert.deepEqual(run.lines, [
      { level: 'debug', text: 'd', fields: undefined },
      { level: 'info', text: 'i', fields: { n: 1 } },
      { level: 'warn', text: 'w', fields: { value: 'x' } },
      { level: 'error', text: 'TypeError: bad', fields: undefined },
      { level: 'info', text: 'a 1 {"b":2}', fields: undefined },
      { level: 'error', text: 'e', fields: undefined },
    ])
  })

  it('keeps lines that were logged before a failure', async () => {
    const run = new TestRun()
    await assert.rejects(through(scripts, "log.info('before'); throw new Error('no')", json({}), run))
    assert.deepEqual(
      run.lines.map((line) => line.text),
      ['before'],
    )
  })

  it('keeps a thousand log lines and says how many more there were', async () => {
    const run = new TestRun()
    await through(scripts, 'for (let i = 0; i < 5000; i++) log.info("line " + i)', json({}), run)
    assert.equal(run.lines.length, 1001)
    assert.match(run.lines.at(-1)!.text, /^4000 more lines were left out/)
  })

  it('attaches text, JSON and bytes', async () => {
    const run = new TestRun()
    await through(
      scripts,
      `attach('a.csv', 'x;y', 'text/csv'); attach('b.json', { n: 1 }); attach('c.bin', new Uint8Array([0, 255]))`,
      json({}),
      run,
    )
    assert.deepEqual(run.attachments, [
      { name: 'a.csv', content: 'x;y', contentType: 'text/csv' },
      { name: 'b.json', content: '{"n":1}', contentType: 'application/json' },
      { name: 'c.bin', content: Buffer.from([0, 255]), contentType: 'application/octet-stream' },
    ])
  })

  it('runs the default function of a file, with a context', async () => {
    const script = `
      interface Order { id: number }
      const twice = (n: number) => n * 2
      export default function (message: { body: Order }, context) {
        context.log.info('from a file')
        message.body.id = twice(message.body.id) + context.param.company.length
      }`
    const run = new TestRun()
    const message = await through(scripts, file(script), json({ id: 3 }), run)
    assert.deepEqual(message.body.value(), { id: 10 })
    assert.equal(run.lines[0]!.text, 'from a file')
  })

  const modules: [what: string, text: string, name: string | undefined][] = [
    ['a named function', 'export function processData(message) { message.body = 1 }', 'processData'],
    ['a constant', 'export const map = (message) => { message.body = 1 }', 'map'],
    [
      'a list of exports',
      'function a(message) { message.body = 1 }\nexport { a as default, a as b }',
      undefined,
    ],
    ['an arrow function', 'export default (message) => { message.body = 1 }', undefined],
    [
      'an asynchronous function',
      'export default async function map(message) { await 0; message.body = 1 }',
      undefined,
    ],
    ['an expression after a line end', 'const f = (m) => { m.body = 1 }\nexport\n default f', undefined],
    [
      'a function that calls the others',
      'export default function main(m) { helper(m) }\nexport function helper(m) { m.body = main.length }',
      undefined,
    ],
  ]
  for (const [what, text, name] of modules)
    it(`runs ${what} of a file`, async () => {
      const message = await through(scripts, file(text, 'scripts/a.js', name))
      assert.equal(message.body.value(), 1)
    })

  it('runs plain text over the border as it is', async () => {
    const message = new Message(Body.ofText('a,b\n1,2', 'text/csv'))
    await through(scripts, "message.body = message.body.split('\\n')[1]", message)
    assert.deepEqual([message.body.value(), message.body.contentType], ['1,2', 'text/csv'])
  })

  it('sees bytes as a Uint8Array and gives bytes back', async () => {
    const message = new Message(Body.ofBytes(Buffer.from([1, 2, 250]), 'image/png'))
    await through(scripts, 'message.body = message.body.map((b) => 255 - b)', message)
    assert.deepEqual([...message.body.bytes(), message.body.contentType], [254, 253, 5, 'image/png'])
  })

  it('sees an empty body as null', async () => {
    const message = new Message(Body.empty())
    await through(scripts, 'message.body = { was: message.body }', message)
    assert.deepEqual([message.body.value(), message.body.contentType], [{ was: null }, 'application/json'])
  })

  it('does not touch a body that the script leaves as it is', async () => {
    for (const script of [
      "message.headers.a = 'b'",
      'message.properties.n = message.body.n',
      'message.body.n += 1; message.body.n -= 1',
    ]) {
      const message = json('{ "n": 1,\n "big": 12345678901234567890 }')
      const { body } = message
      await through(scripts, script, message)
      assert.equal(message.body, body, script)
    }
  })

  it('says once a run that big integers are not exact in a script', async () => {
    const script = await compiled(scripts, 'message.body.seen = true')
    const run = new TestRun()
    for (let i = 0; i < 2; i++) await script.run(json('{"id":12345678901234567890}'), run, { timeout: 2000 })
    const other = new TestRun('run-2')
    await script.run(json('{"text":"12345678901234567890"}'), other, { timeout: 2000 })
    assert.equal(run.lines.length, 1)
    assert.match(run.lines[0]!.text, /integers beyond 2\^53/)
    assert.deepEqual(other.lines, [])
  })

  it('does without the body when the script never looks at it', async () => {
    for (const [text, reads] of [
      ["message.headers.a = 'b'", false],
      ['log.info("x")', false],
      ['message.body = 1', true],
      ["message['bo' + 'dy'] = 1", true],
      ['const m = message; m.setProperty("a", 1)', true],
      ['const { headers } = message; headers.a = 1', true],
    ] as const)
      assert.equal((await compiled(scripts, text)).readsBody, reads, text)
    assert.equal((await compiled(scripts, file('export default (m) => {}'))).readsBody, true)
  })

  it('leaves the message as it was when the script fails', async () => {
    const message = json({ a: 1 })
    const { body } = message
    message.headers['h'] = '1'
    const run = through(
      scripts,
      "message.body = 2; message.headers.h = '2'; message.properties.p = 3; null.x",
      message,
    )
    await assert.rejects(run, { code: 'script.error' })
    assert.equal(message.body, body)
    assert.deepEqual([{ ...message.headers }, { ...message.properties }], [{ h: '1' }, {}])
  })

  it('compiles the same text twice into scripts that do not know each other', async () => {
    const text = file('let n = 0\nexport default (m) => { m.body = ++n }')
    const [one, two] = [await compiled(scripts, text), await compiled(scripts, text)]
    const seen = []
    for (const script of [one, one, two]) {
      const message = json({})
      await script.run(message, new TestRun(), { timeout: 2000 })
      seen.push(message.body.value())
    }
    assert.deepEqual(seen, [1, 2, 1])
  })

  it('handles an empty script, and a body of megabytes', async () => {
    const items = Array.from({ length: 20_000 }, (_, i) => ({ id: i, text: 'ä'.repeat(40) }))
    assert.deepEqual((await through(scripts, inline(''), json({ a: 1 }))).body.value(), { a: 1 })
    const message = await through(scripts, 'message.body.push(message.body.length)', json(items))
    assert.equal((message.body.value() as unknown[]).at(-1), 20_000)
  })
})
