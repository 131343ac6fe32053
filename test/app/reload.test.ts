import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { receiver } from '../net/fixture.ts'
import { startProject, type ProjectOptions, type RunningProject } from '../support/project.ts'

const answering = (path: string, text: string, more = '') =>
  `${more}steps:\n  - endpoint: { path: ${path}, method: GET, access: public }\n  - respond: { body: "${text}" }\n`

async function set(t: TestContext, files: Record<string, string>, options: ProjectOptions = {}) {
  const project = await startProject(t, files, options)
  return {
    ...project,
    write: (file: string, text: string) => writeFileSync(join(project.folder, file), text),
    remove: (file: string) => rmSync(join(project.folder, file)),
    reload: () => project.app.control.reload(),
    ask: async (path: string) => {
      const reply = await fetch(`${project.url}/http${path}`)
      return reply.status === 200 ? await reply.text() : reply.status
    },
  }
}

const stateOf = ({ app }: RunningProject, flow: string) =>
  app.control.flows().find(({ name }) => name === flow)

test('changed, new and removed flows take effect; the others are left alone', async (t) => {
  const { write, remove, reload, ask } = await set(t, {
    'flows/a.yaml': answering('/a', 'a1'),
    'flows/b.yaml': answering('/b', 'b1'),
    'flows/c.yaml': answering('/c', 'c1'),
  })
  write('flows/a.yaml', answering('/a', 'a2'))
  write('flows/d.yaml', answering('/d', 'd1'))
  remove('flows/c.yaml')
  const { changed, added, removed, broken, unchanged, problems } = await reload()
  assert.deepEqual([changed, added, removed, broken, unchanged], [['a'], ['d'], ['c'], [], 1])
  assert.deepEqual(problems, [])
  assert.deepEqual(await Promise.all(['/a', '/b', '/c', '/d'].map(ask)), ['a2', 'b1', 404, 'd1'])
  const again = await reload()
  assert.deepEqual([again.changed, again.added, again.removed, again.unchanged], [[], [], [], 3])
})

test('a file with mistakes leaves the version before in force, says so, and can be mended', async (t) => {
  const project = await set(t, { 'flows/a.yaml': answering('/a', 'a1') })
  const { write, reload, ask, log } = project
  write('flows/a.yaml', answering('/a', '${bdy}'))
  const { broken, problems } = await reload()
  assert.deepEqual(broken, [{ flow: 'a', file: 'flows/a.yaml', running: true }])
  assert.match(problems[0]!.message, /there is no variable "bdy"/)
  assert.equal(await ask('/a'), 'a1')
  const state = stateOf(project, 'a')!
  assert.equal(state.state, 'running')
  assert.match(state.reason!, /^flows\/a\.yaml:3:.*; the version before goes on$/)
  assert.match(log.join(''), /the version before goes on/)
  const lines = log.length
  await reload()
  assert.deepEqual(log.slice(lines), [], 'a mistake is told once')
  write('flows/a.yaml', answering('/a', 'a3'))
  assert.deepEqual((await reload()).changed, ['a'])
  assert.equal(await ask('/a'), 'a3')
  assert.equal(stateOf(project, 'a')!.reason, undefined)
})

test('a flow that was put right by undoing the change runs on without a new version', async (t) => {
  const { write, reload, ask } = await set(t, { 'flows/a.yaml': answering('/a', 'a1') })
  write('flows/a.yaml', 'steps: nothing\n')
  await reload()
  write('flows/a.yaml', answering('/a', 'a1'))
  const { broken, problems } = await reload()
  assert.deepEqual([broken, problems], [[], []])
  assert.equal(await ask('/a'), 'a1')
})

test('a script file that changes makes a new version of the flows that use it', async (t) => {
  const script = (text: string) => `export default (message) => { message.body = '${text}' }\n`
  const { write, reload, ask } = await set(t, {
    'flows/a.yaml':
      'steps:\n  - endpoint: { path: /a, method: GET, access: public }\n  - script: { file: scripts/a.ts }\n',
    'flows/b.yaml': answering('/b', 'b1'),
    'scripts/a.ts': script('one'),
  })
  assert.equal(await ask('/a'), 'one')
  write('scripts/a.ts', script('two'))
  const { changed, unchanged } = await reload()
  assert.deepEqual([changed, unchanged], [['a'], 1])
  assert.equal(await ask('/a'), 'two')
  write('scripts/a.ts', 'export default (')
  assert.deepEqual((await reload()).broken, [{ flow: 'a', file: 'flows/a.yaml', running: true }])
  assert.equal(await ask('/a'), 'two')
})

test('parameters of sluice.yaml take effect for flows and credentials; other settings are named', async (t) => {
  const api = await receiver(t, (request, reply) => {
    reply.setHeader('content-type', 'text/plain')
    reply.end(request.headers['x-region'] as string)
  })
  const { write, reload, ask } = await set(
    t,
    {
      'sluice.yaml': 'parameters: { word: one, region: eu }\n',
      'flows/a.yaml': answering('/a', '${param.word}', 'parameters: { word: none }\n'),
      'flows/b.yaml':
        'steps:\n  - endpoint: { path: /b, method: GET, access: public }\n  - http: { url: /, credential: api }\n',
      'security-material/api.yaml': `type: bearer\ntoken: \${env:TOKEN}\nbaseUrl: ${api.origin}/\napiHeaders: { x-region: "\${param:region}" }\n`,
    },
    { environment: { TOKEN: 'token-of-the-test' } },
  )
  assert.deepEqual([await ask('/a'), await ask('/b')], ['one', 'eu'])
  write('sluice.yaml', 'parameters: { word: two, region: us }\nshutdown: { grace: 1s }\n')
  const { changed, restart } = await reload()
  assert.deepEqual([changed, restart], [['a'], ['shutdown.grace']])
  assert.deepEqual([await ask('/a'), await ask('/b')], ['two', 'us'])
  write('sluice.yaml', 'parameters: [\n')
  assert.equal((await reload()).problems[0]!.file, 'sluice.yaml')
  assert.equal(await ask('/a'), 'two')
})

