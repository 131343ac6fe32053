import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent } from 'node:http'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { Body } from '../../src/core/body.ts'
import { Failure } from '../../src/core/failure.ts'
import type { Routes } from '../../src/core/services.ts'
import { endpoint } from '../../src/triggers/endpoint.ts'
import { startServer } from '../server/start-server.ts'
import { call, rawCall } from '../support/http.ts'
import { host, prepare } from './deployment.ts'
import { echo, serve } from './serve-endpoint.ts'

test('a body of up to 64 KiB is in memory when the run begins; a longer or chunked one is a stream', async (t) => {
  const streams: boolean[] = []
  const flow = host(async ({ body }) => {
    streams.push(body.isStream)
    await body.load(1e9)
  })
  const { orders } = await serve(t, flow)
  const sizes = [1, 65_536, 65_537]
  for (const size of sizes) {
    const got = await call(orders, { method: 'POST', body: Buffer.alloc(size, 'a') })
    assert.equal(got.body.length, size)
  }
  const chunked = await call(orders, {
    method: 'POST',
    body: Readable.from([Buffer.from('a'), Buffer.from('b')]),
  })
  assert.equal(chunked.text, 'ab')
  assert.deepEqual(streams, [false, false, true, true])
})

test('a body that says it is too large is refused with 413 before the flow runs', async (t) => {
  const flow = echo()
  const { orders, url } = await serve(t, flow, { body: { limit: 10 } })
  assert.equal((await call(orders, { method: 'POST', body: '0123456789' })).status, 200)
  const got = await call(orders, { method: 'POST', body: '0123456789a' })
  assert.deepEqual([got.status, got.json().code], [413, 'body.too-large'])
  assert.match(got.json().detail, /10 bytes/)
  const huge = await rawCall(
    url,
    'POST /http/orders HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\nabc',
    '}\n',
  )
  assert.match(huge, /^HTTP\/1.1 413 [^]*connection: close/)
  assert.equal(flow.requests.length, 1)
})

test('a chunked body that grows too large fails the run with body.too-large and 413', async (t) => {
  let failed: unknown
  const flow = host(async ({ body }) => {
    await body.load(1e9).catch((error: unknown) => {
      failed = error
      throw error
    })
  })
  const { orders } = await serve(t, flow, { body: { limit: 100_000 } })
  const endless = new Readable({ read: () => void endless.push(Buffer.alloc(16_384)) })
  const got = await call(orders, {
    method: 'POST',
    body: endless,
    headers: { 'transfer-encoding': 'chunked' },
  })
  endless.destroy()
  assert.deepEqual([got.status, got.json().code, got.headers.connection], [413, 'body.too-large', 'close'])
  assert.match((failed as Failure).message, /100000 bytes/)
})

test('a caller that waits to be asked for its body is asked only when it is wanted', async (t) => {
  const { orders } = await serve(t, echo(), { body: { limit: 10 } })
  let asked = 0
  const send = (body: string) =>
    call(orders, {
      method: 'POST',
      body,
      headers: { expect: '100-continue', 'content-length': String(body.length) },
      onContinue: () => void asked++,
    })
  assert.equal((await send('0123456789')).text, '0123456789')
  assert.equal(asked, 1)
  const refused = await send('0123456789a')
  assert.deepEqual([refused.status, refused.headers.connection, asked], [413, 'close', 1])
})

test('a connection is used again after refusals and failures with unread bodies', async (t) => {
  let failure: Failure | undefined
  const flow = host(() => failure)
  const { orders } = await serve(t, flow, { body: { contentTypes: ['application/json'] } })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const body = Buffer.alloc(200_000, 'a')
  let sockets = 0
  agent.on('free', () => sockets++)
  const send = (type: string) =>
    call(orders, { method: 'POST', agent, body, headers: { 'content-type': type } })
  assert.equal((await send('text/plain')).status, 415)
  failure = new Failure('flow.failed', 'no')
  assert.equal((await send('application/json')).status, 500)
  failure = undefined
  assert.equal((await send('application/json')).body.length, 200_000)
  assert.equal((await call(orders, { method: 'GET', agent })).status, 405)
  assert.equal(sockets, 4)
})

test('a connection is used again after a body of which only the beginning was read', async (t) => {
  const flow = host(async (message) => {
    await once(message.body.take(), 'readable')
    message.body = Body.ofText('enough')
  })
  const { orders } = await serve(t, flow)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  let used = 0
  agent.on('free', () => used++)
  for (let i = 0; i < 2; i++) {
    const got = await call(orders, { method: 'POST', agent, body: Buffer.alloc(900_000) })
    assert.deepEqual([got.text, got.headers.connection], ['enough', 'keep-alive'])
  }
  assert.equal(used, 2)
})

test('a failure lets go of the stream that would have been the reply', async (t) => {
  const source = new Readable({ read() {} })
  const flow = host((message) => {
    message.body = Body.ofStream(source)
    return new Failure('flow.failed', 'no')
  })
  const { orders } = await serve(t, flow)
  assert.equal((await call(orders, { method: 'POST', body: 'x' })).status, 500)
  assert.equal(source.destroyed, true)
})

test('a long body is taken from the sender only as fast as the flow reads it', async (t) => {
  const size = 64 * 1024 * 1024
  const chunk = Buffer.alloc(64 * 1024)
  let made = 0
  let taken = 0
  let most = 0
  const source = new Readable({
    read() {
      this.push(made === size ? null : chunk)
      if (made < size) made += chunk.length
    },
  })
  const flow = host(async (message) => {
    for await (const piece of message.body.take()) {
      taken += (piece as Buffer).length
      most = Math.max(most, made - taken)
      await new Promise((resolve) => setImmediate(resolve))
    }
    message.body = Body.empty()
  })
  const { orders } = await serve(t, flow, { body: { limit: size } })
  assert.equal((await call(orders, { method: 'POST', body: source })).status, 204)
  assert.equal(taken, size)
  assert.ok(most < 24 * 1024 * 1024, `${most} bytes were on the way at once`)
})

