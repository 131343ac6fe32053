import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { Body } from '../../src/core/body.ts'
import type { Failure } from '../../src/core/failure.ts'
import type { Message } from '../../src/core/message.ts'
import type { RouteRequest } from '../../src/core/services.ts'
import { collectBody } from '../../src/triggers/endpoint-body.ts'
import { ManualClock } from '../support/clock.ts'
import { host } from './deployment.ts'
import { echo, serve } from './serve-endpoint.ts'

/** A caller that has sent the head of a request. */
async function caller(url: string, head: string): Promise<{ socket: Socket; answer: Promise<string> }> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  let text = ''
  socket.setEncoding('latin1').on('data', (part: string) => (text += part))
  socket.write(`POST /http/orders HTTP/1.1\r\nhost: x\r\n${head}\r\n\r\n`)
  return { socket, answer: once(socket, 'close').then(() => text) }
}

/** A flow that reads its body as it comes, and tells of each piece. */
function reading() {
  const waiting: (() => void)[] = []
  const flow = host(async (message: Message) => {
    for await (const _ of message.body.take()) waiting.shift()?.()
    message.body = Body.ofText('all of it')
  })
  return { flow, piece: () => new Promise<void>((resolve) => waiting.push(resolve)) }
}

describe('a sender of a body that', () => {
  it('sends a byte now and then gets 408 after all the time that it has', async (t) => {
    const { flow, piece } = reading()
    const clock = new ManualClock()
    const { url } = await serve(t, flow, {}, { clock })
    const { socket, answer } = await caller(url, 'transfer-encoding: chunked')
    for (let i = 0; i < 6; i++) {
      const read = piece()
      socket.write('1\r\na\r\n')
      await read
      await clock.advance(50_000)
    }
    const text = await answer
    assert.match(text, /^HTTP\/1\.1 408 [^]*connection: close/)
    assert.match(text, /"detail":"the whole body did not arrive within 5 min"/)
  })

  it('has longer where the endpoint says so', async (t) => {
    const { flow, piece } = reading()
    const clock = new ManualClock()
    const { url } = await serve(t, flow, { body: { time: 3_600_000 } }, { clock })
    const { socket, answer } = await caller(url, 'connection: close\r\ntransfer-encoding: chunked')
    for (let i = 0; i < 20; i++) {
      const read = piece()
      socket.write('1\r\na\r\n')
      await read
      await clock.advance(50_000)
    }
    socket.write('0\r\n\r\n')
    assert.match(await answer, /^HTTP\/1\.1 200 [^]*all of it$/)
  })

  it('pauses for a minute gets 408 at once', async (t) => {
    const { flow, piece } = reading()
    const clock = new ManualClock()
    const { url } = await serve(t, flow, {}, { clock })
    const { socket, answer } = await caller(url, 'transfer-encoding: chunked')
    const read = piece()
    socket.write('1\r\na\r\n')
    await read
    await clock.advance(120_000)
    assert.match(await answer, /^HTTP\/1\.1 408 [^]*no more of the body arrived within 60 s/)
  })

  it('announces a small one and does not send it gets 408 before the flow runs', async (t) => {
    const flow = echo()
    const clock = new ManualClock()
    const { url } = await serve(t, flow, { body: { time: 20_000 } }, { clock })
    const { answer, socket } = await caller(url, 'content-length: 10\r\nexpect: 100-continue')
    await once(socket, 'data')
    socket.write('abc')
    await clock.advance(20_100)
    assert.match(await answer, /HTTP\/1\.1 408 [^]*did not arrive within 20 s/)
    assert.equal(flow.requests.length, 0)
  })
})

describe('a small body', () => {
  function collecting(bodyTime: number) {
    const clock = new ManualClock()
    const raw = new EventEmitter()
    const results: (string | Failure)[] = []
    collectBody({ raw, proceed() {} } as unknown as RouteRequest, 5, { clock, bodyTime }, (bytes) =>
      results.push(Buffer.isBuffer(bytes) ? bytes.toString() : bytes),
    )
    return { clock, raw, results, send: (text: string) => raw.emit('data', Buffer.from(text)) }
  }

  it('that comes byte by byte has all the time that the endpoint gives', async () => {
    const { clock, raw, results, send } = collecting(240_000)
    for (const letter of 'abcd') {
      send(letter)
      await clock.advance(50_000)
    }
    send('e')
    raw.emit('end')
    assert.deepEqual(results, ['abcde'])
  })

  it('is given up after that time, and after a pause of a minute', async () => {
    const { clock, results, send } = collecting(240_000)
    for (const letter of 'abcde') {
      send(letter)
      await clock.advance(50_000)
    }
    const pausing = collecting(240_000)
    pausing.send('a')
    await pausing.clock.advance(60_100)
    const failures = [...results, ...pausing.results] as Failure[]
    assert.deepEqual(
      failures.map(({ code, reply, message }) => `${code} ${reply}: ${message}`),
      [
        'body.cut-off 408: the whole body did not arrive within 4 min',
        'body.cut-off 408: no more of the body arrived within 60 s',
      ],
    )
  })
})
