import assert from 'node:assert/strict'
import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { RunRecord } from '../../src/core/stores.ts'
import { versionOf } from '../../src/flow/load.ts'
import { runRecord, stores, VERSION } from '../store/support.ts'
import { log } from './log-command.ts'

const AT = new Date(2026, 10, 21, 12, 0, 0, 5).getTime()
const TEXT = `steps:
  - log: begins
  - http:
      url: https://lms.example.com/items/of/a/very/long/path/that/does/not/fit/into/a/narrow/terminal/at/all
`
const FAILURE = {
  code: 'receiver.status',
  message: 'the receiver answered 503 to GET https://lms.example.com/items',
  step: 'fetch',
  position: 'flows/orders.yaml:4:7',
} as const

/** A failed run of a flow whose file is there. */
async function failed(t: TestContext, over: Partial<RunRecord> = {}) {
  const opened = await stores(t)
  const { messageLog, folder } = opened
  await mkdir(join(folder, 'flows'))
  const file = join(folder, 'flows/orders.yaml')
  await writeFile(file, TEXT)
  const version = versionOf('orders', TEXT)
  messageLog.deployed({ ...VERSION, version })
  const run = runRecord({
    startedAt: AT,
    version,
    status: 'FAILED',
    timings: [3, 100, 1000, 1],
    failure: FAILURE,
    ...over,
  })
  messageLog.close(run)
  await messageLog.flush()
  const shown = async (io: object = { columns: 80 }) => (await log(folder, [run.id], {}, io)).out
  return { ...opened, run, file, shown }
}

test('below the step that failed stand the line of its source and the page of its code', async (t) => {
  const { shown } = await failed(t)
  const out = await shown()
  assert.equal(
    out.split('\n\n')[1],
    `└─ ✗ fetch    1.0 ms  http      flows/orders.yaml:9  +0.10 ms
      receiver.status: the receiver answered 503 to GET
      https://lms.example.com/items
      at flows/orders.yaml:4:7
      4 |       url: https://lms.example.com/items/of/a/very/long/path/that/doe…
        |       ^
      see docs/reference/failures/receiver.status.md
`,
  )
  assert.ok(out.split('\n').every((line) => line.length <= 80))
})

test('a file that has changed since, or is gone, is said, and no wrong line shown', async (t) => {
  const { shown, file } = await failed(t)
  await writeFile(file, TEXT.replace('begins', 'starts'))
  assert.match(await shown(), /\n +flows\/orders\.yaml has changed since; its line is not shown\n +see docs/)
  await writeFile(file, TEXT)
  assert.match(await shown(), /\n +4 \| +url:/)
})

test('a script is shown as long as it was not written since the run; nothing outside of the project is', async (t) => {
  const failure = { ...FAILURE, position: 'scripts/map.js:2:3' }
  const { shown, folder } = await failed(t, { failure })
  assert.match(await shown(), /scripts\/map\.js is not in this project/)
  await mkdir(join(folder, 'scripts'))
  const script = join(folder, 'scripts/map.js')
  await writeFile(script, 'one\n  throw new Error()\n')
  await utimes(script, AT / 1000 - 60, AT / 1000 - 60)
  assert.match(await shown(), /\n +2 \|   throw new Error\(\)\n +\|   \^\n/)
  await utimes(script, AT / 1000 + 60, AT / 1000 + 60)
  assert.match(await shown(), /scripts\/map\.js has changed since/)
  for (const position of ['../secret:1:1', '/etc/hostname:1:1', '.env:1:1']) {
    await writeFile(join(folder, '.env'), 'SECRET=hunter22\n')
    const other = await failed(t, { failure: { ...FAILURE, position } })
    await writeFile(join(other.folder, '.env'), 'SECRET=hunter22\n')
    assert.doesNotMatch(await other.shown(), / \| |not in this project/)
  }
})

