import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { createDispatchers } from '../../src/net/dispatchers.ts'
import { createProxyRules } from '../../src/net/proxy.ts'
import {
  certificate,
  collected,
  dispatchers,
  failureOf,
  fetchFrom,
  textOf,
  freePort,
  receiver,
  tcpReceiver,
} from './fixture.ts'

test('a receiver that is not there: refused, unknown name', async (t) => {
  const port = await freePort()
  const refused = await failureOf(fetchFrom(t, `http://127.0.0.1:${port}`))
  assert.equal(refused.code, 'receiver.unreachable')
  assert.equal(refused.message, `"127.0.0.1:${port}" refused the connection (ECONNREFUSED)`)
  assert.deepEqual(refused.receiver, { host: `127.0.0.1:${port}` })
  const unknown = await failureOf(fetchFrom(t, 'http://nonexistent.invalid'))
  assert.equal(unknown.code, 'receiver.unreachable')
  assert.match(unknown.message, /"nonexistent\.invalid"/)
  assert.match(unknown.message, /ENOTFOUND|EAI_AGAIN/)
})

test('certificates that are not to be trusted: self-signed, another name', async (t) => {
  const local = await receiver(t, (_, reply) => reply.end('secret'), certificate(t, { name: 'IP:127.0.0.1' }))
  const selfSigned = await failureOf(fetchFrom(t, local.origin))
  assert.equal(selfSigned.code, 'receiver.unreachable')
  assert.match(selfSigned.message, /^the certificate of "127\.0\.0\.1:\d+" is self-signed/)
  assert.match(selfSigned.hint!, /http\.ca/)
  const foreign = certificate(t, { name: 'DNS:other.example' })
  const misnamed = await receiver(t, (_, reply) => reply.end('secret'), foreign)
  const failure = await failureOf(
    fetchFrom(t, misnamed.origin, {}, { dispatchers: dispatchers(t, { ca: foreign.cert }) }),
  )
  assert.match(failure.message, /^the certificate of "127\.0\.0\.1:\d+" is for another name/)
  assert.deepEqual([local.requests, misnamed.requests], [[], []])
})

test('a certificate of `http.ca` is trusted, beside those of the system', async (t) => {
  const tls = certificate(t, { name: 'IP:127.0.0.1' })
  const { origin } = await receiver(t, (_, reply) => reply.end('trusted'), tls)
  const trusting = dispatchers(t, { ca: tls.cert })
  const answer = await fetchFrom(t, origin, {}, { dispatchers: trusting })
  assert.equal(collected(answer), 'trusted')
})

test('TLS material of a credential makes connections of its own', async (t) => {
  const tls = certificate(t, { name: 'IP:127.0.0.1' })
  const { origin } = await receiver(t, (_, reply) => reply.end('trusted'), tls)
  const shared = dispatchers(t)
  const own = shared.dispatcherFor({ ca: tls.cert })
  assert.equal(shared.dispatcherFor({ ca: tls.cert }), own)
  assert.notEqual(shared.dispatcherFor(), own)
  assert.equal(shared.dispatcherFor(), shared.dispatcherFor())
  const answer = await fetchFrom(t, origin, {}, { dispatchers: { ...shared, dispatcherFor: () => own } })
  assert.equal(collected(answer), 'trusted')
  assert.throws(() => shared.dispatcherFor({ ca: 'nothing' }), /`tls\.ca` holds no certificate/)
  assert.throws(() => shared.dispatcherFor({ certificate: 'neither' }))
})

test('certificates that cannot be read are refused at once', (t) => {
  assert.throws(
    () => createDispatchers({ connections: 1, environment: {}, ca: 'nothing' }),
    /`http\.ca` holds no certificate/,
  )
  const { cert } = certificate(t, { name: 'DNS:a.example' })
  const second = `${cert}\n${cert.replace(/[A-Za-z]{4}\n/, '!!!!\n')}`
  assert.throws(
    () => createDispatchers({ connections: 1, environment: {}, ca: second }),
    /`http\.ca` holds a certificate that cannot be read: number 2/,
  )
})

test('TLS where plain HTTP is spoken says so', async (t) => {
  const { origin } = await receiver(t, (_, reply) => reply.end())
  const failure = await failureOf(fetchFrom(t, origin.replace('http:', 'https:')))
  assert.equal(failure.code, 'receiver.unreachable')
  assert.match(failure.message, /no TLS connection to/)
  assert.match(failure.hint!, /does not speak TLS on this port/)
})

