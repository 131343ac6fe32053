import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure, type FailureDetails } from '../../src/core/failure.ts'
import type { Retry } from '../../src/core/flow.ts'
import { matches, waitBefore } from '../../src/core/retry.ts'
import { settle } from '../support/clock.ts'
import { preparedFlow, request, step, testEngine } from '../support/engine.ts'

const retry: Retry = {
  attempts: 3,
  delay: 1000,
  factor: 2,
  maxDelay: 60_000,
  jitter: false,
  on: ['network', 'timeout', '429', '5xx'],
}
const failing = (code = 'receiver.unreachable', details: FailureDetails = {}) =>
  new Failure(code, 'it did not work', details)

const waits: [
  title: string,
  change: Partial<Retry>,
  attempt: number,
  failure: Failure,
  wait: number | undefined,
][] = [
  ['the delay', {}, 1, failing(), 1000],
  ['times the factor', {}, 2, failing(), 2000],
  ['not beyond the attempts', {}, 3, failing(), undefined],
  ['at most maxDelay', { attempts: 20, maxDelay: 5000 }, 10, failing(), 5000],
  [
    'Retry-After wins',
    {},
    1,
    failing('receiver.status', { receiver: { status: 429, host: 'x' }, retryAfter: 7000 }),
    7000,
  ],
  ['jitter: half of it at the least', { jitter: true }, 1, failing(), 500],
  [
    'not what is not named',
    {},
    1,
    failing('receiver.status', { receiver: { status: 404, host: 'x' } }),
    undefined,
  ],
]
for (const [title, change, attempt, failure, wait] of waits)
  test(`wait before the next attempt: ${title}`, () => {
    assert.equal(waitBefore({ ...retry, ...change }, attempt, failure, 0), wait)
  })

const kinds: [what: string, failure: Failure, yes: boolean][] = [
  ['network', failing('receiver.broken'), true],
  ['network', failing('credential.unreachable'), true],
  ['network', failing('receiver.status'), false],
  ['timeout', failing('receiver.timeout'), true],
  ['timeout', failing('flow.timeout'), false],
  ['5xx', failing('receiver.status', { receiver: { status: 503, host: 'x' } }), true],
  ['503', failing('receiver.status', { receiver: { status: 503, host: 'x' } }), true],
  ['429', failing('receiver.status', { receiver: { status: 503, host: 'x' } }), false],
  ['script.*', failing('script.crashed'), true],
  ['script.timeout', failing('script.crashed'), false],
]
for (const [what, failure, yes] of kinds)
  test(`"${what}" ${yes ? 'takes' : 'does not take'} ${failure.code} ${failure.receiver?.status ?? ''}`, () => {
    assert.equal(matches(what, failure), yes)
  })

test('a step is tried again after its waits, each attempt with its whole time, and the log tells each', async () => {
  const { engine, clock, log } = testEngine()
  const deadlines: number[] = []
  let attempts = 0
  engine.deploy(
    preparedFlow([
      step(
        async (_, context) => {
          deadlines.push(context.deadline - clock.ticks())
          if (++attempts < 3) throw failing()
        },
        { retry, timeout: 5000 },
      ),
    ]),
  )
  const running = Promise.resolve(engine.process('test', request())!)
  await settle()
  await clock.advance(1000)
  await clock.advance(1999)
  assert.equal(attempts, 2)
  await clock.advance(1)
  assert.equal((await running).status, 'COMPLETED')
  assert.deepEqual(deadlines, [5000, 5000, 5000])
  assert.deepEqual(
    log.lines.map(({ text }) => text),
    ['attempt 1 failed: it did not work; again in 1 s', 'attempt 2 failed: it did not work; again in 2 s'],
  )
  assert.equal(log.only.timings.length, 4)
})

test('the last failure says how often it was tried', async () => {
  const { engine, clock } = testEngine()
  engine.deploy(
    preparedFlow([
      step(
        () => {
          throw failing('receiver.status', {
            receiver: { status: 503, host: 'x' },
            hint: 'Wait.',
            reply: 502,
          })
        },
        { retry: { ...retry, attempts: 2 } },
      ),
    ]),
  )
  const running = Promise.resolve(engine.process('test', request())!)
  await settle()
  await clock.advance(1000)
  const { failure } = await running
  assert.equal(failure!.message, 'it did not work (2 attempts)')
  assert.deepEqual(
    [failure!.receiver, failure!.hint, failure!.reply],
    [{ status: 503, host: 'x' }, 'Wait.', 502],
  )
})

test('nothing is waited for beyond the time of the flow', async () => {
  const { engine, clock } = testEngine()
  engine.deploy(
    preparedFlow(
      [
        step(
          () => {
            throw failing()
          },
          { retry: { ...retry, delay: 10_000 } },
        ),
      ],
      { timeout: 5000 },
    ),
  )
  const { failure } = await engine.process('test', request())!
  assert.equal(failure!.message, 'it did not work')
  assert.equal(clock.pending, 1, 'the sweep of the runs alone')
})

test('a run that is cancelled while it waits ends at once', async () => {
  const { engine } = testEngine()
  let cancel: (reason: Failure) => void = () => {}
  engine.deploy(
    preparedFlow([
      step(
        () => {
          throw failing()
        },
        { retry },
      ),
    ]),
  )
  const running = Promise.resolve(
    engine.process('test', request(undefined, { onStart: (stop) => (cancel = stop) }))!,
  )
  await settle()
  cancel(new Failure('flow.cancelled', 'called off'))
  assert.equal((await running).status, 'CANCELLED')
})
