import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { RunRecord } from '../../src/core/stores.ts'
import { log } from './log-command.ts'
import { dataFolder, runRecord, stores, VERSION } from '../store/support.ts'

const AT = new Date(2026, 10, 21, 12, 0, 0, 5).getTime()

/** A failed run with all there can be, in a log of its own. */
async function failedRun(t: TestContext) {
  const opened = await stores(t)
  const { messageLog } = opened
  const run = runRecord({
    id: '01a1fd90-cc2f-7c7f-a2f8-5a1b2c3d4e5f',
    startedAt: AT,
    duration: 31.4,
    status: 'FAILED',
    correlationId: 'order-77',
    caller: 'shop',
    credentials: ['lms_admin_OAuth2'],
    hosts: ['lms.example.com'],
    searchable: { 'x-order': '77' },
    timings: [0, 100, 1000, 0, 2, 1200, 40, 2, 3, 1300, 30060, 1, 1, 1150, 30220, 1],
    failure: {
      code: 'receiver.status',
      message: 'the receiver answered 503 to GET https://lms.example.com/items',
      hint: 'Ask its operator.',
      step: 'fetch',
      position: 'flows/orders.yaml:9:7',
      receiver: { status: 503, host: 'lms.example.com' },
    },
  })
  messageLog.deployed(VERSION)
  messageLog.line(run.id, AT, 'warn', 'log', 'look \x1b[31mhere\nsecond line', { qty: 3 })
  messageLog.attachment(run.id, AT, 'log', 'order.json', '{"a":"é"}', 'application/json')
  messageLog.attachment(run.id, AT, 'log', 'picture', Uint8Array.of(137, 80, 0, 255), 'image/png')
  messageLog.snapshot(run.id, AT, 'log', 'trace', {
    headers: { accept: '*/*' },
    properties: {},
    body: 'x'.repeat(500),
  })
  messageLog.close(run)
  await messageLog.flush()
  return { ...opened, run }
}

test('a run is shown as a tree with its timings, lines, attachments and why it failed', async (t) => {
  const { folder } = await failedRun(t)
  const { exitCode, out } = await log(folder, ['5a1b2c3d4e5f'], {}, { columns: 60 })
  assert.equal(exitCode, 0)
  assert.equal(
    out,
    `01a1fd90-cc2f-7c7f-a2f8-5a1b2c3d4e5f  FAILED
flow         orders (version v1)
trigger      endpoint
started      2026-11-21 12:00:00.005
duration     31 ms
correlation  order-77
caller       shop
credentials  lms_admin_OAuth2
hosts        lms.example.com
x-order      77

├─ ✓ log         1.0 ms  log       flows/orders.yaml:3
│     warn   look \\x1b[31mhere
│            second line
│            {"qty":3}
│     attachment "order.json"  application/json, 10 bytes
│     attachment "picture"  image/png, 4 bytes
│     headers  {"accept":"*/*"}
│     body  ${'x'.repeat(47)}…
└─ ✗ choose       30 ms  choose    flows/orders.yaml:5
   ├─ ○ mark   skipped   set       flows/orders.yaml:7
   └─ ✗ fetch     30 ms  http      flows/orders.yaml:9
         receiver.status: the receiver answered 503 to GET
         https://lms.example.com/items
         at flows/orders.yaml:9:7
         receiver lms.example.com answered 503
         Ask its operator.
         flows/orders.yaml is not in this project
         see docs/reference/failures/receiver.status.md

2 attachments: sluice log --data ${folder} 5a1b2c3d4e5f --attachment order.json
  order.json  10 bytes  application/json  log
  picture     4 bytes   image/png         log
`,
  )
})

test('a run that goes on, one that was abandoned and one that failed before its steps say so', async (t) => {
  const folder = await dataFolder(t)
  const first = await stores(t, { folder })
  const going = runRecord({ status: 'PROCESSING' })
  first.messageLog.line(going.id, AT, 'info', 'log', 'so far', undefined)
  await first.messageLog.open(going)
  const refused = runRecord({
    status: 'FAILED',
    failure: { code: 'flow.overload', message: 'too many at once' },
  })
  first.messageLog.close(refused)
  await first.messageLog.flush()
  const shown = await log(folder, [going.id])
  assert.match(shown.out, /PROCESSING[^]*goes on[^]*recorded when it ends\.\nlog: info   so far\n$/)
  assert.match(
    (await log(folder, [refused.id])).out,
    /No step ran\.\nflow\.overload: too many at once\nsee docs\S+\n$/,
  )
  await first.close()
  await stores(t, { folder })
  assert.match((await log(folder, [going.id])).out, /ABANDONED[^]*duration +unknown[^]*nobody knows how far/)
})