test('a server that never answers the TLS handshake counts as no connection', async (t) => {
  const origin = await tcpReceiver(t, () => {})
  const failure = await failureOf(fetchFrom(t, origin.replace('http:', 'https:'), { connectTimeout: 60 }))
  assert.equal(failure.code, 'receiver.timeout')
  assert.match(failure.message, /no connection to "127\.0\.0\.1:\d+" within 60 ms/)
})

test('no more connections to one origin than the setting says; the others wait their turn', async (t) => {
  const waiting: (() => void)[] = []
  const receives = await receiver(t, (_, reply) => waiting.push(() => reply.end('ok')))
  const two = dispatchers(t, { connections: 2 })
  const all = Array.from({ length: 6 }, () => fetchFrom(t, receives.origin, {}, { dispatchers: two }))
  let answered = 0
  while (answered < 6) {
    const reply = waiting.shift()
    if (reply) {
      assert.ok(waiting.length < 2)
      reply()
      answered++
    } else await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all(all)
  assert.equal(receives.connections, 2)
})

test('after close nothing new is sent', async (t) => {
  const { origin } = await receiver(t, (_, reply) => reply.end())
  const closing = dispatchers(t)
  await fetchFrom(t, origin, {}, { dispatchers: closing })
  await closing.close()
  assert.equal((await failureOf(fetchFrom(t, origin, {}, { dispatchers: closing }))).code, 'flow.stopped')
  assert.equal(
    (await failureOf(fetchFrom(t, 'http://localhost:1', {}, { dispatchers: closing }))).code,
    'flow.stopped',
  )
})

/** What no one took of the promises that were rejected while `action` ran. */
async function unhandledIn(action: () => Promise<void>): Promise<unknown[]> {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => void unhandled.push(reason)
  process.on('unhandledRejection', note)
  try {
    await action()
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve))
  } finally {
    process.off('unhandledRejection', note)
  }
  return unhandled
}

test('requests that are under way when all connections end fail, and no rejection goes astray', async (t) => {
  const silent = await receiver(t, (request, reply) => {
    if (request.url!.endsWith('/rest')) reply.writeHead(200, { 'content-length': '10' }).write('12345')
    if (request.url!.endsWith('/stream')) reply.writeHead(200).write(Buffer.alloc(200_000))
  })
  const between = await proxy(t, silent.origin)
  for (const setting of [{}, { proxy: between.origin }]) {
    const origin = 'proxy' in setting ? 'http://api.example.test' : silent.origin
    const ending = dispatchers(t, { ...setting, connections: 3 })
    const ask = (path: string) => fetchFrom(t, origin, { path }, { dispatchers: ending })
    const unhandled = await unhandledIn(async () => {
      const { body } = await ask('/stream')
      const all = ['/none', '/rest', '/queued'].map((path) => failureOf(ask(path)))
      while (silent.requests.length < 3) await new Promise((resolve) => setImmediate(resolve))
      assert.equal(silent.requests.length, 3, 'no more connections than the setting says')
      await ending.destroy()
      for (const failure of await Promise.all(all))
        assert.match(failure.code, /^(flow\.stopped|receiver\.(broken|unreachable))$/)
      await assert.rejects(textOf(body))
      for (const other of [origin, 'http://new.example.test', 'https://new.example.test'])
        assert.equal((await failureOf(fetchFrom(t, other, {}, { dispatchers: ending }))).code, 'flow.stopped')
    })
    assert.deepEqual(unhandled, [])
    silent.requests.length = 0
  }
})

/** Forwards plain requests and tunnels the rest, as proxies do. */
async function proxy(t: Parameters<typeof receiver>[0], target: string, wanted?: string) {
  const seen: string[] = []
  const origin = await tcpReceiver(t, (socket) => {
    socket.once('data', (chunk) => {
      const [line] = chunk.toString('latin1').split('\r\n')
      seen.push(line!)
      const authorization = /proxy-authorization: (.*)/i.exec(chunk.toString('latin1'))?.[1]
      if (wanted !== undefined && authorization !== wanted) {
        socket.end('HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n')
        return
      }
      const to = connect(Number(new URL(target).port), '127.0.0.1', () => {
        if (line!.startsWith('CONNECT')) socket.write('HTTP/1.1 200 OK\r\n\r\n')
        else to.write(chunk)
        socket.pipe(to).pipe(socket)
      })
      to.on('error', () => socket.destroy())
      t.after(() => to.destroy())
    })
  })
  return { origin, seen }
}

