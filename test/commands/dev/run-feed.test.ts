import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RunFeed, type RunFeedSetting } from '../../../src/commands/dev/run-feed.ts'
import type { RunFailure } from '../../../src/core/failure.ts'
import type { RunStatus } from '../../../src/core/stores.ts'
import type { LiveRun } from '../../../src/run-events.ts'
import type { StepRecord } from '../../../src/store/rows.ts'
import { ManualClock } from '../../support/clock.ts'

const AT = new Date(2026, 10, 21, 12, 0, 0).getTime()

function setUp(setting: Partial<RunFeedSetting> = {}) {
  const clock = new ManualClock(AT)
  let out = ''
  const feed = new RunFeed({
    clock,
    color: false,
    columns: () => 80,
    failuresOnly: false,
    steps: false,
    tellsProgress: false,
    source: () => undefined,
    print: (text) => (out += text),
    moved: () => {},
    ...setting,
  })
  return {
    clock,
    feed,
    /** What was printed since the last time. */
    printed() {
      const text = out
      out = ''
      return text
    },
    end: (about: About = {}) => feed.take({ kind: 'ended', run: run({ startedAt: clock.now(), ...about }) }),
    say: (id: string, text: string) =>
      feed.take({
        kind: 'line',
        line: { run: id, at: clock.now(), level: 'warn', step: 'look', text, fields: undefined },
      }),
  }
}

interface About {
  readonly id?: string
  readonly flow?: string
  readonly status?: RunStatus
  readonly startedAt?: number
  readonly duration?: number
  readonly failure?: RunFailure
  readonly steps?: readonly StepRecord[]
}

function run(about: About): LiveRun {
  const { id = '01a1fd90-cc2f-7c7f-a2f8-5a1b2c3d4e5f', flow = 'orders', status = 'COMPLETED' } = about
  const { startedAt = AT, duration = 3.2 } = about
  const own = { id, flow, trigger: 'endpoint', status, startedAt, duration }
  return {
    ...own,
    correlationId: id,
    summary: () => assert.fail('nobody asks for it'),
    detail: () => ({
      ...own,
      correlationId: id,
      caller: undefined,
      calledBy: undefined,
      related: undefined,
      failure: about.failure,
      credentials: [],
      hosts: [],
      progress: undefined,
      version: 'v1',
      file: `flows/${flow}.yaml`,
      steps: about.steps ?? [],
      omittedSteps: 0,
      searchable: {},
      lines: [],
      attachments: [],
      snapshots: [],
    }),
  }
}

const step = (id: string, outcome: StepRecord['outcome'], index: number): StepRecord => ({
  index,
  id,
  kind: 'http',
  line: 4,
  parent: -1,
  start: index,
  duration: 2,
  outcome,
})

const failed: About = {
  status: 'FAILED',
  failure: {
    code: 'receiver.status',
    message: 'the receiver answered 503',
    hint: 'Ask its operator.',
    step: 'send',
    position: 'flows/orders.yaml:4:5',
  },
  steps: [step('look', 'done', 0), step('send', 'failed', 1)],
}

test('a quick run that ends well is one line, with its log lines below', () => {
  const { end, say, printed } = setUp()
  end()
  assert.equal(printed(), '12:00:00 ✓ orders                   3.2 ms  endpoint  5a1b2c3d4e5f\n')
  say('second', 'odd\nthing')
  end({ id: 'second' })
  assert.match(printed(), /second\n           warn  odd ⏎ thing  look\n$/)
})

test('a failure is open: its steps, the line of the source, the code, the message, the hint, the page, its lines', () => {
  const text = 'steps:\n\n\n  - http: x\n'
  const { end, say, printed, feed } = setUp({
    source: (file) => (file === 'flows/orders.yaml' ? text : undefined),
  })
  say('a', 'before')
  end({ id: 'a', ...failed })
  assert.equal(
    printed(),
    [
      '12:00:00 ✗ orders                   3.2 ms  endpoint  a',
      '         ├─ ✓ look    2.0 ms  http      flows/orders.yaml:4  +0 ms',
      '         │     warn   before',
      '         └─ ✗ send    2.0 ms  http      flows/orders.yaml:4  +1.0 ms',
      '               receiver.status: the receiver answered 503',
      '               at flows/orders.yaml:4:5',
      '               Ask its operator.',
      '               4 |   - http: x',
      '                 |     ^',
      '               see docs/reference/failures/receiver.status.md',
      '',
    ].join('\n'),
  )
  assert.equal(feed.lastFailure?.id, 'a')
  assert.deepEqual(feed.counts, { runs: 1, failed: 1 })
})

test('a slow run, and with `steps` every one, is shown with its steps', () => {
  const slow = setUp()
  slow.end({ duration: 1000, steps: [step('look', 'done', 0)] })
  assert.match(slow.printed(), /└─ ✓ look/)
  const all = setUp({ steps: true })
  all.end({ steps: [step('look', 'done', 0)] })
  assert.match(all.printed(), /└─ ✓ look/)
})