test('a run tells how far it has come while it goes on, when it was cut off, and when it has ended', async (t) => {
  const folder = await dataFolder(t)
  const first = await stores(t, { folder })
  first.messageLog.deployed({ ...VERSION, steps: [{ id: 'copy', kind: 'forEach', line: 3, parent: -1 }] })
  const going = runRecord({ status: 'PROCESSING' })
  await first.messageLog.open(going)
  first.messageLog.progress(going.id, { step: 'copy', done: 4117, failed: 3 })
  await first.messageLog.flush()
  const told = /\nprogress +forEach "copy": 4,120 items, 3 failed\n/
  const shown = await log(folder, [going.id])
  assert.match(shown.out, /PROCESSING[^]*recorded when it ends\.\n$/)
  assert.match(shown.out, told)
  await first.close()

  const second = await stores(t, { folder })
  const cutOff = (await log(folder, [going.id])).out
  assert.match(cutOff, told)
  assert.match(
    cutOff,
    /ABANDONED[^]*\nThe engine ended before it did, after 4,120 items, 3 failed, and perhaps a few more\.\n$/,
  )
  const ended = runRecord({ progress: { step: 'copy', done: 1, failed: 0 }, timings: [0, 0, 9000, 0] })
  second.messageLog.close(ended)
  await second.messageLog.flush()
  assert.match((await log(folder, [ended.id])).out, /\nprogress +forEach "copy": 1 item\n/)
  const unknown = runRecord({ version: '?', progress: { step: 'copy', done: 2_000_000, failed: 0 } })
  second.messageLog.close(unknown)
  await second.messageLog.flush()
  assert.match((await log(folder, [unknown.id])).out, /\nprogress +step "copy": 2,000,000 items\n/)
  const json = JSON.parse((await log(folder, [ended.id], { json: true })).out) as { progress: unknown }
  assert.deepEqual(json.progress, { step: 'copy', done: 1, failed: 0, kind: 'forEach' })
})

test('a failure names its item', async (t) => {
  const { messageLog, folder } = await stores(t)
  messageLog.deployed(VERSION)
  const failure = { code: 'receiver.status', message: 'it answered 503', step: 'fetch' }
  const keyed = runRecord({
    status: 'FAILED',
    timings: [3, 0, 1000, 1],
    failure: { ...failure, item: { index: 17, key: 'C-\x1b17' } },
  })
  const plain = runRecord({ status: 'FAILED', failure: { ...failure, item: { index: 4120 } } })
  messageLog.close(keyed)
  messageLog.close(plain)
  await messageLog.flush()
  assert.match(
    (await log(folder, [keyed.id])).out,
    /: it answered 503\n +item 17 \("C-\\x1b17"\)\n +see docs\S+\n$/,
  )
  assert.match((await log(folder, [plain.id])).out, /: it answered 503\nitem 4120\nsee docs\S+\n$/)
  const list = (await log(folder, [], {}, { columns: 200 })).out
  assert.match(list, /  receiver\.status: item 17 \("C-\\x1b17"\): it answered 503\n/)
  assert.match(list, /  receiver\.status: item 4120: it answered 503\n/)
  const json = JSON.parse((await log(folder, [keyed.id], { json: true })).out) as RunRecord
  assert.deepEqual(json.failure!.item, { index: 17, key: 'C-\x1b17' })
})

test('many rounds of a step are put together; failed ones and all lines are shown', async (t) => {
  const { messageLog, folder } = await stores(t)
  messageLog.deployed(VERSION)
  const timings = [1, 0, 200_000, 0]
  for (let i = 0; i < 100; i++) timings.push(3, i * 2000, 1000, i === 50 ? 1 : 0)
  const run = runRecord({ startedAt: AT, timings })
  for (let i = 0; i < 100; i++) messageLog.line(run.id, AT + i * 2, 'info', 'fetch', `item ${i}`, undefined)
  messageLog.close(run)
  await messageLog.flush()
  const { out } = await log(folder, [run.id])
  assert.equal(out.match(/✓ fetch/g)!.length, 5)
  assert.equal(out.match(/✗ fetch/g)!.length, 1)
  assert.match(out, /… 94 more rounds of "fetch"\n/)
  for (let i = 0; i < 100; i++) assert.match(out, new RegExp(`item ${i}\n`))
})

