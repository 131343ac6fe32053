import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Seen } from '../../src/commands/log-follow.ts'
import type { LogEvent } from '../../src/store/following.ts'
import { ManualClock } from '../support/clock.ts'
import { startCommand } from '../support/process.ts'
import { startProject } from '../support/project.ts'
import { dataFolder, NOW, reader, runRecord, stores } from '../store/support.ts'
import { log } from './log-command.ts'

const FLOW = (path: string) =>
  `steps:\n  - endpoint: { path: ${path}, method: GET, access: public }\n  - log: hello from ${path}\n`
const FILES = { 'flows/orders.yaml': FLOW('/orders'), 'flows/items.yaml': FLOW('/items') }

/** `sluice log --follow` in this process. */
function following(t: TestContext, folder: string, options: object = {}) {
  const stop = new AbortController()
  let out = ''
  let err = ''
  let look = () => {}
  const hear = (text: string, of: 'out' | 'err') => {
    if (of === 'out') out += text
    else err += text
    look()
  }
  const done = log(
    folder,
    [],
    { follow: true, ...options },
    {
      environment: { SLUICE_DATA: join(folder, 'data') },
      signal: stop.signal,
      stdout: (text) => hear(text, 'out'),
      stderr: (text) => hear(text, 'err'),
    },
  )
  t.after(async () => {
    stop.abort()
    await done
  })
  return {
    done,
    stop: () => stop.abort(),
    out: () => out,
    err: () => err,
    shows: (pattern: RegExp) =>
      new Promise<void>((resolve) => {
        look = () => {
          if (pattern.test(out + err)) resolve()
        }
        look()
      }),
  }
}

