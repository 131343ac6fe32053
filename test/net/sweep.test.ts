import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Sweep, sweepOf, type Waiting } from '../../src/net/sweep.ts'
import { ManualClock } from '../support/clock.ts'

test('looks at all that waits while something waits, and then at nothing', async () => {
  const clock = new ManualClock()
  const sweep = new Sweep(clock)
  const seen: string[] = []
  const entry = (name: string, last = Infinity): Waiting => ({
    slot: 0,
    check(now) {
      seen.push(name)
      if (now >= last) sweep.delete(this)
    },
  })
  const [a, b, c, d] = [entry('a'), entry('b', 100), entry('c'), entry('d', 100)]
  for (const each of [a, b, c, d]) sweep.add(each)
  await clock.advance(50)
  assert.deepEqual(seen.splice(0).toSorted(), ['a', 'b', 'c', 'd'])
  sweep.delete(a)
  await clock.advance(50)
  assert.deepEqual(seen.splice(0).toSorted(), ['b', 'c', 'd'])
  await clock.advance(50)
  assert.deepEqual(seen.splice(0), ['c'])
  sweep.delete(c)
  await clock.advance(1000)
  assert.deepEqual([seen, clock.pending], [[], 0])
  sweep.add(a)
  await clock.advance(50)
  assert.deepEqual(seen, ['a'])
})

test('there is one sweep a clock', () => {
  const clock = new ManualClock()
  assert.equal(sweepOf(clock), sweepOf(clock))
  assert.notEqual(sweepOf(clock), sweepOf(new ManualClock()))
})