test('attachments of one name are told apart', async (t) => {
  const { messageLog, folder, run, shown } = await failed(t)
  const name = "it's.json"
  for (const [i, step] of ['log', 'fetch', 'fetch'].entries())
    messageLog.attachment(run.id, AT + i, step, name, `{"i":${i}}`, 'application/json')
  messageLog.attachment(run.id, AT + 9, 'fetch', 'a#2', 'exact', 'text/plain')
  messageLog.attachment(run.id, AT + 9, 'fetch', 'a', 'first', 'text/plain')
  await messageLog.flush()
  const out = await shown()
  const end = out.slice(out.indexOf('\n5 attachments'))
  assert.equal(
    end,
    `
5 attachments: sluice log --data ${folder} ${run.id.slice(-12)} --attachment 'it'\\''s.json'
  it's.json    7 bytes  application/json  log
  it's.json#2  7 bytes  application/json  fetch
  it's.json#3  7 bytes  application/json  fetch
  a#2          5 bytes  text/plain        fetch
  a            5 bytes  text/plain        fetch
`,
  )
  assert.match(out, /attachment "it's\.json#3"/)
  const get = async (attachment: string) => (await log(folder, [run.id], { attachment })).out
  assert.deepEqual(await Promise.all([name, `${name}#1`, `${name}#3`, 'a#2'].map(get)), [
    '{"i":0}',
    '{"i":0}',
    '{"i":2}',
    'exact',
  ])
  const none = await log(folder, [run.id], { attachment: `${name}#4` })
  assert.match(none.err, /no attachment "it's\.json#4"; it has: "it's\.json", "it's\.json#2", /)
  await log(folder, [run.id], { attachment: `${name}#2`, output: 'out.json' })
  assert.equal(await readFile(join(folder, 'out.json'), 'utf8'), '{"i":1}')
})

test('a run names the runs that it called and the one that called it', async (t) => {
  const { messageLog, folder, run, shown } = await failed(t)
  const called = (over: Partial<RunRecord>) =>
    runRecord({
      startedAt: AT + 10,
      flow: 'orders-validate',
      trigger: 'call',
      correlationId: run.id,
      calledBy: run.id,
      ...over,
    })
  const good = Array.from({ length: 22 }, () => called({}))
  const bad = called({
    status: 'FAILED',
    failure: { code: 'script.error', message: 'no' },
    startedAt: AT + 20,
  })
  const deeper = called({ calledBy: bad.id, flow: 'deeper' })
  for (const each of [...good, bad, deeper]) messageLog.close(each)
  await messageLog.flush()
  const out = await shown({ columns: 200 })
  assert.match(
    out,
    new RegExp(`\ncorrelation  ${run.id} \\(24 other runs: sluice log .*--correlation-id ${run.id}\\)\n`),
  )
  const rows = out.slice(out.indexOf('\ncalled ')).trimEnd().split('\n')
  assert.match(rows[1]!, /^called 23 runs: sluice log /)
  assert.equal(rows[2], `  12:00:00.025  FAILED     orders-validate  12 ms  ${bad.id.slice(-12)}`)
  assert.equal(rows.at(-1), '  and 3 more runs')
  assert.equal(rows.length, 2 + 20 + 1)
  assert.doesNotMatch(out, /deeper/)
  const one = await log(folder, [bad.id])
  assert.match(one.out, new RegExp(`\ncalled by +orders  ${run.id.slice(-12)}  FAILED\n`))
  assert.match(one.out, /called 1 run: [^]*deeper/)
  const lost = called({ calledBy: '0193-gone' })
  messageLog.close(lost)
  await messageLog.flush()
  assert.match((await log(folder, [lost.id])).out, /\ncalled by +0193-gone \(its record is gone\)\n/)
  const detail = JSON.parse((await log(folder, [bad.id], { json: true })).out) as {
    related: { caller: { id: string }; called: { id: string }[] }
  }
  assert.deepEqual([detail.related.caller.id, detail.related.called[0]!.id], [run.id, deeper.id])
})

test('the last lines of a long failed run stand at its end', async (t) => {
  const { messageLog, run, shown } = await failed(t)
  for (let i = 0; i < 12; i++)
    messageLog.line(
      run.id,
      AT + i,
      i === 11 ? 'error' : 'info',
      'log',
      `line ${i} ${'x'.repeat(i * 10)}`,
      undefined,
    )
  await messageLog.flush()
  const out = await shown()
  const end = out.slice(out.indexOf('\nthe last')).trimEnd().split('\n')
  assert.equal(end[1], 'the last 5 of 12 lines')
  assert.equal(end[2], `  12:00:00.012  info   log: line 7 ${'x'.repeat(44)}…`)
  assert.match(end.at(-1)!, /error  log: line 11 x+…$/)
  assert.ok(end.every((line) => line.length <= 80))
})
