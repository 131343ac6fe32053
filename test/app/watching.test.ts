import assert from 'node:assert/strict'
import { createHook } from 'node:async_hooks'
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { checkProject, startApp } from '../../src/app.ts'
import { settle } from '../support/clock.ts'
import { startService, type Asked } from '../support/credentials.ts'
import { call } from '../support/http.ts'
import { projectFolder, settingOf, startProject, type ProjectOptions } from '../support/project.ts'

/** A token service and a receiver in one: a token is named after its secret, and the receiver keeps what it was sent. */
async function startServices(t: TestContext) {
  const service = await startService(t, ({ url, body }) =>
    url === '/token'
      ? { body: { access_token: `token-got-with-${secretIn(body)}`, expires_in: 600 } }
      : { body: { fine: true } },
  )
  const origin = `http://127.0.0.1:${service.port}`
  const tokenRequests = () => service.asked.filter(({ url }) => url === '/token')
  return {
    service,
    origin,
    tokenRequests,
    /** What the last request of a flow was authenticated with. */
    lastAuthorization: () => service.asked.findLast(({ url }) => url !== '/token')?.headers.authorization,
    bearer: (token: string) => `type: bearer\ntoken: ${token}\nbaseUrl: ${origin}/\n`,
    oauth: (secret: string, more = '') =>
      `type: oauth2\ntokenServiceUrl: ${origin}/token\nclientId: acme\nclientSecret: ${secret}\nclientAuthentication: body\nbaseUrl: ${origin}/\n${more}`,
  }
}

function secretIn(body: Asked['body']): string {
  return new URLSearchParams(body).get('client_secret')!
}

const flow = (credential: string) =>
  `steps:\n  - endpoint: { path: /call, access: public }\n  - http: { url: items, credential: ${credential} }\n`

async function startWith(t: TestContext, files: Record<string, string>, options: ProjectOptions = {}) {
  const project = await startProject(t, files, {
    environment: { TOKEN: 'token-of-the-environment' },
    ...options,
  })
  const at = (name: string) => join(project.folder, name)
  return {
    ...project,
    at,
    write: (name: string, text: string) => writeFileSync(at(name), text),
    failureOf: async (name: string) => (await project.run(name)).failure,
    state: (name: string) => project.app.control.flows().find((entry) => entry.name === name)!,
  }
}

test('a changed credential takes effect for the next request; the flow goes on as it is', async (t) => {
  const { bearer, lastAuthorization } = await startServices(t)
  const { run, write, logged, log, state } = await startWith(t, {
    'flows/call.yaml': flow('api'),
    'security-material/api.yaml': bearer('${env:TOKEN}'),
    key: 'token-of-the-file\n',
  })
  await run('call')
  assert.equal(lastAuthorization(), 'Bearer token-of-the-environment')
  const { version } = state('call')
  write('security-material/api.yaml', bearer('${file:key}'))
  await logged(/"level":30.*credential \\"api\\" was changed; it takes effect with the next request/)
  await run('call')
  assert.equal(lastAuthorization(), 'Bearer token-of-the-file')
  assert.deepEqual([state('call').state, state('call').version], ['running', version])
  assert.deepEqual(
    log.filter((line) => /the flow/.test(line)),
    [],
  )
})

test('a secret file that is rewritten, replaced or swapped as Kubernetes does takes effect for the next request', async (t) => {
  const { bearer, lastAuthorization } = await startServices(t)
  const { run, write, logged, at } = await startWith(t, {
    'secrets/..1/key': 'first-secret',
    'flows/call.yaml': flow('api'),
    'security-material/api.yaml': bearer('${file:mounted/key}'),
    'mounted/key': 'secret-of-a-plain-file',
  })
  const changed = /credential \\"api\\" was changed/
  write('mounted/key', 'secret-that-was-rewritten\n')
  await logged(changed)
  await run('call')
  assert.equal(lastAuthorization(), 'Bearer secret-that-was-rewritten')

  write('mounted/key.new', 'secret-that-was-renamed\n')
  renameSync(at('mounted/key.new'), at('mounted/key'))
  await logged(changed, 2)
  await run('call')
  assert.equal(lastAuthorization(), 'Bearer secret-that-was-renamed')

  symlinkSync('..1', at('secrets/..data'))
  symlinkSync('..data/key', at('secrets/key'))
  renameSync(at('mounted'), at('unmounted'))
  symlinkSync('secrets', at('mounted'))
  await logged(changed, 3)
  await run('call')
  assert.equal(lastAuthorization(), 'Bearer first-secret')

  mkdirSync(at('secrets/..2'))
  write('secrets/..2/key', 'second-secret')
  symlinkSync('..2', at('secrets/..data_tmp'))
  renameSync(at('secrets/..data_tmp'), at('secrets/..data'))
  rmSync(at('secrets/..1'), { recursive: true })
  await logged(changed, 4)
  await run('call')
  assert.equal(lastAuthorization(), 'Bearer second-secret')
})

