import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { networkOf } from '../../src/net/ip-address.ts'
import { CallRate } from '../../src/triggers/endpoint-rate.ts'
import { ManualClock } from '../support/clock.ts'
import { sluice } from '../support/command-line.ts'
import { call } from '../support/http.ts'
import { startProject } from '../support/project.ts'
import { echo, serve } from './serve-endpoint.ts'

test('as many calls as fit into the time come in at once, then evenly; each caller has its own', () => {
  const clock = new ManualClock()
  const rate = new CallRate({ rate: 3, per: 3000, by: 'caller' }, clock)
  const takes = (who: string) => rate.take(who) === undefined
  assert.deepEqual([takes('a'), takes('a'), takes('a'), takes('a')], [true, true, true, false])
  assert.equal(rate.take('a')!.retryAfter, 1000)
  assert.equal(takes('b'), true)
  clock.advance(999)
  assert.equal(takes('a'), false)
  clock.advance(1)
  assert.deepEqual([takes('a'), takes('a')], [true, false])
  clock.advance(60_000)
  assert.deepEqual([takes('a'), takes('a'), takes('a'), takes('a')], [true, true, true, false])
})

test('only so many callers are remembered', () => {
  const rate = new CallRate({ rate: 1, per: 1000, by: 'caller' }, new ManualClock())
  rate.take('first')
  for (let n = 0; n < 9999; n++) rate.take(String(n))
  assert.equal(rate.take('first')?.code, 'request.rate')
  rate.take('one more')
  rate.take('another')
  assert.equal(rate.take('0'), undefined)
})

test('an address of IPv6 counts as its network', () => {
  assert.equal(networkOf('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2')
  assert.equal(networkOf('2001:db8:1:2::9'), '2001:db8:1:2')
  assert.equal(networkOf('2001:db8::9'), '2001:db8:0:0')
  assert.equal(networkOf('fe80::1%eth0'), 'fe80:0:0:0')
  assert.equal(networkOf('::1'), '0:0:0:0')
  assert.equal(networkOf('::ffff:10.0.0.1'), '10.0.0.1')
  assert.equal(networkOf('10.0.0.1'), '10.0.0.1')
})

test('who calls too often gets 429 before its body is asked for', async (t) => {
  const flow = echo()
  const clock = new ManualClock()
  const { orders } = await serve(t, flow, { rateLimit: { rate: 2, per: 10_000 } }, { clock })
  const send = () => call(orders, { method: 'POST', body: 'x' })
  assert.deepEqual([(await send()).status, (await send()).status], [200, 200])
  const refused = await send()
  assert.equal(refused.headers['retry-after'], '5')
  assert.deepEqual(refused.json(), { title: 'The caller calls too often', status: 429, code: 'request.rate' })
  assert.equal(flow.requests.length, 2)
  clock.advance(5000)
  assert.equal((await send()).status, 200)
})

test('clients are counted one by one', async (t) => {
  const files: Record<string, string> = {
    'flows/orders.yaml':
      'steps:\n  - endpoint: { path: /orders, rateLimit: { rate: 1, per: 1h } }\n  - set: { body: ok }\n',
  }
  for (const name of ['shop', 'store']) {
    const made = await sluice(t, ['client', 'create', name, '--secret-stdin'], files, {
      input: `the-secret-of-${name}-long`,
    })
    assert.equal(made.code, 0, made.stderr)
    const file = `security-material/${name}.yaml`
    files[file] = await readFile(join(made.folder, file), 'utf8')
  }
  const { url } = await startProject(t, files)
  const send = async (name: string) => {
    const basic = Buffer.from(`${name}:the-secret-of-${name}-long`).toString('base64')
    const got = await call(`${url}/http/orders`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}` },
    })
    return got.status
  }
  assert.deepEqual([await send('store'), await send('store')], [200, 429])
  assert.deepEqual([await send('shop'), await send('shop')], [200, 429])
})

const ORIGIN = 'https://shop.example.com'
const ask = (origin: string, method: string) => ({
  method: 'OPTIONS',
  headers: { origin, 'access-control-request-method': method },
})
const ofCors = (headers: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => /^(access-control|vary|allow$)/.test(name)))

test('a page of a named origin may ask and call; others learn nothing', async (t) => {
  const flow = echo()
  const { orders } = await serve(t, flow, {
    cors: { origins: [ORIGIN], headers: ['x-own'], credentials: true, maxAge: 60_000 },
  })
  const asked = await call(orders, ask(ORIGIN, 'POST'))
  assert.equal(asked.status, 204)
  assert.deepEqual(ofCors(asked.headers), {
    'access-control-allow-origin': ORIGIN,
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': 'x-own',
    'access-control-allow-credentials': 'true',
    'access-control-max-age': '60',
    vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
  })
  const foreign = await call(orders, ask('https://evil.example.com', 'POST'))
  assert.deepEqual(Object.keys(ofCors(foreign.headers)), ['vary'])
  const got = await call(orders, { method: 'POST', headers: { origin: ORIGIN }, body: 'x' })
  assert.deepEqual(ofCors(got.headers), {
    'access-control-allow-origin': ORIGIN,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': 'sluice-run, retry-after',
    vary: 'Origin',
  })
  const strange = await call(orders, { method: 'POST', headers: { origin: 'null' }, body: 'x' })
  assert.deepEqual(ofCors(strange.headers), { vary: 'Origin' })
  assert.deepEqual(ofCors((await call(orders, ask(ORIGIN, 'PUT'))).headers), { allow: 'OPTIONS, POST' })
  assert.equal(flow.requests.length, 2)
})

test('a preflight needs no token, a refusal can be read by the page, and the endpoint has the last word', async (t) => {
  const { url } = await startProject(t, {
    'flows/orders.yaml': `steps:
  - endpoint: { path: "/orders/{id}", cors: { origins: ["${ORIGIN}"] } }
  - log: x
`,
    'flows/open.yaml': `steps:
  - endpoint: { path: /open, method: GET, access: public, cors: { origins: "*" } }
  - set: { headers: { access-control-allow-origin: "https://other.example.com", x-own: "1" } }
`,
    'flows/none.yaml': 'steps:\n  - endpoint: { path: /none, access: public }\n  - log: x\n',
  })
  assert.equal(
    (await call(`${url}/http/orders/1`, ask(ORIGIN, 'POST'))).headers['access-control-allow-origin'],
    ORIGIN,
  )
  const refused = await call(`${url}/http/orders/1`, { method: 'POST', headers: { origin: ORIGIN } })
  assert.deepEqual([refused.status, refused.headers['access-control-allow-origin']], [401, ORIGIN])
  const open = await call(`${url}/http/open`, { headers: { origin: ORIGIN } })
  assert.deepEqual([open.headers['access-control-allow-origin'], open.headers['x-own']], ['*', '1'])
  assert.equal(open.headers.vary, undefined)
  const none = await call(`${url}/http/none`, ask(ORIGIN, 'POST'))
  assert.deepEqual(ofCors(none.headers), { allow: 'OPTIONS, POST' })
})

test('no reply is to be sniffed, and no problem to be kept', async (t) => {
  const { orders, url } = await serve(t, echo())
  const got = await call(orders, { method: 'POST', body: 'x' })
  assert.equal(got.headers['x-content-type-options'], 'nosniff')
  const problem = await call(`${url}/http/none`)
  assert.equal(problem.headers['x-content-type-options'], 'nosniff')
  assert.equal(problem.headers['cache-control'], 'no-store')
})
