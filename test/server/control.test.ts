import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync, existsSync, mkdirSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type {
  Control,
  CredentialReport,
  CredentialTestReport,
  EngineHealth,
  EngineStatus,
  FlowState,
  ReloadReport,
  ManualRun,
  RunReport,
} from '../../src/core/control.ts'
import { connectControl } from '../../src/server/control-client.ts'
import { createControlSocket } from '../../src/server/control-socket.ts'
import { listLog } from '../support/http.ts'

const STATUS: EngineStatus = {
  pid: 1,
  version: '0.1.0',
  startedAt: 0,
  listen: 'http://127.0.0.1:8080',
  management: 'http://127.0.0.1:9090',
  dataFolder: '/data',
  ready: false,
  notReady: ['the flow "a" does not run'],
}

const HEALTH: EngineHealth = {
  status: 'down',
  version: '0.1.0',
  startedAt: 0,
  uptimeSeconds: 1,
  notReady: ['the flow "a" does not run'],
  flows: { running: 0, disabled: 0, notWell: [{ name: 'a', state: 'broken', reason: 'hunter22' }] },
  credentials: { total: 0, notWell: [] },
  runs: { running: 0, waiting: 0 },
  messageLog: { backlog: 0, lost: 0, trouble: 'the disk is full' },
}

const REPORT: ReloadReport = {
  changed: ['a/b'],
  added: [],
  removed: [],
  broken: [],
  unchanged: 2,
  restart: [],
  problems: [],
}

const redact = (text: string) => text.replaceAll('hunter22', '[secret]')

function folder(t: TestContext, deep = ''): string {
  const root = mkdtempSync(join(tmpdir(), 'sluice-test-'))
  t.after(() => rmSync(root, { recursive: true }))
  const path = join(root, deep)
  mkdirSync(path, { recursive: true })
  return path
}

function fakeControl(own: Partial<Control> = {}): Control {
  return {
    status: () => STATUS,
    health: () => HEALTH,
    flows: () => [{ name: 'a/b', description: undefined } as FlowState],
    credentials: () => [{ name: 'shop_api' } as CredentialReport],
    setLevel: () => undefined,
    follow: async () => () => {},
    reload: async () => REPORT,
    readMaterial: async () => ({ read: true }),
    run: async () => undefined,
    testCredential: async () => undefined,
    announceClientChange: (client) => ({ client }),
    withdrawClientChange: (client) => ({ client }),
    cancelRun: () => undefined,
    invalidateCredential: () => undefined,
    revokeCredential: () => Promise.resolve(undefined),
    ...own,
  }
}

async function listening(t: TestContext, path: string, control = fakeControl()) {
  const log = listLog()
  const socket = createControlSocket({ control, folder: path, log, redact })
  const at = await socket.listen()
  t.after(() => socket.close())
  return { at, socket, log }
}

/** Status and JSON of a bare request to the socket. */
function ask(socketPath: string, method: string, path: string, body?: string): Promise<[number, any]> {
  return new Promise((resolve, reject) => {
    request({ socketPath, method, path, agent: false }, (answer) => {
      let text = ''
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()))
      answer.on('end', () => resolve([answer.statusCode!, JSON.parse(text)]))
    })
      .on('error', reject)
      .end(body)
  })
}

test('status, health, flows and credentials arrive as they are', async (t) => {
  const path = folder(t)
  await listening(t, path)
  const client = await connectControl(path)
  assert.deepEqual(await client!.status(), STATUS)
  const [broken] = HEALTH.flows.notWell
  assert.deepEqual(await client!.health(), {
    ...HEALTH,
    flows: { ...HEALTH.flows, notWell: [{ ...broken, reason: '[secret]' }] },
  })
  assert.deepEqual(await client!.flows(), [{ name: 'a/b' }])
  assert.deepEqual(await client!.credentials(), [{ name: 'shop_api' }])
})