test('security material that Kubernetes mounts is read through its links, and swapped as a whole', async (t) => {
  const { bearer, lastAuthorization } = await startServices(t)
  const folder = projectFolder(t, {
    'mount/..1/api.yaml': bearer('${env:TOKEN}'),
    'mount/..1/old.yaml': bearer('${env:TOKEN}'),
    'mount/..2/api.yaml': bearer('${env:OTHER}'),
  })
  symlinkSync('..1', join(folder, 'mount/..data'))
  for (const name of ['api', 'old']) symlinkSync(`..data/${name}.yaml`, join(folder, `mount/${name}.yaml`))
  const { run, logged, log } = await startWith(
    t,
    { 'flows/call.yaml': flow('api') },
    {
      environment: { TOKEN: 'token-one-012345', OTHER: 'token-two-012345' },
      settings: { securityMaterial: join(folder, 'mount') },
    },
  )
  await run('call')
  assert.equal(lastAuthorization(), 'Bearer token-one-012345')
  symlinkSync('..2', join(folder, 'mount/..data_tmp'))
  renameSync(join(folder, 'mount/..data_tmp'), join(folder, 'mount/..data'))
  unlinkSync(join(folder, 'mount/old.yaml'))
  await logged(/credential \\"api\\" was changed/)
  await logged(/credential \\"old\\" was removed/)
  await run('call')
  assert.equal(lastAuthorization(), 'Bearer token-two-012345')
  assert.deepEqual(
    log.filter((line) => /"level":[45]0/.test(line)),
    [],
  )
})

