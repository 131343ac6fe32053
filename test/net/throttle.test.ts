import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Throttle } from '../../src/core/http.ts'
import { Throttles } from '../../src/net/throttle.ts'
import { ManualClock, settle } from '../support/clock.ts'
import { failureOf, TestRun } from './fixture.ts'

/** Requests by name, as they begin; each ends when told to. */
function setUp() {
  const clock = new ManualClock()
  const throttles = new Throttles(clock)
  const begun: string[] = []
  const ends = new Map<string, (failure?: Error) => void>()
  const send = (name: string, throttle: Partial<Throttle>, { host = 'a', run = new TestRun() } = {}) =>
    throttles.run({ per: 1000, ...throttle }, host, run, () => {
      begun.push(name)
      return new Promise<string>((resolve, reject) =>
        ends.set(name, (failure) => (failure ? reject(failure) : resolve(name))),
      )
    })
  const end = async (name: string, failure?: Error) => {
    ends.get(name)!(failure)
    await settle()
  }
  return { clock, throttles, begun, send, end }
}

test('without a throttle a request goes at once', async () => {
  const { throttles } = setUp()
  let sent = false
  const sending = throttles.run(undefined, 'a', new TestRun(), () => {
    sent = true
    return Promise.resolve('answer')
  })
  assert.equal(sent, true)
  assert.equal(await sending, 'answer')
  assert.equal(throttles.size, 0)
})

test('at most `rate` requests begin in any `per`, the first ones at once, in the order in which they came', async () => {
  const { clock, begun, send } = setUp()
  for (const name of ['a', 'b']) void send(name, { rate: 2 })
  await clock.advance(600)
  for (const name of ['c', 'd', 'e']) void send(name, { rate: 2 })
  assert.deepEqual(begun, ['a', 'b'])
  await clock.advance(399)
  assert.deepEqual(begun, ['a', 'b'])
  await clock.advance(1)
  assert.deepEqual(begun, ['a', 'b', 'c', 'd'])
  await clock.advance(999)
  assert.deepEqual(begun, ['a', 'b', 'c', 'd'])
  await clock.advance(1)
  assert.deepEqual(begun, ['a', 'b', 'c', 'd', 'e'])
})

test('a rate holds over very many requests', async () => {
  const { clock, begun, send } = setUp()
  for (let i = 0; i < 2500; i++) void send(String(i), { rate: 100 })
  for (let second = 1; second <= 25; second++) {
    assert.equal(begun.length, second * 100)
    await clock.advance(1000)
  }
  assert.deepEqual(
    begun,
    Array.from({ length: 2500 }, (_, i) => String(i)),
  )
})

test('at most `concurrency` requests are under way; one that fails makes room, too', async () => {
  const { begun, send, end } = setUp()
  const failing = failureOf(
    send('a', { concurrency: 2 }).catch(() => {
      throw new Error('failed')
    }),
  ).catch((error: Error) => error)
  for (const name of ['b', 'c', 'd']) void send(name, { concurrency: 2 })
  assert.deepEqual(begun, ['a', 'b'])
  await end('a', new Error('no'))
  assert.equal(((await failing) as Error).message, 'failed')
  assert.deepEqual(begun, ['a', 'b', 'c'])
  await end('c')
  assert.deepEqual(begun, ['a', 'b', 'c', 'd'])
})

test('a request that cannot even be begun makes room', async () => {
  const { throttles, begun, send } = setUp()
  const broken = throttles.run({ per: 1000, concurrency: 1 }, 'a', new TestRun(), () => {
    throw new Error('broken')
  })
  await assert.rejects(broken, /broken/)
  void send('b', { concurrency: 1 })
  assert.deepEqual(begun, ['b'])
})

test('rate and concurrency hold together', async () => {
  const { clock, begun, send, end } = setUp()
  for (const name of ['a', 'b', 'c']) void send(name, { rate: 2, concurrency: 1 })
  await clock.advance(1500)
  assert.deepEqual(begun, ['a'])
  await end('a')
  assert.deepEqual(begun, ['a', 'b'])
  await end('b')
  assert.deepEqual(begun, ['a', 'b', 'c'])
})