test('steps that overlap stand in the round that they belong to', async (t) => {
  const { messageLog, folder } = await stores(t)
  messageLog.deployed(VERSION)
  const timings = [2, 3000, 1000, 0, 1, 2000, 4000, 0, 3, 2500, 8000, 1, 1, 1000, 11000, 1]
  const run = runRecord({ timings })
  messageLog.close(run)
  await messageLog.flush()
  const tree = (await log(folder, [run.id])).out.split('\n\n')[1]!
  assert.deepEqual(tree.replaceAll(/ +\d.*/g, '').split('\n'), [
    '├─ ✗ choose',
    '│  └─ ✗ fetch',
    '└─ ✓ choose',
    '   └─ ✓ mark',
    '',
  ])
})

/** Rounds of `fetch`, one every 2 ms, in a `choose` around them; some fail, and then some are called off. */
function rounds(count: number, failed: readonly number[], calledOff = 0): number[] {
  const timings: number[] = []
  const last = (count - 1) * 2000
  for (let i = 0; i < count; i++) timings.push(3, i * 2000, 1000, failed.includes(i) ? 1 : 0)
  for (let i = 0; i < calledOff; i++) timings.push(3, last - 500 * (i + 1), 3000 + i * 500, 1)
  return [...timings, 1, 0, count * 2000 + 5000, failed.includes(count - 1) ? 1 : 0]
}

test('why a run failed stands once, below the round that failed it', async (t) => {
  const { messageLog, folder } = await stores(t)
  messageLog.deployed(VERSION)
  const failure = { code: 'receiver.status', message: 'it answered 503', step: 'fetch' }
  const shown = async (timings: number[]): Promise<string> => {
    const run = runRecord({ startedAt: AT, status: 'FAILED', timings, failure })
    messageLog.close(run)
    await messageLog.flush()
    return (await log(folder, [run.id])).out
  }
  const handled = await shown(rounds(3999, [1, 10, 20, 30, 40, 3998]))
  assert.equal(handled.match(/it answered 503/g)!.length, 1)
  assert.match(handled, /└─ ✗ fetch .*\+8 s\n {9}receiver\.status: it answered 503\n +see docs\S+\n$/)
  assert.match(handled, /… 3,990 more rounds of "fetch", 1 of them failed\n/)
  const beside = await shown(rounds(100, [99], 12))
  assert.equal(beside.match(/it answered 503/g)!.length, 1)
  assert.match(beside, /✗ fetch .*\+198 ms\n {9}receiver\.status: it answered 503\n +see docs\S+\n$/)
})

test('a run of thousands of rounds and lines is a page of steps, and every line is there', async (t) => {
  const { messageLog, folder } = await stores(t)
  messageLog.deployed(VERSION)
  const run = runRecord({ startedAt: AT, timings: rounds(3999, []), omittedSteps: 96_000 })
  for (let i = 0; i < 20_000; i++)
    messageLog.line(run.id, AT + (i % 8000), 'info', 'fetch', `line ${i}`, undefined)
  messageLog.close(run)
  await messageLog.flush()
  const { out } = await log(folder, [run.id])
  assert.equal(new Set(out.match(/line \d+/g)).size, 20_000)
  assert.match(out, /… 3,994 more rounds of "fetch"\n/)
  assert.match(out, /\n\(96,000 steps in the middle not recorded\)\n$/)
  assert.equal(out.split('\n').filter((text) => !text.includes('line')).length, 15)
})

