import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { RunRecord } from '../../src/core/stores.ts'
import { scanning } from '../../src/commands/log-scan.ts'
import { runRecord, stores } from '../store/support.ts'
import { log } from './log-command.ts'

const AT = new Date(2026, 10, 21, 12, 0, 0, 0).getTime()
const MINUTE = 60_000

async function written(t: TestContext, runs: readonly RunRecord[]) {
  const opened = await stores(t)
  for (const run of runs) opened.messageLog.close(run)
  await opened.messageLog.flush()
  return opened
}

test('a full list names the command of its next page, and pages end', async (t) => {
  const runs = Array.from({ length: 45 }, (_, i) =>
    runRecord({ startedAt: AT + i, flow: i % 2 === 0 ? 'orders/new' : 'items' }),
  )
  const { folder } = await written(t, runs)
  const first = await log(folder, [], { flow: ['orders/*'] })
  assert.equal(first.out.split('\n').length, 22)
  const before = runs[6]!.id.slice(-12)
  assert.equal(
    first.err,
    `(the last 20; earlier ones: sluice log --data ${folder} --flow 'orders/*' --before ${before})\n`,
  )
  const second = await log(folder, [], { flow: ['orders/*'], before })
  assert.deepEqual(
    [...second.out.matchAll(/[0-9a-f]{12}$/gm)].map(([id]) => id),
    [0, 2, 4].map((i) => runs[i]!.id.slice(-12)),
  )
  assert.equal(second.err, '')
  const end = await log(folder, [], { before: runs[0]!.id })
  assert.equal(end.out, 'no earlier runs\n')

  const lines = await log(folder, [], { json: true, limit: '2', text: "it's" })
  assert.deepEqual([lines.out, lines.err.split('\n')[0]], ['', `no runs match --text 'it'\\''s'`])
  const page = await log(folder, [], { json: true, limit: '2', since: '2026-11-21' })
  assert.deepEqual(
    page.out
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as RunRecord).id),
    [runs[44]!.id, runs[43]!.id],
  )
  assert.match(
    page.err,
    /earlier ones: sluice log --data \S+ --since 2026-11-21 --limit 2 --json --before [0-9a-f]{12}\)\n$/,
  )
  const gone = await log(folder, [], { before: 'nobody' })
  assert.deepEqual([gone.exitCode, gone.err], [1, 'there is no run "nobody"; `sluice log` lists them'])
})

test('a summary fits 80 columns and tells how far back the log goes and what is kept', async (t) => {
  const flow = 'human-resources/employee-central/replication-of-employees-to-the-learning-system'
  const failure = { code: 'receiver.status', message: 'it answered 503' }
  const runs = [
    ...Array.from({ length: 2000 }, (_, i) => runRecord({ startedAt: AT + i, duration: 31 })),
    runRecord({ startedAt: AT + MINUTE, flow, status: 'FAILED', duration: 5000, failure }),
    runRecord({ startedAt: AT + 3 * MINUTE, status: 'CANCELLED', duration: 40 }),
  ]
  const { folder } = await written(t, runs)
  const { out } = await log(folder, [], { summary: true }, { columns: 80 })
  const short = runs[2000]!.id.slice(-12)
  assert.equal(
    out.replace(/holds [\d.]+ KB/, 'holds N'),
    `2,002 runs, 2026-11-21 12:00 to 2026-11-21 12:03

FLOW                          RUNS   COMPLETED  FAILED  CANCELLED  MEDIAN  95 %
orders                        2,001  2,000      -       1          31 ms   31 ms
human-resources/employee-ce…  1      -          1       -          5 s     5 s

FAILURE          RUNS  LAST              RUN           FLOWS
receiver.status  1     2026-11-21 12:01  ${short}  human-resources/employee…

the log goes back to 2026-11-21 12:00 and holds N;
kept are 30 days, at most 1.0 GB
`,
  )
  assert.ok(out.split('\n').every((line) => line.length <= 80))

  const some = await log(folder, [], { summary: true, status: ['FAILED'], json: true })
  const summary = JSON.parse(some.out) as Record<string, unknown>
  assert.equal(some.out.split('\n').length, 2)
  assert.deepEqual([summary['runs'], (summary['log'] as { oldest: number }).oldest], [1, AT])
  const none = await log(folder, [], { summary: true, code: ['x'] })
  assert.match(none.out, /^no runs match --code x\nwithout --code x: the last one [^]*the log goes back to/)
})

test('Ctrl-C ends a search with what was found', async (t) => {
  const runs = Array.from({ length: 12_000 }, (_, i) => runRecord({ startedAt: AT + i }))
  const { folder } = await written(t, runs)
  const stop = new AbortController()
  stop.abort()
  const stopped = await log(folder, [], { text: 'x' }, { signal: stop.signal })
  assert.equal(stopped.exitCode, 1)
  assert.match(stopped.err, /^stopped at the runs of 2026-11-21 12:00:07: earlier ones were not looked at\n$/)
  const counted = await log(folder, [], { summary: true }, { signal: stop.signal })
  assert.deepEqual([counted.exitCode, counted.err], [1, 'stopped before all runs were counted'])
})

test('a search that takes more than a second tells a terminal how far it is, and cleans up', async () => {
  const told = async (terminal: boolean) => {
    let ticks = 0
    let err = ''
    const io = {
      terminal,
      columns: 60,
      stderr: (text: string) => void (err += text),
      signal: new AbortController().signal,
    }
    const slices = Array.from({ length: 15 }, (_, i) => ({
      found: [],
      looked: 50_000,
      reached: AT - i * MINUTE,
    }))
    for await (const _slice of scanning(slices, io, { ticks: () => ticks })) ticks += 100
    return err
  }
  assert.equal(
    await told(true),
    '\rlooking … 550,000 runs, back to 2026-11-21 11:50; Ctrl-C e…\x1b[K' +
      '\rlooking … 650,000 runs, back to 2026-11-21 11:48; Ctrl-C e…\x1b[K' +
      '\rlooking … 750,000 runs, back to 2026-11-21 11:46; Ctrl-C e…\x1b[K' +
      '\r\x1b[K',
  )
  assert.equal(await told(false), '')
})
