import assert from 'node:assert/strict'
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { connectControl } from '../../src/server/control-client.ts'
import type { AuditFilter } from '../../src/store/audit-reading.ts'
import { MessageLogReader } from '../../src/store/reading.ts'
import { startApp } from '../../src/app.ts'
import { sluice } from '../support/command-line.ts'
import { call } from '../support/http.ts'
import { startManaged } from '../support/management.ts'
import { projectFolder, settingOf, startProject, type RunningProject } from '../support/project.ts'

const FLOW = 'steps:\n  - endpoint: { path: /orders, access: { role: orders.write } }\n  - log: ${body}\n'
const SECRET = 'a-secret-of-the-shop-1234'

async function entriesOf(t: TestContext, { app, folder }: RunningProject, filter: Partial<AuditFilter> = {}) {
  await app.flush()
  using reader = new MessageLogReader(join(folder, 'data'))
  return reader
    .audit({ limit: 100, ...filter })
    .toReversed()
    .map(({ what, who, object, outcome, detail, count }) =>
      [what, object, outcome, `by ${who}`, detail, count === 1 ? undefined : `x${count}`]
        .filter((part) => part !== undefined)
        .join(' '),
    )
}

async function shop(t: TestContext, folder: string): Promise<void> {
  const made = await sluice(
    t,
    ['client', 'create', 'shop', '--role', 'orders.write', '--secret-stdin'],
    {},
    { folder, input: `${SECRET}\n` },
  )
  assert.equal(made.code, 0, made.stderr)
}