test('the list is a table, newest last, failures cut to the width of the terminal', async (t) => {
  const { messageLog, folder, run } = await failedRun(t)
  messageLog.close(
    runRecord({
      id: '01a1fd90-ffff-7c7f-a2f8-000000000001',
      startedAt: AT + 1000,
      duration: 2500,
      trigger: 'timer',
    }),
  )
  await messageLog.open(
    runRecord({
      id: '01a1fd90-ffff-7c7f-a2f8-000000000002',
      startedAt: AT + 2000,
      status: 'PROCESSING',
      flow: 'items',
    }),
  )
  const { out, err } = await log(folder, [])
  assert.equal(
    out,
    `STARTED                  STATUS      FLOW    DURATION  TRIGGER   RUN           FAILURE
2026-11-21 12:00:00.005  FAILED      orders  31 ms     endpoint  5a1b2c3d4e5f  receiver.status: the receiver answered 5…
2026-11-21 12:00:01.005  COMPLETED   orders  2.5 s     timer     000000000001
2026-11-21 12:00:02.005  PROCESSING  items   -         endpoint  000000000002
`,
  )
  assert.equal(err, '')
  assert.ok(out.split('\n').every((line) => line.length <= 120))
  const two = await log(folder, [], { limit: '2' })
  assert.equal(two.out.split('\n').length, 4)
  assert.ok(!two.out.includes(run.id.slice(-12)))
})

test('the list tells how far runs came, beside them or, in a narrow terminal, below', async (t) => {
  const { messageLog, folder } = await stores(t)
  const at = (second: number, over: Partial<RunRecord>) =>
    runRecord({ id: `01a1fd90-ffff-7c7f-a2f8-00000000000${second}`, startedAt: AT + second * 1000, ...over })
  messageLog.close(at(1, { progress: { step: 'copy', done: 4120, failed: 0 } }))
  messageLog.close(
    at(2, {
      status: 'FAILED',
      progress: { step: 'copy', done: 17, failed: 0 },
      failure: { code: 'receiver.status', message: 'it answered 503 '.repeat(9), item: { index: 17 } },
    }),
  )
  messageLog.close(at(3, {}))
  await messageLog.open(
    at(4, { status: 'PROCESSING', flow: 'nightly', progress: { step: 'copy', done: 9997, failed: 3 } }),
  )
  assert.equal(
    (await log(folder, [], {}, { columns: 140 })).out,
    `STARTED                  STATUS      FLOW     DURATION  TRIGGER   RUN           PROGRESS, FAILURE
2026-11-21 12:00:01.005  COMPLETED   orders   12 ms     endpoint  000000000001  4,120 items
2026-11-21 12:00:02.005  FAILED      orders   12 ms     endpoint  000000000002  17 items; receiver.status: item 17: it answered 503 it answ…
2026-11-21 12:00:03.005  COMPLETED   orders   12 ms     endpoint  000000000003
2026-11-21 12:00:04.005  PROCESSING  nightly  -         endpoint  000000000004  10,000 items, 3 failed
`,
  )
  const narrow = (await log(folder, [], {}, { columns: 80 })).out
  assert.equal(
    narrow,
    `STARTED                  STATUS      FLOW     DURATION  TRIGGER   RUN
2026-11-21 12:00:01.005  COMPLETED   orders   12 ms     endpoint  000000000001
  4,120 items
2026-11-21 12:00:02.005  FAILED      orders   12 ms     endpoint  000000000002
  17 items; receiver.status: item 17: it answered 503 it answered 503 it answer…
2026-11-21 12:00:03.005  COMPLETED   orders   12 ms     endpoint  000000000003
2026-11-21 12:00:04.005  PROCESSING  nightly  -         endpoint  000000000004
  10,000 items, 3 failed
`,
  )
  assert.ok(narrow.split('\n').every((line) => line.length <= 80))
})