test('a path goes from one flow to another only when the one that has it lets it go', async (t) => {
  const { write, remove, reload, ask } = await set(t, {
    'flows/m.yaml': answering('/x', 'm'),
  })
  write('flows/a.yaml', answering('/x', 'a'))
  const { broken } = await reload()
  assert.deepEqual(broken, [{ flow: 'a', file: 'flows/a.yaml', running: false }])
  assert.equal(await ask('/x'), 'm')
  write('flows/m.yaml', answering('/y', 'm'))
  await reload()
  assert.deepEqual([await ask('/x'), await ask('/y')], ['a', 'm'])
  write('flows/m.yaml', answering('/x', 'm'))
  write('flows/a.yaml', answering('/y', 'a'))
  await reload()
  assert.deepEqual([await ask('/x'), await ask('/y')], ['m', 'a'], 'they change places')
  remove('flows/m.yaml')
  await reload()
  assert.deepEqual([await ask('/x'), await ask('/y')], [404, 'a'])
})

test('a run that is under way ends on the version that it began with', async (t) => {
  const held: (() => void)[] = []
  let asked = () => {}
  const reached = new Promise<void>((resolve) => (asked = resolve))
  const api = await receiver(t, (_, reply) => {
    held.push(() => reply.end())
    asked()
  })
  const flow = (text: string) =>
    `steps:\n  - endpoint: { path: /a, method: GET, access: public }\n  - http: { url: "${api.origin}/" }\n  - script: message.body = '${text}'\n`
  const { write, reload, ask } = await set(t, { 'flows/a.yaml': flow('old') })
  const running = ask('/a')
  await reached
  write('flows/a.yaml', flow('new'))
  await reload()
  for (const answer of held) answer()
  assert.equal(await running, 'old')
})

test('a flow that was disabled is taken away, and comes back', async (t) => {
  const { write, reload, ask } = await set(t, { 'flows/a.yaml': answering('/a', 'a1') })
  write('flows/a.yaml', answering('/a', 'a1', 'enabled: false\n'))
  assert.deepEqual((await reload()).removed, ['a'])
  assert.equal(await ask('/a'), 404)
  write('flows/a.yaml', answering('/a', 'a1'))
  assert.deepEqual((await reload()).added, ['a'])
  assert.equal(await ask('/a'), 'a1')
})

test('requests that go on during many reloads all get an answer of the old or the new version', async (t) => {
  const { write, reload, url } = await set(t, {
    'flows/a.yaml': answering('/a', 'v0'),
    'flows/b.yaml': answering('/b', 'b'),
  })
  const seen = new Map<string, number>()
  const load = { over: false }
  const caller = async () => {
    while (!load.over) {
      const reply = await fetch(`${url}/http/a`)
      const text = `${reply.status} ${(await reply.text()).replace(/\d+/, 'N')}`
      seen.set(text, (seen.get(text) ?? 0) + 1)
    }
  }
  const callers = Promise.all(Array.from({ length: 16 }, caller))
  for (let version = 1; version <= 100; version++) {
    write('flows/a.yaml', answering('/a', `v${version}`))
    await reload()
  }
  load.over = true
  await callers
  assert.deepEqual([...seen.keys()], ['200 vN'])
  assert.equal(await (await fetch(`${url}/http/a`)).text(), 'v100')
})

test('reloads that are asked for at once are few', async (t) => {
  const { write, reload, ask } = await set(t, { 'flows/a.yaml': answering('/a', 'a1') })
  write('flows/a.yaml', answering('/a', 'a2'))
  const reports = await Promise.all(Array.from({ length: 20 }, reload))
  assert.ok(new Set(reports).size <= 2)
  assert.equal(await ask('/a'), 'a2')
})

test('with the setting "watch" a change takes effect by itself', async (t) => {
  const project = await set(t, { 'flows/a.yaml': answering('/a', 'a1') }, { settings: { watch: 'true' } })
  project.write('flows/a.yaml', answering('/a', 'a2'))
  await project.logged(/flow \\?"a\\?" was changed/)
  assert.equal(await project.ask('/a'), 'a2')
})

test('mistakes that were there at the start are not told again when all is read for the first time', async (t) => {
  const { log, write, logged } = await set(
    t,
    { 'flows/a.yaml': answering('/a', 'a1'), 'flows/bad.yaml': answering('/b', '${bdy}') },
    { settings: { watch: 'true' }, broken: true },
  )
  write('flows/a.yaml', answering('/a', 'a2'))
  await logged(/flow \\"a\\" was changed/)
  assert.deepEqual(
    log.filter((line) => /bdy|bad\.yaml/.test(line)),
    [],
  )
})
