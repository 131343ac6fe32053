import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { EngineHealth } from '../../src/core/control.ts'
import type { Access } from '../../src/core/services.ts'
import { DevSession } from '../../src/server/management/dev-session.ts'
import { createManagementServer, type ManagementSetting } from '../../src/server/management/server.ts'
import { ManualClock } from '../support/clock.ts'
import { call, listLog, rawCall } from '../support/http.ts'

const HEALTH: EngineHealth = {
  status: 'degraded',
  version: '0.1.0',
  startedAt: 0,
  uptimeSeconds: 7,
  notReady: [],
  flows: { running: 1, disabled: 0, notWell: [] },
  credentials: {
    total: 1,
    notWell: [
      { name: 'api', type: 'oauth2', status: 'refused', reason: 'it said hunter22', flows: ['orders'] },
    ],
  },
  runs: { running: 0, waiting: 0 },
  messageLog: { backlog: 0, lost: 0, trouble: undefined },
}

/** Queries that were judged. */
const judged: string[] = []

/** Lets those in who say `authorization: good`. */
const access: Pick<Access, 'admit'> = {
  admit(_rule, _flow, request) {
    judged.push(request.query)
    if (request.raw.headers.authorization === 'good') return { id: 'boss', roles: [] }
    request.deny({
      status: 401,
      code: 'access.missing',
      title: `not at ${request.called}`,
      headers: [],
      id: '1',
    })
    return undefined
  },
}

async function started(t: TestContext, own: Partial<ManagementSetting> = {}) {
  const log = listLog()
  const server = createManagementServer({
    listen: { host: '127.0.0.1', port: 0 },
    health: () => HEALTH,
    metrics: async () => '# nothing\n',
    access,
    addressOf: ({ socket }) => socket.remoteAddress!,
    hosts: ['Flows.Example.com'],
    openMetrics: true,
    session: undefined,
    engine: {} as ManagementSetting['engine'],
    audit: { record() {}, count() {} },
    documents: {
      endpoints: () => '{}',
      endpointsPage: () => ({ text: '<p>endpoints', contentSecurityPolicy: "default-src 'none'" }),
      api: () => '{}',
      apiPage: () => ({ text: '<p>api', contentSecurityPolicy: "default-src 'none'" }),
    },
    bodyLimit: 1000,
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    redact: (text) => text.replaceAll('hunter22', '[secret]'),
    log,
    ...own,
  })
  const url = await server.listen()
  t.after(() => server.close())
  return { url, log, server }
}

test('health tells what is not well without secrets; ready and live tell the status alone', async (t) => {
  let status: EngineHealth['status'] = 'degraded'
  const { url } = await started(t, { health: () => ({ ...HEALTH, status }) })
  const health = await call(`${url}/health`)
  assert.equal(health.status, 200)
  assert.match(health.headers['content-type']!, /^application\/json/)
  assert.equal(health.headers['cache-control'], 'no-store')
  assert.equal(health.json().credentials.notWell[0].reason, 'it said [secret]')
  assert.deepEqual([(await call(`${url}/health/ready`)).text], ['{"status":"up"}'])
  status = 'down'
  assert.deepEqual((await call(`${url}/health`)).status, 503)
  const ready = await call(`${url}/health/ready`)
  assert.deepEqual([ready.status, ready.text], [503, '{"status":"down"}'])
  const live = await call(`${url}/health/live`)
  assert.deepEqual([live.status, live.text], [200, '{"status":"up"}'])
})

test('everything else is 404 problem+json, also what would change something', async (t) => {
  const { url } = await started(t)
  const wrong: [method: string, path: string][] = [
    ['GET', '/'],
    ['GET', '/http/orders'],
    ['GET', '/metrics/x'],
    ['GET', '/health/'],
  ]
  for (const path of ['/metrics', '/health', '/openapi', '/api', '/api/openapi.json'])
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const got = await call(url + path, { method, body: 'x', headers: { 'content-type': 'what/ever' } })
      assert.deepEqual(
        [got.status, got.headers['content-type'], got.headers.allow],
        [405, 'application/problem+json', 'GET, HEAD'],
        `${method} ${path}`,
      )
    }
  for (const [method, path] of wrong) {
    const got = await call(url + path, { method, body: 'x', headers: { 'content-type': 'what/ever' } })
    assert.deepEqual(
      [got.status, got.headers['content-type']],
      [404, 'application/problem+json'],
      `${method} ${path}`,
    )
  }
  assert.equal((await call(`${url}/metrics`, { method: 'HEAD' })).status, 200)
  assert.match(await rawCall(url, 'nonsense\r\n\r\n'), /^HTTP\/1.1 400 [^]*problem\+json/)
})