test('filters narrow the list', async (t) => {
  const { messageLog, folder } = await failedRun(t)
  messageLog.close(runRecord({ id: '01a1-old', flow: 'items', startedAt: Date.now() - 3 * 3_600_000 }))
  messageLog.close(runRecord({ id: '01a1-new', flow: 'items', startedAt: Date.now() - 60_000 }))
  await messageLog.flush()
  const ids = async (options: object) =>
    (await log(folder, [], { json: true, ...options })).out
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as RunRecord).id.slice(-3))
  assert.deepEqual(await ids({ flow: ['items'], limit: '1' }), ['new'])
  assert.deepEqual(await ids({ flow: ['items'], since: '1h30m' }), ['new'])
  assert.deepEqual(await ids({ flow: ['i*,x', 'y'] }), ['new', 'old'])
  assert.deepEqual(await ids({ status: ['failed'] }), ['e5f'])
  assert.deepEqual(await ids({ status: ['FAILED, completed'] }), ['new', 'old', 'e5f'])
  assert.deepEqual(await ids({ until: '2h', since: '2020-01-01', flow: ['items'] }), ['old'])
  assert.deepEqual(await ids({ text: '503' }), ['e5f'])
  assert.deepEqual(await ids({ correlationId: 'order-77' }), ['e5f'])
  assert.deepEqual(await ids({ header: ['X-Order=77'] }), ['e5f'])
  assert.deepEqual(await ids({ header: ['X-Order=77', 'x-shop=a'] }), [])
  assert.deepEqual(await ids({ code: ['receiver.*'], credential: ['lms_admin_OAuth2'] }), ['e5f'])
  assert.deepEqual(await ids({ host: ['LMS.example.com'] }), ['e5f'])
  assert.deepEqual(await ids({ flow: ['nothing'] }), [])
})

test('nothing to show is said with a way on', async (t) => {
  const folder = await dataFolder(t)
  assert.match((await log(folder, [])).out, /^no runs yet: `sluice start`/)
  assert.deepEqual(await log(folder, [], { json: true }), {
    exitCode: 0,
    out: '',
    err: 'no runs yet: `sluice start` starts the engine, `sluice run FLOW` runs a flow once\n',
  })
  const unknown = await log(folder, ['abc'])
  assert.deepEqual([unknown.exitCode, unknown.err], [1, 'there is no run "abc"; no runs yet'])
  await failedRun(t).then(async (failed) => {
    assert.equal(
      (await log(failed.folder, [], { flow: ['order'] })).out,
      'no runs of a flow "order"; did you mean "orders"?\n',
    )
    const nothing = async (options: object) => (await log(failed.folder, [], options)).out
    assert.equal(
      await nothing({ flow: ['orders', 'x y'], status: ['RETRY'] }),
      `no runs match --flow orders --flow 'x y' --status RETRY
without --status RETRY: the last one 2026-11-21 12:00:00, orders, FAILED
`,
    )
    assert.equal(
      await nothing({ status: ['RETRY'], code: ['script.*'] }),
      `no runs match --status RETRY --code 'script.*'
leaving out one of them is not enough; \`sluice log\` lists all runs
`,
    )
    assert.equal(
      await nothing({ until: '2020-01-01' }),
      `no runs match --until 2020-01-01
without --until 2020-01-01: the last one 2026-11-21 12:00:00, orders, FAILED
`,
    )
  })
})

test('an id that is unknown or means several runs ends with 1 and says what there is', async (t) => {
  const { messageLog, folder, run } = await failedRun(t)
  const other = run.id.replace('cc2f', 'cc30')
  messageLog.close(runRecord({ id: other }))
  await messageLog.flush()
  assert.deepEqual(await log(folder, ['nope']), {
    exitCode: 1,
    out: '',
    err: 'there is no run "nope"; `sluice log` lists them',
  })
  const several = await log(folder, ['5a1b2c3d4e5f'])
  assert.equal(several.exitCode, 1)
  assert.ok(several.err.includes(run.id) && several.err.includes(other))
  assert.equal((await log(folder, [run.id.slice(0, 13)])).exitCode, 0)
})

test('wrong usage ends with 2 and says what is wanted', async (t) => {
  const { folder, run } = await failedRun(t)
  const usage = async (args: string[], options: object) => {
    const { exitCode, err } = await log(folder, args, options)
    assert.equal(exitCode, 2)
    return err
  }
  assert.match(await usage([], { status: ['FAILD'] }), /no status "FAILD"; did you mean "FAILED"\?/)
  assert.match(
    await usage([], { status: ['x'] }),
    /there are PROCESSING, COMPLETED, FAILED, CANCELLED, ABANDONED$/,
  )
  assert.match(await usage([], { since: 'yesterday' }), /--since wants a time like 1h/)
  assert.match(await usage([], { since: '30m1h' }), /--since wants a time like 1h/)
  assert.match(await usage([], { limit: '-1' }), /--limit wants a number/)
  assert.match(await usage([], { header: ['x'] }), /--header wants name=value/)
  assert.match(await usage([], { attachment: 'a' }), /--attachment needs the id of a run/)
  assert.match(await usage([run.id], { output: 'a' }), /--output needs --attachment/)
  assert.match(await usage([], { status: ['FAILED,'] }), /--status wants a value; got "FAILED,"/)
  assert.match(await usage([], { limit: '0' }), /--limit wants at least 1/)
  assert.match(await usage([], { since: '1h', until: '2h' }), /--since 1h is not before --until 2h/)
  assert.match(await usage([], { follow: true, until: '1h' }), /leave out --until/)
  assert.match(await usage([], { follow: true, summary: true }), /does not go with --follow/)
  assert.match(await usage([], { summary: true, limit: '3' }), /leave out --limit/)
  assert.match(await usage([run.id], { summary: true }), /leave out the id/)
})

