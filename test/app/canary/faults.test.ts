import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { createLog } from '../../../src/log.ts'
import { Faults } from '../../../src/faults.ts'
import { createRedactor } from '../../../src/security/redaction.ts'
import { MessageLogReader } from '../../../src/store/reading.ts'
import { startCommand, startEngine } from '../../support/process.ts'
import { projectFolder } from '../../support/project.ts'
import { leaksIn } from './search.ts'

const SECRET = 'uF3+kq/Zr"=w%&x7 Ly-secret'
const TOKEN = 'q8Lz~Vb4+nT/0xKe9.Jw2-pYh6_dSm1='
const SECRETS = { SECRET, TOKEN }

const provoke = pathToFileURL(join(import.meta.dirname, 'provoke-fault.ts')).href

/** A project whose only flow runs once at the start, and a receiver that keeps it waiting. */
async function project(t: TestContext): Promise<string> {
  const server = createServer((request, response) => {
    if (!request.url!.startsWith('/token')) return
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ access_token: TOKEN, expires_in: 600 }))
  })
  t.after(() => server.closeAllConnections())
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  return projectFolder(t, {
    'security-material/api.yaml': `type: oauth2\ntokenServiceUrl: ${url}/token\nclientId: client\nclientSecret: \${env:SECRET}\nbaseUrl: ${url}/api\n`,
    'flows/tick.yaml':
      'logLevel: trace\nsteps:\n  - timer: { once: true }\n  - log: the last line\n  - http: { url: /x, credential: api }\n',
  })
}

for (const [fault, shown] of [
  [
    'error',
    /fault that nobody caught: TypeError: cannot send \[secret\]\n +at [^]*\[cause\]: RangeError: no room for \[secret\]\n +at/,
  ],
  [
    'rejection',
    /fault that nobody caught: TypeError: cannot send \[secret\]\n +at [^]*code: 'ERR_CANARY'[^]*bytes: '\[32 bytes\]'/,
  ],
  ['text', /fault that nobody caught: cannot send \[secret\]\n/],
  ['object', /fault that nobody caught: \{[^]*token: '\[secret\]'[^]*bytes: '\[32 bytes\]'/],
] as const)
  test(`a fault that nobody catches (${fault}) is printed without secrets, and ends the engine with 3, its log written`, async (t) => {
    const folder = await project(t)
    const environment = { SECRET, FAULT: fault, SLUICE_LOG_FORMAT: 'json', SLUICE_LOG_LEVEL: 'debug' }
    const engine = startCommand(t, folder, ['start'], { ...environment, NODE_OPTIONS: `--import=${provoke}` })
    const { code, stdout, stderr } = await engine.ended
    assert.equal(code, 3)
    assert.match(stderr, shown)
    assert.equal(stderr.match(/fault that nobody caught: /g)!.length, 1, 'it is told once')
    assert.match(stderr, /"level":50,.*"err":.*\[secret\].*"the engine ends: a fault that nobody caught"/)
    assert.deepEqual(leaksIn(stdout + stderr, SECRETS), [])

    const reader = new MessageLogReader(join(folder, 'data'))
    const [run] = reader.runs({ limit: 10 })
    assert.equal(run!.status, 'PROCESSING')
    assert.deepEqual(
      reader.run(run!.id)!.lines.map(({ text }) => text),
      ['the last line'],
    )
    reader.close()

    await startEngine(t, folder, environment)
    const list = await startCommand(t, folder, ['log', '--status', 'ABANDONED']).ended
    assert.match(list.stdout, /tick/)
  })

test('a fault in a command is told with its causes and without secrets', async () => {
  const redactor = createRedactor()
  redactor.add(TOKEN)
  const log = createLog({ level: 'debug', format: 'json', color: false, redactor, write: () => {} })
  const faults = new Faults()
  const cause = Object.assign(new Error(`inner ${TOKEN}`), { bytes: Buffer.from(TOKEN) })
  assert.match(faults.describe(new Error('before', { cause })), /before[^]*\[cause\]: Error: inner/)
  faults.guard({ redact: (text) => redactor.text(text), log })
  const printed = faults.describe(new Error(`outer ${TOKEN}`, { cause }))
  assert.match(
    printed,
    /^Error: outer \[secret\]\n +at [^]*\[cause\]: Error: inner \[secret\][^]*'\[32 bytes\]'/,
  )
  assert.deepEqual(leaksIn(printed, SECRETS), [])
  assert.deepEqual(leaksIn(inspect(new Error(TOKEN)), SECRETS), ['TOKEN'], 'it would be found')
})
