import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Dispatcher } from 'undici'
import { Failure } from '../../src/core/failure.ts'
import { exchange } from '../../src/net/client.ts'
import { ManualClock } from '../support/clock.ts'
import {
  collected,
  dispatchers,
  failureOf,
  fetchFrom,
  rawReceiver,
  receiver,
  tcpReceiver,
  TestRun,
  textOf,
} from './fixture.ts'

test('a small answer arrives in memory, with its headers in lower case', async (t) => {
  const { origin, requests } = await receiver(t, (_, reply) => {
    reply.setHeader('X-Two', ['a', 'b'])
    reply.setHeader('set-cookie', ['a=1', 'b=2'])
    reply.end('hello')
  })
  const answer = await fetchFrom(t, origin, { path: '/x?y=1', headers: ['x-own', 'v'] })
  assert.equal(answer.status, 200)
  assert.ok(Buffer.isBuffer(answer.body))
  assert.equal(collected(answer), 'hello')
  assert.equal(answer.headers['x-two'], 'a, b')
  assert.equal(answer.headers['set-cookie'], 'a=1\nb=2')
  assert.equal(requests[0]!.line, 'GET /x?y=1')
  assert.equal(requests[0]!.headers['x-own'], 'v')
  assert.equal(requests[0]!.headers['accept-encoding'], undefined)
})

test('an answer longer than `collect` becomes a stream that knows its length', async (t) => {
  const text = 'x'.repeat(1000)
  const { origin } = await receiver(t, (_, reply) => reply.end(text))
  const answer = await fetchFrom(t, origin, { collect: 999 })
  assert.ok(answer.body instanceof Readable)
  assert.equal(answer.length, 1000)
  assert.equal(await textOf(answer.body), text)
  assert.ok(Buffer.isBuffer((await fetchFrom(t, origin, { collect: 1000 })).body))
})

test('an answer without a length is collected up to `collect` and is a stream beyond', async (t) => {
  const { origin } = await receiver(t, (request, reply) => {
    reply.write('a'.repeat(600))
    reply.write('b'.repeat(300))
    if (request.url === '/long') reply.write('c'.repeat(200))
    reply.end()
  })
  const short = await fetchFrom(t, origin, { collect: 1000 })
  assert.ok(Buffer.isBuffer(short.body))
  assert.equal(collected(short), 'a'.repeat(600) + 'b'.repeat(300))
  const long = await fetchFrom(t, origin, { path: '/long', collect: 1000 })
  assert.ok(long.body instanceof Readable)
  assert.equal(long.length, undefined)
  assert.equal(await textOf(long.body), 'a'.repeat(600) + 'b'.repeat(300) + 'c'.repeat(200))
})

test('answers without a body: 204, 304, HEAD with a length, early hints before the answer', async (t) => {
  const { origin } = await receiver(t, (request, reply) => {
    if (request.url === '/hints') reply.writeEarlyHints({ link: '</a>; rel=preload' })
    if (request.url === '/204') reply.statusCode = 204
    if (request.url === '/304') reply.statusCode = 304
    if (request.method === 'HEAD') reply.setHeader('content-length', '100000')
    reply.end(request.url === '/hints' ? 'after the hints' : undefined)
  })
  for (const [method, path, status] of [
    ['GET', '/204', 204],
    ['GET', '/304', 304],
    ['HEAD', '/', 200],
  ] as const) {
    const answer = await fetchFrom(t, origin, { method, path, limit: 10 })
    assert.deepEqual([answer.status, answer.body], [status, Buffer.alloc(0)])
  }
  assert.equal(await textOf((await fetchFrom(t, origin, { path: '/hints' })).body), 'after the hints')
})

test('connections are kept and used again', async (t) => {
  const receives = await receiver(t, (_, reply) => reply.end('ok'))
  const shared = dispatchers(t, { connections: 1 })
  for (let i = 0; i < 5; i++) await fetchFrom(t, receives.origin, {}, { dispatchers: shared })
  assert.equal(receives.connections, 1)
})

