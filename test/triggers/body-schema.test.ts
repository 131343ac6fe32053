import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Body } from '../../src/core/body.ts'
import { compileBodySchema } from '../../src/triggers/body-schema.ts'

function compiled(schema: object) {
  const result = compileBodySchema(schema)
  assert.ok('check' in result, JSON.stringify(result))
  return result
}

function mistakes(schema: unknown) {
  const result = compileBodySchema(schema)
  assert.ok(!('check' in result))
  return result.map(({ message, at }) => [at.join('.'), message])
}

const misfit = (schema: object, text: string) =>
  compiled(schema).check(Body.ofBytes(Buffer.from(text), 'application/json'))?.message

const ORDER = {
  type: 'object',
  required: ['id', 'items'],
  additionalProperties: false,
  properties: {
    id: { type: 'string', maxLength: 5, format: 'uuid' },
    state: { enum: ['new', 'paid'] },
    'a/b': { type: 'integer' },
    items: {
      type: 'array',
      uniqueItems: true,
      items: { type: 'object', properties: { qty: { type: 'integer', minimum: 1 } } },
    },
  },
}

test('a misfit names the place by a JSON pointer and never a value', () => {
  const misfits = {
    '{"id":"a","items":[]}': undefined,
    '{"id":"a","items":[{"qty":"SECRET"}]}': '"#/items/0/qty" must be integer',
    '{"id":"a","items":[{"qty":-77}]}': '"#/items/0/qty" must be >= 1',
    '{"id":"SECRET","items":[]}': '"#/id" must NOT have more than 5 characters',
    '{"id":"a"}': '"#/items" is missing',
    '{"id":"a","items":[],"a/c~":1}': '"#/a~1c~0" is not known here',
    '{"id":"a","items":[],"a/b":"SECRET"}': '"#/a~1b" must be integer',
    '{"id":"a","items":[],"state":"SECRET"}': '"#/state" must be one of "new", "paid"',
    '{"id":"a","items":[{"qty":1,"x":2},{"x":2,"qty":1}]}': '"#/items" must not have the same item twice',
    '["SECRET"]': 'the body must be object',
    '': 'the body is empty',
    '{"id":"a","items":[],"__proto__":{}}': '"#/__proto__" is not known here',
  }
  for (const [text, message] of Object.entries(misfits)) assert.equal(misfit(ORDER, text), message, text)
})

test('what is no JSON is told as that', () => {
  const failure = compiled(ORDER).check(Body.ofBytes(Buffer.from('{'), 'application/json'))
  assert.equal(failure?.code, 'body.invalid')
})

test('properties of every object are not taken for those of the body', () => {
  assert.equal(misfit({ type: 'object', required: ['toString'] }, '{}'), '"#/toString" is missing')
})

test('large integers are integers', () => {
  const schema = { type: 'object', properties: { id: { type: 'integer' } } }
  assert.equal(misfit(schema, '{"id":12345678901234567890}'), undefined)
})

test('patterns and unique items take no more than linear time', () => {
  const slow = { type: 'string', pattern: '^(a+)+$' }
  assert.equal(
    misfit(slow, JSON.stringify(`${'a'.repeat(50_000)}!`)),
    'the body must match pattern "^(a+)+$"',
  )
  const items = Array.from({ length: 50_000 }, (_, n) => ({ n }))
  assert.equal(misfit({ type: 'array', uniqueItems: true }, JSON.stringify(items)), undefined)
})

test('possibilities are told as a whole', () => {
  const schema = { oneOf: [{ type: 'string' }, { type: 'integer' }] }
  assert.equal(misfit(schema, 'true'), 'the body does not fit exactly one of the possibilities')
})

test('references inside the schema, words of OpenAPI and notes are fine; draft 7 is, where it is named', () => {
  const schema = {
    'x-owner': 'shop',
    example: {},
    $ref: '#/$defs/order',
    $defs: { order: { type: 'object', required: ['id'], 'x-note': 1 } },
  }
  assert.equal(misfit(schema, '{}'), '"#/id" is missing')
  const seven = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'array',
    items: [{ type: 'string' }, { type: 'integer' }],
  }
  assert.equal(misfit(seven, '["a", "b"]'), '"#/1" must be integer')
})

test('mistakes of a schema have their place in it', () => {
  assert.deepEqual(mistakes({ type: 'object', require: ['id'] }), [
    ['require', '"require" is no keyword of JSON Schema; did you mean "required"?'],
  ])
  assert.deepEqual(mistakes({ properties: { a: { type: 'objekt' } } })[0]![0], 'properties.a.type')
  assert.deepEqual(mistakes({ properties: { a: { minLength: 'x' } } }), [
    ['properties.a.minLength', '"minLength" must be integer'],
  ])
  assert.deepEqual(mistakes({ $ref: 'https://example.com/a.json' }), [
    ['$ref', '"https://example.com/a.json" leads out of the schema'],
  ])
  assert.deepEqual(mistakes({ items: { $ref: '#/$defs/no' } }), [
    ['items.$ref', 'there is nothing at "#/$defs/no"'],
  ])
  assert.equal(
    mistakes({ properties: { a: { type: 'string', pattern: '(?=a)' } } })[0]![0],
    'properties.a.pattern',
  )
  assert.deepEqual(mistakes({ $schema: 'http://json-schema.org/draft-04/schema#' }), [
    ['$schema', 'this version of JSON Schema is not known'],
  ])
  assert.deepEqual(mistakes([]), [['', 'a JSON Schema is a map']])
})

test('a schema that takes more than it seems to is warned of', () => {
  const { warnings } = compiled({ type: 'object', properties: { 'a/b': { minLength: 3 } } })
  assert.deepEqual(
    warnings.map(({ at, message }) => [at, message]),
    [
      [
        ['properties', 'a/b'],
        '"minLength" says nothing of values that are no string, and "type: string" is missing',
      ],
    ],
  )
})
