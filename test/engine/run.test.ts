import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { Body } from '../../src/core/body.ts'
import { Failure } from '../../src/core/failure.ts'
import { END, type Outcome, type RunResult } from '../../src/core/kinds.ts'
import { settle } from '../support/clock.ts'
import { preparedFlow, request, step, testEngine } from '../support/engine.ts'

test('a flow of synchronous steps ends without a promise, and its record names each step', () => {
  const { engine, log } = testEngine()
  const order: string[] = []
  engine.deploy(preparedFlow([step(() => void order.push('a')), step(() => void order.push('b'))]))
  const result = engine.process('test', request())
  assert.ok(!(result instanceof Promise))
  assert.equal(result!.status, 'COMPLETED')
  assert.deepEqual(order, ['a', 'b'])
  assert.deepEqual(
    log.only.timings.filter((_, i) => i % 4 === 0),
    [0, 1],
  )
  assert.equal(log.opened.length, 0)
})

test('steps after an asynchronous one run in order, and END ends the flow', async () => {
  const { engine, log } = testEngine()
  const order: string[] = []
  engine.deploy(
    preparedFlow([
      step(async () => void order.push('a')),
      step(() => void order.push('b')),
      step(() => {
        order.push('c')
        return Promise.resolve<Outcome>(END)
      }),
      step(() => void order.push('never')),
    ]),
  )
  const result = await engine.process('test', request())
  assert.equal(result!.status, 'COMPLETED')
  assert.deepEqual(order, ['a', 'b', 'c'])
  assert.deepEqual(
    log.only.timings.filter((_, i) => i % 4 === 3),
    [0, 0, 3],
  )
})

test('a step whose condition is not true is skipped and says so in the record', () => {
  const { engine, log } = testEngine()
  engine.deploy(preparedFlow([step(() => assert.fail('ran'), { condition: () => false }), step(() => {})]))
  const result = engine.process('test', request()) as RunResult
  assert.equal(result.status, 'COMPLETED')
  assert.deepEqual(
    log.only.timings.filter((_, i) => i % 4 === 3),
    [2, 0],
  )
})

test('a failing step fails the run with the step and its place, synchronously and asynchronously', async () => {
  for (const run of [
    () => {
      throw new Failure('receiver.status', 'no')
    },
    async () => {
      throw new Failure('receiver.status', 'no')
    },
  ]) {
    const { engine, log } = testEngine()
    engine.deploy(preparedFlow([step(run, { id: 'fetch' }), step(() => assert.fail('ran'))]))
    const result = await engine.process('test', request())
    assert.equal(result!.status, 'FAILED')
    assert.deepEqual(log.only.failure, {
      code: 'receiver.status',
      message: 'no',
      step: 'fetch',
      position: 'flows/test.yaml:1:1',
    })
    assert.deepEqual(
      log.only.timings.filter((_, i) => i % 4 === 3),
      [1],
    )
  }
})

test('what is no Failure is a fault of the engine: the caller is told no more, the log has the error', () => {
  const { engine, log, warnings } = testEngine()
  engine.deploy(
    preparedFlow([
      step(() => {
        throw new TypeError('x is not a function')
      }),
    ]),
  )
  const result = engine.process('test', request()) as RunResult
  assert.equal(result.failure!.code, 'engine.fault')
  assert.equal(result.failure!.reply, 500)
  assert.equal(log.only.status, 'FAILED')
  assert.deepEqual(warnings, ['a fault in the engine'])
})

test('a streamed body is loaded before a step that reads it, and only then', async () => {
  const { engine } = testEngine()
  const seen: boolean[] = []
  engine.deploy(
    preparedFlow([
      step((message) => void seen.push(message.body.isStream)),
      step((message) => void seen.push(message.body.isStream), { readsBody: true }),
    ]),
  )
  await engine.process('test', request(Body.ofStream(Readable.from([Buffer.from('abc')]), 'text/plain')))
  assert.deepEqual(seen, [true, false])
})

test('a streamed body over the limit fails the step that wants to read it', async () => {
  const { engine } = testEngine()
  engine.deploy(preparedFlow([step(() => {}, { readsBody: true })]))
  const result = await engine.process(
    'test',
    request(Body.ofStream(Readable.from([Buffer.alloc(600), Buffer.alloc(600)]))),
  )
  assert.equal(result!.failure!.code, 'body.too-large')
  assert.equal(result!.failure!.reply, 413)
})

test('a body that does not arrive fails when the time of the run is up', async () => {
  const { engine, clock } = testEngine()
  engine.deploy(preparedFlow([step(() => {}, { readsBody: true })], { timeout: 1000 }))
  const stuck = new Readable({ read() {} })
  const pending = engine.process('test', request(Body.ofStream(stuck))) as Promise<RunResult>
  await clock.advance(1000)
  assert.equal((await pending).failure!.code, 'flow.timeout')
  stuck.destroy()
})

test('a step has its own deadline, never later than that of the run', async () => {
  const { engine, clock } = testEngine()
  const deadlines: number[] = []
  engine.deploy(
    preparedFlow(
      [
        step((_, context) => void deadlines.push(context.deadline - clock.ticks()), { timeout: 100 }),
        step((_, context) => void deadlines.push(context.deadline - clock.ticks())),
        step((_, context) => void deadlines.push(context.deadline - clock.ticks()), { timeout: 90_000 }),
      ],
      { timeout: 5000 },
    ),
  )
  engine.process('test', request())
  assert.deepEqual(deadlines, [100, 5000, 5000])
})

test('no step begins after the deadline of the run', async () => {
  const { engine, clock } = testEngine()
  engine.deploy(
    preparedFlow([step(() => clock.advance(2000)), step(() => assert.fail('ran'))], { timeout: 1000 }),
  )
  const result = await engine.process('test', request())
  assert.equal(result!.failure!.code, 'flow.timeout')
  assert.equal(result!.failure!.step, 'step-1')
})

test('levels: none keeps the record only, info the lines, debug headers and properties, trace the body', () => {
  for (const [level, lines, snapshots] of [
    ['none', 0, 0],
    ['info', 1, 0],
    ['debug', 2, 1],
    ['trace', 2, 1],
  ] as const) {
    const { engine, log } = testEngine()
    engine.deploy(
      preparedFlow(
        [
          step((message, context) => {
            message.setHeader('x-a', '1')
            context.log('info', 'a line')
            context.log('debug', 'a detail')
            context.attach('a.txt', 'text', 'text/plain')
          }),
        ],
        { level },
      ),
    )
    engine.process('test', request(Body.ofText('hello')))
    assert.equal(log.lines.length, lines, level)
    assert.equal(log.attachments.length, level === 'none' ? 0 : 1, level)
    assert.equal(log.snapshots.length, snapshots, level)
    if (level === 'debug') assert.equal((log.snapshots[0]!.snapshot as { body?: string }).body, undefined)
    if (level === 'trace') assert.equal((log.snapshots[0]!.snapshot as { body?: string }).body, 'hello')
  }
})

test('the trace of a caller goes on with a span of ours; without one it is made of the run', async () => {
  const { engine } = testEngine()
  const seen: string[] = []
  engine.deploy(preparedFlow([step((_, context) => void seen.push(context.run.traceparent))]))
  engine.process(
    'test',
    request(Body.empty(), { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }),
  )
  assert.match(seen[0]!, /^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)/)
  await settle()
})
