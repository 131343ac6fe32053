import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import {
  brotliCompressSync,
  constants,
  createZstdCompress,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib'
import { Body } from '../../src/core/body.ts'
import { Message } from '../../src/core/message.ts'
import { letGo } from '../../src/net/answer-stream.ts'
import { failureOf, rawReceiver, receiver, textOf, TestRun } from '../net/fixture.ts'
import { settle } from '../support/clock.ts'
import { prepareHttp } from './http-fixture.ts'

async function get(t: TestContext, yaml: string, run = new TestRun()): Promise<Message> {
  const { step, problems } = await prepareHttp(t, yaml)
  assert.deepEqual(problems, [])
  const message = new Message(Body.ofText('before'))
  await step.run(message, run)
  return message
}

const encoders: Readonly<Record<string, (bytes: Uint8Array) => Buffer>> = {
  gzip: (bytes) => gzipSync(bytes),
  'X-GZIP': (bytes) => gzipSync(bytes),
  deflate: (bytes) => deflateSync(bytes),
  'deflate of the bare kind': (bytes) => deflateRawSync(bytes),
  br: (bytes) => brotliCompressSync(bytes),
  zstd: (bytes) => zstdCompressSync(bytes),
  'gzip, br': (bytes) => brotliCompressSync(gzipSync(bytes)),
  'identity, , zstd,deflate ': (bytes) => deflateSync(zstdCompressSync(bytes)),
  identity: (bytes) => Buffer.from(bytes),
}

/** Answers every path with this body, in this encoding. */
function encoded(t: TestContext, encoding: string, bytes: Buffer, chunked = false) {
  return receiver(t, (_, reply) => {
    reply.setHeader('content-type', 'application/json')
    reply.setHeader('content-encoding', encoding.replace(' of the bare kind', ''))
    if (!chunked) reply.setHeader('content-length', bytes.length)
    reply.setHeader('etag', '"1"')
    reply.write(bytes.subarray(0, 10))
    reply.end(bytes.subarray(10))
  })
}

for (const [encoding, encode] of Object.entries(encoders))
  test(`an answer in the encoding "${encoding}" is decoded, small or large, with or without its length`, async (t) => {
    const noise = randomBytes(90_000).toString('base64')
    for (const [value, small] of [
      [{ a: 'ä', list: [1, 2] }, true],
      [{ noise }, false],
    ] as const) {
      const text = JSON.stringify(value)
      for (const chunked of [false, true]) {
        const { origin } = await encoded(t, encoding, encode(Buffer.from(text)), chunked)
        const message = await get(t, `url: "${origin}"`)
        assert.equal(message.body.isStream, !small)
        if (encoding !== 'identity') assert.equal(message.body.length, small ? text.length + 1 : undefined)
        assert.equal(message.body.contentType, 'application/json')
        await message.body.load(1_000_000)
        assert.deepEqual(message.body.value(), value)
        const { headers } = message.response!
        assert.equal(headers['etag'], '"1"')
        if (encoding !== 'identity') {
          assert.equal(headers['content-encoding'], undefined)
          assert.equal(headers['content-length'], undefined)
        }
      }
    }
  })

test('what is small encoded and large decoded is a stream; into a property it goes as a whole', async (t) => {
  const text = JSON.stringify('x'.repeat(500_000))
  const { origin } = await encoded(t, 'gzip', gzipSync(text))
  const message = await get(t, `url: "${origin}"`)
  assert.equal(message.body.isStream, true)
  assert.equal((await textOf(message.body.take())).length, 500_002)
  const kept = await get(t, `{ url: "${origin}", into: found }`)
  assert.equal((kept.properties['found'] as string).length, 500_000)
  assert.equal(kept.body.text(), 'before')
})

test('maxResponse is a limit of the decoded answer, in memory and as a stream', async (t) => {
  const text = JSON.stringify('x'.repeat(500_000))
  const { origin } = await encoded(t, 'gzip', gzipSync(text))
  const small = await failureOf(get(t, `{ url: "${origin}", maxResponse: 50KB }`))
  assert.equal(small.code, 'receiver.too-large')
  assert.match(small.message, /decoded, is larger than 51200 bytes/)
  assert.deepEqual(small.receiver, { status: 200, host: new URL(origin).host })
  const large = await get(t, `{ url: "${origin}", maxResponse: 300KB }`)
  assert.equal((await failureOf(textOf(large.body.take()))).code, 'receiver.too-large')
  const fits = await get(t, `{ url: "${origin}", maxResponse: 600KB }`)
  assert.equal((await textOf(fits.body.take())).length, 500_002)
  const kept = await failureOf(get(t, `{ url: "${origin}", into: found, maxResponse: 300KB }`))
  assert.equal(kept.code, 'receiver.too-large')
})

test('a bomb ends the stream, though no limit was written; one that is meant goes through', async (t) => {
  const bomb = gzipSync(Buffer.alloc(80 * 1024 * 1024), { level: 9 })
  const { origin } = await encoded(t, 'gzip', bomb)
  const message = await get(t, `url: "${origin}"`)
  let size = 0
  const failure = await failureOf(async () => {
    for await (const chunk of message.body.take()) size += (chunk as Buffer).length
  })
  assert.equal(failure.code, 'receiver.too-large')
  assert.match(failure.message, /more than 200 times as large as what came/)
  assert.match(failure.hint!, /maxResponse/)
  assert.ok(size <= 64 * 1024 * 1024)
  const meant = await get(t, `{ url: "${origin}", maxResponse: 100MB }`)
  size = 0
  for await (const chunk of meant.body.take()) size += (chunk as Buffer).length
  assert.equal(size, 80 * 1024 * 1024)
})

test('an answer for zstd cannot make us keep more than 8 MiB', async (t) => {
  const stream = createZstdCompress({ params: { [constants.ZSTD_c_windowLog]: 27 } })
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.write(randomBytes(100_000))
  stream.end()
  await once(stream, 'end')
  const { origin } = await encoded(t, 'zstd', Buffer.concat(chunks))
  const failure = await failureOf(async () => {
    const message = await get(t, `url: "${origin}"`)
    await message.body.load(1_000_000)
  })
  assert.equal(failure.code, 'receiver.broken')
})

for (const encoding of ['gzip', 'deflate', 'br', 'zstd'] as const)
  test(`a body that is not what "${encoding}" says, or ends too early, fails the step or the stream`, async (t) => {
    const encode = encoders[encoding]!
    const half = (bytes: Buffer) => bytes.subarray(0, bytes.length - 7)
    const small = encode(Buffer.from('{"a":"some text that is worth it"}'))
    for (const bytes of [Buffer.from('{"plain":"text that nobody compressed"}'), half(small)]) {
      const { origin } = await encoded(t, encoding, bytes)
      const failure = await failureOf(get(t, `url: "${origin}"`))
      assert.equal(failure.code, 'receiver.broken')
      assert.match(
        failure.message,
        new RegExp(`is not what the encoding "${encoding}" says, or ends too early`),
      )
      assert.doesNotMatch(failure.message, /plain|text that/)
    }
    const { origin } = await encoded(t, encoding, half(encode(randomBytes(200_000))))
    const message = await get(t, `url: "${origin}"`)
    assert.equal((await failureOf(textOf(message.body.take()))).code, 'receiver.broken')
  })

test('an answer without a body says nothing by its encoding', async (t) => {
  const { origin } = await receiver(t, (request, reply) => {
    reply.setHeader('content-encoding', 'gzip')
    if (request.url === '/204') reply.writeHead(204)
    reply.end()
  })
  assert.equal((await get(t, `{ url: "${origin}", method: HEAD }`)).body.isEmpty, true)
  assert.equal((await get(t, `{ url: "${origin}/204" }`)).body.isEmpty, true)
  assert.equal((await get(t, `{ url: "${origin}/empty" }`)).body.isEmpty, true)
})

/** Sends noise as gzip for as long as it is taken; tells how much went out. */
async function endless(t: TestContext) {
  const sent = { bytes: 0 }
  const piece = gzipSync(randomBytes(256 * 1024), { level: 0 })
  const closed: Promise<unknown>[] = []
  const origin = await rawReceiver(t, (_, reply) => {
    reply.setHeader('content-encoding', 'gzip')
    closed.push(once(reply, 'close'))
    const more = (): void => {
      while (!reply.destroyed) {
        sent.bytes += piece.length
        if (!reply.write(piece)) break
      }
    }
    reply.on('drain', more)
    more()
  })
  return { origin, sent, closed }
}

test('a decoded stream holds the receiver back while nobody reads', async (t) => {
  const { origin, sent, closed } = await endless(t)
  const message = await get(t, `url: "${origin}"`)
  const body = message.body.take()
  const standstill = async () => {
    let before: number
    do {
      before = sent.bytes
      for (let i = 0; i < 10_000; i++) await settle()
    } while (sent.bytes > before && sent.bytes < 200_000_000)
    assert.ok(sent.bytes < 100_000_000, `${sent.bytes} bytes were taken`)
  }
  await standstill()
  await once(body, 'readable')
  for (let i = 0; i < 5; i++) {
    while (body.read() !== null);
    await settle()
  }
  await standstill()
  const held = sent.bytes
  let read = 0
  for await (const chunk of body) {
    read += (chunk as Buffer).length
    if (read > held + 1_000_000) break
  }
  assert.ok(sent.bytes > held)
  await closed[0]
})

test('letting go of a decoded stream, or calling off its run, ends the connection', async (t) => {
  const { origin, closed } = await endless(t)
  const message = await get(t, `url: "${origin}"`)
  letGo(message.body)
  await closed[0]
  const run = new TestRun()
  const other = await get(t, `url: "${origin}"`, run)
  const reading = failureOf(textOf(other.body.take()))
  run.cancel()
  assert.equal((await reading).code, 'flow.cancelled')
  await closed[1]
})

test('a decoded answer goes on to the next receiver, whole', async (t) => {
  const text = randomBytes(400_000).toString('hex')
  const { origin } = await receiver(t, (request, reply, body) => {
    if (request.method === 'GET')
      reply
        .writeHead(200, { 'content-encoding': 'br', 'content-type': 'text/plain' })
        .end(brotliCompressSync(text))
    else reply.end(createHash('sha256').update(body).digest('hex'))
  })
  const message = await get(t, `url: "${origin}"`)
  const { step } = await prepareHttp(t, `{ url: "${origin}", method: POST }`)
  await step.run(message, new TestRun())
  assert.equal(message.body.bytes().toString(), createHash('sha256').update(text).digest('hex'))
})
