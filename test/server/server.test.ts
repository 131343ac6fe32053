import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, createServer as createHttpServer, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { Failure } from '../../src/core/failure.ts'
import { RouteTable } from '../../src/server/routes.ts'
import { createServer } from '../../src/server/server.ts'
import { freePort } from '../net/fixture.ts'
import { call, listLog, rawCall } from '../support/http.ts'
import { startServer } from './start-server.ts'

test('health tells its status alone, as JSON, with 503 while not ready', async (t) => {
  const state = { ready: true, reasons: ['the flow "secret" does not run'] }
  const { url } = await startServer(t, { health: () => state })
  const live = await call(`${url}/health/live`)
  assert.deepEqual([live.status, live.json()], [200, { status: 'up' }])
  assert.match(live.headers['content-type']!, /^application\/json/)
  assert.deepEqual((await call(`${url}/health/ready`)).json(), { status: 'up' })
  state.ready = false
  const ready = await call(`${url}/health/ready`)
  assert.deepEqual([ready.status, ready.json()], [503, { status: 'down' }])
  assert.equal((await call(`${url}/health/live`)).status, 200)
})

test('an address outside of /http is 404 problem+json, whatever the method and content type', async (t) => {
  const { url } = await startServer(t)
  for (const path of ['/', '/http', '/httpx/a', '/health', '/%zz']) {
    const got = await call(url + path, {
      method: 'POST',
      body: 'x',
      headers: { 'content-type': 'what/ever' },
    })
    assert.equal(got.status, path === '/%zz' ? 400 : 404, path)
    assert.equal(got.headers['content-type'], 'application/problem+json')
    assert.equal(got.json().status, got.status)
  }
})

test('no header tells what serves', async (t) => {
  const { url } = await startServer(t)
  for (const path of ['/', '/health/live', '/http/x']) {
    const { headers } = await call(url + path)
    assert.equal(headers.server, undefined)
    assert.equal(headers['x-powered-by'], undefined)
  }
})

