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
  'two hosts': `POST /http/orders HTTP/1.1\r\nhost: a\r\nHost: b\r\ncontent-length: 0\r\n\r\n${HIDDEN}`,
  'no host': `POST /http/orders HTTP/1.1\r\ncontent-length: 0\r\n\r\n${HIDDEN}`,
  'transfer-encoding twice': `${START}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'transfer-encoding in HTTP/1.0': `${START.replace('1.1', '1.0')}connection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'a chunk with a long extension': `${START}transfer-encoding: chunked\r\n\r\n0;${'x'.repeat(20_000)}\r\n\r\n${HIDDEN}`,
  'headers of 20 KB after the body': `${START}transfer-encoding: chunked\r\n\r\n0\r\nx-a: ${'x'.repeat(20_000)}\r\n\r\n${HIDDEN}`,
  'a NUL in a header': `${START}x-a: b\0c\r\ncontent-length: 0\r\n\r\n${HIDDEN}`,
}

/** All that follows is the body, which shows only when it is read: after a flow that does not read it has answered. */
const SWALLOWED: ReadonlySet<string> = new Set([
  'an encoding that is misspelt',
  'a size of a chunk that is none',
  'a chunk with a long extension',
  'headers of 20 KB after the body',
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

for (const version of ['0.9', '1.2', '2.0', '3.0'])
  test(`a request line that says HTTP/${version} is refused, and nothing behind it is`, async (t) => {
    const { url, routes } = await startServer(t)
    let served = 0
    routes.serve({ path: '/orders', methods: ['POST'] }, 'orders', () => served++)
    const got = await rawCall(url, `${START.replace('1.1', version)}content-length: 0\r\n\r\n${HIDDEN}`)
    assert.match(got, /^HTTP\/1\.1 (400|505) [^]*application\/problem\+json/)
    assert.match(got, /connection: close/i)
    assert.equal(served, 0)
  })

for (const [what, head, status, code] of [
  ['two hosts', 'host: a\r\nhost: b', 400, 'request.malformed'],
  ['no host', 'accept: */*', 400, 'request.malformed'],
  ['an expectation that nobody knows', 'host: a\r\nexpect: tea', 417, 'request.expectation'],
] as const)
  test(`the refusal is problem+json with a code and closes, at every address: ${what}`, async (t) => {
    const { url } = await startServer(t)
    for (const path of ['/http/orders', '/health/live', '/']) {
      const [top, body] = (await rawCall(url, `GET ${path} HTTP/1.1\r\n${head}\r\n\r\n`)).split('\r\n\r\n')
      assert.match(top!, new RegExp(`^HTTP/1\\.1 ${status} [^]*application/problem\\+json[^]*`))
      assert.match(top!, /connection: close/i)
      assert.deepEqual((({ status, code }) => [status, code])(JSON.parse(body!)), [status, code])
    }
  })
