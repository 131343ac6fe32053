import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, it, type TestContext } from 'node:test'
import { Failure } from '../../src/core/failure.ts'
import type { Exchange } from '../../src/core/http.ts'
import type { LentToken } from '../../src/core/kinds.ts'
import { Secret } from '../../src/core/secret.ts'
import { exchange } from '../../src/net/client.ts'
import { createConnectivityProxy } from '../../src/net/connectivity-proxy.ts'
import { Egress } from '../../src/net/egress.ts'
import { collected, failureOf, receiver, testWorld, TestRun } from './fixture.ts'

/** What is lent one after the other; the last one again and again. */
async function setUp(t: TestContext, tokens: readonly (string | Failure)[], statuses: readonly number[]) {
  const told: string[] = []
  let asked = 0
  const proxy = await receiver(t, (_, reply) => {
    reply.statusCode = statuses[Math.min(proxy.requests.length, statuses.length) - 1]!
    reply.end('answer')
  })
  const world = testWorld(t)
  const { dispatcherFor } = createConnectivityProxy(
    { url: `127.0.0.1:${proxy.port}`, credential: 'connectivity' },
    world,
    new Egress(),
  )
  const lend = (name: string): Promise<LentToken> => {
    const token = tokens[Math.min(asked++, tokens.length - 1)]!
    if (token instanceof Failure) return Promise.reject(token)
    return Promise.resolve({
      token: new Secret(token),
      reject: () => told.push(`${name} rejected ${token}`) > 0,
      accepted: () => void told.push(`${name} accepted ${token}`),
    })
  }
  const send = (rest: Partial<Exchange> = {}) =>
    exchange(dispatcherFor({ locationId: undefined, lend }), world.clock, {
      origin: 'http://erp',
      path: '/x?y=%20',
      method: 'POST',
      headers: [],
      body: 'text',
      until: new TestRun(),
      collect: Infinity,
      limit: Infinity,
      ...rest,
    })
  return {
    proxy,
    told,
    send,
    sent: () => proxy.requests.map(({ headers }) => headers['proxy-authorization']),
  }
}

describe('the connectivity proxy', () => {
  it('gets requests in absolute form, with the host of the receiver', async (t) => {
    const { proxy, send, told } = await setUp(t, ['a'], [200])
    assert.equal(collected(await send()), 'answer')
    const [request] = proxy.requests
    assert.equal(request!.line, 'POST http://erp/x?y=%20')
    assert.equal(request!.headers.host, 'erp')
    assert.equal(request!.body, 'text')
    assert.deepEqual(told, [])
  })

  it('gets another token after 407, and the request again', async (t) => {
    const { send, sent, told } = await setUp(t, ['a', 'b'], [407, 200])
    assert.equal(collected(await send()), 'answer')
    assert.deepEqual(sent(), ['Bearer a', 'Bearer b'])
    assert.deepEqual(told, ['connectivity rejected a', 'connectivity accepted b'])
  })

  it('gets no request twice with the same token, and none more than twice', async (t) => {
    const same = await setUp(t, ['a'], [407])
    assert.equal((await failureOf(same.send())).code, 'receiver.unreachable')
    assert.deepEqual(same.sent(), ['Bearer a'])
    const twice = await setUp(t, ['a', 'b', 'c'], [407])
    assert.match((await failureOf(twice.send())).message, /"erp".*407/)
    assert.deepEqual(twice.sent(), ['Bearer a', 'Bearer b'])
    assert.deepEqual(twice.told, ['connectivity rejected a', 'connectivity rejected b'])
  })

  it('gets no stream twice, but the next request has another token', async (t) => {
    const { send, sent, told } = await setUp(t, ['a', 'b'], [407, 200])
    const failure = await failureOf(send({ body: Readable.from([Buffer.from('once')]) }))
    assert.match(failure.message, /407/)
    assert.deepEqual(told, ['connectivity rejected a'])
    await send()
    assert.deepEqual(sent(), ['Bearer a', 'Bearer b'])
  })

  it('is not called without a token', async (t) => {
    const none = new Failure('credential.timeout', 'no token came')
    const { send, sent } = await setUp(t, [none], [200])
    const body = Readable.from([Buffer.from('never sent')])
    assert.equal(await failureOf(send({ body })), none)
    assert.deepEqual(sent(), [])
    assert.equal(body.destroyed, true)
  })

  it('takes no https, and no headers of its own from others', async (t) => {
    const { send, sent } = await setUp(t, ['a'], [200])
    const https = await failureOf(send({ origin: 'https://erp' }))
    assert.deepEqual([https.code, https.receiver?.host], ['request.invalid', 'erp'])
    for (const header of ['Proxy-Authorization', 'sap-connectivity-scc-location_id'])
      assert.equal((await failureOf(send({ headers: [header, 'x'] }))).code, 'request.invalid')
    assert.deepEqual(sent(), [])
  })
})
