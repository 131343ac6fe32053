import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startApp } from '../../src/app.ts'
import { MessageLogReader } from '../../src/store/reading.ts'
import { call } from '../support/http.ts'
import { projectFolder, settingOf, startProject } from '../support/project.ts'
import { scrape } from '../support/scrape.ts'

const settings = { management: '127.0.0.1:0', 'managementAccess.metrics': 'public' }
const loaded = () =>
  Object.keys(createRequire(import.meta.url).cache).filter((path) => /prom-client/.test(path))

/** A token service that may be told to refuse, and an API that answers with the status in its path. */
async function service(t: TestContext) {
  const state = { tokens: 0, refuse: false }
  const server = createServer((request, response) => {
    if (request.url === '/token') {
      response.setHeader('content-type', 'application/json')
      if (state.refuse) return response.writeHead(401).end('{"error":"invalid_client"}')
      const token = { access_token: `token-number-${++state.tokens}`, expires_in: 600 }
      return response.end(JSON.stringify(token))
    }
    const status = Number(request.url!.slice(1)) || 200
    response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
  })
  t.after(() => server.closeAllConnections())
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { state, host: `127.0.0.1:${port}`, url: `http://127.0.0.1:${port}` }
}

const credential = (url: string) =>
  `type: oauth2\ntokenServiceUrl: ${url}/token\nclientId: client\nclientSecret: \${env:API_SECRET}\nbaseUrl: ${url}/\nretry: { attempts: 1 }\n`
const environment = { API_SECRET: 'a-secret-of-the-test-0123' }

const CALL = `
steps:
  - endpoint: { path: "/call/{status}", method: GET, access: public }
  - http: { url: "\${trigger.params.status}", credential: api }
  - respond: { body: done }
`

test('off unless it is said: nothing listens, and what it needs is not loaded', async (t) => {
  const { app } = await startProject(t, { 'flows/a.yaml': 'steps:\n  - log: x\n' })
  assert.equal(app.control.status().management, undefined)
  assert.deepEqual(loaded(), [])
  await app.stop()
  const on = await startProject(t, { 'flows/a.yaml': 'steps:\n  - log: x\n' }, { settings })
  assert.match(on.app.control.status().management!, /^http:\/\/127\.0\.0\.1:\d+$/)
  assert.ok(loaded().length > 0, 'it would have been seen')
})

test('a run of the command line in a process of its own serves nothing', async (t) => {
  const folder = projectFolder(t, { 'flows/a.yaml': 'steps:\n  - log: x\n' })
  const app = await startApp(await settingOf(folder, { settings }, () => {}), true)
  t.after(() => app.stop())
  assert.equal(app.control.status().management, undefined)
})

test('runs, steps, receivers and tokens are counted, and a renewal is seen', async (t) => {
  const api = await service(t)
  const files = { 'flows/call.yaml': CALL, 'security-material/api.yaml': credential(api.url) }
  const { app, url } = await startProject(t, files, { settings, environment })
  const management = app.control.status().management!
  const before = await scrape(management)
  assert.equal(before.value('sluice_runs_total', { flow: 'call', status: 'FAILED' }), 0)
  assert.equal(before.value('sluice_token_expires_in_seconds', { credential: 'api' }), undefined)

  for (const status of ['200', '200', '503']) await call(`${url}/http/call/${status}`)
  const found = await scrape(management)
  const flow = 'call'
  assert.equal(found.value('sluice_runs_total', { flow, status: 'COMPLETED' }), 2)
  assert.equal(found.value('sluice_runs_total', { flow, status: 'FAILED' }), 1)
  assert.equal(found.value('sluice_run_duration_seconds_count', { flow }), 3)
  assert.equal(found.value('sluice_runs_running', { flow }), 0)
  assert.equal(found.value('sluice_flow_well', { flow }), 1)
  assert.equal(found.value('sluice_step_duration_seconds_count', { flow, step: 'http', kind: 'http' }), 3)
  assert.equal(found.value('sluice_step_failures_total', { flow, step: 'http' }), 1)
  assert.equal(found.value('sluice_step_duration_seconds_count', { flow, step: 'respond' }), 2)
  const requests = (status: string) =>
    found.value('sluice_receiver_request_duration_seconds_count', { host: api.host, status })
  assert.deepEqual([requests('2xx'), requests('5xx'), requests('4xx')], [2, 1, undefined])
  const token = { credential: 'api' }
  assert.equal(found.value('sluice_token_requests_total', token), 1)
  assert.equal(found.value('sluice_token_request_failures_total', token), 0)
  assert.equal(found.value('sluice_token_uses_total', token), 3)
  const left = found.value('sluice_token_expires_in_seconds', token)!
  assert.ok(left > 500 && left <= 600, String(left))
  assert.equal(found.value('sluice_ready'), 1)

  // The receiver refuses the token: it is renewed, and the next answer is a refusal as well.
  await call(`${url}/http/call/401`)
  const renewed = await scrape(management)
  assert.equal(renewed.value('sluice_token_renewals_total', token), 2)
  assert.equal(renewed.value('sluice_token_requests_total', token), 2)
  assert.equal(
    renewed.value('sluice_receiver_request_duration_seconds_count', { host: api.host, status: '4xx' }),
    2,
  )

  api.state.refuse = true
  app.control.invalidateCredential('api')
  await call(`${url}/http/call/200`)
  const refused = await scrape(management)
  assert.equal(refused.value('sluice_token_request_failures_total', token), 1)
  assert.equal(refused.value('sluice_credential_well', { ...token, type: 'oauth2' }), 0)
  const health = await call(`${management}/health`)
  assert.equal(health.status, 200, 'it is ready all the same')
  assert.equal(health.json().status, 'degraded')
  const [trouble] = health.json().credentials.notWell
  assert.deepEqual([trouble.name, trouble.status, trouble.flows], ['api', 'refused', ['call']])
  assert.match(trouble.reason, /invalid_client/)
})

