import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Breaker } from '../../src/scripts/breaker.ts'
import { ManualClock } from '../support/clock.ts'

function broken(clock: ManualClock): Breaker {
  const breaker = new Breaker(clock)
  for (let i = 0; i < 3; i++) breaker.broke()
  return breaker
}

it('the third time-out or crash within a minute pauses a script', async () => {
  const clock = new ManualClock()
  const breaker = new Breaker(clock)
  assert.equal(breaker.broke(), false)
  await clock.advance(29_000)
  assert.equal(breaker.broke(), false)
  await clock.advance(32_000)
  assert.equal(breaker.broke(), false, 'the first one is forgotten')
  assert.equal(breaker.admit(), true)
  await clock.advance(1000)
  assert.equal(breaker.broke(), true)
  assert.equal(breaker.admit(), false)
  assert.equal(breaker.pause, 30_000)
})

it('after the pause one message tries; when it succeeds, all may go', async () => {
  const clock = new ManualClock()
  const breaker = broken(clock)
  await clock.advance(29_999)
  assert.equal(breaker.admit(), false)
  await clock.advance(1)
  assert.deepEqual([breaker.admit(), breaker.admit()], [true, false])
  breaker.succeeded()
  assert.deepEqual([breaker.admit(), breaker.admit()], [true, true])
  assert.equal(breaker.broke(), false, 'it starts to count anew')
})

it('when the probe breaks, too, the pause begins again', async () => {
  const clock = new ManualClock()
  const breaker = broken(clock)
  await clock.advance(30_000)
  assert.equal(breaker.admit(), true)
  breaker.broke()
  assert.equal(breaker.admit(), false)
  await clock.advance(30_000)
  assert.equal(breaker.admit(), true)
})

it('a probe that was called off lets the next message try', async () => {
  const clock = new ManualClock()
  const breaker = broken(clock)
  await clock.advance(30_000)
  breaker.admit()
  breaker.undecided()
  assert.equal(breaker.admit(), true)
})
