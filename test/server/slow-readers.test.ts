import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { describe, it, type TestContext } from 'node:test'
import { RouteTable } from '../../src/server/routes.ts'
import { createServer } from '../../src/server/server.ts'
import { call, listLog } from '../support/http.ts'

const LARGE = 64 * 1024 * 1024

/** A server that gives readers up after `patience` ms. */
async function serve(t: TestContext, patience: number, body: () => Buffer | Readable) {
  const routes = new RouteTable((text) => text, undefined, patience)
  const server = createServer({
    routes,
    listen: { host: '127.0.0.1', port: 0 },
    health: () => ({ ready: true, reasons: [] }),
    limits: { header: 16 * 1024 },
    log: listLog(),
  })
  const url = await server.listen()
  t.after(() => server.close(0))
  const replied = new Promise<ServerResponse>((resolve) => {
    routes.serve({ path: '/large', methods: ['GET'] }, 'flow', (request) => {
      resolve(request.reply)
      request.answer(200, [], body())
    })
  })
  return { url, replied }
}

describe('a reply that nobody reads', () => {
  const zeros = Buffer.alloc(LARGE)
  const pieces = function* () {
    for (let i = 0; i < 1024; i++) yield zeros.subarray(0, LARGE / 1024)
  }
  for (const [what, body] of [
    ['in one piece', () => zeros],
    ['as a stream', () => Readable.from(pieces())],
  ] as const)
    it(`ends: ${what}`, async (t) => {
      const { url, replied } = await serve(t, 50, body)
      const { port, hostname } = new URL(url)
      const socket = connect(Number(port), hostname)
      t.after(() => socket.destroy())
      await once(socket, 'connect')
      socket.on('error', () => {})
      socket.write('GET /http/large HTTP/1.1\r\nhost: x\r\n\r\n')
      socket.pause()
      const reply = await replied
      await once(reply, 'close')
      assert.equal(reply.writableFinished, false)
    })

  it('is no reply that is read', async (t) => {
    const { url } = await serve(t, 10_000, () => zeros)
    assert.equal((await call(`${url}/http/large`)).body.length, LARGE)
  })

  it('is no reply whose source is slow', async (t) => {
    const source = new Readable({ read: () => {} })
    const { url, replied } = await serve(t, 20, () => source)
    const got = call(`${url}/http/large`)
    const reply = await replied
    source.push('a')
    await once(reply, 'timeout')
    source.push('b')
    source.push(null)
    assert.equal((await got).text, 'ab')
  })
})