test('a receiver that does not answer, a message that is not let in and a script process that ends are seen', async (t) => {
  const arrived = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  const slow = createServer((_request, response) => {
    arrived.resolve()
    void go.promise.then(() => response.end())
  }).listen(0, '127.0.0.1')
  t.after(() => slow.closeAllConnections())
  t.after(() => slow.close())
  await once(slow, 'listening')
  const { port } = slow.address() as AddressInfo
  const gone = createServer().listen(0, '127.0.0.1')
  await once(gone, 'listening')
  const { port: nobody } = gone.address() as AddressInfo
  await new Promise((resolve) => gone.close(resolve))
  const { app, url } = await startProject(
    t,
    {
      'flows/slow.yaml': `concurrency: { running: 1, waiting: 0 }\nsteps:\n  - endpoint: { path: /slow, method: GET, access: public }\n  - http: { url: "http://127.0.0.1:${port}/" }\n`,
      'flows/gone.yaml': `steps:\n  - endpoint: { path: /gone, method: GET, access: public }\n  - http: { url: "http://127.0.0.1:${nobody}/" }\n`,
      'flows/loop.yaml':
        'steps:\n  - endpoint: { path: /loop, method: GET, access: public }\n  - script: "while (true);"\n    timeout: 100ms\n',
    },
    { settings },
  )
  const management = app.control.status().management!
  const first = call(`${url}/http/slow`)
  await arrived.promise
  assert.equal((await call(`${url}/http/slow`)).status, 503)
  const during = await scrape(management)
  assert.equal(during.value('sluice_runs_running', { flow: 'slow' }), 1)
  assert.equal(during.value('sluice_messages_refused_total', { flow: 'slow', code: 'flow.overload' }), 1)
  assert.equal(during.value('sluice_runs_total', { flow: 'slow', status: 'COMPLETED' }), 0)
  assert.ok(during.value('sluice_script_processes', { state: 'idle' })! >= 1)
  assert.equal((await call(`${management}/health`)).json().runs.running, 1)
  go.resolve()
  await first
  await call(`${url}/http/gone`)
  await call(`${url}/http/loop`)
  const after = await scrape(management)
  assert.equal(after.value('sluice_runs_running', { flow: 'slow' }), 0)
  assert.equal(
    after.value('sluice_receiver_request_duration_seconds_count', { host: `127.0.0.1:${nobody}` }),
    1,
  )
  assert.equal(after.value('sluice_script_process_restarts_total'), 1)
})