test('a run goes there and back with all bytes of its body', async (t) => {
  const path = folder(t)
  const asked: unknown[] = []
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
  const report = (body: Uint8Array): RunReport => ({
    id: 'r',
    flow: 'a/b',
    status: 'COMPLETED',
    duration: 1.5,
    failure: undefined,
    reply: { status: 200, headers: { 'x-own': 'yes' }, body },
  })
  await listening(
    t,
    path,
    fakeControl({
      run: async (flow: string, run: ManualRun) => {
        asked.push(flow, run)
        return flow === 'a/b' ? report(Buffer.from(run.body ?? []).reverse()) : undefined
      },
    }),
  )
  const client = (await connectControl(path))!
  const sent = { body: bytes, headers: { 'content-type': 'x/y' }, parameters: { a: '1' } }
  const { failure: _, ...expected } = report(Buffer.from(bytes).reverse())
  assert.deepEqual(await client.run('a/b', sent), expected)
  assert.deepEqual(asked, ['a/b', sent])
  assert.equal(await client.run('nothing', { headers: {}, parameters: {} }), undefined)
})

test('a failed run arrives with its failure', async (t) => {
  const path = folder(t)
  const failed = {
    id: 'r',
    flow: 'a',
    status: 'FAILED',
    duration: 1,
    failure: { code: 'flow.failed', message: 'no' },
  }
  await listening(t, path, fakeControl({ run: async () => ({ ...failed, reply: undefined }) }))
  const client = (await connectControl(path))!
  assert.deepEqual(await client.run('a', { headers: {}, parameters: {} }), { ...failed, reply: undefined })
})

test('a test of a credential goes there and back, and one of an unknown credential is told apart', async (t) => {
  const path = folder(t)
  const asked: unknown[] = []
  const report = (name: string): CredentialTestReport => ({
    name,
    type: 'oauth2',
    file: `security-material/${name}.yaml`,
    ok: true,
    problems: [],
    steps: [],
  })
  await listening(
    t,
    path,
    fakeControl({
      async testCredential(name, wanted) {
        asked.push([name, wanted])
        return name === 'shop_api' ? report(name) : undefined
      },
    }),
  )
  const client = (await connectControl(path))!
  const call = { call: 'items?$top=1', tryOthers: true }
  assert.deepEqual(await client.testCredential('shop_api', call), report('shop_api'))
  assert.equal(await client.testCredential('a/b', { tryOthers: false }), undefined)
  assert.deepEqual(asked, [
    ['shop_api', call],
    ['a/b', { tryOthers: false }],
  ])
})

test('whoever goes away while a credential is tested calls the test off', async (t) => {
  const path = folder(t)
  const gone = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  await listening(
    t,
    path,
    fakeControl({
      testCredential(_name, _wanted, signal) {
        signal!.addEventListener('abort', () => gone.resolve())
        begun.resolve()
        return new Promise(() => {})
      },
    }),
  )
  const client = (await connectControl(path))!
  const leaving = new AbortController()
  const waiting = client.testCredential('shop_api', { tryOthers: false }, leaving.signal)
  await begun.promise
  leaving.abort()
  await assert.rejects(waiting, { name: 'AbortError' })
  await gone.promise
})

test('a credential is invalidated by name', async (t) => {
  const path = folder(t)
  const done = { name: 'shop_api', type: 'oauth2', keeps: true, status: 'ready' }
  await listening(
    t,
    path,
    fakeControl({ invalidateCredential: (name) => (name === 'shop_api' ? done : undefined) }),
  )
  const client = (await connectControl(path))!
  assert.deepEqual(await client.invalidateCredential('shop_api'), done)
  assert.equal(await client.invalidateCredential('other'), undefined)
})

