import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { ScriptService } from '../../src/scripts/pool.ts'
import { compiled, file, json, mistake, startScripts, TestRun, through } from './setting.ts'

describe('an asynchronous function of a script that nobody awaits', () => {
  let scripts: ScriptService
  let close = async () => {}
  before(async () => {
    const t = { after: (action: unknown) => void (close = action as () => Promise<void>) }
    scripts = await startScripts(t)
  })
  after(() => close())

  it('fails the script when it fails; the message stays as it was, what was logged is kept', async () => {
    const message = json({ n: 1 })
    const run = new TestRun()
    const script =
      "message.body.n = 2\nlog.info('before')\n;(async () => { await null; throw new TypeError('lost') })()"
    await assert.rejects(through(scripts, script, message, run), {
      code: 'script.error',
      message: 'TypeError: lost',
      hint: /nobody awaited it: write `await`/,
      place: { file: 'flows/orders.yaml', line: 3, column: 35 },
    })
    assert.equal(message.body.text(), '{"n":1}')
    assert.deepEqual(
      run.lines.map(({ text }) => text),
      ['before'],
    )
  })

  it('may end the step with fail(), and says what is not there', async () => {
    await assert.rejects(
      through(scripts, "(async () => { fail('no items', { status: 422, code: 'order.empty' }) })()"),
      { code: 'order.empty', reply: 422 },
    )
    await assert.rejects(through(scripts, "(async () => { await fetch('x') })()"), {
      message: /fetch is not defined/,
      hint: /call receivers with an http step/,
    })
  })

  const handled: [what: string, text: string][] = [
    [
      'that is awaited later',
      "const p = (async () => { throw new Error('x') })(); await null; try { await p } catch { message.body.a = 1 }",
    ],
    [
      'in a list that is caught',
      "await Promise.all([1, 2].map(async (n) => { throw new Error('x') })).catch(() => { message.body.a = 1 })",
    ],
    [
      'in a list of which all are settled',
      'await Promise.allSettled([1, 2].map(async () => { throw 1 })); message.body.a = 1',
    ],
  ]
  for (const [what, text] of handled)
    it(`is no failure ${what}`, async () => {
      assert.equal((await through(scripts, text)).body.text(), '{"a":1}')
    })

  it('is told of once, with its own message, not with a later one', async () => {
    const script = await compiled(
      scripts,
      file(
        "let p\nexport default (m) => { if (p) p.catch(() => {}); else p = (async () => { throw new Error('kept') })() }",
      ),
    )
    const once = () => script.run(json({}), new TestRun(), { timeout: 1000 })
    await assert.rejects(once(), { message: 'kept' })
    await once()
    await once()
  })

  it('is a mistake where a file is loaded', async () => {
    const { message } = await mistake(
      scripts,
      file("const f = async () => { throw new Error('top') }; f(); export default () => {}"),
    )
    assert.equal(message, 'the script fails when it is loaded: Error: top')
  })

  it('may throw what cannot be shown', async () => {
    await assert.rejects(
      through(scripts, '(async () => { throw { get message() { throw 1 }, toJSON() { throw 1 } } })()'),
      { code: 'script.error', message: 'it threw something that cannot be shown' },
    )
  })
})
