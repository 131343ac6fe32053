import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Body } from '../../src/core/body.ts'
import { Failure } from '../../src/core/failure.ts'
import type { PreparedTrigger, RunResult, TriggerHost } from '../../src/core/kinds.ts'
import { settle } from '../support/clock.ts'
import { preparedFlow, request, step, testEngine } from '../support/engine.ts'

/** A step that waits until it is let go, or its run is called off. */
function blocking() {
  const waiting: (() => void)[] = []
  return {
    step: step(
      (_, context) =>
        new Promise<void>((resolve, reject) => {
          waiting.push(resolve)
          context.onCancel(reject)
        }),
    ),
    release: () => waiting.shift()!(),
    get count() {
      return waiting.length
    },
  }
}

function trigger(): PreparedTrigger & { hosts: TriggerHost[]; stopped: number } {
  return {
    hosts: [],
    stopped: 0,
    summary: 'test',
    start(host) {
      this.hosts.push(host)
    },
    stop() {
      this.stopped++
      return Promise.resolve()
    },
  }
}

test('more messages than may run wait in order, more than may wait are refused with 503', async () => {
  const { engine, log } = testEngine()
  const block = blocking()
  engine.deploy(preparedFlow([block.step], { concurrency: { running: 1, waiting: 1 } }))
  const first = engine.process('test', request()) as Promise<RunResult>
  const second = engine.process('test', request()) as Promise<RunResult>
  const third = (await engine.process('test', request()))!
  assert.equal(third.failure!.code, 'flow.overload')
  assert.equal(third.failure!.reply, 503)
  assert.deepEqual([block.count, engine.state('test')!.running, engine.state('test')!.waiting], [1, 1, 1])
  block.release()
  await first
  await settle()
  assert.equal(block.count, 1)
  block.release()
  assert.equal((await second).status, 'COMPLETED')
  assert.equal(log.closed.length, 2)
  assert.equal(engine.state('test')!.running, 0)
})

test('who waits until the time of the flow is up is not let in; a tick waits as long as it takes', async () => {
  const { engine, clock, log } = testEngine()
  const block = blocking()
  engine.deploy(preparedFlow([block.step], { timeout: 1000, concurrency: { running: 1, waiting: 5 } }))
  const first = engine.process('test', request()) as Promise<RunResult>
  const second = engine.process('test', request()) as Promise<RunResult>
  const tick = engine.process('test', request(Body.empty(), { durable: true })) as Promise<RunResult>
  await clock.advance(1000)
  const refused = await second
  assert.deepEqual([refused.failure!.code, refused.id], ['flow.timeout', undefined])
  block.release()
  await first
  while (block.count === 0) await settle()
  block.release()
  assert.equal((await tick).status, 'COMPLETED')
  assert.equal(log.closed.length, 2)
})

test('a message that gives up while it waits leaves its place to others', async () => {
  const { engine } = testEngine()
  const block = blocking()
  engine.deploy(preparedFlow([block.step], { concurrency: { running: 1, waiting: 1 } }))
  const first = engine.process('test', request()) as Promise<RunResult>
  let giveUp: (reason: Failure) => void = () => {}
  const second = engine.process(
    'test',
    request(Body.empty(), { onStart: (cancel) => (giveUp = cancel) }),
  ) as Promise<RunResult>
  giveUp(new Failure('flow.cancelled', 'the caller went away'))
  assert.equal((await second).failure!.code, 'flow.cancelled')
  assert.equal(engine.state('test')!.waiting, 0)
  block.release()
  await first
})

test('cancelling a run reaches the step that waits, and the run ends as CANCELLED', async () => {
  const { engine, log } = testEngine()
  const block = blocking()
  engine.deploy(preparedFlow([block.step]))
  let cancel: (reason: Failure) => void = () => {}
  const pending = engine.process(
    'test',
    request(Body.empty(), { onStart: (action) => (cancel = action) }),
  ) as Promise<RunResult>
  cancel(new Failure('flow.cancelled', 'the caller went away'))
  assert.equal((await pending).status, 'CANCELLED')
  assert.equal(log.only.status, 'CANCELLED')
})