test('a flood is a line a second, and ends with the flood', async () => {
  const { end, clock, printed } = setUp()
  for (let i = 0; i < 240; i++) end({ duration: i })
  assert.equal(printed().split('\n').length - 1, 5)
  await clock.advance(1000)
  assert.equal(printed(), '12:00:01 ✓ orders ×235 completed, p50 122 ms, at most 239 ms\n')
  for (let i = 0; i < 100; i++) end()
  assert.equal(printed(), '')
  await clock.advance(1000)
  assert.match(printed(), /×100 completed/)
  await clock.advance(2000)
  assert.equal(clock.pending, 0, 'no timer goes on where nothing happens')
  end()
  assert.match(printed(), /✓ orders  /)
})

test('the same failure in a flood is open once and counted; another one is open, too', async () => {
  const { end, clock, printed } = setUp()
  for (let i = 0; i < 40; i++) end(failed)
  end({ ...failed, failure: { ...failed.failure!, code: 'order.empty' } })
  const first = printed()
  assert.equal(first.match(/✗ orders /g)!.length, 2)
  assert.match(first, /order\.empty/)
  assert.doesNotMatch(first, /failures\/(order\.empty|flow\.failed)/, 'a code of the flow has no page')
  await clock.advance(1000)
  assert.equal(printed(), '12:00:01 ✗ orders ×39 failed in step "send": receiver.status: the receiver ans…\n')
})

test('a run that goes on is shown after a second; its lines come as they are said, and are not repeated', async () => {
  const { feed, end, say, clock, printed } = setUp()
  say('a', 'first')
  feed.take({ kind: 'opened', run: run({ id: 'a', status: 'PROCESSING', duration: 0 }) })
  assert.deepEqual([printed(), feed.going()], ['', []])
  await clock.advance(1000)
  assert.match(printed(), /^12:00:00 ▶ orders +goes on  endpoint  a\n12:00:00   warn  orders\/look  first\n$/)
  say('a', 'second')
  assert.equal(printed(), '12:00:01   warn  orders/look  second\n')
  feed.take({ kind: 'progress', run: 'a', progress: { step: 'items', done: 1200, failed: 3 } })
  assert.deepEqual(feed.going(), ['▶ orders  step "items": 1,203 items, 3 failed  1 s'])
  end({ id: 'a', ...failed })
  assert.doesNotMatch(printed(), /first|second/)
  assert.deepEqual(feed.going(), [])
})

test('where nobody draws it, progress is told every ten seconds, and only when there is some', async () => {
  const { feed, clock, printed } = setUp({ tellsProgress: true })
  feed.take({ kind: 'opened', run: run({ id: 'a', status: 'PROCESSING', duration: 0 }) })
  feed.take({ kind: 'progress', run: 'a', progress: { step: 'items', done: 5, failed: 0 } })
  await clock.advance(9000)
  assert.doesNotMatch(printed(), /5 items/)
  await clock.advance(1000)
  assert.equal(printed(), '12:00:10 … orders  step "items": 5 items  10 s\n')
  await clock.advance(30_000)
  assert.equal(printed(), '')
})

test('a run that writes without end: lines of one that goes on are counted, those of one that is held are bounded', async () => {
  const { feed, end, say, clock, printed } = setUp()
  for (let i = 0; i < 500; i++) say('a', `line ${i}`)
  end({ id: 'a' })
  assert.match(printed(), /line 199  look\n           … and 300 more lines: sluice log RUN shows them\n$/)
  feed.take({ kind: 'opened', run: run({ id: 'b', status: 'PROCESSING', duration: 0 }) })
  await clock.advance(1000)
  printed()
  for (let i = 0; i < 500; i++) say('b', `line ${i}`)
  assert.equal(printed().split('\n').length - 1, 10)
  await clock.advance(1000)
  assert.match(printed(), /orders: 490 more lines\n$/)
})

test('only one flow, only failures', async () => {
  const one = setUp({ flow: 'orders' })
  one.end({ flow: 'other' })
  one.end(failed)
  assert.doesNotMatch(one.printed(), /other/)
  assert.equal(one.feed.counts.runs, 1)
  const bad = setUp({ failuresOnly: true })
  bad.end()
  bad.feed.take({ kind: 'opened', run: run({ id: 'a', status: 'PROCESSING', duration: 0 }) })
  bad.say('a', 'why')
  await bad.clock.advance(2000)
  assert.equal(bad.printed(), '')
  bad.end({ id: 'a', ...failed })
  assert.match(bad.printed(), /warn   why/)
})

test('a run that was called off is no failure, and has its reason', () => {
  const { end, printed, feed } = setUp()
  end({ status: 'CANCELLED', failure: { code: 'flow.cancelled', message: 'called off' } })
  assert.match(printed(), /⊘ orders[^]*flow\.cancelled: called off/)
  assert.deepEqual(feed.counts, { runs: 1, failed: 0 })
})

test('what was only counted is told at the end', () => {
  const { end, printed, feed } = setUp()
  for (let i = 0; i < 7; i++) end()
  printed()
  feed.stop()
  assert.match(printed(), /orders ×2 completed/)
})