test('what is counted of a flow stays when it is taken away, and what says how it is goes; a broken one is not well', async (t) => {
  const a = 'steps:\n  - endpoint: { path: /a, method: GET, access: public }\n  - respond: { body: a }\n'
  const { app, url, folder } = await startProject(
    t,
    { 'flows/a.yaml': a, 'flows/b.yaml': a.replace('/a', '/b'), 'flows/off.yaml': `enabled: false\n${a}` },
    { settings },
  )
  const management = app.control.status().management!
  await call(`${url}/http/a`)
  rmSync(join(folder, 'flows/a.yaml'))
  writeFileSync(join(folder, 'flows/b.yaml'), 'steps:\n  - lgo: x\n')
  await app.control.reload()
  const found = await scrape(management)
  assert.equal(found.value('sluice_runs_total', { flow: 'a', status: 'COMPLETED' }), 1)
  for (const name of ['sluice_flow_well', 'sluice_runs_running', 'sluice_runs_waiting'])
    assert.equal(found.value(name, { flow: 'a' }), undefined, name)
  assert.equal(found.value('sluice_flow_well', { flow: 'b' }), 0)
  assert.equal(found.value('sluice_flow_well', { flow: 'off' }), undefined)
  assert.equal(found.value('sluice_ready'), 1, 'the version before goes on')
  const { status, flows } = (await call(`${management}/health`)).json()
  assert.equal(status, 'degraded')
  assert.deepEqual([flows.running, flows.disabled], [1, 1])
  assert.match(flows.notWell[0].reason, /^flows\/b\.yaml:2:5: .*the version before goes on$/)
})

test('at info the engine’s own log says nothing of a message', async (t) => {
  const { app, url, log } = await startProject(
    t,
    { 'flows/a.yaml': 'steps:\n  - endpoint: { path: /a, method: GET, access: public }\n  - log: got it\n' },
    { settings },
  )
  const before = log.length
  const management = app.control.status().management!
  for (let at = 0; at < 100; at++) assert.equal((await call(`${url}/http/a`)).status, 204)
  const found = await scrape(management)
  assert.equal(found.value('sluice_runs_total', { status: 'COMPLETED' }), 100)
  assert.deepEqual(log.slice(before), [])
})

test('an address that others may reach is warned of; 127.0.0.1 is not', async (t) => {
  const files = { 'flows/a.yaml': 'steps:\n  - log: x\n' }
  const open = await startProject(t, files, {
    settings: { ...settings, management: '0.0.0.0:0' },
  })
  assert.equal(open.log.filter((line) => /metrics and health are not protected/.test(line)).length, 1)
  const closed = await startProject(t, files, { settings: { management: '0.0.0.0:0' } })
  assert.equal(closed.log.filter((line) => /put what ends TLS before it/.test(line)).length, 1)
  const { log } = await startProject(t, files, { settings })
  assert.deepEqual(
    log.filter((line) => /not protected/.test(line)),
    [],
  )
})

test('a port in use ends the start, before a timer has fired, with a sentence that names the setting', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  t.after(() => other.close())
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const folder = projectFolder(t, { 'flows/a.yaml': 'steps:\n  - timer: { once: true }\n  - log: x\n' })
  const starting = startApp(
    await settingOf(folder, { settings: { management: `127.0.0.1:${port}` } }, () => {}),
  )
  await assert.rejects(starting, {
    code: 'SLUICE_LISTEN',
    message: new RegExp(`^cannot listen on 127.0.0.1:${port} \\(setting "management"\\): another program`),
  })
  using reader = new MessageLogReader(join(folder, 'data'))
  assert.deepEqual(reader.runs({ limit: 10 }), [])
})

test('during shutdown it still answers, and says that the engine is not ready', async (t) => {
  const go = Promise.withResolvers<void>()
  const arrived = Promise.withResolvers<void>()
  const slow = createServer((_request, response) => {
    arrived.resolve()
    void go.promise.then(() => response.end())
  }).listen(0, '127.0.0.1')
  t.after(() => slow.closeAllConnections())
  t.after(() => slow.close())
  await once(slow, 'listening')
  const { port } = slow.address() as AddressInfo
  const { app, url } = await startProject(
    t,
    {
      'flows/slow.yaml': `steps:\n  - endpoint: { path: /slow, method: GET, access: public }\n  - http: { url: "http://127.0.0.1:${port}/" }\n`,
    },
    { settings },
  )
  const management = app.control.status().management!
  const running = call(`${url}/http/slow`)
  await arrived.promise
  const stopped = app.stop()
  const ready = async () => (await call(`${management}/health/ready`)).status
  while ((await ready()) !== 503);
  assert.deepEqual((await call(`${management}/health`)).json().notReady, ['the engine is shutting down'])
  assert.equal((await scrape(management)).value('sluice_ready'), 0)
  go.resolve()
  await running
  await stopped
  await assert.rejects(call(`${management}/health/live`), { code: 'ECONNREFUSED' })
})