test('the signal of a run aborts when it is cancelled, also when asked for afterwards', async () => {
  const { engine } = testEngine()
  const signals: AbortSignal[] = []
  engine.deploy(
    preparedFlow([
      step((_, context) => {
        signals.push(context.signal())
        return new Promise((_resolve, reject) => context.onCancel(reject))
      }),
    ]),
  )
  let cancel: (reason: Failure) => void = () => {}
  const pending = engine.process(
    'test',
    request(Body.empty(), { onStart: (action) => (cancel = action) }),
  ) as Promise<RunResult>
  assert.equal(signals[0]!.aborted, false)
  cancel(new Failure('flow.cancelled', 'enough'))
  await pending
  assert.equal(signals[0]!.aborted, true)
})

test('a durable run is on disk before its first step', async () => {
  const { engine, log } = testEngine()
  const written = Promise.withResolvers<void>()
  log.disk = written.promise
  let ran = false
  engine.deploy(preparedFlow([step(() => void (ran = true))]))
  const pending = engine.process('test', request(Body.empty(), { durable: true })) as Promise<RunResult>
  await settle()
  assert.equal(ran, false)
  written.resolve()
  await pending
  assert.equal(ran, true)
  assert.equal(log.opened.length, 1)
})

test('a run older than a second gets its opening record while it goes on', async () => {
  const { engine, log, clock } = testEngine()
  const block = blocking()
  engine.deploy(preparedFlow([block.step]))
  const pending = engine.process('test', request()) as Promise<RunResult>
  await clock.advance(900)
  assert.equal(log.opened.length, 0)
  await clock.advance(700)
  assert.equal(log.opened.length, 1)
  await clock.advance(3000)
  assert.equal(log.opened.length, 1)
  block.release()
  await pending
})

test('a new version takes over at once; the old one ends what it has and is then let go', async () => {
  const { engine } = testEngine()
  const block = blocking()
  const old = trigger()
  const next = trigger()
  let stopped = 0
  engine.deploy(preparedFlow([block.step], { version: 'v1', trigger: old, onStop: () => stopped++ }))
  const pending = old.hosts[0]!.process(request()) as Promise<RunResult>
  engine.deploy(preparedFlow([step(() => {})], { version: 'v2', trigger: next }))
  assert.equal(old.stopped, 1)
  assert.equal(next.hosts.length, 1)
  assert.equal((engine.process('test', request()) as RunResult).status, 'COMPLETED')
  await settle()
  assert.equal(stopped, 0)
  block.release()
  assert.equal((await pending).status, 'COMPLETED')
  await settle()
  assert.equal(stopped, 1)
})

test('shutdown takes nothing new, lets runs end, and says so to who comes later', async () => {
  const { engine } = testEngine()
  const block = blocking()
  engine.deploy(preparedFlow([block.step], { trigger: trigger() }))
  const pending = engine.process('test', request()) as Promise<RunResult>
  const stopping = engine.stop(30_000)
  const late = engine.process('test', request()) as RunResult
  assert.equal(late.failure!.code, 'flow.stopped')
  block.release()
  assert.equal((await pending).status, 'COMPLETED')
  await stopping
})

test('runs and waiting messages that do not end within the grace time are cancelled', async () => {
  const { engine, clock, log } = testEngine()
  const block = blocking()
  engine.deploy(preparedFlow([block.step], { concurrency: { running: 1, waiting: 5 } }))
  const first = engine.process('test', request()) as Promise<RunResult>
  const second = engine.process('test', request()) as Promise<RunResult>
  const stopping = engine.stop(1000)
  await settle()
  await clock.advance(1000)
  assert.equal((await first).status, 'CANCELLED')
  assert.equal((await second).failure!.code, 'flow.stopped')
  await stopping
  assert.equal(log.only.status, 'CANCELLED')
  assert.equal(clock.pending, 0)
})

test('headers named as searchable are kept with the run', () => {
  const { engine, log } = testEngine()
  engine.deploy(
    preparedFlow([step((message) => message.setHeader('x-order', 'o-1'))], {
      searchable: ['X-Order', 'x-missing'],
    }),
  )
  engine.process('test', request())
  assert.deepEqual(log.only.searchable, { 'X-Order': 'o-1' })
})
