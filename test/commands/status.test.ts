import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printStatus, type StatusFacts } from '../../src/commands/status.ts'
import { localTime } from '../../src/commands/plain-text.ts'
import type { EngineHealth, FlowState } from '../../src/core/control.ts'
import type { RunSummary } from '../../src/store/rows.ts'
import { sluice } from '../support/command-line.ts'
import { projectFolder, startProject } from '../support/project.ts'

const health: EngineHealth = {
  status: 'up',
  version: '0.1.0',
  startedAt: 0,
  uptimeSeconds: 3 * 3600 + 120,
  notReady: [],
  flows: { running: 2, disabled: 0, notWell: [] },
  credentials: { total: 3, notWell: [] },
  runs: { running: 0, waiting: 0 },
  messageLog: { backlog: 0, lost: 0, trouble: undefined },
}
const flow = (name: string, own: Partial<FlowState> = {}) =>
  ({ name, state: 'running', running: 0, waiting: 0, ...own }) as FlowState
const facts: StatusFacts = {
  status: {
    pid: 77,
    version: '0.1.0',
    startedAt: 0,
    listen: 'http://127.0.0.1:8080',
    management: undefined,
    dataFolder: '/project/data',
    ready: true,
    notReady: [],
  },
  health,
  flows: [flow('orders'), flow('stock')],
  failed: [],
  log: 'sluice log',
}
const terminal = { color: false, columns: 80 }

test('an engine that is well is told in a few lines', () => {
  assert.equal(
    printStatus(facts, terminal),
    `Sluice 0.1.0: up, for 3 h 2 min, process 77

  endpoints    http://127.0.0.1:8080
  management   off
  flows        2 running
  runs         0 running, 0 waiting
  credentials  3
  message log  all is on disk (sluice log)
  data         /project/data
`,
  )
})

const unwell: StatusFacts = {
  ...facts,
  flows: [
    flow('orders', { running: 3, waiting: 12 }),
    ...Array.from({ length: 7 }, (_, at) => flow(`f${at}`, { running: 1 })),
    flow('broken', { state: 'broken' }),
    flow('off', { state: 'disabled' }),
  ],
  health: {
    ...health,
    status: 'down',
    notReady: ['the flow "broken" does not run', 'the disk is full', 'the engine is shutting down'],
    flows: {
      running: 8,
      disabled: 1,
      notWell: [
        { name: 'broken', state: 'broken', reason: 'flows/broken.yaml:2:5: "lgo" is no kind of step' },
      ],
    },
    credentials: {
      total: 3,
      notWell: [
        {
          name: 'im_read',
          type: 'oauth2',
          status: 'refused',
          reason: `the token service says invalid_client ${'and more '.repeat(12)}\u001b[31m`,
          flows: ['orders'],
        },
      ],
    },
    runs: { running: 10, waiting: 12 },
    messageLog: { backlog: 1200, lost: 1, trouble: 'the disk is full' },
  },
  failed: [
    {
      id: '01a2260a-c181-7219-9f47-94dbc57a6041',
      flow: 'orders',
      startedAt: 1_795_934_568_000,
      failure: { code: 'receiver.status', message: 'the shop answered 503' },
    } as RunSummary,
  ],
}

test('what is not well is named with its reason and what to do; lines keep to the terminal', () => {
  const shown = printStatus(unwell, terminal)
  for (const line of shown.split('\n')) assert.ok(line.length <= 80, line)
  assert.match(shown, /^Sluice 0\.1\.0: not ready, /)
  assert.match(shown, /flows +8 running, 1 broken, 1 disabled\n/)
  assert.match(
    shown,
    /runs +10 running, 12 waiting: orders 3 \+ 12 waiting, f0 1, f1 1, f2 1,\s+f3 1, and 3 more/,
  )
  assert.match(shown, /message log +1,200 records to be written, 1 record lost/)
  assert.match(shown, /\nNot well\n +flow broken +broken: flows\/broken\.yaml:2:5: "lgo" is no kind/)
  assert.match(shown, /credential im_read +refused: the token service says/)
  assert.match(shown, /\\x1b\[31m/, 'control characters are shown, not sent')
  assert.equal(shown.match(/the disk is full/g)!.length, 1)
  assert.doesNotMatch(shown, /the flow "broken" does not run/)
  assert.match(shown, /engine +the engine is shutting down\n/)
  assert.match(shown, /What to do: sluice check, sluice flow show NAME, sluice credential show NAME\n/)
  const at = localTime(1_795_934_568_000).slice(5, 19)
  assert.ok(shown.includes(`  ${at}  94dbc57a6041  orders: receiver.status:`), shown)
  assert.match(shown, /sluice log 94dbc57a6041\n$/)
})

test('exit code 0 when all is well, 1 when something is not, 3 when no engine runs', async (t) => {
  const nobody = await sluice(t, ['status'], {})
  assert.deepEqual([nobody.code, nobody.stdout], [3, ''])
  assert.match(nobody.stderr, /no engine runs on the data folder ".*data"; start it with: sluice start/)

  const a = 'steps:\n  - endpoint: { path: /a, method: GET, access: public }\n  - fail: no number\n'
  const { folder, app, run } = await startProject(t, { 'flows/a.yaml': a })
  await run('a')
  await app.flush()
  const well = await sluice(t, ['status'], {}, { folder })
  assert.equal(well.code, 0, 'a run that failed is no illness')
  assert.match(well.stdout, /^Sluice \S+: up, for [^]*Failed in the last 24 h\n.*a: flow\.failed: no number/)
  assert.ok(well.stdout.includes(app.url!))

  const broken = await startProject(t, { 'flows/b.yaml': 'steps:\n  - lgo: x\n' }, { broken: true })
  const ill = await sluice(t, ['status', '--json'], {}, { folder: broken.folder })
  assert.equal(ill.code, 1)
  const told = JSON.parse(ill.stdout)
  assert.deepEqual(
    [told.status, told.flows.notWell[0].name, told.flows.all, told.lastFailures, told.management],
    ['down', 'b', [{ name: 'b', state: 'broken', running: 0, waiting: 0 }], [], null],
  )
})

test('an engine of another version that tells nothing of its health is said', async (t) => {
  const folder = projectFolder(t, {})
  const { createControlSocket } = await import('../../src/server/control-socket.ts')
  const socket = createControlSocket({
    control: {
      status: () => ({ ...facts.status, version: '0.0.9' }),
      health: () => undefined,
      flows: () => [],
    } as never,
    folder,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    redact: (text) => text,
  })
  await socket.listen()
  t.after(() => socket.close())
  const { code, stderr } = await sluice(t, ['status', '--data', folder], {}, { folder })
  assert.equal(code, 3)
  assert.match(stderr, /version 0\.0\.9, which does not tell/)
})
