import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Body } from '../../src/core/body.ts'
import { Failure } from '../../src/core/failure.ts'
import { Message } from '../../src/core/message.ts'
import type { CompiledScript } from '../../src/core/services.ts'
import type { ScriptService } from '../../src/scripts/pool.ts'
import { compiled, json, startScripts, TestRun, through } from './setting.ts'

const COUNT = 'message.body.n += 1'

/** Ten messages through an innocent script, at once. */
async function ten(script: CompiledScript): Promise<number[]> {
  const messages = Array.from({ length: 10 }, (_, n) => json({ n }))
  await Promise.all(messages.map((message) => script.run(message, new TestRun(), { timeout: 2000 })))
  return messages.map((message) => (message.body.value() as { n: number }).n)
}
const ONE_MORE = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]

describe('the limits of a script', () => {
  let scripts: ScriptService
  let close = async () => {}
  before(async () => {
    const t = { after: (action: unknown) => void (close = action as () => Promise<void>) }
    scripts = await startScripts(t, { limits: { heap: 32 } })
    await scripts.ready()
  })
  after(() => close())

  const hanging: [what: string, text: string][] = [
    ['an endless loop', 'while (true) {}'],
    ['an endless chain of promises', 'while (true) await null'],
    ['a loop in a promise that nobody waits for', '(async () => { await null; while (true) {} })()'],
    ['a regular expression without end', "/^(a+)+$/.test('a'.repeat(50) + 'b')"],
    ['a getter that loops', 'message.body = { get a() { for (;;) {} } }'],
    ['a thenable that answers with itself', 'const t = { then(f) { f(t) } }; await t'],
  ]
  for (const [what, text] of hanging)
    it(`${what} is stopped, and others come through`, async () => {
      const innocent = await compiled(scripts, COUNT)
      const hung = await compiled(scripts, text)
      const first = ten(innocent)
      const stopped = assert.rejects(hung.run(json({}), new TestRun(), { timeout: 150 }), {
        code: 'script.timeout',
        message: /ran longer than 150 ms and was stopped/,
      })
      assert.deepEqual(await first, ONE_MORE)
      assert.deepEqual(await ten(innocent), ONE_MORE)
      await stopped
      assert.deepEqual(await ten(innocent), ONE_MORE)
    })

  const bombs: [what: string, text: string][] = [
    ['lists that grow', 'const a = []; for (;;) a.push(new Array(1000).fill({}))'],
    [
      'texts that grow',
      "let s = 'x'; const all = []; for (;;) { s += s.slice(0, 1e6); all.push(s + all.length) }",
    ],
    ['buffers', 'const a = []; for (;;) a.push(new Uint8Array(16e6).fill(1))'],
  ]
  for (const [what, text] of bombs)
    it(`memory filled with ${what} ends only that script`, async () => {
      const innocent = await compiled(scripts, COUNT)
      const bomb = await compiled(scripts, text)
      const before = process.memoryUsage().rss
      const [ended] = await Promise.allSettled([
        bomb.run(json({}), new TestRun(), { timeout: 400 }),
        ten(innocent),
      ])
      assert.equal(ended.status, 'rejected')
      assert.match((ended.reason as Failure).code, /^script\.(crashed|timeout|error)$/)
      assert.deepEqual(await ten(innocent), ONE_MORE)
      assert.ok(process.memoryUsage().rss - before < 64e6, 'the engine has not grown')
    })

  it('a crash is told with the memory that there was', async () => {
    await assert.rejects(
      through(scripts, 'const a = []; for (;;) a.push({ a: [a.length] })', json({}), new TestRun(), 5000),
      {
        code: 'script.crashed',
        message: 'the script used more than 32 MB of memory',
      },
    )
  })

  it('a deep recursion is an error of the script', async () => {
    await assert.rejects(through(scripts, 'const f = () => f(); f()'), {
      code: 'script.error',
      message: /^RangeError/,
    })
  })

  it('a message beyond 8 MB does not go in, unless the script does without the body', async () => {
    const large = () => new Message(Body.ofBytes(Buffer.alloc(8 * 1024 * 1024 + 1, 32), 'application/json'))
    await assert.rejects(through(scripts, 'message.body = 1', large()), {
      code: 'script.input',
      message: /8388609 bytes/,
    })
    const message = large()
    await through(scripts, "message.headers.a = 'b'", message)
    assert.equal(message.headers['a'], 'b')
  })

  it('a result beyond 8 MB does not come out', async () => {
    const message = json({})
    await assert.rejects(through(scripts, "message.body = 'ä'.repeat(5 * 1024 * 1024)", message), {
      code: 'script.output',
    })
    await assert.rejects(through(scripts, "message.body = 'x'.repeat(9 * 1024 * 1024)", message), {
      code: 'script.output',
    })
    await assert.rejects(through(scripts, "message.properties.a = 'x'.repeat(9 * 1024 * 1024)", message), {
      code: 'script.output',
    })
    await assert.rejects(
      through(scripts, "for (let i = 0; i < 20; i++) attach('a', 'x'.repeat(1024 * 1024))", message),
      {
        code: 'script.output',
      },
    )
    await through(scripts, "message.body = 'x'.repeat(8 * 1024 * 1024)", message)
    assert.equal(message.body.text().length, 8 * 1024 * 1024)
  })

  it('a result deeper than 1,000 levels does not come out', async () => {
    const text = 'let a = []; for (let i = 0; i < 1500; i++) a = [a]; message.body = a'
    await assert.rejects(through(scripts, text), {
      code: 'script.output',
      message: /nested deeper than 1000/,
    })
  })

  it('nobody gets more time than the ceiling', async (t) => {
    const strict = await startScripts(t, { limits: { ceiling: 120 } })
    await assert.rejects(through(strict, 'for (;;) {}', json({}), new TestRun(), 60_000), {
      code: 'script.timeout',
      message: /120 ms/,
    })
  })

  it('the deadline of the run ends a script, too', async () => {
    const run = new TestRun()
    const script = await compiled(scripts, 'for (;;) {}')
    run.deadline = performance.now() + 150
    await assert.rejects(script.run(json({}), run, { timeout: 60_000 }), {
      code: 'script.timeout',
      reply: 504,
      message: /^the script had run for \d+ ms and was stopped$/,
      hint: /The time of the flow .* was up: .* raise that `timeout`/,
    })
    run.deadline = performance.now() + 150
    await assert.rejects(script.run(json({}), run, { timeout: 150 }), {
      code: 'script.timeout',
      message: /longer than 150 ms/,
      hint: /raise `timeout` of the step/,
    })
  })

  it('a run that is called off gets its reason at once, and its process is not kept', async () => {
    const hung = await compiled(scripts, 'for (;;) {}')
    const run = new TestRun()
    const running = hung.run(json({}), run, { timeout: 60_000 })
    run.cancelled = new Failure('flow.cancelled', 'called off')
    await assert.rejects(running, { code: 'flow.cancelled', message: 'called off' })
    assert.deepEqual(await ten(await compiled(scripts, COUNT)), ONE_MORE)
    await assert.rejects(hung.run(json({}), run, { timeout: 60_000 }), { code: 'flow.cancelled' })
  })

  it('a script that hangs on every message is paused after three, and others do not notice', async (t) => {
    const two = await startScripts(t, { children: 2 })
    const innocent = await compiled(two, COUNT)
    const hung = await compiled(two, 'for (;;) {}')
    const all = Array.from({ length: 6 }, () =>
      hung.run(json({}), new TestRun(), { timeout: 100 }).catch((failure: Failure) => failure.code),
    )
    assert.deepEqual(await ten(innocent), ONE_MORE)
    const codes = await Promise.all(all)
    assert.deepEqual(codes.toSorted(), [
      ...Array(3).fill('script.disabled'),
      ...Array(3).fill('script.timeout'),
    ])
    await assert.rejects(hung.run(json({}), new TestRun(), { timeout: 100 }), {
      code: 'script.disabled',
      reply: 503,
      hint: /next message may try in 30 s|next message may try in 29/,
    })
    assert.deepEqual(await ten(innocent), ONE_MORE)
  })
})
