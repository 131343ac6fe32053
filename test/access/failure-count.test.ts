import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FailureCount } from '../../src/access/failure-count.ts'
import { ManualClock } from '../support/clock.ts'

describe('a count of failures', () => {
  it('makes wait who failed too often within a minute', async () => {
    const clock = new ManualClock()
    const count = new FailureCount(clock, 2)
    count.add('a')
    await clock.advance(20_000)
    assert.equal(count.pauseOf('a'), 0)
    count.add('a')
    assert.deepEqual([count.pauseOf('a'), count.pauseOf('b')], [40, 0])
    count.takeBack('a')
    assert.equal(count.pauseOf('a'), 0)
    count.add('a')
    await clock.advance(40_000)
    assert.equal(count.pauseOf('a'), 0)
  })

  it('lets no flood of others end a wait', () => {
    const count = new FailureCount(new ManualClock(), 2, 3)
    count.add('a')
    count.add('a')
    for (let at = 0; at < 100; at++) count.add(`other ${at}`)
    assert.equal(count.pauseOf('a'), 60)
    assert.equal(count.pauseOf('new'), 0)
  })

  it('lets nobody new in while too many wait, and forgets those that have waited', async () => {
    const clock = new ManualClock()
    const count = new FailureCount(clock, 2, 3)
    const fail = (who: string) => [1, 2].forEach(() => count.add(who))
    count.add('known')
    fail('a')
    await clock.advance(20_000)
    fail('b')
    fail('c')
    assert.deepEqual(
      ['a', 'b', 'c', 'known', 'new'].map((who) => count.pauseOf(who)),
      [40, 60, 60, 0, 40],
    )
    await clock.advance(40_000)
    assert.deepEqual(
      ['a', 'b', 'new'].map((who) => count.pauseOf(who)),
      [0, 20, 0],
    )
    fail('d')
    assert.equal(count.pauseOf('new'), 20)
  })
})
