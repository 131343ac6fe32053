import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rawCall } from '../support/http.ts'
import { startServer } from './start-server.ts'

/** What proxies and servers have read in different ways: a second request hidden in the body of the first. */
const HIDDEN = 'POST /http/orders HTTP/1.1\r\nhost: a\r\nx-hidden: 1\r\ncontent-length: 0\r\n\r\n'
const START = 'POST /http/orders HTTP/1.1\r\nhost: a\r\n'
const SHAPES: Readonly<Record<string, string>> = {
  'content-length and transfer-encoding': `${START}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'transfer-encoding and content-length': `${START}transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'two lengths': `${START}content-length: 0\r\ncontent-length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
  'two lengths in one': `${START}content-length: 0, ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
  'a length with a sign': `${START}content-length: +0\r\n\r\n${HIDDEN}`,
  'a length in hex': `${START}content-length: 0x0\r\n\r\n${HIDDEN}`,
  'an encoding that is not chunked at its end': `${START}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'an encoding that is misspelt': `${START}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'a folded header': `${START}transfer-encoding:\r\n chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'a space before the colon': `${START}transfer-encoding : chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'bare line feeds': `${START.replaceAll('\r\n', '\n')}transfer-encoding: chunked\ncontent-length: 4\n\n0\n\n${HIDDEN}`,
  'a size of a chunk that is none': `${START}transfer-encoding: chunked\r\n\r\n0x0\r\n\r\n${HIDDEN}`,
  'a NUL in a header': `${START}x-a: b\0c\r\ncontent-length: 0\r\n\r\n${HIDDEN}`,
}

/** All that follows is the body, which shows only when it is read: after a flow that does not read it has answered. */
const SWALLOWED: ReadonlySet<string> = new Set([
  'an encoding that is misspelt',
  'a size of a chunk that is none',
])

for (const [name, bytes] of Object.entries(SHAPES))
  test(`a request that can be read in two ways is refused, and nothing behind it is: ${name}`, async (t) => {
    const { url, routes } = await startServer(t)
    const hidden: unknown[] = []
    routes.serve({ path: '/orders', methods: ['POST'] }, 'orders', (request) => {
      hidden.push(request.raw.headers['x-hidden'])
      request.raw.resume()
      request.answer(200, [], Buffer.from('ok'))
    })
    const got = await rawCall(url, bytes)
    assert.ok(!hidden.includes('1'), got)
    assert.match(got, SWALLOWED.has(name) ? /^HTTP\/1\.1 200 / : /HTTP\/1\.1 400 /)
    assert.match(got, /connection: close/i)
  })
