import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Flood } from '../../../src/commands/dev/flood.ts'

const takeMany = (flood: Flood<number>, key: string, count: number) =>
  Array.from({ length: count }, (_, i) => flood.take(key, i, i)).filter(Boolean).length

test('the first few of a kind are shown in a second, and the others counted', () => {
  const flood = new Flood<number>(3, 100)
  assert.equal(takeMany(flood, 'a', 10), 3)
  assert.equal(takeMany(flood, 'b', 2), 2)
  assert.deepEqual(flood.turn(), [{ key: 'a', count: 7, last: 9, durations: [3, 4, 5, 6, 7, 8, 9] }])
})

test('while it goes on all are counted; a second with few ends it', () => {
  const flood = new Flood<number>(3, 100)
  takeMany(flood, 'a', 10)
  flood.turn()
  assert.equal(takeMany(flood, 'a', 4), 0)
  assert.equal(flood.turn()[0]!.count, 4)
  assert.equal(takeMany(flood, 'a', 2), 0)
  assert.equal(flood.turn()[0]!.count, 2)
  assert.equal(takeMany(flood, 'a', 2), 2)
})

test('many kinds together have a bound, too', () => {
  const flood = new Flood<number>(3, 5)
  assert.equal(takeMany(flood, 'a', 3) + takeMany(flood, 'b', 3), 5)
  assert.deepEqual(
    flood.turn().map(({ key, count }) => [key, count]),
    [['b', 1]],
  )
})

test('it is quiet, and forgets the kinds, after a second without any', () => {
  const flood = new Flood<number>(3, 5)
  assert.ok(flood.isQuiet)
  takeMany(flood, 'a', 1)
  assert.ok(!flood.isQuiet)
  flood.turn()
  flood.turn()
  assert.ok(flood.isQuiet)
})
