import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { describe, it, type TestContext } from 'node:test'
import type { RouteHandler } from '../../src/core/services.ts'
import { RouteTable } from '../../src/server/routes.ts'
import { rawCall } from '../support/http.ts'
import { startServer } from './start-server.ts'

/** A server that waits `leftoverTime` ms for bodies that nobody wants. */
async function serve(t: TestContext, leftoverTime: number, handler: RouteHandler) {
  const routes = new RouteTable((text) => text, undefined, undefined, leftoverTime)
  routes.serve({ path: '/orders', methods: ['POST'] }, 'flow', handler)
  return startServer(t, {
    routes,
    addresses: new Map([['/token', async (_raw, reply) => void reply.end('no')]]),
  })
}

const refused: RouteHandler = (request) => request.answer(403, [], Buffer.from('no'))
const streamed: RouteHandler = (request) => request.answer(200, [], Readable.from(['a', 'b']))

describe('a body that nobody wants and that does not come to its end', () => {
  for (const [what, path, handler] of [
    ['a refused call', '/http/orders', refused],
    ['a streamed reply', '/http/orders', streamed],
    ['no such flow', '/http/other', refused],
    ['no such address', '/other', refused],
    ['an address of the engine', '/token', refused],
  ] as const)
    it(`costs its connection after its time: ${what}`, async (t) => {
      const { url } = await serve(t, 50, handler)
      const answer = await rawCall(url, `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\na`)
      assert.match(answer, /^HTTP\/1\.1 \d{3} /)
    })

  it('leaves the connection to the next request where it does come', async (t) => {
    const { url } = await serve(t, 30_000, refused)
    const socket = connect(Number(new URL(url).port), '127.0.0.1').setEncoding('latin1')
    t.after(() => socket.destroy())
    for (let i = 0; i < 2; i++) {
      socket.write('POST /http/orders HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\na')
      const [answer] = (await once(socket, 'data')) as [string]
      assert.match(answer, /^HTTP\/1\.1 403 [^]*keep-alive/)
      socket.write('bc')
    }
  })
})
