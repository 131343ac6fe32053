import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { Body, isJsonType, isTextType } from '../../src/core/body.ts'
import { Failure } from '../../src/core/failure.ts'

const JSON_TYPE = 'application/json'

function failsWith(code: string, message?: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof Failure)
    assert.equal(error.code, code)
    if (message) assert.match(error.message, message)
    return true
  }
}

function streamed(chunks: (string | Buffer)[], contentType?: string, length?: number): Body {
  return Body.ofStream(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), contentType, length)
}

describe('content types', () => {
  it('of JSON', () => {
    for (const type of [
      JSON_TYPE,
      'application/json; charset=utf-8',
      'Application/JSON',
      'application/problem+json',
    ])
      assert.ok(isJsonType(type), type)
    for (const type of [undefined, 'text/plain', 'application/jsonlines', 'application/x-json-stream'])
      assert.ok(!isJsonType(type), String(type))
  })
  it('of text', () => {
    for (const type of [
      'text/csv',
      'application/xml',
      'application/soap+xml',
      'application/x-www-form-urlencoded',
    ])
      assert.ok(isTextType(type), type)
    for (const type of [undefined, 'application/octet-stream', 'image/png'])
      assert.ok(!isTextType(type), String(type))
  })
})

describe('what a body holds', () => {
  it('bytes are parsed once, when somebody asks', () => {
    const body = Body.ofBytes(Buffer.from('{"a":[1]}'), JSON_TYPE)
    assert.deepEqual(body.value(), { a: [1] })
    assert.equal(body.value(), body.value())
    assert.equal(body.text(), '{"a":[1]}')
    assert.equal(body.length, 9)
  })
  it('integers beyond 2^53 go through unchanged', () => {
    const body = Body.ofBytes(Buffer.from('{"id":12345678901234567890}'), JSON_TYPE)
    assert.equal(Body.ofJson(body.value()).text(), '{"id":12345678901234567890}')
  })
  it('bytes of another type are text or bytes', () => {
    assert.equal(Body.ofBytes(Buffer.from('a;b'), 'text/csv').value(), 'a;b')
    assert.deepEqual(Body.ofBytes(Buffer.from([1, 2]), 'image/png').value(), Buffer.from([1, 2]))
    assert.deepEqual(Body.ofBytes(Buffer.from('x')).value(), Buffer.from('x'))
  })
  it('a view into larger memory is not more than itself', () => {
    const memory = new Uint8Array([65, 66, 67, 68])
    assert.equal(Body.ofBytes(memory.subarray(1, 3), 'text/plain').text(), 'BC')
  })
  it('a text of a JSON type is its value', () => assert.deepEqual(Body.ofText('[1]', JSON_TYPE).value(), [1]))
  it('empty is null, whatever the type', () => {
    for (const body of [Body.empty(), Body.empty(JSON_TYPE), Body.ofText('', JSON_TYPE), Body.ofText('')]) {
      assert.ok(body.isEmpty)
      assert.equal(body.value(), null)
    }
  })
  it('a JSON null is a value that is null', () => {
    const body = Body.ofBytes(Buffer.from('null'), JSON_TYPE)
    assert.equal(body.value(), null)
    assert.ok(!body.isEmpty)
  })
  it('a value is written once', () => {
    const body = Body.ofJson({ a: 1 })
    assert.equal(body.contentType, JSON_TYPE)
    assert.equal(body.text(), '{"a":1}')
    assert.equal(body.bytes(), body.bytes())
  })
})

describe('what an expression gives as a body', () => {
  it('maps and lists are JSON, text is text, bytes are bytes, null is empty', () => {
    assert.equal(Body.of({ a: 1 }).contentType, JSON_TYPE)
    assert.equal(Body.of('x').contentType, 'text/plain; charset=utf-8')
    assert.equal(Body.of(new Uint8Array([1])).contentType, 'application/octet-stream')
    assert.ok(Body.of(null).isEmpty)
  })
  it('keeps the former content type where it fits', () => {
    assert.equal(Body.of({}, undefined, 'application/hal+json').contentType, 'application/hal+json')
    assert.equal(Body.of({}, undefined, 'text/xml').contentType, JSON_TYPE)
    assert.equal(Body.of('x', undefined, 'text/xml').contentType, 'text/xml')
    assert.equal(Body.of('x', undefined, JSON_TYPE).contentType, 'text/plain; charset=utf-8')
  })
})