test('an attachment is printed, or written into a file that is not there yet', async (t) => {
  const { folder, run } = await failedRun(t)
  assert.equal((await log(folder, [run.id], { attachment: 'order.json' })).out, '{"a":"é"}')
  assert.equal(
    (await log(folder, [run.id], { attachment: 'order.json' }, { color: true })).out,
    '{"a":"é"}\n',
  )

  const binary = await log(folder, [run.id], { attachment: 'picture' })
  assert.deepEqual([binary.exitCode, binary.out], [1, ''])
  assert.match(binary.err, /is no text \(image\/png, 4 bytes\); .*--output FILE/)

  const written = await log(folder, [run.id], { attachment: 'picture', output: 'a.png' })
  assert.deepEqual([written.exitCode, written.out, written.err], [0, '', 'wrote 4 bytes to "a.png"\n'])
  assert.deepEqual([...(await readFile(join(folder, 'a.png')))], [137, 80, 0, 255])

  await writeFile(join(folder, 'mine'), 'precious')
  const refused = await log(folder, [run.id], { attachment: 'picture', output: 'mine' })
  assert.deepEqual(
    [refused.exitCode, refused.err],
    [1, '"mine" is there already; remove it, or choose another name'],
  )
  assert.equal(await readFile(join(folder, 'mine'), 'utf8'), 'precious')

  const none = await log(folder, [run.id], { attachment: 'nope' })
  assert.deepEqual(
    [none.exitCode, none.err],
    [1, 'the run has no attachment "nope"; it has: "order.json", "picture"'],
  )
})

test('a run as JSON holds all of it', async (t) => {
  const { folder, run } = await failedRun(t)
  const shown = JSON.parse((await log(folder, [run.id], { json: true })).out)
  assert.equal(shown.id, run.id)
  assert.equal(shown.steps.length, 4)
  assert.equal(shown.failure.position, 'flows/orders.yaml:9:7')
  assert.equal(shown.snapshots[0].body.length, 500)
  assert.deepEqual(
    shown.attachments.map(({ name }: { name: string }) => name),
    ['order.json', 'picture'],
  )
})

/** What a following command has said, line by line, and how to wait for the next ones. */
function heard() {
  let text = ''
  let wake = (): void => {}
  return {
    stdout: (more: string) => {
      text += more
      wake()
    },
    async until(words: RegExp): Promise<string> {
      while (!words.test(text)) await new Promise<void>((resolve) => (wake = resolve))
      return text
    },
  }
}

test('--follow prints what happens until Ctrl-C', { timeout: 20_000 }, async (t) => {
  const { messageLog, folder } = await failedRun(t)
  const ctrlC = new AbortController()
  const said = heard()
  const following = log(folder, [], { follow: true }, { stdout: said.stdout, signal: ctrlC.signal })
  await said.until(/5a1b2c3d4e5f  FAILED  orders  31 ms  receiver\.status: .*\n/)
  const run = runRecord({ startedAt: AT, duration: 5 })
  messageLog.line(run.id, AT, 'info', 'log', 'hello', { qty: 1 })
  messageLog.close(run)
  await messageLog.flush()
  const short = run.id.slice(-12)
  const text = await said.until(/COMPLETED  orders  5\.0 ms\n/)
  assert.match(
    text,
    new RegExp(`12:00:00\\.005  ${short}  info   orders/log  hello {"qty":1}\n.*${short}  COMPLETED`),
  )
  ctrlC.abort()
  assert.equal((await following).exitCode, 0)
})

