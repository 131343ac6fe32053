import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { checkProject } from '../../src/app.ts'
import { sluice } from '../support/command-line.ts'
import { startService } from '../support/credentials.ts'
import { projectFolder, settingOf, startProject, type ProjectOptions } from '../support/project.ts'
import { KEY, secretFile } from '../support/secrets.ts'

const FILE = 'security-material/secrets.yaml'
const FLOW =
  'steps:\n  - endpoint: { path: /call, access: public }\n  - http: { url: items, credential: api }\n'

/** An engine with one flow, whose credential has an encrypted secret, and the commands beside it. */
async function setUp(t: TestContext, files: Record<string, string>, options: ProjectOptions = {}) {
  const service = await startService(t, () => ({ body: { fine: true } }))
  const project = await startProject(
    t,
    {
      'flows/call.yaml': FLOW,
      'security-material/api.yaml': `type: bearer\ntoken: \${secret:api}\nbaseUrl: http://127.0.0.1:${service.port}/\n`,
      ...files,
    },
    { environment: { SLUICE_SECRET_KEY: KEY }, ...options },
  )
  const { folder, log, run } = project
  const environment = options.environment ?? { SLUICE_SECRET_KEY: KEY }
  const at = (file: string) => join(folder, file)
  return {
    ...project,
    at,
    write: (file: string, text: string) => writeFileSync(at(file), text),
    async command(args: string[], input?: string) {
      const done = await sluice(t, args, {}, { folder, environment, ...(input !== undefined && { input }) })
      assert.equal(done.code, 0, done.stderr)
      return done.stdout
    },
    async sent() {
      const report = await run('call')
      return report.failure?.code ?? service.asked.at(-1)!.headers.authorization
    },
    told: () => log.join('\n'),
  }
}

test('a secret that is set anew takes effect for the next request', async (t) => {
  const { sent, command, logged, told } = await setUp(t, {
    [FILE]: await secretFile({ api: 'first-secret-01' }),
  })
  assert.equal(await sent(), 'Bearer first-secret-01')
  await command(['secret', 'set', 'api'], 'second-secret-02\n')
  await logged(/credential \\"api\\" was changed; it takes effect with the next request/)
  assert.equal(await sent(), 'Bearer second-secret-02')
  assert.doesNotMatch(told(), /first-secret|second-secret/)
})

test('another secret of the file changes nothing for a credential', async (t) => {
  const { sent, command, logged, log } = await setUp(t, {
    [FILE]: await secretFile({ api: 'first-secret-01' }),
  })
  await command(['secret', 'set', 'other'], 'x')
  await command(['secret', 'set', 'api'], 'second-secret-02')
  await logged(/was changed/)
  assert.equal(await sent(), 'Bearer second-secret-02')
  assert.equal(log.filter((line) => /credential/.test(line)).length, 1)
})

test('a flow that waits for its secret starts as soon as it is set; a removed one ends it', async (t) => {
  const { sent, command, logged, app } = await setUp(t, {})
  assert.equal(app.control.flows()[0]!.state, 'stopped')
  await command(['secret', 'set', 'api'], 'late-secret-0123')
  await logged(/credential \\"api\\" has all that it needs now/)
  await logged(/flow \\"call\\"/)
  assert.equal(await sent(), 'Bearer late-secret-0123')
  await command(['secret', 'remove', 'api', '--force'])
  await logged(/credential \\"api\\" is incomplete; requests of the flow \\"call\\" fail without it/)
  assert.equal(await sent(), 'credential.incomplete')
})

test('the key may come later, too', async (t) => {
  const { sent, logged, at, write, app } = await setUp(
    t,
    { [FILE]: await secretFile({ api: 'late-secret-0123' }) },
    { environment: {} },
  )
  assert.match(app.project.problems[0]!.message, /the secret "api" cannot be read without the key/)
  mkdirSync(at('data'), { recursive: true })
  write('data/age.key', KEY)
  await logged(/credential \\"api\\" has all that it needs now/)
  await logged(/flow \\"call\\"/)
  assert.equal(await sent(), 'Bearer late-secret-0123')
})

test('rekeying is nothing that a running engine notices; the old key stays as long as it runs', async (t) => {
  const { sent, command, logged, log, write, folder } = await setUp(
    t,
    { [FILE]: await secretFile({ api: 'first-secret-01' }), 'data/age.key': KEY },
    { environment: {} },
  )
  await command(['secret', 'rekey'])
  const finish = await sluice(t, ['secret', 'rekey', '--finish'], {}, { folder })
  assert.deepEqual([finish.code, /Stop the engine, finish/.test(finish.stderr)], [1, true])
  write('security-material/new.yaml', 'type: bearer\ntoken: ${secret:api}\nbaseUrl: https://a.example.com/\n')
  await logged(/credential \\"new\\" was added/)
  assert.equal(await sent(), 'Bearer first-secret-01')
  assert.deepEqual(
    log.filter((line) => /"level":[45]0|credential \\"api/.test(line)),
    [],
  )
})

test('a half-written, swapped or foreign file leaves the secret in force, and is told', async (t) => {
  const good = await secretFile({ api: 'first-secret-01', other: 'other-secret-01' })
  const { sent, logged, write } = await setUp(t, { [FILE]: good })
  write(FILE, good.slice(0, -30))
  await logged(
    /the secret \\"api\\" cannot be read: security-material\/secrets\.yaml:7: the file is half-written/,
  )
  await logged(/credential \\"api\\": the version before stays in force/)
  assert.equal(await sent(), 'Bearer first-secret-01')

  write(FILE, good.replace(/^ {2}api: (.*)\n {2}other: (.*)$/m, '  api: $2\n  other: $1'))
  await logged(/what stands at the secret \\"api\\" was encrypted as \\"other\\"/)
  assert.equal(await sent(), 'Bearer first-secret-01')

  write(FILE, good)
  await logged(/credential \\"api\\" is in order again, and as it was/)
})

test('a thousand secrets, a thousand credentials: all are there', async (t) => {
  const count = 1000
  const names = Array.from({ length: count }, (_, n) => `partner-${n}`)
  const text = await secretFile(Object.fromEntries(names.map((name) => [name, `secret-of-${name}`])))
  const folder = projectFolder(t, {
    'flows/call.yaml': FLOW.replace('credential: api', 'credential: partner-999'),
    [FILE]: text,
    ...Object.fromEntries(
      names.map((name) => [
        `security-material/${name}.yaml`,
        `type: bearer\ntoken: \${secret:${name}}\nbaseUrl: https://a.example.com/\n`,
      ]),
    ),
  })
  const environment = { SLUICE_SECRET_KEY: KEY }
  const { problems } = await checkProject(await settingOf(folder, { environment }, () => {}))
  assert.deepEqual(problems, [])
  const set = await sluice(t, ['secret', 'set', 'partner-500'], {}, { folder, environment, input: 'new' })
  assert.equal(set.code, 0)
  const before = text.split('\n')
  const after = readFileSync(join(folder, FILE), 'utf8').split('\n')
  assert.equal(after.length, before.length)
  assert.equal(after.filter((line) => !before.includes(line)).length, 1)
})
