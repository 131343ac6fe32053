import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { Exchange } from '../../src/core/http.ts'
import type { Connections } from '../../src/net/connections.ts'
import type { Dispatchers } from '../../src/net/dispatchers.ts'
import { ManualClock } from '../support/clock.ts'
import { certificate, collected, dispatchers, failureOf, fetchFrom, freePort, TestRun } from './fixture.ts'
import { fullServer } from './full-server.ts'
import { rawServer, type Peer, type Script } from './raw-server.ts'

const answer = (body: string) => `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`

/** One connection at a time, to this origin. */
function asker(t: TestContext, origin: string, shared: Dispatchers = dispatchers(t, { connections: 1 })) {
  return (path: string, request: Partial<Exchange> = {}) =>
    fetchFrom(t, origin, { path, ...request }, { dispatchers: shared })
}

/** Answers each request with its path, but those on /lost, which it ends the connection at. */
function losing(how: 'end' | 'reset'): (path: string) => Script {
  return (path) => (path === '/lost' ? (peer) => peer[how]() : answer(path))
}

for (const how of ['end', 'reset'] as const) {
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
    test(`a used connection that ends (${how}) as a ${method} is sent: once more, on another one, and no more`, async (t) => {
      const server = await rawServer(t, losing(how))
      const ask = asker(t, server.origin)
      await ask('/first')
      const failure = await failureOf(ask('/lost', { method }))
      assert.equal(failure.code, 'receiver.unreachable')
      assert.deepEqual(server.requests, ['GET /first', `${method} /lost`, `${method} /lost`])
      assert.equal(server.connections, 2)
      assert.equal(collected(await ask('/next')), '/next')
    })

  for (const [name, request] of [
    ['a POST', () => ({ method: 'POST', body: Buffer.from('order') })],
    ['a PATCH', () => ({ method: 'PATCH', body: Buffer.from('order') })],
    [
      'a PUT with a stream',
      () => ({ method: 'PUT', body: Readable.from([Buffer.from('order')]), bodyLength: 5 }),
    ],
  ] as const)
    test(`a used connection that ends (${how}) as ${name} is sent: it fails, and is not sent twice`, async (t) => {
      const server = await rawServer(t, losing(how))
      const ask = asker(t, server.origin)
      await ask('/first')
      const failure = await failureOf(ask('/lost', request()))
      assert.equal(failure.code, 'receiver.unreachable')
      assert.match(failure.message, /^"127\.0\.0\.1:\d+" closed the connection without an answer/)
      assert.match(failure.hint!, /Whether it took the request is not known/)
      assert.deepEqual(server.requests, ['GET /first', `${request().method} /lost`])
      assert.equal(collected(await ask('/next')), '/next')
    })

  test(`a connection that ends (${how}) while others wait for it: they take another one, each is sent once`, async (t) => {
    const server = await rawServer(t, (path) =>
      path === '/first'
        ? async (peer) => {
            await peer.send(answer('first'))
            peer[how]()
          }
        : answer(path),
    )
    const ask = asker(t, server.origin)
    const stream = { method: 'PUT', body: Readable.from([Buffer.from('a')]), bodyLength: 1 }
    const all = await Promise.all([
      ask('/first'),
      ask('/post', { method: 'POST', body: Buffer.from('order') }),
      ask('/stream', stream),
      ask('/get'),
    ])
    assert.deepEqual(all.map(collected), ['first', '/post', '/stream', '/get'])
    assert.deepEqual(server.requests, ['GET /first', 'POST /post', 'PUT /stream', 'GET /get'])
    assert.equal(server.connections, 2)
  })

  test(`a new connection that ends (${how}) without an answer is not tried again`, async (t) => {
    const server = await rawServer(t, losing(how))
    const ask = asker(t, server.origin)
    assert.equal((await failureOf(ask('/lost'))).code, 'receiver.unreachable')
    assert.deepEqual(server.requests, ['GET /lost'])
  })
}

