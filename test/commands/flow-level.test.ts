import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { FlowState } from '../../src/core/control.ts'
import { MessageLogReader } from '../../src/store/reading.ts'
import { sluice } from '../support/command-line.ts'
import { startProject } from '../support/project.ts'

const FLOW = 'steps:\n  - endpoint: { path: /a, method: GET, access: public }\n  - set: { body: one }\n'

async function started(t: TestContext) {
  const project = await startProject(t, {
    'flows/orders.yaml': FLOW,
    'flows/items.yaml': FLOW.replace('/a', '/b'),
  })
  const { folder } = project
  const command = (...args: string[]) => sluice(t, args, {}, { folder, columns: 80 })
  const kept = async () => {
    const { id } = await project.run('orders')
    await project.app.flush()
    using reader = new MessageLogReader(join(folder, 'data'))
    return reader.run(id!)!.snapshots.map(({ level }) => level)
  }
  return { ...project, command, kept }
}

test('a level is set, shown, survives a reload, and is taken back', async (t) => {
  const { command, kept, folder, log } = await started(t)
  assert.deepEqual(await kept(), [])
  const set = await command('flow', 'level', 'orders', 'trace')
  const [, until] = /until (\d{4}-\d\d-\d\d \d\d:\d\d)/.exec(set.stdout)!
  assert.equal(
    set.stdout,
    `orders: log level trace until ${until}, then info\npayloads are kept in the message log meanwhile\n`,
  )
  assert.deepEqual(await kept(), ['trace'])
  const now = await command('flow', 'level', 'orders', '--json')
  const state = JSON.parse(now.stdout) as { until: number; level: string; own: string }
  assert.deepEqual([state.level, state.own], ['trace', 'info'])
  assert.ok(Math.abs(state.until - Date.now() - 30 * 60_000) < 60_000)

  writeFileSync(join(folder, 'flows/orders.yaml'), FLOW.replace('one', 'two'))
  assert.match((await command('reload')).stdout, /changed +orders/)
  assert.deepEqual(await kept(), ['trace'])
  assert.match((await command('flow', 'show', 'orders')).stdout, /log level +trace until .*, then info\n/)
  const list = (await command('flow', 'list')).stdout
  assert.match(list, /\n\norders: log level trace until .*, then info\n$/)
  assert.ok(list.split('\n').every((line) => line.length <= 80))
  const listed = JSON.parse((await command('flow', 'list', '--json')).stdout) as FlowState[]
  assert.deepEqual(
    listed.map(({ name, logLevel, ownLogLevel, logLevelUntil }) => [
      name,
      logLevel,
      ownLogLevel,
      typeof logLevelUntil,
    ]),
    [
      ['items', 'info', 'info', 'undefined'],
      ['orders', 'trace', 'info', 'number'],
    ],
  )

  assert.equal((await command('flow', 'level', 'orders', '--reset')).stdout, 'orders: log level info\n')
  assert.deepEqual(await kept(), [])
  assert.equal((await command('flow', 'level', 'orders')).stdout, 'orders: log level info\n')
  assert.equal(log.filter((line) => /log level of the flow/.test(line)).length, 2)
})

test('wrong usage, unknown flows and no engine are said with a way on', async (t) => {
  const { command, app } = await started(t)
  const failed = async (code: number, ...args: string[]) => {
    const done = await command('flow', 'level', ...args)
    assert.equal(done.code, code)
    return done.stderr
  }
  assert.match(await failed(2, 'orders', 'debgu'), /no log level "debgu"; did you mean "debug"\?/)
  assert.match(await failed(2, 'orders', 'x'), /there are none, info, debug, trace/)
  assert.match(await failed(2, 'orders', 'trace', '--for', 'soon'), /--for wants a duration like 30m or 2h/)
  assert.match(
    await failed(2, 'orders', 'trace', '--for', '25h'),
    /--for is at most 24h: for good, write "logLevel"/,
  )
  assert.match(await failed(2, 'orders', '--for', '1h'), /--for goes with a level/)
  assert.match(await failed(2, 'orders', 'info', '--reset'), /--reset goes without a level/)
  assert.match(await failed(1, 'order', 'trace'), /there is no flow "order"; did you mean "orders"\?/)
  await app.stop()
  assert.match(await failed(1, 'orders', 'trace'), /no engine runs on this data folder/)
})
