import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonMistakeAt } from '../../src/credentials/json-mistake.ts'

const texts = [
  '{}',
  '{"a":1}',
  ' { "a" : [ 1 , -2.5e+3 , true , null , "x\\n\\u00e9" ] } ',
  '[]',
  '"x"',
  '0',
  '{"a":{"b":{}}}',
  '',
  '{',
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  '{"a" 1}',
  '{a:1}',
  "{'a':1}",
  '{"a":svc}',
  '{"a":01}',
  '{"a":1}}',
  '[1 2]',
  '"a\nb"',
  '"\\x"',
  '{"a":"b',
  'nul',
]
test('it takes for JSON exactly what JSON.parse takes', () => {
  for (const text of texts) {
    let valid = true
    try {
      JSON.parse(text)
    } catch {
      valid = false
    }
    assert.equal(jsonMistakeAt(text) === undefined, valid, text)
  }
})

const places: [text: string, offset: number][] = [
  ['{ "userId": svc }', 12],
  ['{ "a": 1, }', 10],
  ['{ “a”: 1 }', 2],
  ['{"a":1', 6],
  ['{"a":1} x', 8],
  ['{"a" 1}', 5],
]
for (const [text, offset] of places) {
  test(`it tells where ${text} goes wrong`, () => {
    assert.equal(jsonMistakeAt(text), offset)
  })
}

test('a text that is nested without end is no JSON, and nothing breaks', () => {
  assert.equal(typeof jsonMistakeAt('['.repeat(100_000)), 'number')
})
