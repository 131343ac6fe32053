import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Choice } from '../../../src/commands/dev/choice.ts'

const options = ['lms-items', 'orders', 'price-order'].map((name) => ({ name, about: `about ${name}` }))
const typed = (choice: Choice, keys: string) =>
  Array.from(keys)
    .map((key) => choice.press(key))
    .at(-1)

test('a number picks at once', () => {
  assert.equal(new Choice('Which?', options).press('2'), 'orders')
  assert.equal(new Choice('Which?', options).press('4'), undefined)
})

test('what is typed leaves those that have it in their name, those that begin with it first', () => {
  const choice = new Choice('Which?', options)
  assert.equal(typed(choice, 'OR'), undefined)
  assert.deepEqual(choice.lines(), [
    'Which? A number, or type and Enter; Esc: none.',
    '> 1  orders       about orders',
    '  2  price-order  about price-order',
    ': OR',
  ])
  assert.equal(choice.press('\r'), 'orders')
})

test('the arrows move, backspace takes back, and nothing is picked where nothing is left', () => {
  const choice = new Choice('Which?', options)
  choice.press('\x1b[B')
  choice.press('\x1b[B')
  choice.press('\x1b[B')
  choice.press('\x1b[A')
  assert.equal(choice.press('\r'), 'orders')
  assert.equal(typed(choice, 'xyz\r'), undefined)
  assert.match(choice.lines().join('\n'), /none is called like that/)
  typed(choice, '\x7f\x7f\x7f')
  assert.equal(choice.press('\r'), 'lms-items')
})

test('Esc picks none; the preferred one is first', () => {
  assert.equal(new Choice('Which?', options).press('\x1b'), null)
  assert.equal(new Choice('Which?', options, 'price-order').press('\r'), 'price-order')
})

test('of many, nine are shown and the others counted; typing finds them', () => {
  const many = Array.from({ length: 40 }, (_, i) => ({ name: `flow-${i}`, about: '' }))
  const choice = new Choice('Which?', many)
  assert.equal(choice.lines().length, 12)
  assert.match(choice.lines().at(-2)!, /and 31 more/)
  assert.equal(typed(choice, 'w-39\r'), 'flow-39')
})
