import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { MessageLogReader } from '../../src/store/reading.ts'
import { call } from '../support/http.ts'
import { startCommand, startEngine } from '../support/process.ts'
import { projectFolder } from '../support/project.ts'

/** A receiver that answers when told to. */
async function slowReceiver(t: TestContext) {
  const waiting: ServerResponse[] = []
  const server = createServer((_, response) => {
    waiting.push(response)
    server.emit('asked')
  })
  t.after(() => server.closeAllConnections())
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    /** Resolves once so many requests have come that were not answered. */
    async asked(count = 1) {
      while (waiting.length < count) await once(server, 'asked')
    },
    answer: () => waiting.shift()!.end('done'),
  }
}

const slowFlow = (url: string) =>
  `steps:\n  - endpoint: { path: /slow, access: public }\n  - http: { method: POST, url: "${url}" }\n`

test('SIGTERM: what runs is answered, nothing new is taken, exit code 0, and the run is in the log', async (t) => {
  const receiver = await slowReceiver(t)
  const folder = projectFolder(t, { 'flows/slow.yaml': slowFlow(receiver.url) })
  const engine = await startEngine(t, folder)
  const pending = call(`${engine.url}/http/slow`, { method: 'POST' })
  await receiver.asked()
  engine.kill('SIGTERM')
  await engine.shows(/stopping/)
  receiver.answer()
  assert.equal((await pending).status, 200)
  assert.equal((await engine.ended).code, 0)
  const reader = new MessageLogReader(`${folder}/data`)
  assert.deepEqual(
    reader.runs({ limit: 10 }).map(({ status }) => status),
    ['COMPLETED'],
  )
  reader.close()
})

test('what does not end within the grace time is cancelled and answered 503', async (t) => {
  const receiver = await slowReceiver(t)
  const folder = projectFolder(t, { 'flows/slow.yaml': slowFlow(receiver.url) })
  const engine = await startEngine(t, folder, { SLUICE_SHUTDOWN_GRACE: '50ms' })
  const pending = call(`${engine.url}/http/slow`, { method: 'POST' })
  await receiver.asked()
  engine.kill('SIGTERM')
  const reply = await pending
  assert.equal(reply.status, 503)
  assert.equal(reply.json().code, 'flow.stopped')
  assert.equal((await engine.ended).code, 0)
  const reader = new MessageLogReader(`${folder}/data`)
  assert.deepEqual(
    reader.runs({ limit: 10 }).map(({ status }) => status),
    ['CANCELLED'],
  )
  reader.close()
})

test('a run that was going when the engine was killed is ABANDONED after the next start, and the next tick comes', async (t) => {
  const receiver = await slowReceiver(t)
  const folder = projectFolder(t, {
    'flows/tick.yaml': `steps:\n  - timer: { every: 1h }\n  - http: { url: "${receiver.url}" }\n`,
  })
  const first = await startEngine(t, folder)
  await receiver.asked()
  first.kill('SIGKILL')
  await first.ended
  const second = await startEngine(t, folder)
  assert.match(second.output(), /1 run.* cut off/)
  const reader = new MessageLogReader(`${folder}/data`)
  assert.deepEqual(
    reader.runs({ statuses: ['ABANDONED'], limit: 10 }).map(({ flow }) => flow),
    ['tick'],
  )
  reader.close()
  await receiver.asked(2)
})

test('a second engine on the same data folder says so and ends with 3', async (t) => {
  const folder = projectFolder(t, {})
  const first = await startEngine(t, folder)
  const second = await startCommand(t, folder, ['start']).ended
  assert.equal(second.code, 3)
  assert.match(second.stderr, /another engine|in use/i)
  assert.match(second.stderr, new RegExp(String(first.pid)))
})

test('a port in use names the setting and ends with 3', async (t) => {
  const receiver = await slowReceiver(t)
  const { code, stderr } = await startCommand(t, projectFolder(t, {}), [
    'start',
    '--listen',
    new URL(receiver.url).host,
  ]).ended
  assert.equal(code, 3)
  assert.match(stderr, /another program listens there/)
  assert.match(stderr, /setting "listen"/)
})

test('a broken flow does not keep the others from running; with --strict the engine ends with 1', async (t) => {
  const files = {
    'flows/good.yaml': 'steps:\n  - endpoint: { path: /good, access: public }\n  - respond: { body: fine }\n',
    'flows/bad.yaml': 'steps:\n  - endpoint: { path: /bad, access: public }\n  - lgo: x\n',
  }
  const engine = await startEngine(t, projectFolder(t, files))
  assert.match(engine.output(), /flows\/bad\.yaml:3:5: .*"lgo".*"log"/)
  assert.equal((await call(`${engine.url}/http/good`, { method: 'POST' })).text, 'fine')
  assert.equal((await call(`${engine.url}/http/bad`, { method: 'POST' })).status, 404)
  assert.equal((await call(`${engine.url}/health/live`)).status, 200)
  assert.equal((await call(`${engine.url}/health/ready`)).status, 503)
  const strict = await startCommand(t, projectFolder(t, files), ['start', '--strict']).ended
  assert.equal(strict.code, 1)
  assert.match(strict.stderr, /strict/)
})

test('a flow whose credential lacks its secret does not start and says why; the others do', async (t) => {
  const folder = projectFolder(t, {
    'flows/good.yaml': 'steps:\n  - endpoint: { path: /good, access: public }\n  - respond: { body: fine }\n',
    'flows/call.yaml':
      'steps:\n  - endpoint: { path: /call, access: public }\n  - http: { url: /x, credential: api }\n',
    'security-material/api.yaml':
      'type: bearer\ntoken: ${env:API_TOKEN_TEST}\nbaseUrl: https://api.example.com\n',
  })
  const engine = await startEngine(t, folder)
  assert.match(engine.output(), /Not running\s+call\s+stopped\s+.*API_TOKEN_TEST/)
  assert.equal((await call(`${engine.url}/http/call`, { method: 'POST' })).status, 404)
  assert.equal((await call(`${engine.url}/http/good`, { method: 'POST' })).status, 200)
})

test('a timer with `once` fires once over restarts, and again for a new version of its flow', async (t) => {
  const flow = (text: string) => `steps:\n  - timer: { once: true }\n  - log: ${text}\n`
  const folder = projectFolder(t, { 'flows/once.yaml': flow('first') })
  const lines = (): string[] => {
    const reader = new MessageLogReader(`${folder}/data`)
    const texts = reader
      .runs({ limit: 10 })
      .flatMap(({ id }) => reader.run(id)!.lines.map(({ text }) => text))
    reader.close()
    return texts.toSorted()
  }
  const startAndStop = async (expected: number) => {
    const engine = await startEngine(t, folder)
    do await call(`${engine.url}/health/live`)
    while (lines().length < expected)
    engine.kill('SIGTERM')
    assert.equal((await engine.ended).code, 0)
  }
  await startAndStop(1)
  await startAndStop(1)
  assert.deepEqual(lines(), ['first'])
  writeFileSync(`${folder}/flows/once.yaml`, flow('second'))
  await startAndStop(2)
  assert.deepEqual(lines(), ['first', 'second'])
})