test('a new TLS connection that ends without an answer is not tried again', async (t) => {
  const { key, cert } = certificate(t, { name: 'IP:127.0.0.1' })
  let connections = 0
  const server = createTlsServer({ key, cert }, (socket) => {
    connections++
    socket.on('error', () => {}).once('data', () => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const ask = asker(t, origin, dispatchers(t, { ca: cert, connections: 1 }))
  assert.match((await failureOf(ask('/'))).message, /closed the connection without an answer/)
  assert.equal(connections, 1)
})

for (const [name, extra] of [
  ['other bytes', 'garbage'],
  ['a whole answer', answer('EVIL')],
  ['the beginning of an answer', 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nEV'],
] as const)
  for (const [when, says] of [
    ['with the answer', answer('first') + extra],
    [
      'right after the answer',
      async (peer: Peer) => {
        await peer.send(answer('first'))
        await peer.send(extra)
      },
    ],
  ] as const)
    test(`${name} ${when}: none of it reaches the requests that wait for the connection`, async (t) => {
      const server = await rawServer(t, (path) => (path === '/first' ? says : answer(path)))
      const ask = asker(t, server.origin)
      const all = await Promise.all([ask('/first'), ask('/second', { method: 'POST' }), ask('/third')])
      assert.deepEqual(all.map(collected), ['first', '/second', '/third'])
      assert.deepEqual(server.requests, ['GET /first', 'POST /second', 'GET /third'])
      assert.equal(server.connections, 2)
    })

test('an unused connection that says something is not used', async (t) => {
  let peer: Peer | undefined
  const server = await rawServer(t, (path) =>
    path === '/first' ? (peer_) => ((peer = peer_), peer_.send(answer('first'))) : answer(path),
  )
  const ask = asker(t, server.origin)
  await ask('/first')
  await peer!.send(answer('EVIL'))
  await server.hasOpen(0)
  assert.equal(collected(await ask('/second')), '/second')
})

for (const sent of ['', 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nEV'])
  test(`an answer to a request that was called off, ${sent === '' ? 'late' : 'in part'}, does not reach the next one`, async (t) => {
    const peers: Peer[] = []
    const server = await rawServer(t, (path) => {
      if (path !== '/first') return answer(path)
      return (peer) => {
        peers.push(peer)
        return peer.send(sent)
      }
    })
    const ask = asker(t, server.origin)
    const until = new TestRun()
    const first = failureOf(ask('/first', { until }))
    while (peers.length === 0) await turn()
    for (let i = 0; i < 10; i++) await turn()
    const second = ask('/second', { method: 'POST' })
    until.cancel()
    await peers[0]!.send(sent === '' ? answer('EVIL') : 'IL')
    assert.equal((await first).code, 'flow.cancelled')
    assert.equal(collected(await second), '/second')
    assert.deepEqual(server.requests, ['GET /first', 'POST /second'])
    assert.equal(server.connections, 2)
    assert.equal(until.listeners, 0)
    await server.hasOpen(1)
  })

test('a receiver that accepts no connection: who waits is told so, and nothing gathers', async (t) => {
  const host = await fullServer(t)
  const shared = dispatchers(t, { connections: 2 })
  const clock = new ManualClock()
  const runs: TestRun[] = []
  const ask = () => {
    const until = new TestRun()
    runs.push(until)
    until.deadline = clock.ticks() + (runs.length % 2 === 0 ? 60_000 : 5000)
    const request = { until, connectTimeout: 10_000 }
    return failureOf(
      fetchFrom(t, `http://${host}`, request, { dispatchers: shared, world: { clock } as never }),
    )
  }
  for (let round = 0; round < 5; round++) {
    const all = Array.from({ length: 20 }, ask)
    await clock.advance(10_050)
    for (const failure of await Promise.all(all)) {
      assert.equal(failure.code, 'receiver.timeout')
      assert.match(failure.message, new RegExp(`^no connection to "${host}" within (5|10) s$`))
      assert.match(failure.hint!, /Check the host and port and the firewall/)
    }
    assert.ok(waiting(shared.dispatcherFor(), host) <= 20)
    const attempts = process.getActiveResourcesInfo().filter((name) => name === 'ConnectWrap').length
    assert.ok(attempts <= 2, `${attempts} connections are attempted`)
  }
  assert.ok(runs.every(({ listeners }) => listeners === 0))
  await shared.destroy()
  await turn()
  assert.ok(!process.getActiveResourcesInfo().includes('ConnectWrap'), 'no attempt outlives the end')
  await clock.advance(50)
  assert.equal(clock.pending, 0)
})

/** Requests that undici keeps for an origin. */
function waiting(dispatcher: Dispatcher, host: string): number {
  const { pools } = dispatcher as unknown as { pools: Map<string, { stats: { size: number } }> }
  return pools.get(`http://${host}`)!.stats.size
}

test('connections that come late serve those who still wait, and skip those who were given up', async (t) => {
  const port = await freePort()
  const clock = new ManualClock()
  const shared = dispatchers(t, { connections: 1 })
  const origin = `http://127.0.0.1:${port}`
  const server = createTcpServer()
  const seen: string[] = []
  const accepted: Socket[] = []
  server.on('connection', (socket) => {
    accepted.push(socket)
    socket
      .on('error', () => {})
      .on('data', (bytes: Buffer) => {
        seen.push(bytes.toString().split(' ')[1]!)
        if (!seen.at(-1)!.startsWith('/hangs')) socket.write(answer('ok'))
      })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of accepted) socket.destroy()
    server.close()
  })
  const ask = (path: string, deadline: number) => {
    const until = new TestRun()
    until.deadline = deadline
    return fetchFrom(
      t,
      origin,
      { path, until, method: 'POST', connectTimeout: 10_000 },
      { dispatchers: shared, world: { clock } as never },
    )
  }
  const hangs = failureOf(ask('/hangs', 20_000))
  const givenUp = failureOf(ask('/given-up', 15_000))
  const waits = ask('/waits', 60_000)
  while (seen.length === 0) await turn()
  await clock.advance(20_050)
  assert.match((await hangs).message, /^no answer from/)
  assert.match((await givenUp).message, /^no connection to/)
  assert.equal(collected(await waits), 'ok')
  assert.deepEqual(seen, ['/hangs', '/waits'])
  assert.equal((shared.dispatcherFor() as unknown as Connections).connected(origin), 1)
})

test('plain HTTP towards a port that speaks TLS', async (t) => {
  const { key, cert } = certificate(t, { name: 'IP:127.0.0.1' })
  const tls = createTlsServer({ key, cert })
  tls.listen(0, '127.0.0.1')
  await once(tls, 'listening')
  t.after(() => tls.close())
  const failure = await failureOf(asker(t, `http://127.0.0.1:${(tls.address() as AddressInfo).port}`)('/'))
  assert.equal(failure.code, 'receiver.unreachable')
  assert.match(`${failure.message} ${failure.hint}`, /speaks TLS|perhaps TLS/)
})
