import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wrap, wrapList } from '../../src/commands/wrap.ts'

test('a text is broken at spaces and at its own line ends; a long word keeps a line of its own', () => {
  assert.deepEqual(wrap('one two three', 8), ['one two', 'three'])
  assert.deepEqual(wrap('one two', 7), ['one two'])
  assert.deepEqual(wrap('a https://api.example.com/long b', 10), ['a', 'https://api.example.com/long', 'b'])
  assert.deepEqual(wrap('one\ntwo', 20), ['one', 'two'])
  assert.deepEqual(wrap('', 20), [''])
  assert.deepEqual(wrap('{\n  "a": "one two"\n}', 10), ['{', '  "a":', '  "one', '  two"', '}'])
})

test('a list is broken between its items, and in an item only where that is longer than a line', () => {
  assert.deepEqual(wrapList(['status 200', 'took 1 ms'], 21), ['status 200, took 1 ms'])
  assert.deepEqual(wrapList(['status 200', 'took 1 ms'], 20), ['status 200,', 'took 1 ms'])
  assert.deepEqual(wrapList(['a', 'one two three', 'b'], 8), ['a,', 'one two', 'three, b'])
  assert.deepEqual(wrapList(['one two three four', 'b'], 9), ['one two', 'three', 'four, b'])
})