/** Answers the first request of each connection, and closes it at the second one without a word. */
function closesAtSecond(t: Parameters<typeof tcpReceiver>[0], seen: string[]): Promise<string> {
  return tcpReceiver(t, (socket) => {
    let requests = 0
    socket.on('data', (chunk) => {
      seen.push(chunk.toString().split(' ')[0]!)
      if (++requests === 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
      else socket.destroy()
    })
  })
}

for (const [method, body] of [
  ['GET', null],
  ['PUT', Buffer.from('whole')],
  ['DELETE', null],
] as const)
  test(`a ${method} on a connection that the receiver closed meanwhile is sent once more`, async (t) => {
    const seen: string[] = []
    const origin = await closesAtSecond(t, seen)
    const shared = dispatchers(t, { connections: 1 })
    for (let i = 0; i < 2; i++) {
      const answer = await fetchFrom(t, origin, { method, body }, { dispatchers: shared })
      assert.equal(collected(answer), 'ok')
    }
    assert.deepEqual(seen, [method, method, method])
  })

for (const [name, method, body] of [
  ['a POST', 'POST', () => Buffer.from('order')],
  ['a PUT with a stream', 'PUT', () => Readable.from([Buffer.from('order')])],
] as const)
  test(`${name} on a connection that the receiver closed meanwhile fails and is not sent again`, async (t) => {
    const seen: string[] = []
    const origin = await closesAtSecond(t, seen)
    const shared = dispatchers(t, { connections: 1 })
    await fetchFrom(t, origin, { method: 'GET' }, { dispatchers: shared })
    const failure = await failureOf(fetchFrom(t, origin, { method, body: body() }, { dispatchers: shared }))
    assert.equal(failure.code, 'receiver.unreachable')
    assert.match(failure.message, /closed the connection without an answer/)
    assert.equal(seen.filter((word) => word === method).length, 1)
  })

test('a new connection that is closed without an answer is not tried again', async (t) => {
  let connections = 0
  const origin = await tcpReceiver(t, (socket) => {
    connections++
    socket.on('data', () => socket.end())
  })
  const failure = await failureOf(fetchFrom(t, origin))
  assert.equal(failure.code, 'receiver.unreachable')
  assert.equal(connections, 1)
})

test('a request that never stops losing its connection is sent twice, not more', async (t) => {
  const seen: string[] = []
  const origin = await tcpReceiver(t, (socket) => {
    socket.on('data', (chunk) => {
      seen.push(chunk.toString().split(' ')[1]!)
      if (seen.length === 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
      else socket.resetAndDestroy()
    })
  })
  const shared = dispatchers(t, { connections: 1 })
  await fetchFrom(t, origin, {}, { dispatchers: shared })
  const failure = await failureOf(fetchFrom(t, origin, { path: '/again' }, { dispatchers: shared }))
  assert.equal(failure.code, 'receiver.unreachable')
  assert.deepEqual(seen, ['/', '/again', '/again'])
})

test('a body that breaks off: in memory the request fails, as a stream the stream does', async (t) => {
  const origin = await tcpReceiver(t, (socket) => {
    socket.on('data', () =>
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this, SECRET-BODY'),
    )
  })
  for (const failure of [
    await failureOf(fetchFrom(t, origin)),
    await failureOf(fetchFrom(t, origin, { collect: 10 }).then(({ body }) => textOf(body))),
  ]) {
    assert.equal(failure.code, 'receiver.broken')
    assert.match(
      failure.message,
      /^"127\.0\.0\.1:\d+" broke off in the middle of its answer|ended before its content-length/,
    )
    assert.ok(!JSON.stringify([failure.message, failure.hint, failure.cause]).includes('SECRET-BODY'))
  }
})

test('an answer that is no HTTP fails without quoting it', async (t) => {
  const origin = await tcpReceiver(t, (socket) =>
    socket.on('data', () => socket.end('220 SECRET-BODY smtp ready\r\n')),
  )
  const failure = await failureOf(fetchFrom(t, origin))
  assert.equal(failure.code, 'receiver.broken')
  assert.match(failure.message, /is no valid HTTP/)
  assert.ok(!JSON.stringify([failure.message, failure.hint, failure.cause]).includes('SECRET-BODY'))
})

test('an answer over the limit fails: announced, collected or streamed', async (t) => {
  const { origin } = await receiver(t, (request, reply) => {
    if (request.url === '/known') reply.setHeader('content-length', 2000)
    reply.write('x'.repeat(1000))
    reply.end('x'.repeat(1000))
  })
  for (const request of [
    { path: '/known', limit: 1999, collect: Infinity },
    { path: '/unknown', limit: 1999, collect: Infinity },
    { path: '/unknown', limit: 1999, collect: 10 },
  ]) {
    const failure = await failureOf(fetchFrom(t, origin, request).then(({ body }) => textOf(body)))
    assert.equal(failure.code, 'receiver.too-large')
    assert.match(failure.message, /is larger than 1999 bytes/)
  }
  const whole = await fetchFrom(t, origin, { path: '/known', limit: 2000, collect: Infinity })
  assert.equal((await textOf(whole.body)).length, 2000)
})

test('a slow reader holds the receiver back; an answer that is let go ends the connection', async (t) => {
  let written = 0
  let closed: () => void
  const whenClosed = new Promise<void>((resolve) => (closed = resolve))
  const origin = await rawReceiver(t, (_, reply) => {
    const chunk = Buffer.alloc(64 * 1024)
    const write = () => {
      while (reply.write(chunk)) written += chunk.length
      written += chunk.length
    }
    reply.on('drain', write).on('close', () => closed())
    write()
  })
  const { body } = await fetchFrom(t, origin)
  assert.ok(body instanceof Readable)
  let before = -1
  while (before !== written) {
    before = written
    for (let i = 0; i < 20; i++) await turn()
  }
  assert.ok(written < 32 * 1024 * 1024, `${written} bytes were sent though nobody reads`)
  for (let read = 0; read <= before + 8 * 1024 * 1024;) {
    const chunk = body.read() as Buffer | null
    if (chunk) read += chunk.length
    else await turn()
  }
  assert.ok(written > before)
  body.destroy()
  await whenClosed
})

test('256 MB from one receiver into the next stay out of memory', async (t) => {
  const total = 256 * 1024 * 1024
  const source = await rawReceiver(t, (_, reply) => {
    const chunk = Buffer.alloc(256 * 1024, 'x')
    let left = total
    const write = () => {
      let ready = true
      while (left > 0 && ready) {
        left -= chunk.length
        ready = reply.write(chunk)
      }
      if (ready) reply.end()
      else reply.once('drain', write)
    }
    write()
  })
  let peak = 0
  const target = await rawReceiver(t, (request, reply) => {
    let received = 0
    request.on('data', (chunk: Buffer) => {
      received += chunk.length
      const { arrayBuffers, heapUsed } = process.memoryUsage()
      peak = Math.max(peak, arrayBuffers + heapUsed)
    })
    request.on('end', () => reply.end(`${request.headers['transfer-encoding']} ${received}`))
  })
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  const { body } = await fetchFrom(t, source)
  assert.ok(body instanceof Readable)
  const answer = await fetchFrom(t, target, { method: 'POST', body })
  assert.equal(collected(answer), `chunked ${total}`)
  assert.ok(
    peak - arrayBuffers - heapUsed < 96 * 1024 * 1024,
    `${(peak - arrayBuffers - heapUsed) / 1024 / 1024} MB`,
  )
})

test("a request stream of known length goes out with it; one that breaks off fails as the sender's", async (t) => {
  const { origin, requests } = await receiver(t, (_, reply) => reply.end('ok'))
  await fetchFrom(t, origin, {
    method: 'POST',
    body: Readable.from([Buffer.from('abc'), Buffer.from('de')]),
    bodyLength: 5,
  })
  assert.equal(requests[0]!.headers['content-length'], '5')
  assert.equal(requests[0]!.body, 'abcde')
  const broken = new Readable({ read() {} })
  broken.push('abc')
  const failing = failureOf(fetchFrom(t, origin, { method: 'POST', body: broken }))
  await turn()
  broken.destroy(new Error('aborted'))
  assert.equal((await failing).code, 'body.cut-off')
  const short = Readable.from([Buffer.from('abc')])
  assert.equal(
    (await failureOf(fetchFrom(t, origin, { method: 'POST', body: short, bodyLength: 5 }))).code,
    'body.cut-off',
  )
})

for (const code of ['body.cut-off', 'body.too-large', 'receiver.timeout'])
  test(`a request stream that fails with ${code} fails the request with just that, whenever it happens`, async (t) => {
    const origin = await rawReceiver(t, (request, reply) => {
      request.on('error', () => {})
      if (request.url === '/echo') request.pipe(reply.writeHead(200))
      else request.resume()
    })
    const failure = new Failure(code, 'what the source says')
    const broken = new Readable({ read() {} })
    broken.on('error', () => {}).destroy(failure)
    assert.equal(await failureOf(fetchFrom(t, origin, { method: 'POST', body: broken })), failure)
    for (const path of ['/', '/echo'])
      for (const bodyLength of [undefined, 1000]) {
        const body = new Readable({ read() {} })
        body.push('abc')
        const sending = fetchFrom(t, origin, {
          ...{ method: 'POST', path, body, collect: 2 },
          ...(bodyLength === undefined ? {} : { bodyLength }),
        })
        if (path === '/') await turn()
        else await sending
        body.destroy(failure)
        assert.equal(await failureOf(sending.then((answer) => textOf(answer.body))), failure)
      }
  })

test('a request stream that has failed is what is told, even when the connection breaks before it says so', async (t) => {
  const failure = new Failure('body.too-large', 'what the source says')
  let say = () => {}
  const body = new Readable({
    read() {},
    destroy: (error, done) => void (say = () => done(error)),
  })
  const origin = await tcpReceiver(t, (socket) =>
    socket.on('data', (chunk) => {
      if (!chunk.includes('abc')) return
      body.destroy(failure)
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this')
      socket.end()
    }),
  )
  body.push('abc')
  assert.equal(await failureOf(fetchFrom(t, origin, { method: 'POST', body })), failure)
  say()
})

test('a receiver that answers before the request is there ends the request stream', async (t) => {
  const origin = await rawReceiver(t, (_, reply) => {
    reply.writeHead(413, { connection: 'close' }).end('too large')
  })
  const body = new Readable({ read() {} })
  body.push(Buffer.alloc(1000))
  const answer = await fetchFrom(t, origin, { method: 'POST', body })
  assert.equal(answer.status, 413)
  while (!body.destroyed) await turn()
})

/** Never connects. */
class Nowhere extends Dispatcher {
  open = 0
  override dispatch(): boolean {
    return true
  }
  connected(): number {
    return this.open
  }
}

test('time-outs say what was waited for: the connection', async () => {
  const clock = new ManualClock()
  const nowhere = new Nowhere()
  const until = new TestRun()
  until.deadline = 60_000
  const base = {
    origin: 'https://api.example.com',
    path: '/',
    method: 'GET',
    headers: [],
    body: null,
    until,
    collect: 0,
    limit: 0,
  }
  const first = failureOf(exchange(nowhere, clock, { ...base, connectTimeout: 10_000 }))
  await clock.advance(10_050)
  const failure = await first
  assert.equal(failure.code, 'receiver.timeout')
  assert.match(failure.message, /^no connection to "api\.example\.com" within 10 s$/)
  nowhere.open = 1
  const second = failureOf(exchange(nowhere, clock, { ...base, connectTimeout: 10_000 }))
  await clock.advance(50_000)
  assert.match(
    (await second).message,
    /^no connection to "api\.example\.com" within 50 s$/,
    'waits its turn until the deadline',
  )
  assert.equal(until.listeners, 0)
})

test('time-outs say what was waited for: the answer, the rest of it, a byte of the body', async (t) => {
  const clock = new ManualClock()
  let begun: () => void
  const origin = await rawReceiver(t, (request, reply) => {
    if (request.url === '/rest') reply.writeHead(200, { 'content-length': '10' }).write('12345')
    if (request.url === '/stream')
      reply.writeHead(200, { 'content-length': '100000' }).write('x'.repeat(50_000))
    begun()
  })
  const world = { clock } as never
  const attempt = async (path: string, rest: object, ms: number) => {
    const until = new TestRun()
    until.deadline = clock.ticks() + 5000
    const reached = new Promise<void>((resolve) => (begun = resolve))
    const failing = failureOf(
      fetchFrom(t, origin, { path, until, ...rest }, { world }).then(({ body }) => textOf(body)),
    )
    await reached
    for (let i = 0; i < 50; i++) await turn()
    await clock.advance(ms)
    const failure = await failing
    assert.equal(failure.code, 'receiver.timeout')
    assert.equal(until.listeners, 0)
    return failure.message.replace(/127\.0\.0\.1:\d+/, 'host')
  }
  assert.equal(await attempt('/none', {}, 5050), 'no answer from "host" within 5 s')
  assert.equal(await attempt('/none', { deadlineOf: 'outer' }, 5050), 'no answer from "host" within 5 s')
  assert.equal(await attempt('/none', { readTimeout: 1500 }, 1600), 'no answer from "host" within 1.5 s')
  assert.equal(await attempt('/rest', {}, 5050), 'the answer of "host" was not complete within 5 s')
  assert.equal(await attempt('/stream', {}, 61_000), 'no byte of the body from "host" for 60 s')
})

test('a stream outlives the deadline while bytes come, and a paused one is not held against the receiver', async (t) => {
  const clock = new ManualClock()
  const origin = await rawReceiver(t, (_, reply) => {
    reply.writeHead(200)
    const write = () => {
      while (reply.write(Buffer.alloc(256 * 1024)));
    }
    reply.on('drain', write)
    write()
  })
  const until = new TestRun()
  until.deadline = 5000
  const { body } = await fetchFrom(t, origin, { until }, { world: { clock } as never })
  assert.ok(body instanceof Readable)
  await clock.advance(300_000)
  assert.equal(body.destroyed, false)
  const failed = new Promise<Failure>((resolve) => body.on('error', resolve as never))
  await clock.advance(400_000)
  assert.match((await failed).message, /nobody read the body of "127\.0\.0\.1:\d+" for 600 s/)
})

test('a request that is called off ends at once: before it is sent, while it waits, while it streams', async (t) => {
  const closed: (() => void)[] = []
  const origin = await rawReceiver(t, (request, reply) => {
    request.on('close', () => closed.shift()?.())
    if (request.url === '/stream') reply.writeHead(200).write(Buffer.alloc(100_000))
  })
  const gone = new TestRun()
  gone.cancel()
  assert.equal((await failureOf(fetchFrom(t, origin, { until: gone }))).code, 'flow.cancelled')

  const waiting = new TestRun()
  const first = failureOf(fetchFrom(t, origin, { until: waiting }))
  const firstClosed = new Promise<void>((resolve) => closed.push(resolve))
  for (let i = 0; i < 50; i++) await turn()
  waiting.cancel()
  assert.equal((await first).code, 'flow.cancelled')
  await firstClosed

  const streaming = new TestRun()
  const answer = await fetchFrom(t, origin, { until: streaming, path: '/stream' })
  const secondClosed = new Promise<void>((resolve) => closed.push(resolve))
  const second = failureOf(textOf(answer.body))
  streaming.cancel()
  assert.equal((await second).code, 'flow.cancelled')
  await secondClosed
})

test('a request whose time is up is not sent', async (t) => {
  const { origin, requests } = await receiver(t, (_, reply) => reply.end())
  const until = new TestRun()
  until.deadline = 0
  assert.equal((await failureOf(fetchFrom(t, origin, { until }))).code, 'receiver.timeout')
  assert.deepEqual(requests, [])
})

test('a request called off in the queue leaves the connection to the others', async (t) => {
  const receives = await receiver(t, (_, reply) => reply.end('ok'))
  const shared = dispatchers(t, { connections: 1 })
  const until = new TestRun()
  const first = fetchFrom(t, receives.origin, {}, { dispatchers: shared })
  const second = failureOf(fetchFrom(t, receives.origin, { until, path: '/never' }, { dispatchers: shared }))
  until.cancel()
  assert.equal((await second).code, 'flow.cancelled')
  await first
  await fetchFrom(t, receives.origin, { path: '/later' }, { dispatchers: shared })
  assert.deepEqual(
    receives.requests.map(({ line }) => line),
    ['GET /', 'GET /later'],
  )
  assert.equal(receives.connections, 1)
})

test('a header that cannot be sent fails without its value', async (t) => {
  const failure = await failureOf(
    fetchFrom(t, 'http://127.0.0.1:1', { headers: ['x-a', 'SECRET\r\nx-b: 1'] }),
  )
  assert.equal(failure.code, 'request.invalid')
  assert.ok(!failure.message.includes('SECRET'))
})

test('a chunked answer that breaks off fails', async (t) => {
  const origin = await tcpReceiver(t, (socket) => {
    socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n'))
  })
  const failure = await failureOf(fetchFrom(t, origin))
  assert.equal(failure.code, 'receiver.broken')
  assert.match(failure.message, /broke off in the middle of its answer/)
})

test('a head that is too large fails', async (t) => {
  const origin = await tcpReceiver(t, (socket) => {
    socket.on('data', () => socket.end(`HTTP/1.1 200 OK\r\nx-a: ${'x'.repeat(100_000)}\r\n\r\n`))
  })
  const failure = await failureOf(fetchFrom(t, origin))
  assert.equal(failure.code, 'receiver.broken')
  assert.match(failure.message, /the head of the answer of .* is too large/)
})

test('a stream that breaks before anybody reads it fails its reader, not the process', async (t) => {
  const origin = await tcpReceiver(t, (socket) => {
    socket.on('data', () =>
      socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n${'x'.repeat(1000)}`),
    )
  })
  const { body } = await fetchFrom(t, origin, { collect: 10 })
  assert.ok(body instanceof Readable)
  while (!body.destroyed) await turn()
  assert.equal((await failureOf(textOf(body))).code, 'receiver.broken')
  const next = await receiver(t, (_, reply) => reply.end())
  assert.equal((await failureOf(fetchFrom(t, next.origin, { method: 'POST', body }))).code, 'receiver.broken')
})
