import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { credentials } from '../../src/credentials/index.ts'
import { startService, TestLog } from '../support/credentials.ts'
import { projectWith } from '../support/files.ts'
import { OAUTH, SECRET, setUpMaterial } from '../support/material.ts'

test('names, info and a credential as the sender needs it', (t) => {
  const { material, file, caller } = setUpMaterial(t)
  const text = `type: apiKey\nkey: \${env:SECRET}\ntokenIn: { in: query, name: api key }\nbaseUrl: https://api.example.com/v1\napiHeaders: { X-Tenant: "\${env:TENANT}", x-n: 5 }\napiQuery: { a: [1, 2] }\n`
  assert.deepEqual(material.load([file(text), file(OAUTH, 'b')]), [])
  assert.deepEqual(material.names(), ['b', 'x'])
  const { allows, ...info } = material.info('x')!
  assert.equal(allows?.(new URL('https://other.example.com/')), false)
  assert.deepEqual(info, {
    name: 'x',
    type: 'apiKey',
    baseUrl: 'https://api.example.com/v1/',
    hosts: ['api.example.com'],
    unset: [],
    broken: false,
    tenants: [],
  })
  const credential = material.reference('x').current()
  assert.deepEqual(credential.hosts, ['api.example.com'])
  assert.deepEqual(credential.apiHeaders, ['X-Tenant', 'tenant-of-the-header', 'x-n', '5'])
  assert.equal(credential.apiQuery, 'a=1&a=2')
  assert.equal(credential.allows(new URL('https://api.example.com/')), true)
  const grant = credential.authorizer.authorize(caller())
  assert.ok(!(grant instanceof Promise))
  assert.equal(grant.query, `api+key=${SECRET}`)
})

test('fixed credentials put the right header on a request', (t) => {
  const { material, file, caller } = setUpMaterial(t)
  const rest = '\nallowedHosts: [a.example.com]\n'
  const headers = (text: string) => {
    material.load([file(text + rest)])
    const grant = material.reference('x').current().authorizer.authorize(caller())
    return grant instanceof Promise ? undefined : grant.headers
  }
  assert.deepEqual(headers('type: basic\nusername: ü\npassword: ${env:SECRET}'), [
    'authorization',
    `Basic ${Buffer.from(`ü:${SECRET}`).toString('base64')}`,
  ])
  assert.deepEqual(headers('type: bearer\ntoken: ${env:SECRET}'), ['authorization', `Bearer ${SECRET}`])
  assert.deepEqual(headers('type: apiKey\nkey: ${env:SECRET}'), ['X-API-Key', SECRET])
  assert.deepEqual(
    headers('type: apiKey\nkey: ${env:SECRET}\ntokenIn: { name: authorization, prefix: "Token " }'),
    ['authorization', `Token ${SECRET}`],
  )
  assert.deepEqual(headers('type: apiKey\nkey: ${env:SECRET}\ntokenIn: { in: cookie, name: session }'), [
    'cookie',
    `session=${SECRET}`,
  ])
})

test('secrets are redacted as long as they are in force, and two minutes after their file has stayed away', async (t) => {
  const { material, file, redactor, clock } = setUpMaterial(t)
  material.load([file(`${OAUTH}apiHeaders: { x-tenant: "\${env:TENANT}" }\n`)])
  assert.equal(
    redactor.text(`${SECRET} tenant-of-the-header api.example.com`),
    '[secret] [secret] api.example.com',
  )
  material.load([])
  await clock.advance(5000)
  await clock.advance(119_000)
  assert.equal(redactor.text(SECRET), '[secret]')
  await clock.advance(2000)
  assert.equal(redactor.text(SECRET), SECRET)
})

test('a credential that is not there, incomplete or broken fails with what to do', (t) => {
  const { material, file } = setUpMaterial(t)
  material.load([
    file(OAUTH, 'im_write'),
    file(OAUTH.replace('SECRET', 'NONE'), 'unset'),
    file('type: oauth2\n', 'bad'),
  ])
  assert.throws(() => material.reference('im_wrte').current(), {
    code: 'credential.missing',
    message: 'there is no credential "im_wrte"; did you mean "im_write"?',
  })
  assert.throws(() => material.reference('unset').current(), {
    code: 'credential.incomplete',
    message: 'the credential "unset" is incomplete: the environment variable "NONE" is not set',
  })
  assert.throws(() => material.reference('bad').current(), {
    code: 'credential.missing',
    message: /security-material\/bad.yaml has mistakes/,
  })
  assert.deepEqual(material.info('unset')?.unset, ['env:NONE'])
  assert.equal(material.info('unset')?.baseUrl, 'https://api.example.com/')
  assert.equal(material.info('bad')?.broken, true)
  assert.ok(material.info('bad')?.baseUrl, 'relative addresses are no second mistake')
  assert.equal(material.info('none'), undefined)
  assert.deepEqual(material.names(), ['bad', 'im_write', 'unset'])
})