test('http goes through the proxy of the environment, https by a tunnel, this machine never', async (t) => {
  const tls = certificate(t, { name: 'DNS:api.example.test' })
  const plain = await receiver(t, (_, reply) => reply.end('plain'))
  const secure = await receiver(t, (_, reply) => reply.end('secure'), tls)
  const toPlain = await proxy(t, plain.origin)
  const toSecure = await proxy(t, secure.origin)
  const through = dispatchers(t, {
    environment: { HTTP_PROXY: toPlain.origin, https_proxy: toSecure.origin },
    ca: tls.cert,
  })
  const first = await fetchFrom(
    t,
    'http://api.example.test',
    { path: '/a?b', headers: ['x-a', '1'] },
    { dispatchers: through },
  )
  assert.equal(collected(first), 'plain')
  assert.deepEqual(toPlain.seen, ['GET http://api.example.test/a?b HTTP/1.1'])
  assert.equal(plain.requests[0]!.headers['x-a'], '1')
  const second = await fetchFrom(t, 'https://api.example.test', { path: '/c' }, { dispatchers: through })
  assert.equal(collected(second), 'secure')
  assert.deepEqual(toSecure.seen, ['CONNECT api.example.test:443 HTTP/1.1'])
  assert.equal(secure.requests[0]!.line, 'GET /c')
  assert.equal(collected(await fetchFrom(t, plain.origin, {}, { dispatchers: through })), 'plain')
  assert.equal(toPlain.seen.length, 1)
})

test('nothing is kept for a host that was reached through a proxy', async (t) => {
  const plain = await receiver(t, (_, reply) => reply.end('plain'))
  const between = await proxy(t, plain.origin)
  const through = dispatchers(t, { proxy: between.origin })
  for (let i = 0; i < 5; i++) await fetchFrom(t, `http://h${i}.example.test`, {}, { dispatchers: through })
  const maps = Object.values(through.dispatcherFor()).filter((value) => value instanceof Map)
  assert.deepEqual(maps.map(({ size }) => size).toSorted(), [0, 1])
})

test('a proxy may want a user name; without one the failure says so', async (t) => {
  const plain = await receiver(t, (_, reply) => reply.end('plain'))
  const guarded = await proxy(t, plain.origin, `Basic ${Buffer.from('me:s3cret').toString('base64')}`)
  const withUser = guarded.origin.replace('//', '//me:s3cret@')
  const shared = dispatchers(t)
  const through = (uri: string) => ({
    dispatchers: { ...shared, dispatcherFor: () => shared.dispatcherFor(undefined, uri) },
  })
  assert.equal(collected(await fetchFrom(t, 'http://api.example.test', {}, through(withUser))), 'plain')
  for (const origin of ['http://api.example.test', 'https://api.example.test']) {
    const failure = await failureOf(fetchFrom(t, origin, {}, through(guarded.origin)))
    assert.equal(failure.code, 'receiver.unreachable')
    assert.match(
      failure.message,
      /the proxy did not let the request to "api\.example\.test" through \(status 407\)/,
    )
    assert.ok(!JSON.stringify([failure, failure.cause]).includes('s3cret'))
  }
})

test('which proxy is taken', () => {
  const rules = createProxyRules(undefined, {
    HTTP_PROXY: 'http://proxy:3128',
    https_proxy: 'secure-proxy:3129',
    NO_PROXY:
      'internal.example, *.below.example .dotted.example,with-port.example:8080,10.0.0.7,[2001:db8::1]',
  })
  const cases: [string, string | undefined][] = [
    ['http://api.example.com', 'http://proxy:3128'],
    ['https://api.example.com', 'http://secure-proxy:3129'],
    ['http://localhost:8080', undefined],
    ['http://127.0.0.1:8080', undefined],
    ['http://[::1]:8080', undefined],
    ['https://internal.example', undefined],
    ['https://internal.example.', undefined],
    ['https://a.internal.example', undefined],
    ['https://notinternal.example', 'http://secure-proxy:3129'],
    ['https://below.example', 'http://secure-proxy:3129'],
    ['https://a.below.example', undefined],
    ['https://dotted.example', undefined],
    ['http://with-port.example:8080', undefined],
    ['http://with-port.example', 'http://proxy:3128'],
    ['http://10.0.0.7', undefined],
    ['http://[2001:db8::1]', undefined],
  ]
  for (const [origin, expected] of cases) assert.equal(rules.proxyFor(new URL(origin)), expected, origin)
  assert.equal(
    createProxyRules('http://own:1', { HTTPS_PROXY: 'http://x:2' }).proxyFor(new URL('https://a.b')),
    'http://own:1',
  )
  assert.equal(
    createProxyRules(undefined, { HTTP_PROXY: 'http://x:2' }).proxyFor(new URL('https://a.b')),
    undefined,
  )
  assert.equal(
    createProxyRules(undefined, { HTTP_PROXY: 'http://x', no_proxy: '*' }).proxyFor(new URL('http://a.b')),
    undefined,
  )
})