test('a long body that nobody reads does not keep the reply from the caller', async (t) => {
  const { orders } = await serve(
    t,
    host((message) => void (message.body = Body.ofText('enough'))),
  )
  const got = await call(orders, { method: 'POST', body: Buffer.alloc(8 * 1024 * 1024) })
  assert.deepEqual([got.status, got.text, got.headers.connection], [200, 'enough', 'close'])
})

test('a stream passes through, from request to reply', async (t) => {
  const { orders } = await serve(t, echo())
  const body = Buffer.alloc(3 * 1024 * 1024, 'abc')
  const got = await call(orders, { method: 'POST', body, headers: { 'content-type': 'text/csv' } })
  assert.deepEqual([got.status, got.headers['content-type']], [200, 'text/csv'])
  assert.ok(got.body.equals(body))
})

test('a long reply is fetched only as fast as its slow reader takes it', async (t) => {
  const size = 96 * 1024 * 1024
  const chunk = Buffer.alloc(64 * 1024)
  let made = 0
  const source = new Readable({
    read() {
      this.push(made === size ? null : chunk)
      if (made < size) made += chunk.length
    },
  })
  const { url } = await serve(
    t,
    host((message) => void (message.body = Body.ofStream(source))),
    { method: ['GET'] },
  )
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname, () =>
    socket.write('GET /http/orders HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'),
  )
  let received = 0
  let most = 0
  for await (const piece of socket) {
    received += (piece as Buffer).length
    most = Math.max(most, made - received)
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(received > size)
  assert.ok(most < 24 * 1024 * 1024, `${most} bytes were on the way at once`)
})

for (const onDisconnect of ['cancel', 'continue'] as const)
  test(`a caller that goes away: ${onDisconnect}`, async (t) => {
    const reasons: string[] = []
    let started: () => void = () => {}
    let left: () => void = () => {}
    const running = new Promise<void>((resolve) => (started = resolve))
    const gone = new Promise<void>((resolve) => (left = resolve))
    const flow = host(
      (_message, { onStart }) =>
        new Promise((resolve) => {
          void gone.then(() => resolve())
          onStart?.((failure) => reasons.push(failure.code))
          started()
        }),
    )
    const server = await startServer(t)
    const routes: Routes = {
      serve: (route, owner, handler) =>
        server.routes.serve(route, owner, (request) => {
          handler(request)
          request.reply.once('close', left)
        }),
    }
    prepare(
      endpoint,
      { path: '/orders', access: 'public' },
      { routes, flow: { onDisconnect } },
    ).prepared.start(flow)
    const { hostname, port } = new URL(server.url)
    const socket = connect(Number(port), hostname, () =>
      socket.write('POST /http/orders HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx'),
    )
    await running
    socket.destroy()
    await gone
    assert.deepEqual(reasons, onDisconnect === 'cancel' ? ['flow.cancelled'] : [])
  })

test('with onDisconnect: cancel, a caller that stays is never cancelled', async (t) => {
  const reasons: string[] = []
  const flow = host((_message, { onStart }) => onStart!(({ code }) => reasons.push(code)))
  const { orders } = await serve(t, flow, {}, { flow: { onDisconnect: 'cancel' } })
  const agent = new Agent({ keepAlive: true })
  assert.equal((await call(orders, { method: 'POST', body: 'x', agent })).text, 'x')
  assert.equal((await call(orders, { method: 'POST', body: 'y', agent })).text, 'y')
  agent.destroy()
  assert.deepEqual(reasons, [])
})

test('a caller that breaks off in the middle of a small body starts no run', async (t) => {
  const flow = echo()
  const { url, orders } = await serve(t, flow)
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname, () =>
    socket.write('POST /http/orders HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc', () =>
      socket.destroy(),
    ),
  )
  await once(socket, 'close')
  assert.equal((await call(orders, { method: 'POST', body: 'x' })).text, 'x')
  assert.equal(flow.requests.length, 1)
})

test('a caller that breaks off in the middle of a stream fails the run with body.cut-off', async (t) => {
  let failed: (failure: Failure) => void = () => {}
  const failure = new Promise<Failure>((resolve) => (failed = resolve))
  const flow = host(async ({ body }) => {
    await body.load(1e9).catch((error: Failure) => failed(error))
  })
  const { url } = await serve(t, flow)
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname, () =>
    socket.write(
      'POST /http/orders HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n',
      () => socket.destroy(),
    ),
  )
  assert.equal((await failure).code, 'body.cut-off')
})

for (const [form, head] of [
  ['small', 'content-length: 10'],
  ['streamed', 'transfer-encoding: chunked'],
] as const)
  test(`a sender that stalls in a ${form} body gets 408 after a minute`, async (t) => {
    let reading: () => void = () => {}
    const begun = new Promise<void>((resolve) => (reading = resolve))
    const flow = host(async ({ body }) => {
      const load = body.load(1e9)
      reading()
      await load
    })
    const { url, clock } = await serve(t, flow)
    const answer = rawCall(url, `POST /http/orders HTTP/1.1\r\nhost: x\r\n${head}\r\n\r\n1\r\na\r\n`, '}\n')
    if (form === 'streamed') await begun
    while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(60_000)
    if (form === 'streamed') await clock.advance(60_000)
    const text = await answer
    assert.match(text, /^HTTP\/1.1 408 [^]*connection: close/)
    assert.match(text, /body\.cut-off/)
  })
