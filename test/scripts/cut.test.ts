import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cutAtWord } from '../../src/scripts/cut.ts'

test('a text that is too long ends with a whole word', () => {
  assert.equal(cutAtWord('one two', 7), 'one two')
  assert.equal(cutAtWord('one two three', 9), 'one two …')
  assert.equal(cutAtWord('{"a":"Bearer abc.def"}', 18), '{"a":"Bearer …')
  assert.equal(cutAtWord('a=1&token=abcdef', 14), 'a=1&…')
  assert.equal(cutAtWord('abcdefgh', 4), '…')
})