test('each credential and each host has a line of its own', async () => {
  const { begun, send } = setUp()
  void send('host a', { rate: 1 }, { host: 'a' })
  void send('host b', { rate: 1 }, { host: 'b' })
  void send('credential at a', { rate: 1, credential: 'a' }, { host: 'a' })
  void send('credential at b', { rate: 1, credential: 'a' }, { host: 'b' })
  assert.deepEqual(begun, ['host a', 'host b', 'credential at a'])
})

test('steps with different limits share a line: each keeps to its own, and nobody overtakes', async () => {
  const { clock, begun, send } = setUp()
  for (const name of ['a', 'b', 'c']) void send(name, { rate: 10 })
  void send('strict', { rate: 2, per: 5000 })
  void send('d', { rate: 10 })
  assert.deepEqual(begun, ['a', 'b', 'c'])
  await clock.advance(4999)
  assert.deepEqual(begun, ['a', 'b', 'c'])
  await clock.advance(1)
  assert.deepEqual(begun, ['a', 'b', 'c', 'strict', 'd'])
})

test('a request that waits past its deadline fails, and those behind it go on', async () => {
  const { clock, begun, send } = setUp()
  void send('a', { rate: 1, per: 10_000, concurrency: 4 })
  const run = new TestRun()
  run.deadline = 3000
  const failing = failureOf(send('b', { rate: 1, per: 10_000, concurrency: 4 }, { run }))
  void send('c', { rate: 5 })
  await clock.advance(3100)
  const failure = await failing
  assert.equal(failure.code, 'request.throttled')
  assert.equal(failure.reply, 503)
  assert.match(
    failure.message,
    /^the request waited 3 s for its turn, in vain: the `throttle` lets 1 request in 10s and 4 at once go to "a"$/,
  )
  assert.match(failure.hint!, /raise `timeout`/)
  assert.deepEqual(begun, ['a', 'c'])
  assert.equal(run.listeners, 0)
})

test('a request that is called off leaves the line; one that is called off already does not enter it', async () => {
  const { clock, throttles, begun, send } = setUp()
  void send('a', { rate: 1 })
  const runs = ['b', 'c', 'd'].map((name) => {
    const run = new TestRun()
    return { name, run, sending: send(name, { rate: 1 }, { run }) }
  })
  runs[0]!.run.cancel()
  runs[1]!.run.cancel()
  assert.equal((await failureOf(runs[0]!.sending)).code, 'flow.cancelled')
  assert.equal((await failureOf(runs[1]!.sending)).code, 'flow.cancelled')
  await clock.advance(1000)
  assert.deepEqual(begun, ['a', 'd'])
  assert.deepEqual(
    runs.map(({ run }) => run.listeners),
    [0, 0, 0],
  )
  const late = new TestRun()
  late.cancel()
  assert.equal((await failureOf(send('e', { rate: 1 }, { host: 'b', run: late }))).code, 'flow.cancelled')
  assert.equal(throttles.size, 1)
})

test('a line is forgotten once nothing is under way and no start counts any more', async () => {
  const { clock, throttles, send, end } = setUp()
  void send('a', { rate: 1, per: 60_000 })
  void send('b', { concurrency: 1 }, { host: 'b' })
  await end('b')
  await clock.advance(1)
  assert.equal(throttles.size, 1)
  await clock.advance(59_998)
  await end('a')
  await clock.advance(59_999)
  assert.equal(throttles.size, 1)
  await clock.advance(1)
  assert.equal(throttles.size, 0)
  assert.equal(clock.pending, 0)
})

test('a line that is used again while it rests is not forgotten', async () => {
  const { clock, throttles, begun, send, end } = setUp()
  void send('a', { rate: 1 })
  await end('a')
  await clock.advance(900)
  void send('b', { rate: 1 })
  await clock.advance(99)
  assert.deepEqual(begun, ['a'])
  await clock.advance(1)
  assert.deepEqual(begun, ['a', 'b'])
  await clock.advance(5000)
  assert.equal(throttles.size, 1)
})

test('a line is forgotten when the last one that waited leaves it', async () => {
  const { clock, throttles, send, end } = setUp()
  void send('a', { rate: 1 })
  const run = new TestRun()
  const waiting = failureOf(send('b', { rate: 1 }, { run }))
  await end('a')
  run.cancel()
  await waiting
  await clock.advance(1000)
  assert.equal(throttles.size, 0)
  assert.equal(clock.pending, 0)
})