test('loading again keeps what has not changed, replaces what has, drops what is gone', (t) => {
  const { material, file } = setUpMaterial(t)
  material.load([file(OAUTH, 'same'), file(OAUTH, 'changed'), file(OAUTH, 'gone'), file(OAUTH, 'broken')])
  const references = ['same', 'changed', 'gone', 'broken'].map((name) => material.reference(name))
  const before = references.map((reference) => reference.current())
  material.load([
    file(`# a comment\n${OAUTH}`, 'same'),
    file(`${OAUTH}scope: a\n`, 'changed'),
    file('type: [', 'broken'),
  ])
  const [same, changed, gone, broken] = references
  assert.equal(same!.current(), before[0])
  assert.notEqual(changed!.current(), before[1])
  assert.throws(() => gone!.current(), { code: 'credential.missing' })
  assert.equal(broken!.current(), before[3], 'a file with mistakes leaves the good one in force')
})

test('a fault while one credential is prepared breaks that one; the others take what changed', (t) => {
  const log = new TestLog()
  let isBroken = false
  const kinds = new Map(credentials.map((kind) => [kind.name, kind]))
  const { bearer } = Object.fromEntries(kinds)
  kinds.set('bearer', {
    ...bearer!,
    prepare(...given) {
      if (isBroken) throw new TypeError('Invalid URL')
      return bearer!.prepare(...given)
    },
  })
  const { material, file } = setUpMaterial(t, { kinds, log })
  const fixed = (scheme: string) =>
    file(`type: bearer\ntoken: \${env:SECRET}\nbaseUrl: https://${scheme}.example.com/\n`, 'fixed')
  const other = (host: string) => file(`type: none\nbaseUrl: https://${host}.example.com/\n`, 'other')
  material.load([fixed('one'), other('one')])
  isBroken = true
  const told: string[] = []
  const problems = material.load([fixed('two'), other('two')], (change) =>
    told.push(`${change.name} ${change.outcome}`),
  )
  assert.deepEqual(
    problems.map(({ code, file: at, message }) => `${at} ${code} ${message}`),
    [
      'security-material/fixed.yaml credential/fault the credential "fixed" cannot be prepared (TypeError); that is a fault of Sluice',
    ],
  )
  assert.deepEqual(told.toSorted(), ['fixed kept', 'other changed'])
  assert.equal(material.reference('other').current().baseUrl?.href, 'https://two.example.com/')
  assert.equal(material.reference('fixed').current().baseUrl?.href, 'https://one.example.com/')
  assert.equal(log.count('fixed.yaml: the credential "fixed" cannot be prepared'), 1)
})

test('a secret that is too short to be redacted is warned of when the engine starts, and when it comes later', (t) => {
  const log = new TestLog()
  const { material, file } = setUpMaterial(t, { log, environment: { SHORT: 'abc1234', SECRET } })
  const of = (name: string, variable: string) =>
    file(`type: bearer\ntoken: \${env:${variable}}\nbaseUrl: https://api.example.com/\n`, name)
  material.load([of('first', 'SHORT'), of('fine', 'SECRET')])
  assert.equal(log.lines.length, 0)
  material.warm()
  material.load([of('first', 'SHORT'), of('fine', 'SECRET'), of('later', 'SHORT')])
  assert.deepEqual(
    log.lines.map(({ level, text }) => `${level} ${text}`),
    ['first', 'later'].map(
      (name) =>
        `warn "token" of credential "${name}" has fewer than 8 characters: it cannot be redacted where something repeats it; use a longer one`,
    ),
  )
})

test('a credential whose file is away for a moment keeps its token; one that stays away gives it back', async (t) => {
  const revoked = Promise.withResolvers<void>()
  const service = await startService(t, ({ url }, count) => {
    if (url === '/revoke') revoked.resolve()
    return { body: { access_token: `token-number-${count}`, expires_in: 3600 } }
  })
  const { material, file, clock, caller } = setUpMaterial(t)
  const own = file(
    `type: oauth2\ntokenServiceUrl: ${service.url}\nrevocationUrl: http://127.0.0.1:${service.port}/revoke\nclientId: acme\nclientSecret: \${env:SECRET}\nbaseUrl: https://api.example.com/\n`,
  )
  const token = async () =>
    (await material.reference('x').current().authorizer.authorize(caller())).headers[1]
  material.load([own])
  const held = material.reference('x').current()
  assert.equal(await token(), 'Bearer token-number-1')
  material.load([])
  assert.throws(() => material.reference('x').current(), { code: 'credential.missing' })
  assert.throws(() => held.authorizer.authorize(caller()), { code: 'credential.missing' })
  await clock.advance(4900)
  material.load([own])
  await clock.advance(60_000)
  assert.equal(await token(), 'Bearer token-number-1')
  material.load([])
  await clock.advance(4900)
  assert.equal(service.asked.length, 1)
  material.load([{ ...own, text: 'type: nonsense\n' }])
  await clock.advance(5000)
  assert.equal(service.asked.length, 1, 'its file is there, if only with mistakes')
  material.load([own])
  assert.equal(await token(), 'Bearer token-number-2')
  material.load([])
  await clock.advance(5000)
  await revoked.promise
  assert.deepEqual(
    service.asked.map(({ url, body }) => `${url} ${new URLSearchParams(body).get('token')}`).slice(-1),
    ['/revoke token-number-2'],
  )
})