test('a fault is a 500 without its reason, and a line in the log', async (t) => {
  const { url, log } = await started(t, { metrics: () => Promise.reject(new Error('the inner reason')) })
  const got = await call(`${url}/metrics`)
  assert.deepEqual([got.status, got.json().code], [500, 'engine.fault'])
  assert.doesNotMatch(got.text, /inner/)
  assert.deepEqual(
    log.lines.map(({ level }) => level),
    ['error'],
  )
})

test('a port in use is an error that names the setting', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  t.after(() => other.close())
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  await assert.rejects(started(t, { listen: { host: '127.0.0.1', port } }), {
    code: 'SLUICE_LISTEN',
    message: `cannot listen on 127.0.0.1:${port} (setting "management"): another program listens there; stop it, or choose another port`,
  })
})

test('closing does not wait for a scraper that keeps its connection', async (t) => {
  const { url, server } = await started(t)
  const closed = rawCall(url, 'GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n')
  await call(`${url}/health/live`)
  await server.close()
  assert.match(await closed, /^HTTP\/1.1 200/)
})

test('metrics and health are for everybody or for viewers, descriptions for viewers', async (t) => {
  const { url } = await started(t, { openMetrics: false })
  for (const path of ['/metrics', '/health', '/openapi', '/openapi.json', '/api', '/api/openapi.json']) {
    const closed = await call(url + path)
    assert.deepEqual([closed.status, closed.json().title], [401, `not at the address ${path}`])
    assert.equal((await call(url + path, { headers: { authorization: 'good' } })).status, 200, path)
    assert.equal((await call(url + path, { method: 'HEAD' })).status, 401, path)
  }
  for (const path of ['/health/live', '/health/ready'])
    assert.equal((await call(url + path, { headers: { host: 'evil.example' } })).status, 200)
  const page = await call(`${url}/openapi`, { headers: { authorization: 'good' } })
  assert.deepEqual(
    [page.headers['content-type'], page.headers['content-security-policy'], page.headers['cache-control']],
    ['text/html; charset=utf-8', "default-src 'none'", 'no-store'],
  )
})

test('a name that is not its own is refused: a page may have been made to lead here', async (t) => {
  const { url } = await started(t)
  const { port } = new URL(url)
  const status = async (host: string, path = '/metrics') =>
    (await call(url + path, { headers: { host } })).status
  for (const own of [
    'localhost',
    `localhost:${port}`,
    '127.0.0.1',
    '[::1]:1',
    '10.0.0.7:9090',
    'flows.example.com:1',
  ])
    assert.equal(await status(own), 200, own)
  for (const foreign of [
    'evil.example',
    `evil.example:${port}`,
    'xlocalhost',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'flows.example.com.evil.example',
  ])
    for (const path of ['/metrics', '/api/flows', '/openapi'])
      assert.equal(await status(foreign, path), 421, foreign)
  const { detail } = (await call(`${url}/metrics`, { headers: { host: 'my.name' } })).json()
  assert.match(detail, /"my.name" .*managementAccess.hosts/)
})

