import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { Secret } from '../../src/core/secret.ts'
import { showable } from '../../src/security/showable.ts'

const redact = (text: string) => text.replaceAll('hunter22', '[secret]')
const show = (value: unknown) => showable(value, redact)

test('each text of a value is redacted, names too, and bytes are only counted', () => {
  const bytes = Buffer.from('hunter22')
  const value = {
    text: 'with hunter22',
    hunter22: [bytes, new Uint8Array(3), new DataView(new ArrayBuffer(2)), new ArrayBuffer(5)],
    map: new Map([['hunter22', new Set([bytes])]]),
    url: new URL('https://a.example.com/?q=hunter22'),
    secret: new Secret('x'),
    date: new Date(0),
    call: () => 'hunter22',
    plain: [1, true, null, undefined, 10n],
  }
  assert.deepEqual(show(value), {
    text: 'with [secret]',
    '[secret]': ['[8 bytes]', '[3 bytes]', '[2 bytes]', '[5 bytes]'],
    map: [['[secret]', ['[8 bytes]']]],
    url: 'https://a.example.com/?q=[secret]',
    secret: '[secret]',
    date: '1970-01-01T00:00:00.000Z',
    call: '[function]',
    plain: [1, true, null, undefined, 10n],
  })
})

test('an error keeps its class, stack, properties, causes and errors', () => {
  class OwnError extends RangeError {
    readonly code = 'OWN'
    readonly #text = 'hunter22'
    get text(): string {
      return this.#text
    }
    [inspect.custom](): string {
      return this.#text
    }
  }
  const error = Object.assign(new OwnError('a hunter22', { cause: new TypeError('b hunter22') }), {
    list: [new Error('c hunter22')],
  })
  const shown = show(new AggregateError([error, error], 'all hunter22')) as AggregateError
  assert.ok(shown instanceof AggregateError)
  assert.equal(shown.message, 'all [secret]')
  const [first, second] = shown.errors as OwnError[]
  assert.equal(first, second)
  assert.ok(first instanceof OwnError)
  assert.equal(first.code, 'OWN')
  const printed = inspect(shown, { depth: 9 })
  assert.doesNotMatch(printed, /hunter22/)
  for (const part of [
    /^AggregateError: all \[secret\]\n {4}at .*showable\.test\.ts/,
    /OwnError \[RangeError\]: a \[secret\]\n +at /,
    /code: 'OWN'/,
    /\[cause\]: TypeError: b \[secret\]\n +at /,
    /list: \[\s+Error: c \[secret\]\n +at /,
  ])
    assert.match(printed, part)
})

test('what is circular, deep, long or hostile comes to an end', () => {
  const round: Record<string, unknown> = { name: 'round' }
  round['self'] = round
  const copy = show(round) as Record<string, unknown>
  assert.equal(copy['self'], copy)
  let deep: unknown = 'hunter22'
  for (let i = 0; i < 100; i++) deep = { deep }
  assert.match(JSON.stringify(show(deep)), /^(\{"deep":){9}"\[\.\.\.\]"\}{9}$/)
  const long = show({ list: Array.from({ length: 250 }, (_, i) => i) }) as { list: unknown[] }
  assert.equal(long.list.length, 101)
  assert.equal(long.list.at(-1), '... 150 more')
  const hostile = Object.defineProperty(Object.create(null), 'trap', {
    enumerable: true,
    get() {
      throw new Error('sprung')
    },
  })
  assert.deepEqual(show(hostile), { trap: '[getter]' })
  assert.deepEqual(
    show(JSON.parse('{"__proto__":{"a":"hunter22"}}')),
    JSON.parse('{"__proto__":{"a":"[secret]"}}'),
  )
})