test(
  '--follow with a run prints its lines, and the run when it has ended',
  { timeout: 20_000 },
  async (t) => {
    const { messageLog, folder } = await stores(t)
    messageLog.deployed(VERSION)
    const run = runRecord({ status: 'PROCESSING' })
    await messageLog.open(run)
    const said = heard()
    const following = log(folder, [run.id], { follow: true }, { stdout: said.stdout })
    messageLog.line(run.id, AT, 'info', 'log', 'hello', undefined)
    await messageLog.flush()
    await said.until(/orders\/log  hello\n/)
    messageLog.close({ ...run, status: 'COMPLETED', timings: [0, 0, 1000, 0] })
    await messageLog.flush()
    assert.equal((await following).exitCode, 0)
    assert.match(await said.until(/└─ ✓ log/), /COMPLETED\nflow/)
  },
)

test('--follow prints how far runs have come, in lines or in JSON', { timeout: 20_000 }, async (t) => {
  const { messageLog, folder } = await stores(t)
  const ctrlC = new AbortController()
  const [text, json, one] = [heard(), heard(), heard()]
  const run = runRecord({ status: 'PROCESSING', flow: 'nightly' })
  await messageLog.open(run)
  messageLog.progress(run.id, { step: 'copy', done: 5, failed: 0 })
  await messageLog.flush()
  const { signal } = ctrlC
  const following = [
    log(folder, [], { follow: true }, { stdout: text.stdout, signal }),
    log(folder, [], { follow: true, json: true }, { stdout: json.stdout, signal }),
    log(folder, [run.id], { follow: true }, { stdout: one.stdout, signal }),
  ]
  const short = run.id.slice(-12)
  await text.until(new RegExp(`${short}  PROCESSING  nightly  5 items\\n`))
  await json.until(/\n/)
  await one.until(new RegExp(`${short}  PROCESSING  nightly/copy  5 items\\n`))
  messageLog.progress(run.id, { step: 'copy', done: 4117, failed: 3 })
  await messageLog.flush()
  await text.until(new RegExp(`\\d  ${short}  PROCESSING  nightly/copy  4,120 items, 3 failed\\n`))
  await one.until(/nightly\/copy {2}4,120 items, 3 failed\n/)
  const events = (await json.until(/"progress","at".*\n/))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { kind: string; run: RunRecord })
  assert.deepEqual(
    events.map(({ kind, run: { id, progress } }) => [kind, id, progress]),
    [
      ['run', run.id, { step: 'copy', done: 5, failed: 0 }],
      ['progress', run.id, { step: 'copy', done: 4117, failed: 3 }],
    ],
  )
  messageLog.close({ ...run, status: 'COMPLETED', progress: { step: 'copy', done: 5000, failed: 3 } })
  await messageLog.flush()
  await text.until(/COMPLETED {2}nightly {2}12 ms {2}5,003 items, 3 failed\n/)
  ctrlC.abort()
  await Promise.all(following)
})

test('--follow --json prints a line of JSON for each event', { timeout: 20_000 }, async (t) => {
  const { folder } = await failedRun(t)
  const ctrlC = new AbortController()
  const said = heard()
  const following = log(
    folder,
    [],
    { follow: true, json: true },
    { stdout: said.stdout, signal: ctrlC.signal },
  )
  const text = await said.until(/\n/)
  ctrlC.abort()
  await following
  assert.equal(JSON.parse(text).run.status, 'FAILED')
})

test('a mistake in the settings ends with 1 and is shown', async (t) => {
  const { folder } = await failedRun(t)
  await writeFile(join(folder, 'sluice.yaml'), 'dta: ./data\n')
  const { exitCode, out, err } = await log(folder, [])
  assert.deepEqual([exitCode, out], [1, ''])
  assert.match(err, /sluice\.yaml:1:1: .*"dta".*did you mean "data"/)
})

test('--data names another folder; a damaged log ends with 3 and what to do', async (t) => {
  const { folder, run } = await failedRun(t)
  const elsewhere = await dataFolder(t)
  assert.equal((await log(elsewhere, [run.id], { data: folder })).exitCode, 0)
  await writeFile(
    join(elsewhere, 'log.db'),
    'no database at all, but long enough to be looked at as one\n'.repeat(40),
  )
  const damaged = await log(elsewhere, [])
  assert.equal(damaged.exitCode, 3)
  assert.match(damaged.err, /log\.db" is damaged or is no database.*\nMove it away/)
})