test('pages of other sites are refused, whoever they come as', async (t) => {
  const { url } = await started(t)
  const { host } = new URL(url)
  const status = async (headers: Record<string, string>, path = '/openapi', method = 'GET') =>
    (await call(url + path, { method, headers: { host, authorization: 'good', ...headers } })).status
  assert.equal(await status({ origin: 'https://evil.example' }), 403)
  assert.equal(await status({ origin: 'null' }), 403)
  assert.equal(await status({ origin: `http://${host}` }), 200)
  assert.equal(await status({ origin: 'https://evil.example' }, '/api/reload', 'POST'), 403)
  for (const site of ['cross-site', 'same-site']) {
    assert.equal(await status({ 'sec-fetch-site': site }), 403)
    assert.equal(await status({ 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate' }), 200)
    assert.equal(
      await status({ 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate' }, '/api/reload', 'POST'),
      403,
    )
  }
  for (const site of ['same-origin', 'none']) assert.equal(await status({ 'sec-fetch-site': site }), 200)
  const preflight = await call(`${url}/api/flows`, {
    method: 'OPTIONS',
    headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
  })
  assert.equal(preflight.headers['access-control-allow-origin'], undefined)
})

test('the link of a development engine is good once, for five minutes, and its session for this process', async (t) => {
  const clock = new ManualClock()
  const session = new DevSession(clock)
  const audited: string[] = []
  const { url } = await started(t, {
    session,
    audit: { record() {}, count: ({ what, outcome }) => void audited.push(`${what} ${outcome}`) },
  })
  const link = session.link(url)!
  assert.match(link, /^http:\/\/127\.0\.0\.1:\d+\/login\?code=[\w-]{43}$/)
  assert.equal((await call(link, { method: 'HEAD' })).status, 404)
  assert.equal((await call(`${url}/login?code=wrong`)).status, 401)
  assert.equal((await call(`${url}/login`)).status, 401)
  const opened = await call(link)
  assert.deepEqual([opened.status, opened.headers.location], [303, '/openapi'])
  const [set] = opened.headers['set-cookie']!
  assert.match(set!, /^sluice-session-\d+=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/$/)
  const cookie = set!.split(';')[0]!
  const page = async (given: string) => (await call(`${url}/openapi`, { headers: { cookie: given } })).status
  assert.deepEqual([await page(cookie), await page(`a=b; ${cookie}`)], [200, 200])
  assert.deepEqual(
    [await page(cookie.replace(/=.*/, '=')), await page(`${cookie}x`), await page('x')],
    [401, 401, 401],
  )
  const again = await call(link)
  assert.equal(again.status, 401)
  assert.match(again.json().detail, /used before/)
  assert.deepEqual(audited, ['login refused', 'login refused', 'login done', 'login refused'])
  assert.equal(session.link(url), undefined)
  await clock.advance(12 * 3_600_000 + 1)
  assert.equal(await page(cookie), 401)
  const late = new DevSession(clock)
  const code = new URL(late.link(url)!).searchParams.get('code')!
  await clock.advance(5 * 60_000 + 1)
  assert.deepEqual([late.link(url), late.redeem(code)], [undefined, undefined])
})

test('without --dev there is no link', async (t) => {
  const { url } = await started(t)
  assert.equal((await call(`${url}/login?code=x`)).status, 404)
})

test('so many requests are taken at once and no more', async (t) => {
  let release = () => {}
  const waiting = new Promise<void>((resolve) => (release = resolve))
  const { url } = await started(t, { metrics: () => waiting.then(() => 'x') })
  const answers = Array.from({ length: 64 }, () => call(`${url}/metrics`))
  let refused = await call(`${url}/health`)
  while (refused.status !== 503) refused = await call(`${url}/health`)
  assert.equal(refused.headers['retry-after'], '1')
  assert.equal((await call(`${url}/openapi`, { headers: { authorization: 'good' } })).status, 200)
  release()
  assert.deepEqual([...new Set((await Promise.all(answers)).map((one) => one.status))], [200])
  assert.equal((await call(`${url}/health`)).status, 200)
})

test('those who are refused take no room from those who may come in', async (t) => {
  const { url } = await started(t)
  const { hostname, port } = new URL(url)
  const head = `POST /api/reload HTTP/1.1\r\nhost: ${hostname}:${port}\r\ntransfer-encoding: chunked\r\n\r\n`
  await Promise.all(
    Array.from({ length: 80 }, async () => {
      const socket = connect(Number(port), hostname)
      t.after(() => socket.destroy())
      socket.write(head)
      const [answer] = (await once(socket, 'data')) as [Buffer]
      assert.match(answer.toString(), /^HTTP\/1.1 401 /)
    }),
  )
  assert.equal((await call(`${url}/openapi`, { headers: { authorization: 'good' } })).status, 200)
})

test('the whole query is judged, also behind a second "?"', async (t) => {
  const { url } = await started(t)
  await call(`${url}/openapi.json?a=1?&access_token=t`)
  assert.equal(judged.at(-1), 'a=1?&access_token=t')
})