test('what is no HTTP gets problem+json and a closed connection', async (t) => {
  const { url } = await startServer(t)
  const answers: [bytes: string, status: number][] = [
    ['what is this\r\n\r\n', 400],
    ['GET /http/a HTTP/1.1\r\nhost: a\r\nbad header\r\n\r\n', 400],
    [
      'POST /http/a HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['POST /http/a HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n', 400],
    [`GET /http/a HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ]
  for (const [bytes, status] of answers) {
    const text = await rawCall(url, bytes)
    assert.match(text, new RegExp(`^HTTP/1.1 ${status} `), bytes.slice(0, 60))
    const [head, body] = text.split('\r\n\r\n')
    assert.match(head!, /content-type: application\/problem\+json/)
    assert.match(head!, /connection: close/)
    assert.equal(JSON.parse(body!).status, status)
  }
  assert.equal((await call(`${url}/health/live`)).status, 200)
})

test('pipelined requests, an absolute URL, HTTP/1.0 and an upgrade nobody offers are answered', async (t) => {
  const { url, routes } = await startServer(t)
  routes.serve({ path: '/a', methods: ['GET'] }, 'a', (request) =>
    request.answer(200, [], Buffer.from(request.query)),
  )
  const pipelined = await rawCall(
    url,
    'GET /http/a?one HTTP/1.1\r\nhost: x\r\n\r\nGET http://x/http/a?two HTTP/1.1\r\nhost: x\r\n\r\nGET /http/a?three HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
  )
  assert.deepEqual(pipelined.match(/\r\n\r\n(one|two|three)/g), [
    '\r\n\r\none',
    '\r\n\r\ntwo',
    '\r\n\r\nthree',
  ])
  const upgrade = 'GET /http/a?plain HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'
  assert.match(await rawCall(url, upgrade, 'plain'), /^HTTP\/1.1 200 /)
  const old = await rawCall(url, 'GET /http/a?old HTTP/1.0\r\n\r\n')
  assert.match(old, /^HTTP\/1.1 200 [^]*\r\n\r\nold$/)
})

test('a port in use is an error that names the setting', async (t) => {
  const other = createHttpServer().listen(0, '127.0.0.1')
  t.after(() => other.close())
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const starting = createServer({
    routes: new RouteTable((text) => text),
    listen: { host: '127.0.0.1', port },
    health: () => ({ ready: true, reasons: [] }),
    limits: { header: 16384 },
    log: listLog(),
  })
  await assert.rejects(starting.listen(), (error: NodeJS.ErrnoException) => {
    assert.equal(error.code, 'SLUICE_LISTEN')
    assert.match(error.message, new RegExp(`127.0.0.1:${port} \\(setting "listen"\\): another program`))
    return true
  })
  await starting.close(0)
})

test('who knocks before there is anything to serve waits for it', async (t) => {
  const port = await freePort()
  const routes = new RouteTable((text) => text)
  const server = createServer({
    routes,
    listen: { host: 'localhost', port },
    health: () => ({ ready: true, reasons: [] }),
    limits: { header: 16384 },
    log: listLog(),
  })
  t.after(() => server.close(0))
  const knock = async (): Promise<number> =>
    await call(`http://localhost:${port}/http/a`).then(({ status }) => status, knock)
  const first = knock()
  const url = await server.listen((bound) => {
    assert.ok(bound.endsWith(`:${port}`))
    routes.serve({ path: '/a', methods: ['GET'] }, 'a', (request) =>
      request.answer(200, [], Buffer.from('served')),
    )
  })
  assert.equal(await first, 200)
  assert.equal((await call(`${url}/http/a`)).text, 'served')
})

test('a handler that throws is a 500 without its reason, and a line in the log', async (t) => {
  const { url, routes, log } = await startServer(t)
  routes.serve({ path: '/a', methods: ['GET'] }, 'a', () => {
    throw new Error('the inner reason')
  })
  const got = await call(`${url}/http/a`)
  assert.deepEqual([got.status, got.json().code], [500, 'engine.fault'])
  assert.doesNotMatch(got.text, /inner reason/)
  assert.equal(log.lines[0]!.level, 'error')
})

test('a reply that breaks off in the middle cuts the connection, and the server goes on', async (t) => {
  const { url, routes, log } = await startServer(t)
  routes.serve({ path: '/a', methods: ['GET'] }, 'a', (request) => {
    async function* broken() {
      yield Buffer.from('half')
      throw new Failure('receiver.broken', 'the receiver broke off')
    }
    request.answer(200, [], Readable.from(broken()))
  })
  await assert.rejects(call(`${url}/http/a`), /aborted|hang up/)
  assert.match(log.lines[0]!.text, /broke off/)
  assert.equal((await call(`${url}/health/live`)).status, 200)
})

test('the source of a reply is let go when the caller goes away', async (t) => {
  const { url, routes } = await startServer(t)
  const source = new Readable({ read() {} })
  source.push('begin')
  routes.serve({ path: '/a', methods: ['GET'] }, 'a', (request) => request.answer(200, [], source))
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname, () =>
    socket.write('GET /http/a HTTP/1.1\r\nhost: x\r\n\r\n'),
  )
  await once(socket, 'data')
  socket.destroy()
  await once(source, 'close')
  assert.equal(source.destroyed, true)
})

test('closing answers what is open, refuses the rest, and does not wait for idle connections', async (t) => {
  const { url, routes, server } = await startServer(t)
  let finish: () => void = () => {}
  const taken = new Promise<void>((resolve) =>
    routes.serve({ path: '/slow', methods: ['GET'] }, 'slow', (request) => {
      finish = () => request.answer(200, [], Buffer.from('done'))
      resolve()
    }),
  )
  const agent = new Agent({ keepAlive: true })
  t.after(() => agent.destroy())
  await call(`${url}/health/live`, { agent })
  const open = call(`${url}/http/slow`, { agent: new Agent({ keepAlive: true }) })
  await taken
  const closed = server.close(60_000)
  await assert.rejects(call(`${url}/health/live`), { code: 'ECONNREFUSED' })
  finish()
  const got = await open
  assert.equal(got.text, 'done')
  await closed
})

test('while closing, the answer to a request on an open connection is its last', async (t) => {
  const { url, routes, server } = await startServer(t)
  let finish: () => void = () => {}
  const taken = new Promise<void>((resolve) =>
    routes.serve({ path: '/slow', methods: ['GET'] }, 'slow', (request) => {
      finish = () => request.answer(200, [], Buffer.from('done'))
      resolve()
    }),
  )
  const next = new Promise<void>((resolve) =>
    routes.serve({ path: '/next', methods: ['GET'] }, 'next', (request) => {
      request.answer(200, [], Buffer.from('last'))
      resolve()
    }),
  )
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname, () =>
    socket.write('GET /http/slow HTTP/1.1\r\nhost: x\r\n\r\n'),
  )
  let text = ''
  socket.on('data', (chunk) => (text += String(chunk)))
  await taken
  const closed = server.close(60_000)
  socket.write('GET /http/next HTTP/1.1\r\nhost: x\r\n\r\n')
  await next
  finish()
  await once(socket, 'close')
  await closed
  assert.match(text, /keep-alive[^]*\r\n\r\ndone[^]*connection: close[^]*\r\n\r\nlast$/i)
})

test('closing cuts off what is not over after the grace time', async (t) => {
  const { url, routes, server } = await startServer(t)
  const taken = new Promise<void>((resolve) =>
    routes.serve({ path: '/never', methods: ['GET'] }, 'never', () => resolve()),
  )
  const open = assert.rejects(call(`${url}/http/never`), /hang up|ECONNRESET/)
  await taken
  await server.close(1)
  await open
})

test('an address that ends with a slash serves what is directly below it', async (t) => {
  const serving = (name: string) => (_raw: unknown, reply: ServerResponse) => {
    reply.end(name)
    return Promise.resolve()
  }
  const { url } = await startServer(t, {
    addresses: new Map([
      ['/things', serving('all')],
      ['/things/', serving('one')],
      ['/things/own', serving('own')],
    ]),
  })
  for (const [path, text] of [
    ['/things', 'all'],
    ['/things?x=/y', 'all'],
    ['/things/', 'one'],
    ['/things/a%2Fb?x=/y/z', 'one'],
    ['/things/own', 'own'],
  ] as const)
    assert.equal((await call(url + path)).text, text, path)
  for (const path of ['/things/a/b', '/thing', '/', '/other/a'])
    assert.equal((await call(url + path)).status, 404, path)
})