test('clients are on record: made, changed and removed by the command line and by hand, and their tokens', async (t) => {
  const project = await startProject(t, { 'flows/orders.yaml': FLOW })
  const { folder, url, logged } = project
  await shop(t, folder)
  await logged(/client \\?"shop\\?" was added/)
  const token = (form: string) =>
    call(`${url}/oauth2/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `grant_type=client_credentials&client_id=shop&client_secret=${form}`,
    })
  assert.equal((await token(SECRET)).status, 200)
  assert.equal((await token(SECRET)).status, 200)
  assert.equal((await token('wrong')).status, 401)
  const file = join(folder, 'security-material/shop.yaml')
  const change = async (args: string[], count: number) => {
    assert.equal((await sluice(t, ['client', ...args], {}, { folder })).code, 0)
    await logged(/client \\?"shop\\?" was changed/, count)
  }
  await change(['grant', 'shop', 'sluice.viewer'], 1)
  await change(['disable', 'shop'], 2)
  writeFileSync(file, readFileSync(file, 'utf8').replace('enabled: false', 'description: of the shop'))
  await logged(/client \\?"shop\\?" was changed/, 3)
  rmSync(file)
  await logged(/client \\?"shop\\?" was removed/)
  const entries = await entriesOf(t, project)
  assert.deepEqual(entries, [
    'key.rotated done by the engine',
    'client.created shop done by local user (socket) roles orders.write',
    'token.issued shop done by oauth_client_shop',
    'token.refused shop refused by oauth_client_shop the secret is not that of client "shop"',
    'role.granted shop done by local user (socket) sluice.viewer',
    'client.disabled shop done by local user (socket)',
    'client.enabled shop done by a file',
    'client.changed shop done by a file',
    'client.removed shop done by a file',
  ])
  assert.doesNotMatch(JSON.stringify(entries), new RegExp(SECRET))
})

test('a change that was announced and failed is withdrawn: what follows by hand is that of a file', async (t) => {
  const project = await startManaged(t, { 'flows/orders.yaml': FLOW })
  const { folder, logged } = project
  const file = join(folder, 'security-material/nobody.yaml')
  chmodSync(file, 0o444)
  const granted = await project.ask('admin', 'PUT', '/api/clients/nobody/roles/orders.write')
  assert.equal(granted.status, 409, granted.text)
  assert.notEqual((await sluice(t, ['client', 'grant', 'nobody', 'orders.write'], {}, { folder })).code, 0)
  chmodSync(file, 0o644)
  writeFileSync(file, readFileSync(file, 'utf8').replace('sluice.nobody', 'orders.read'))
  await logged(/client \\?"nobody\\?" was changed/)
  assert.deepEqual(await entriesOf(t, project, { object: ['nobody'], what: ['role.*'] }), [
    `role.granted nobody failed by oauth_client_admin security-material/nobody.yaml: it is read-only and was not written. Make it writable: chmod u+w.`,
    'role.granted nobody done by a file orders.read',
    'role.revoked nobody done by a file sluice.nobody',
  ])
})

test('a copy of a client file that takes its client id is named as the reason', async (t) => {
  const project = await startManaged(t, { 'flows/orders.yaml': FLOW })
  const { folder, logged } = project
  const text = readFileSync(join(folder, 'security-material/nobody.yaml'), 'utf8')
  writeFileSync(join(folder, 'security-material/nobody.yaml'), `${text}clientId: shop\n`)
  await logged(/client \\?"nobody\\?" was changed/)
  writeFileSync(join(folder, 'security-material/a-copy.yaml'), `${text}clientId: shop\n`)
  await logged(/client \\?"nobody\\?" counts no more: \\?"a-copy\\?" has the same client id/)
  assert.deepEqual(await entriesOf(t, project, { what: ['client.removed'] }), [
    'client.removed nobody done by a file "a-copy" has the same client id',
  ])
})

test('what was changed while no engine ran is noticed at the next start, once', async (t) => {
  const folder = projectFolder(t, { 'flows/orders.yaml': FLOW })
  const setting = await settingOf(folder, {}, () => {})
  const run = async () => {
    const app = await startApp(setting)
    await app.stop()
    using reader = new MessageLogReader(join(folder, 'data'))
    return reader
      .audit({ limit: 100, object: ['shop'] })
      .toReversed()
      .map(({ what, object, who, detail }) => `${what} ${object} by ${who}: ${detail}`)
  }
  await shop(t, folder)
  const first = ['client.created shop by a file: roles orders.write; noticed at the start']
  assert.deepEqual(await run(), first)
  assert.deepEqual(await run(), first)
  for (const args of [
    ['grant', 'shop', 'orders.read'],
    ['revoke', 'shop', 'orders.write'],
    ['rotate', 'shop'],
    ['api-key', 'shop'],
  ])
    assert.equal((await sluice(t, ['client', ...args], {}, { folder })).code, 0)
  assert.deepEqual((await run()).slice(1), [
    'role.granted shop by a file: orders.read; noticed at the start',
    'role.revoked shop by a file: orders.write; noticed at the start',
    'secret.rotated shop by a file: 2 added; noticed at the start',
  ])
  const kept = readFileSync(join(folder, 'data/access-clients.json'), 'utf8')
  assert.doesNotMatch(kept, /scrypt|sha256/)
})

test('what is done over the socket is on record with how it ended, and what files change', async (t) => {
  const project = await startProject(
    t,
    {
      'flows/ends.yaml': 'steps:\n  - log: x\n',
      'flows/fails.yaml': 'steps:\n  - fail: no\n',
      'security-material/api.yaml': 'type: bearer\nbaseUrl: https://api.example.com\ntoken: ${env:T}\n',
    },
    { environment: { T: 'hidden' } },
  )
  const { folder, logged } = project
  const engine = (await connectControl(join(folder, 'data')))!
  const nothing = { headers: {}, parameters: {} }
  const done = await engine.run('ends', nothing)
  const failed = await engine.run('fails', nothing)
  await engine.run('missing', nothing)
  await engine.setLevel('ends', { level: 'debug', duration: 60_000 })
  await engine.setLevel('ends', { duration: 0 })
  await engine.invalidateCredential('api')
  await engine.testCredential('api', { tryOthers: false })
  await engine.cancelRun('missing')
  await engine.reload()
  rmSync(join(folder, 'security-material/api.yaml'))
  await logged(/credential \\?"api\\?" was removed/)
  const by = 'by local user (socket)'
  assert.deepEqual(await entriesOf(t, project), [
    'key.rotated done by the engine',
    `flow.run ends done ${by} run ${done!.id}`,
    `flow.run fails failed ${by} run ${failed!.id}`,
    `flow.run missing failed ${by} there is no such thing`,
    `flow.level ends done ${by} debug for 60 s`,
    `flow.level ends done ${by} its own`,
    `credential.invalidated api done ${by}`,
    `credential.tested api done ${by}`,
    `run.cancelled missing failed ${by} there is no such thing`,
    `reload done ${by} 0 changed, 0 added, 0 removed, 0 broken`,
    'credential.removed api done by a file',
  ])
})

test('a run that goes on is called off by its id', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  t.after(() => silent.close().closeAllConnections())
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  const project = await startProject(t, {
    'flows/waits.yaml': `steps:\n  - http: { url: "http://127.0.0.1:${port}/" }\n`,
  })
  const engine = (await connectControl(join(project.folder, 'data')))!
  const ended = engine.run('waits', { headers: {}, parameters: {} })
  const stop = new AbortController()
  const events = (await engine.follow({ selection: {} }, stop.signal))!
  let id: string | undefined
  for await (const event of events) {
    id = (event as { run?: { id: string } }).run?.id
    if (id !== undefined) break
  }
  stop.abort()
  await project.app.flush()
  const cancel = (given: string) => sluice(t, ['cancel', given], {}, { folder: project.folder })
  const { code, stdout } = await cancel(id!.slice(-12))
  assert.deepEqual([code, stdout], [0, `cancelled ${id!.slice(-12)}, a run of "waits"\n`])
  assert.equal((await ended)!.status, 'CANCELLED')
  const late = await cancel(id!)
  assert.deepEqual([late.code, late.stdout], [1, ''])
  assert.match(late.stderr, /is not going on: sluice log/)
  assert.match((await cancel('nothing')).stderr, /there is no run "nothing"/)
  const entries = await entriesOf(t, project, { what: ['run.*'] })
  assert.deepEqual(entries, [
    `run.cancelled ${id} done by local user (socket) flow waits`,
    `run.cancelled ${id} failed by local user (socket) there is no such thing`,
  ])
})

test('sluice audit lists entries, newest last, within 80 columns', async (t) => {
  const project = await startProject(t, { 'flows/ends.yaml': 'steps:\n  - log: x\n' })
  const { folder, app } = project
  const engine = (await connectControl(join(folder, 'data')))!
  await engine.run('ends', { headers: {}, parameters: {} })
  await engine.reload()
  await engine.run('missing', { headers: {}, parameters: {} })
  await app.flush()
  const audit = (...args: string[]) => sluice(t, ['audit', ...args], {}, { folder, columns: 80 })
  const all = await audit()
  assert.equal(all.code, 0)
  assert.ok(
    all.stdout.split('\n').every((line) => line.length <= 80),
    all.stdout,
  )
  assert.match(
    all.stdout.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'TIME'),
    /^TIME  key.rotated  by the engine\nTIME  flow.run ends\n {4}by local user \(socket\); run [-0-9a-f]+\nTIME  reload\n {4}by local user \(socket\); 0 changed[^]+TIME  flow.run missing\n {4}failed; by local/,
  )
  const json = await audit('--json', '--what', 'flow.*', '--limit', '1')
  assert.deepEqual(
    json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).object),
    ['missing'],
  )
  assert.match(json.stderr, /the last 1; more with --limit/)
  assert.match((await audit('--who', 'nobody')).stdout, /no entries match/)
  assert.equal((await audit('--what', 'flow.runs')).code, 2)
  assert.match((await audit('--what', 'flow.runs')).stderr, /did you mean "flow.run"/)
  assert.equal((await audit('--follow', '--until', '1h')).code, 2)
})

test('sluice audit --follow goes on with what comes', async (t) => {
  const project = await startProject(t, { 'flows/ends.yaml': 'steps:\n  - log: x\n' })
  const { folder, app } = project
  const stop = new AbortController()
  await app.control.reload()
  await app.flush()
  const onStdout = (line: string) => {
    if (line.includes('"reload"')) void app.control.run('ends', { headers: {}, parameters: {} })
    else stop.abort()
  }
  const following = sluice(
    t,
    ['audit', '--follow', '--json', '--who', 'local*'],
    {},
    { folder, signal: stop.signal, onStdout },
  )
  const { stdout, code } = await following
  assert.equal(code, 0)
  assert.deepEqual(
    stdout
      .trim()
      .split('\n')
      .map((line) => `${JSON.parse(line).what} ${JSON.parse(line).who}`),
    ['reload local user (terminal)', 'flow.run local user (terminal)'],
  )
})

test('who asked for a destination is on record, and what for where it was found', async (t) => {
  const project = await startProject(t, {
    'sluice.yaml': 'findDestination: true\n',
    'security-material/open.yaml': 'type: none\nfindable: true\nbaseUrl: https://api.example.com/\n',
  })
  const { folder, url, logged } = project
  const args = ['client', 'create', 'finder', '--role', 'destination.read', '--secret-stdin']
  assert.equal((await sluice(t, args, {}, { folder, input: `${SECRET}\n` })).code, 0)
  await logged(/client \\?"finder\\?" was added/)
  const authorization = `Basic ${Buffer.from(`finder:${SECRET}`).toString('base64')}`
  for (const name of ['open', 'closed'])
    await call(`${url}/destination-configuration/v1/destinations/${name}`, { headers: { authorization } })
  assert.deepEqual(await entriesOf(t, project, { what: ['destination.*'] }), [
    'destination.found open done by oauth_client_finder found, there is no token to it',
    'destination.found refused by oauth_client_finder not found, there is no such credential',
  ])
})