test('a changed secret file counts as a change, and is named to be watched', (t) => {
  const folder = projectWith(t, { secret: 'first-value-0123\n' })
  const { material, file } = setUpMaterial(t, { projectFolder: folder })
  const text = 'type: bearer\ntoken: ${file:secret}\nallowedHosts: [a.example.com]\n'
  material.load([file(text)])
  assert.deepEqual(material.files(), [join(folder, 'secret')])
  const before = material.reference('x').current()
  writeFileSync(join(folder, 'secret'), 'second-value-0123\n')
  material.load([file(text)])
  assert.notEqual(material.reference('x').current(), before)
})

function oauthAt(url: string, more = ''): string {
  return `type: oauth2\ntokenServiceUrl: ${url}\nclientId: a\nclientSecret: \${env:SECRET}\nallowedHosts: [api.example.com]\n${more}`
}

test('who waits for a token while the credential is replaced gets one of the new credential', async (t) => {
  const { material, file, caller } = setUpMaterial(t)
  const old = await startService(t, () => new Promise(() => {}))
  const next = await startService(t, () => ({ body: { access_token: 'new-token', expires_in: 60 } }))
  material.load([file(oauthAt(old.url))])
  const credential = material.reference('x').current()
  const waiting = credential.authorizer.authorize(caller())
  material.load([file(oauthAt(next.url))])
  assert.deepEqual((await waiting).headers, ['authorization', 'Bearer new-token'])
  assert.deepEqual((await credential.authorizer.authorize(caller())).headers, [
    'authorization',
    'Bearer new-token',
  ])
})

test('a token of a credential with other hosts is never handed to a request of the old one', async (t) => {
  const { material, file, caller } = setUpMaterial(t)
  const old = await startService(t, () => new Promise(() => {}))
  const next = await startService(t, () => ({ body: { access_token: 'new-token', expires_in: 60 } }))
  material.load([file(oauthAt(old.url))])
  const credential = material.reference('x').current()
  const waiting = Promise.resolve(credential.authorizer.authorize(caller()))
  material.load([file(oauthAt(next.url).replace('api.example', 'other.example'))])
  await assert.rejects(waiting, { code: 'credential.missing' })
  assert.throws(() => credential.authorizer.authorize(caller()), { code: 'credential.missing' })
})

test('reports tell settings and state, and no secret', async (t) => {
  const { material, file, caller } = setUpMaterial(t)
  const service = await startService(t, () => ({
    body: { access_token: 'reported-token', expires_in: 1800 },
  }))
  material.load([
    file(
      oauthAt(service.url, 'scope: im.read\ndescription: reads\napiHeaders: { x-tenant: "${env:TENANT}" }\n'),
    ),
    file(OAUTH.replace('SECRET', 'NONE'), 'unset'),
    file('type: basic\n', 'bad'),
  ])
  await material.reference('x').current().authorizer.authorize(caller())
  const [bad, unset, ready] = material.reports((name) => [`flow-of-${name}`])
  assert.deepEqual([bad!.state.status, bad!.type], ['broken', 'basic'])
  assert.deepEqual([unset!.state.status, unset!.unset], ['incomplete', ['env:NONE']])
  assert.deepEqual(ready!.flows, ['flow-of-x'])
  assert.equal(ready!.state.status, 'ready')
  assert.deepEqual(ready!.state.details, {
    uses: 1,
    renewals: 1,
    obtained: '2026-11-21T12:00:00.000Z',
    age: '0 ms',
    lifetime: '30 min',
    expires: 'in 30 min',
  })
  assert.deepEqual(ready!.settings, {
    tokenServiceUrl: service.url,
    grantType: 'client_credentials',
    clientId: 'a',
    clientSecret: '[secret]',
    clientAuthentication: 'header',
    contentType: 'application/x-www-form-urlencoded',
    scope: 'im.read',
    apiHeaders: 'x-tenant',
  })
  assert.doesNotMatch(JSON.stringify([bad, unset, ready]), /reported-token|material-secret|tenant-of/)
})

test('every example of a kind loads', (t) => {
  const environment = Object.fromEntries(
    credentials.flatMap(({ examples }) =>
      examples.flatMap(({ yaml }) =>
        [...yaml.matchAll(/\$\{env:(\w+)\}/g)].map((mark) => [mark[1]!, SECRET] as const),
      ),
    ),
  )
  const folder = projectWith(t, {})
  const { material, file } = setUpMaterial(t, { environment, projectFolder: folder })
  for (const { name, examples } of credentials) {
    for (const { title, yaml } of examples) {
      const problems = material.check([file(yaml)]).filter(({ code }) => code !== 'credential/unset')
      assert.deepEqual(problems, [], `${name}: ${title}`)
    }
  }
})
