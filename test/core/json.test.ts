import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isBigInteger, MAX_DEPTH, parseJson, toText, typeName } from '../../src/core/json.ts'

describe('parseJson', () => {
  it('keeps integers beyond 2^53 exactly, wherever they stand', () => {
    const text = '{"id":12345678901234567890,"list":[-9007199254740993],"small":9007199254740991}'
    const value = parseJson(text) as { id: unknown; small: unknown }
    assert.ok(isBigInteger(value.id))
    assert.equal(value.small, Number.MAX_SAFE_INTEGER)
    assert.equal(JSON.stringify(value), text)
  })
  it('takes large numbers that are no integers for doubles', () => {
    assert.deepEqual(
      parseJson('[1234567890.12345678, 1e21, 12345678901234567890.5]'),
      [1234567890.1234567, 1e21, 12345678901234567000],
    )
  })
  it('takes digits in texts for texts', () => {
    assert.deepEqual(parseJson('{"id":"12345678901234567890"}'), { id: '12345678901234567890' })
  })
  it('refuses what is nested deeper than the limit, and nothing less deep', () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
    assert.doesNotThrow(() => parseJson(nested(MAX_DEPTH)))
    assert.throws(() => parseJson(nested(MAX_DEPTH + 1)), {
      name: 'SyntaxError',
      message: /nested deeper than 1000 levels/,
    })
    assert.throws(() => parseJson(nested(1_000_000)), { name: 'SyntaxError', message: /nested deeper/ })
  })
  it('counts no brackets inside of texts', () => {
    const text = JSON.stringify(`${'['.repeat(3000)}"\\`)
    assert.equal(parseJson(text), JSON.parse(text))
  })
  it('refuses what is no JSON', () => assert.throws(() => parseJson('{"a":1,}'), SyntaxError))
})

describe('typeName', () => {
  const cases: [unknown, string][] = [
    [null, 'null'],
    [undefined, 'null'],
    [true, 'boolean'],
    [1.5, 'number'],
    [parseJson('12345678901234567890'), 'number'],
    ['x', 'text'],
    [[], 'list'],
    [{}, 'map'],
    [new Uint8Array(1), 'bytes'],
  ]
  for (const [i, [value, name]] of cases.entries())
    it(`of value ${i + 1} is ${name}`, () => assert.equal(typeName(value), name))
})

describe('toText', () => {
  const cases: [string, unknown, string][] = [
    ['null', null, ''],
    ['undefined', undefined, ''],
    ['a text', 'x', 'x'],
    ['a whole number', 3.0, '3'],
    ['a fraction', 0.5, '0.5'],
    ['an integer beyond 2^53', parseJson('12345678901234567890'), '12345678901234567890'],
    ['a list', [1, 'x', null], '[1,"x",null]'],
    ['a map', { a: { b: true } }, '{"a":{"b":true}}'],
    ['bytes', new TextEncoder().encode('é'), 'é'],
    ['a boolean', false, 'false'],
  ]
  for (const [name, value, text] of cases) it(`of ${name}`, () => assert.equal(toText(value), text))
})