describe('another content type', () => {
  it('leaves bytes and values as they are', () => {
    assert.deepEqual(Body.ofBytes(Buffer.from('[1]'), 'text/plain').as(JSON_TYPE).value(), [1])
    assert.equal(Body.ofJson([1]).as('text/plain').value(), '[1]')
    assert.deepEqual(Body.ofJson([1]).as('application/hal+json').value(), [1])
  })
  it('moves a stream', async () => {
    const before = streamed(['[1]'], 'text/plain')
    const body = before.as(JSON_TYPE)
    assert.throws(() => before.take(), failsWith('body.consumed'))
    await body.load(100)
    assert.deepEqual(body.value(), [1])
  })
})

describe('mistakes', () => {
  it('what is no JSON fails and is not quoted', () => {
    const body = Body.ofBytes(Buffer.from('{"secret": hunter2}'), JSON_TYPE)
    assert.throws(
      () => body.value(),
      (error) => {
        assert.doesNotMatch((error as Error).message, /hunter2|secret/)
        return failsWith('body.invalid', /not JSON.*application\/json/)(error)
      },
    )
  })
  it('what ends too early says so', () =>
    assert.throws(() => Body.ofText('{"a":', JSON_TYPE).value(), failsWith('body.invalid', /ends too early/)))
  it('what is nested too deeply says so', () =>
    assert.throws(
      () => Body.ofText('['.repeat(5000), JSON_TYPE).value(),
      failsWith('body.invalid', /nested deeper than 1000/),
    ))
  it('an unknown charset says so', () =>
    assert.throws(
      () => Body.ofBytes(Buffer.from('x'), 'text/plain; charset=klingon').text(),
      failsWith('body.invalid', /klingon/),
    ))
})

describe('charsets', () => {
  it('are read as the content type says', () => {
    assert.equal(Body.ofBytes(Buffer.from([0xe9]), 'text/plain; charset=ISO-8859-1').text(), 'é')
    assert.equal(Body.ofBytes(Buffer.from([0xe9, 0]), 'text/plain; charset="utf-16le"').text(), 'é')
    assert.equal(Body.ofBytes(Buffer.from('é'), 'text/plain').text(), 'é')
  })
  it('a byte order mark is no part of the text', () => {
    const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from('[1]')])
    assert.deepEqual(Body.ofBytes(marked, JSON_TYPE).value(), [1])
  })
})

describe('streams', () => {
  it('cannot be looked at before they are loaded', () => {
    const body = streamed(['[1]'], JSON_TYPE)
    assert.ok(body.isStream)
    assert.ok(!body.repeatable)
    assert.throws(() => body.value(), failsWith('body.consumed'))
    assert.throws(() => body.text(), failsWith('body.consumed'))
  })
  it('are loaded once and then held', async () => {
    const body = streamed(['[1,', '2]'], JSON_TYPE)
    await body.load(100)
    await body.load(0)
    assert.deepEqual(body.value(), [1, 2])
    assert.ok(body.repeatable)
    assert.ok(!body.isStream)
  })
  it('are read once', async () => {
    const body = streamed(['x'])
    body.take()
    assert.throws(() => body.take(), failsWith('body.consumed'))
    await assert.rejects(body.load(100), failsWith('body.consumed'))
  })
  it('are loaded up to the limit, and no byte more', async () => {
    const exact = streamed(['abc', 'de'])
    await exact.load(5)
    assert.equal(exact.bytes().length, 5)
    await assert.rejects(streamed(['abc', 'def']).load(5), failsWith('body.too-large', /larger than 5 bytes/))
  })
  it('of a known length are refused before they are read, and let go', async () => {
    const source = Readable.from([Buffer.from('abcdef')])
    await assert.rejects(Body.ofStream(source, undefined, 6).load(5), failsWith('body.too-large'))
    assert.ok(source.destroyed)
  })
  it('that are too large are let go', async () => {
    const source = Readable.from([Buffer.from('abc'), Buffer.from('def'), Buffer.from('ghi')])
    await assert.rejects(Body.ofStream(source).load(5), failsWith('body.too-large'))
    assert.ok(source.destroyed)
  })
  it('hand on what they fail with', async () => {
    const source = new Readable({ read: () => source.destroy(new Failure('body.cut-off', 'gone')) })
    await assert.rejects(Body.ofStream(source).load(5), failsWith('body.cut-off'))
  })
  it('of length 0 are empty', async () => {
    const body = streamed([], JSON_TYPE, 0)
    assert.ok(body.isEmpty)
    await body.load(1)
    assert.equal(body.value(), null)
  })
})