test('single flows and credentials can be asked for; what is not there is 404, nonsense 400, a fault 500', async (t) => {
  const { at, log } = await listening(
    t,
    folder(t),
    fakeControl({
      run: async () => {
        throw new Error('broken')
      },
    }),
  )
  assert.deepEqual(await ask(at, 'GET', '/flows/a%2Fb'), [200, { name: 'a/b' }])
  assert.deepEqual(await ask(at, 'GET', '/credentials/shop_api'), [200, { name: 'shop_api' }])
  for (const path of ['/flows/x', '/credentials/x', '/', '/other', '/flows/a%2Fb/runs', '/status/x'])
    assert.equal((await ask(at, 'GET', path))[0], 404, path)
  for (const body of ['', '{', '1', '{"headers":{"a":1}}', '{"body":1}'])
    assert.equal((await ask(at, 'POST', '/flows/a/runs', body))[0], 400, body)
  for (const body of ['', '1', '{"call":1}', '{"tryOthers":"yes"}'])
    assert.equal((await ask(at, 'POST', '/credentials/shop_api/test', body))[0], 400, body)
  for (const body of [
    '1',
    '{"level":"all","duration":1}',
    '{"level":"debug"}',
    '{"level":"debug","duration":1e9}',
  ])
    assert.equal((await ask(at, 'POST', '/flows/a/level', body))[0], 400, body)
  assert.equal((await ask(at, 'POST', '/flows/a/level', '{}'))[0], 404)
  for (const action of ['other', 'test/x'])
    assert.equal((await ask(at, 'POST', `/credentials/shop_api/${action}`, '{}'))[0], 404, action)
  assert.equal((await ask(at, 'GET', '/flows/%zz'))[0], 400)
  assert.deepEqual(log.lines, [])
  assert.equal((await ask(at, 'POST', '/flows/a/runs', '{}'))[0], 500)
  assert.equal(log.lines.length, 1)
})

test('only its user may use the socket, and it is gone after closing', async (t) => {
  const path = folder(t)
  const before = process.umask()
  const { at, socket } = await listening(t, path)
  assert.equal(at, join(path, 'sluice.sock'))
  assert.equal(statSync(at).mode & 0o777, 0o600)
  assert.equal(process.umask(), before)
  await socket.close()
  assert.equal(existsSync(at), false)
  assert.equal(await connectControl(path), undefined)
})

test('where the path is too long, the socket is in the temporary folder', async (t) => {
  const path = folder(t, 'x'.repeat(100))
  const { at } = await listening(t, path)
  assert.match(at, /sluice-[0-9a-f]{16}\.sock$/)
  assert.ok(at.startsWith(tmpdir()))
  assert.equal((await (await connectControl(path))!.status()).pid, 1)
})

test('the socket of an engine that is gone is replaced', async (t) => {
  const path = folder(t)
  const at = join(path, 'sluice.sock')
  const dying = `require('node:net').createServer().listen(${JSON.stringify(at)}, () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', dying])
  assert.equal(statSync(at).isSocket(), true)
  assert.equal(await connectControl(path), undefined)
  await listening(t, path)
  assert.equal((await (await connectControl(path))!.status()).pid, 1)
})

test('a second engine and a file in the way are refused with a way out', async (t) => {
  const path = folder(t)
  await listening(t, path)
  const second = createControlSocket({ control: fakeControl(), folder: path, log: listLog(), redact })
  await assert.rejects(second.listen(), {
    code: 'SLUICE_SOCKET',
    message: /another engine answers at .*setting "data"/,
  })
  await second.close()
  assert.equal((await (await connectControl(path))!.status()).pid, 1)
  const taken = folder(t)
  writeFileSync(join(taken, 'sluice.sock'), 'mine')
  const blocked = createControlSocket({ control: fakeControl(), folder: taken, log: listLog(), redact })
  await assert.rejects(blocked.listen(), { code: 'SLUICE_SOCKET', message: /is in the way/ })
  assert.equal(await connectControl(taken), undefined)
})

test('no data folder, no engine', async () => {
  assert.equal(await connectControl(join(tmpdir(), 'sluice-not-there')), undefined)
})