test('an edit with mistakes is told with its place, and the version before stays in force', async (t) => {
  const { bearer, lastAuthorization } = await startServices(t)
  const { run, write, logged, log, app } = await startWith(t, {
    'flows/call.yaml': flow('api'),
    'security-material/api.yaml': bearer('${env:TOKEN}'),
  })
  write('security-material/api.yaml', `${bearer('${env:TOKEN}')}speed: fast\n`)
  const mistake = await logged(/"level":50.*security-material\/api\.yaml:4:1: \\"speed\\" is not a key/)
  assert.match(mistake, /"hint":"Known keys: type/)
  await logged(/"level":40.*credential \\"api\\": the version before stays in force/)
  await run('call')
  assert.equal(lastAuthorization(), 'Bearer token-of-the-environment')
  const [report] = app.control.credentials()
  assert.match(
    String(report!.state.details['in force']),
    /^the version before; .* security-material\/api\.yaml$/,
  )

  write('security-material/api.yaml', `# once more\n${bearer('${env:TOKEN}')}speed: fast\n`)
  write('security-material/other.yaml', bearer('${env:TOKEN}'))
  await logged(/credential \\"other\\" was added/)
  assert.equal(log.filter((line) => line.includes('speed')).length, 1, 'nothing is said twice')

  write('security-material/api.yaml', '')
  await logged(/api\.yaml:1:1: the file is empty/)
  await run('call')
  assert.equal(lastAuthorization(), 'Bearer token-of-the-environment')

  write('security-material/api.yaml', `# as before\n${bearer('${env:TOKEN}')}`)
  await logged(/credential \\"api\\" is in order again, and as it was/)
  assert.equal(app.control.credentials()[0]!.state.details['in force'], undefined)
})

test('a removed credential is gone at once: flows run on and their requests fail; put back, it works again', async (t) => {
  const { bearer, lastAuthorization, service } = await startServices(t)
  const { run, write, at, logged, failureOf, state, url, app } = await startWith(t, {
    'flows/call.yaml': flow('api'),
    'security-material/api.yaml': bearer('${env:TOKEN}'),
  })
  await run('call')
  unlinkSync(at('security-material/api.yaml'))
  await logged(/credential \\"api\\" was removed; requests of the flow \\"call\\" fail without it/)
  const { code, message } = (await failureOf('call'))!
  assert.deepEqual([code, message], ['credential.missing', 'there is no credential "api"'])
  assert.equal(service.asked.length, 1, 'nothing was sent without it')
  assert.deepEqual(
    [state('call').state, state('call').reason],
    ['running', 'it cannot use api (it is not there)'],
  )
  assert.deepEqual(app.control.credentials(), [])
  assert.equal((await call(`${url}/health/ready`)).status, 200, 'the flow runs')

  write('security-material/api.yaml', bearer('${env:TOKEN}'))
  await logged(/credential \\"api\\" was added/)
  await run('call')
  assert.equal(lastAuthorization(), 'Bearer token-of-the-environment')
  assert.equal(state('call').reason, undefined)
})

test('a secret that goes makes its credential incomplete until it is back', async (t) => {
  const { bearer, lastAuthorization } = await startServices(t)
  const { run, write, at, logged, failureOf, app } = await startWith(t, {
    'flows/call.yaml': flow('api'),
    'security-material/api.yaml': bearer('${file:key}'),
    key: 'first-token-012345',
  })
  unlinkSync(at('key'))
  await logged(
    /"level":40.*api\.yaml:2:8: the file \\"key\\" is not there; the credential \\"api\\" needs it/,
  )
  await logged(/credential \\"api\\" is incomplete; requests of the flow \\"call\\" fail without it/)
  assert.equal((await failureOf('call'))!.code, 'credential.incomplete')
  assert.deepEqual(app.control.credentials()[0]!.unset, ['file:key'])
  write('key', 'second-token-01234')
  await logged(/credential \\"api\\" has all that it needs now/)
  await run('call')
  assert.equal(lastAuthorization(), 'Bearer second-token-01234')
})

test('a renamed credential: the old name is gone, the new one is there', async (t) => {
  const { bearer } = await startServices(t)
  const { at, logged, failureOf, app } = await startWith(t, {
    'flows/call.yaml': flow('orders_api'),
    'security-material/orders_api.yaml': bearer('${env:TOKEN}'),
  })
  renameSync(at('security-material/orders_api.yaml'), at('security-material/order_api.yaml'))
  await logged(/credential \\"order_api\\" was added/)
  await logged(/credential \\"orders_api\\" was removed/)
  assert.match((await failureOf('call'))!.message, /no credential "orders_api"; did you mean "order_api"\?/)
  assert.deepEqual(
    app.control.credentials().map(({ name }) => name),
    ['order_api'],
  )
})

test('a flow that lacks a secret starts as soon as its file is there, and the engine is ready', async (t) => {
  const { bearer, lastAuthorization } = await startServices(t)
  const { write, at, logged, state, url } = await startWith(t, {
    'flows/call.yaml': flow('api'),
    'security-material/api.yaml': bearer('${file:run/key}'),
  })
  assert.deepEqual(
    [state('call').state, state('call').reason],
    ['stopped', 'it cannot use api (file:run/key)'],
  )
  const ready = () => call(`${url}/health/ready`)
  assert.equal((await ready()).status, 503)
  assert.equal((await call(`${url}/http/call`, { method: 'POST' })).status, 404)
  mkdirSync(at('run'))
  write('run/key', 'token-that-came-late')
  await logged(/"level":30.*the flow \\"call\\" runs now: its credentials are complete/)
  assert.equal((await ready()).status, 200)
  assert.equal((await call(`${url}/http/call`, { method: 'POST' })).status, 200)
  assert.equal(lastAuthorization(), 'Bearer token-that-came-late')
  assert.deepEqual([state('call').state, state('call').reason], ['running', undefined])
})

test('a flow whose credential had a broken file starts when it is mended, if what it asks of it is there', async (t) => {
  const { bearer, origin } = await startServices(t)
  const { write, logged, state, run } = await startWith(
    t,
    {
      'flows/call.yaml': flow('api'),
      'flows/typed.yaml': `steps:\n  - http: { url: "${origin}/typed", credential: { name: api, type: basic } }\n`,
      'security-material/api.yaml': 'type: bearer\n',
    },
    { broken: true },
  )
  assert.equal(state('call').reason, 'it cannot use api (its file has problems)')
  write('security-material/api.yaml', bearer('${env:TOKEN}'))
  await logged(/the flow \\"call\\" runs now/)
  assert.equal((await run('call')).status, 'COMPLETED')
  await logged(
    /"level":50.*flows\/typed\.yaml:2:\d+: credential \\"api\\" is a \\"bearer\\" credential; \\"basic\\" is wanted/,
  )
  await logged(/the credentials of the flow \\"typed\\" are complete, but it has mistakes and does not start/)
  assert.equal(state('typed').state, 'broken')

  write(
    'security-material/api.yaml',
    `type: basic\nusername: u\npassword: \${env:TOKEN}\nbaseUrl: ${origin}/\n`,
  )
  await logged(/the flow \\"typed\\" runs now/)
  assert.equal((await run('typed')).status, 'COMPLETED')
})

test('a flow whose credential was unknown at the start needs a reload, and the log says so once it is there', async (t) => {
  const { bearer } = await startServices(t)
  const { write, logged, state, log } = await startWith(
    t,
    {
      'flows/call.yaml': flow('api'),
      'flows/wrong.yaml': `${flow('api').replace('/call', '/wrong')}  - lgo: x\n`,
      'security-material/other.yaml': bearer('${env:TOKEN}'),
    },
    { broken: true },
  )
  write('security-material/api.yaml', bearer('${env:TOKEN}'))
  await logged(
    /"level":40.*credential \\"api\\" is there now; the flow \\"call\\".* runs after a reload: sluice reload/,
  )
  assert.equal(state('call').state, 'broken')
  write(
    'security-material/api.yaml',
    bearer('${env:TOKEN}').replace('bearer', 'apiKey').replace('token', 'key'),
  )
  await logged(/credential \\"api\\" was changed/)
  assert.equal(log.filter((line) => line.includes('runs after a reload')).length, 1)
  assert.deepEqual(
    log.filter((line) => line.includes('wrong')),
    [],
    'a reload alone would not help that one',
  )
})

test('what has not changed keeps its token, and the log says nothing of it', async (t) => {
  const { oauth, tokenRequests } = await startServices(t)
  const { run, write, at, logged, log } = await startWith(t, {
    'flows/call.yaml': flow('api'),
    'security-material/api.yaml': oauth('${file:key}'),
    key: 'the-secret-012345',
  })
  await run('call')
  const before = log.length
  write('key', 'the-secret-012345')
  write(
    'security-material/api.yaml',
    `# nothing else\n${readFileSync(at('security-material/api.yaml'), 'utf8')}`,
  )
  write('security-material/other.yaml', oauth('${env:TOKEN}'))
  await logged(/credential \\"other\\" was added/)
  await run('call')
  assert.equal(tokenRequests().length, 1)
  assert.deepEqual(
    log.slice(before).filter((line) => line.includes('api')),
    [],
  )
})

test('a changed secret: the next request goes with a token got with the new one', async (t) => {
  const { oauth, tokenRequests, lastAuthorization } = await startServices(t)
  const { run, write, logged } = await startWith(t, {
    'flows/call.yaml': flow('api'),
    'security-material/api.yaml': oauth('${file:key}'),
    key: 'first-secret-01234',
  })
  await run('call')
  await run('call')
  assert.equal(lastAuthorization(), 'Bearer token-got-with-first-secret-01234')
  write('key', 'second-secret-0123')
  await logged(/credential \\"api\\" was changed/)
  await run('call')
  assert.equal(lastAuthorization(), 'Bearer token-got-with-second-secret-0123')
  assert.equal(tokenRequests().length, 2)
})

test('a token that is under way when its secret is replaced is dropped; who waits gets one of the new secret', async (t) => {
  const { oauth, service, tokenRequests, lastAuthorization } = await startServices(t)
  const { run, write, logged } = await startWith(t, {
    'flows/call.yaml': flow('api'),
    'security-material/api.yaml': oauth('${file:key}'),
    key: 'first-secret-01234',
  })
  const answer = service.answer
  const late = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  service.answer = async (request, count) => {
    if (request.url === '/token' && secretIn(request.body) === 'first-secret-01234') {
      asked.resolve()
      await late.promise
    }
    return answer(request, count)
  }
  const waiting = [run('call'), run('call')]
  await asked.promise
  write('key', 'second-secret-0123')
  await logged(/credential \\"api\\" was changed/)
  for (const { status } of await Promise.all(waiting)) assert.equal(status, 'COMPLETED')
  late.resolve()
  await run('call')
  assert.equal(lastAuthorization(), 'Bearer token-got-with-second-secret-0123')
  const used = service.asked.filter(({ url }) => url !== '/token').map(({ headers }) => headers.authorization)
  assert.deepEqual([...new Set(used)], ['Bearer token-got-with-second-secret-0123'])
  assert.equal(tokenRequests().length, 2)
})

test('a flow that insists on a type, or on a baseUrl, fails clearly when the changed credential has none', async (t) => {
  const { bearer, origin, service } = await startServices(t)
  const { write, logged, failureOf } = await startWith(t, {
    'flows/call.yaml': flow('api'),
    'flows/typed.yaml': `steps:\n  - http: { url: "${origin}/typed", credential: { name: api, type: bearer } }\n`,
    'security-material/api.yaml': bearer('${env:TOKEN}'),
  })
  assert.equal(await failureOf('typed'), undefined)
  const before = service.asked.length
  write(
    'security-material/api.yaml',
    `type: basic\nusername: u\npassword: \${env:TOKEN}\nallowedHosts: ["127.0.0.1:${service.port}"]\n`,
  )
  await logged(/credential \\"api\\" was changed/)
  const typed = (await failureOf('typed'))!
  assert.deepEqual(
    [typed.code, typed.message],
    ['credential.type', 'credential "api" is a "basic" credential now; "bearer" is wanted here'],
  )
  const relative = (await failureOf('call'))!
  assert.deepEqual(
    [relative.code, relative.message],
    ['request.invalid', 'the URL "items" is relative, and the credential "api" has no `baseUrl` now'],
  )
  assert.equal(service.asked.length, before, 'nothing was sent')
})

test('a folder that cannot be read leaves all credentials in force', async (t) => {
  const { bearer, lastAuthorization } = await startServices(t)
  const { run, write, at, logged } = await startWith(t, {
    'flows/call.yaml': flow('api'),
    'security-material/api.yaml': bearer('${env:TOKEN}'),
  })
  renameSync(at('security-material'), at('elsewhere'))
  write('security-material', 'no folder')
  await logged(/"level":50.*security-material:1:1: it cannot be read \(ENOTDIR\)/)
  await logged(/the credentials stay as they were/)
  await run('call')
  assert.equal(lastAuthorization(), 'Bearer token-of-the-environment')
  unlinkSync(at('security-material'))
  await logged(/credential \\"api\\" was removed/)
})

test('a secret that is too old is a warning in the log of a running engine', async (t) => {
  const { bearer } = await startServices(t)
  const { log, app } = await startWith(t, {
    'security-material/api.yaml': `${bearer('${env:TOKEN}')}rotateAfter: 90d\nsecretSince: 2000-01-01\n`,
  })
  const warnings = log.filter((line) =>
    /"level":40.*the secret of credential \\"api\\" is \d+ days old/.test(line),
  )
  assert.equal(warnings.length, 1)
  assert.match(
    String(app.control.credentials()[0]!.state.details['secret since']),
    /^2000-01-01, \d+ days ago$/,
  )
})

test('an engine that stopped reads nothing any more, and holds no watch', async (t) => {
  const { bearer } = await startServices(t)
  const open = new Set<number>()
  const hook = createHook({
    init: (id, type) => void (type === 'FSEVENTWRAP' && open.add(id)),
    destroy: (id) => void open.delete(id),
  }).enable()
  t.after(() => hook.disable())
  const { app, write, folder, log } = await startWith(t, {
    'security-material/api.yaml': bearer('${env:TOKEN}'),
  })
  assert.ok(open.size > 0)
  await app.stop()
  for (let turn = 0; turn < 1000 && open.size > 0; turn++) await settle()
  assert.equal(open.size, 0)
  const lines = log.length
  const options = {
    environment: { TOKEN: 'token-of-the-environment' },
    settings: { data: join(folder, 'more') },
  }
  const seen = Promise.withResolvers<void>()
  const next = await startApp(
    await settingOf(folder, options, (line) => line.includes('was added') && seen.resolve()),
  )
  t.after(() => next.stop())
  write('security-material/more.yaml', bearer('${env:TOKEN}'))
  await seen.promise
  assert.equal(log.length, lines)
})

test('`sluice check`, and a run without an engine, watch nothing', async (t) => {
  const { bearer } = await startServices(t)
  const folder = projectFolder(t, {
    'flows/call.yaml': flow('api'),
    'security-material/api.yaml': bearer('${env:TOKEN}'),
  })
  let watches = 0
  const hook = createHook({ init: (_, type) => void (type === 'FSEVENTWRAP' && watches++) }).enable()
  t.after(() => hook.disable())
  const setting = await settingOf(folder, { environment: { TOKEN: 'token-of-the-environment' } }, () => {})
  await checkProject(setting)
  const app = await startApp(setting, true)
  t.after(() => app.stop())
  const report = await app.control.run('call', { headers: {}, parameters: {} })
  assert.equal(report!.status, 'COMPLETED')
  assert.equal(watches, 0)
})