/** Does something again and again until the promise is kept. */
async function during(promise: Promise<unknown>, action: () => Promise<unknown>): Promise<void> {
  const state = { over: false }
  void promise.then(() => (state.over = true))
  while (!state.over) {
    await action()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test(
  '--follow is told by the engine, and read from the file when the engine ends',
  { timeout: 30_000 },
  async (t) => {
    const project = await startProject(t, FILES)
    const { folder } = project
    await project.run('orders')
    await project.app.flush()
    const all = following(t, folder)
    const some = following(t, folder, { flow: ['it*'], json: true })
    await all.shows(/orders .*\n/)
    const runItems = () => project.run('items')
    await during(all.shows(/items\/log  hello from \/items\n.*COMPLETED  items/), runItems)
    await during(some.shows(/"flow":"items","correlationId":/), runItems)
    await project.run('orders')
    await project.app.stop()
    await all.shows(/the engine has ended; what is written to the message log is shown from here on/)
    await some.shows(/the engine has ended/)
    assert.doesNotMatch(some.out(), /orders/)

    const again = startCommand(t, folder, ['run', 'orders'])
    assert.equal((await again.ended).code, 0)
    const runs = () => [...all.out().matchAll(/([0-9a-f]{12})  COMPLETED  orders/g)].map(([, id]) => id)
    await all.shows(/(?:COMPLETED  orders[^]*){3}/)
    assert.equal(new Set(runs()).size, 3)
    assert.equal(runs().length, 3)
    const items = [...all.out().matchAll(/([0-9a-f]{12})  COMPLETED  items/g)].map(([, id]) => id)
    assert.equal(new Set(items).size, items.length)
    all.stop()
    assert.equal((await all.done).exitCode, 0)
  },
)

test('what the engine has told is not told again from the file, and what it could not tell is', async (t) => {
  const folder = await dataFolder(t)
  const { messageLog } = await stores(t, { folder })
  const clock = new ManualClock(NOW)
  const signal = new AbortController()
  t.after(() => signal.abort())
  const record = async (over: object = {}) => {
    const run = runRecord(over)
    messageLog.line(run.id, NOW, 'info', 'log', 'a line', undefined)
    messageLog.close(run)
    await messageLog.flush()
    return run
  }
  const log = reader(t, folder)
  const told = (run: { id: string }): LogEvent[] => [
    {
      kind: 'line',
      line: { run: run.id, at: NOW, level: 'info', step: 'log', text: 'a line', fields: undefined },
      flow: 'orders',
      correlationId: run.id,
    },
    { kind: 'run', run: log.runs({ limit: 100 }).find(({ id }) => id === run.id)! },
  ]
  const before = await record()
  const open = runRecord({ status: 'PROCESSING' })
  await messageLog.open(open)
  const seen = new Seen(log, { earlier: 5 }, clock)
  assert.deepEqual(
    seen.before.map((event) => event.kind === 'run' && event.run.id),
    [before.id, open.id],
  )
  assert.equal(seen.isNew(told(before)[1]!), false)
  for (let round = 0; round < 4; round++) {
    const run = await record()
    for (const event of told(run)) assert.equal(seen.isNew(event), true)
    await clock.advance(3000)
  }
  const lost = await record()
  messageLog.close({ ...open, status: 'FAILED' })
  await messageLog.flush()
  const rest: string[] = []
  const reading = (async () => {
    for await (const event of seen.rest(signal.signal))
      rest.push(event.kind === 'line' ? `line ${event.line.run}` : `${event.kind} ${event.run.id}`)
  })()
  await clock.advance(200)
  assert.deepEqual(rest.toSorted(), [`line ${lost.id}`, `run ${lost.id}`, `run ${open.id}`].toSorted())
  const later = await record()
  await clock.advance(200)
  assert.deepEqual(rest.slice(3), [`line ${later.id}`, `run ${later.id}`])
  signal.abort()
  await reading
})

test(
  'a run that is followed over the engine ends the command when it ends',
  { timeout: 30_000 },
  async (t) => {
    let release = () => {}
    const server = createServer((_, response) => (release = () => void response.end('{}'))).listen(
      0,
      '127.0.0.1',
    )
    t.after(() => server.close())
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as { port: number }).port}/`
    const project = await startProject(t, {
      'flows/slow.yaml': `steps:\n  - endpoint: { path: /slow, method: GET, access: public }\n  - log: before\n  - http: { url: "${url}" }\n  - log: after\n`,
    })
    const running = project.run('slow')
    const listing = following(t, project.folder)
    await listing.shows(/PROCESSING  slow/)
    const [, id] = /([0-9a-f]{12})  PROCESSING/.exec(listing.out())!
    let out = ''
    let heard = () => {}
    const before = new Promise<void>((resolve) => (heard = resolve))
    const done = log(
      project.folder,
      [id!],
      { follow: true },
      {
        environment: { SLUICE_DATA: join(project.folder, 'data') },
        stdout(text) {
          out += text
          if (/before/.test(out)) heard()
        },
      },
    )
    await before
    release()
    assert.equal((await running).status, 'COMPLETED')
    assert.equal((await done).exitCode, 0)
    assert.match(out, /slow\/log  before\n[^]*slow\/log-2  after\n[^]*COMPLETED\nflow +slow[^]*✓ http/)
    assert.doesNotMatch(out.slice(0, out.indexOf('COMPLETED')), /before[^]*before/)
  },
)

test('a run that a call step began is shown with its caller, and the caller with it', async (t) => {
  const { folder, run, app } = await startProject(t, {
    'flows/outer.yaml': 'steps:\n  - call: inner\n',
    'flows/inner.yaml': 'steps:\n  - log: inside\n',
  })
  const { id } = await run('outer')
  await app.flush()
  const environment = { SLUICE_DATA: join(folder, 'data') }
  const outer = (await log(folder, [id!], {}, { environment })).out
  const [, called] = /called 1 run: sluice log RUN\n.*COMPLETED  inner .* ([0-9a-f]{12})\n$/.exec(outer)!
  const inner = (await log(folder, [called!], {}, { environment })).out
  assert.match(inner, new RegExp(`\ncalled by +outer  ${id!.slice(-12)}  COMPLETED\n`))
})

test('Ctrl-C ends with 0, and a reader that has gone is no fault', { timeout: 60_000 }, async (t) => {
  const { folder, run } = await startProject(t, FILES)
  await run('orders')
  const first = startCommand(t, folder, ['log', '--follow'])
  await first.shows(/COMPLETED/)
  first.kill('SIGINT')
  const { code, stderr } = await first.ended
  assert.deepEqual([code, stderr], [0, ''])

  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, '../../src/main.ts'), 'log', '--follow', '--json'],
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  t.after(() => child.kill('SIGKILL'))
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await once(child.stdout, 'data')
  child.stdout.destroy()
  const ended = once(child, 'close')
  await during(ended, () => run('orders'))
  assert.deepEqual([(await ended)[0], said], [0, ''])
})
