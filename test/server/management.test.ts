import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { EngineHealth } from '../../src/core/control.ts'
import { createManagementServer, type ManagementSetting } from '../../src/server/management.ts'
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

async function started(t: TestContext, own: Partial<ManagementSetting> = {}) {
  const log = listLog()
  const server = createManagementServer({
    listen: { host: '127.0.0.1', port: 0 },
    health: () => HEALTH,
    metrics: async () => '# nothing\n',
    openApi: () => '{}',
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
    ...['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].flatMap((method): [string, string][] => [
      [method, '/metrics'],
      [method, '/health'],
    ]),
  ]
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
