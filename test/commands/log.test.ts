import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { logCommand } from '../../src/commands/log.ts'
import { Stop, type CommandIo } from '../../src/commands/command.ts'
import type { RunRecord } from '../../src/core/stores.ts'
import { dataFolder, runRecord, stores, VERSION } from '../store/support.ts'

interface Shown {
  readonly exitCode: number
  readonly out: string
  readonly err: string
}

/** Runs `sluice log` on a data folder. */
async function log(
  folder: string,
  args: string[],
  options: object = {},
  io: Partial<CommandIo> = {},
): Promise<Shown> {
  let out = ''
  let err = ''
  const whole: CommandIo = {
    stdout: (text) => void (out += text),
    stderr: (text) => void (err += text),
    stdin: new PassThrough(),
    color: false,
    colorErrors: false,
    terminal: false,
    columns: 120,
    workingFolder: folder,
    projectFolder: folder,
    environment: { SLUICE_DATA: folder },
    signal: new AbortController().signal,
    ...io,
  }
  try {
    return { exitCode: await logCommand.run(whole, args, { ...options }), out, err }
  } catch (error) {
    if (!(error instanceof Stop)) throw error
    return { exitCode: error.exitCode, out, err: err + error.message }
  }
}

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

├─ ✓ log         1.0 ms  log       flows/orders.yaml:3  +0.10 ms
│     warn   look \\x1b[31mhere
│            second line
│            {"qty":3}
│     attachment "order.json"  application/json, 10 bytes
│     attachment "picture"  image/png, 4 bytes
│     headers  {"accept":"*/*"}
│     body  ${'x'.repeat(47)}…
└─ ✗ choose       30 ms  choose    flows/orders.yaml:5  +1.1 ms
   ├─ ○ mark   skipped   set       flows/orders.yaml:7
   └─ ✗ fetch     30 ms  http      flows/orders.yaml:9  +1.3 ms
         receiver.status: the receiver answered 503 to GET https://lms.example.com/items
         at flows/orders.yaml:9:7
         receiver lms.example.com answered 503
         Ask its operator.
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
  assert.match((await log(folder, [refused.id])).out, /No step ran\.\nflow\.overload: too many at once\n$/)
  await first.close()
  await stores(t, { folder })
  assert.match((await log(folder, [going.id])).out, /ABANDONED[^]*duration +unknown[^]*nobody knows how far/)
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

test('filters narrow the list', async (t) => {
  const { messageLog, folder } = await failedRun(t)
  messageLog.close(runRecord({ id: '01a1-old', flow: 'items', startedAt: Date.now() - 3 * 3_600_000 }))
  messageLog.close(runRecord({ id: '01a1-new', flow: 'items', startedAt: Date.now() - 60_000 }))
  await messageLog.flush()
  const ids = async (options: object) =>
    (JSON.parse((await log(folder, [], { json: true, ...options })).out) as RunRecord[]).map(({ id }) =>
      id.slice(-3),
    )
  assert.deepEqual(await ids({ flow: 'items', limit: '1' }), ['new'])
  assert.deepEqual(await ids({ flow: 'items', since: '1h30m' }), ['new'])
  assert.deepEqual(await ids({ status: 'failed' }), ['e5f'])
  assert.deepEqual(await ids({ until: '2h', since: '2020-01-01', flow: 'items' }), ['old'])
  assert.deepEqual(await ids({ text: '503' }), ['e5f'])
  assert.deepEqual(await ids({ correlation: 'order-77' }), ['e5f'])
  assert.deepEqual(await ids({ header: 'X-Order=77' }), ['e5f'])
  assert.deepEqual(await ids({ flow: 'nothing' }), [])
})

test('nothing to show is said with a way on', async (t) => {
  const folder = await dataFolder(t)
  assert.match((await log(folder, [])).out, /^no runs yet: `sluice start`/)
  assert.deepEqual(await log(folder, [], { json: true }), { exitCode: 0, out: '[]\n', err: '' })
  const unknown = await log(folder, ['abc'])
  assert.deepEqual([unknown.exitCode, unknown.err], [1, 'there is no run "abc"; no runs yet'])
  await failedRun(t).then(async (failed) => {
    assert.equal(
      (await log(failed.folder, [], { flow: 'order' })).out,
      'no runs of a flow "order"; did you mean "orders"?\n',
    )
    assert.equal((await log(failed.folder, [], { flow: 'orders', status: 'RETRY' })).out, 'no runs match\n')
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
  assert.match(await usage([], { status: 'FAILD' }), /no status "FAILD"; did you mean "FAILED"\?/)
  assert.match(
    await usage([], { status: 'x' }),
    /there are PROCESSING, COMPLETED, FAILED, CANCELLED, ABANDONED$/,
  )
  assert.match(await usage([], { since: 'yesterday' }), /--since wants a time like 1h/)
  assert.match(await usage([], { since: '30m1h' }), /--since wants a time like 1h/)
  assert.match(await usage([], { limit: '-1' }), /--limit wants a number/)
  assert.match(await usage([], { header: 'x' }), /--header wants name=value/)
  assert.match(await usage([], { attachment: 'a' }), /--attachment needs the id of a run/)
  assert.match(await usage([run.id], { output: 'a' }), /--output needs --attachment/)
  assert.match(await usage([], { follow: true, text: 'a' }), /not with --text/)
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
