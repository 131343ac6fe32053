import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { CredentialTestReport } from '../../src/core/control.ts'
import type { CredentialTestStep } from '../../src/core/credential-report.ts'
import { startService, type Asked, type Said } from '../support/credentials.ts'
import { startProject, type ProjectOptions } from '../support/project.ts'

const SECRET = 'secret-of-the-test-client'
const OTHER = 'other-secret-of-the-client'
const asIs = { tryOthers: false }
const issued = (count: number) => `token-${count}-of-the-token-service`

interface Setting extends ProjectOptions {
  /** Answers of the receiver; of the token service where the path is /token. */
  readonly answer?: (asked: Asked, tokens: number) => Said | undefined | Promise<Said | undefined>
  /** More lines of the credential `api`. */
  readonly more?: string
  readonly files?: Record<string, string>
}

/** An engine with the credential `api`, and a token service and receiver in one that says what a test wants. */
async function setUp(t: TestContext, { answer, more = '', files = {}, ...options }: Setting = {}) {
  let tokens = 0
  const service = await startService(t, async (asked) => {
    const isToken = asked.url === '/token'
    if (isToken) tokens++
    const said = await answer?.(asked, tokens)
    return (
      said ??
      (isToken ? { body: { access_token: issued(tokens), expires_in: 600 } } : { body: { fine: true } })
    )
  })
  const origin = `http://127.0.0.1:${service.port}`
  const credential = (secret = '${env:SECRET}') =>
    `type: oauth2\ntokenServiceUrl: ${origin}/token\nclientId: acme\nclientSecret: ${secret}\nbaseUrl: ${origin}/api/\n${more}`
  const project = await startProject(
    t,
    {
      'flows/none.yaml': 'steps:\n  - log: nothing\n',
      'security-material/api.yaml': credential(),
      ...Object.fromEntries(
        Object.entries(files).map(([name, text]) => [name, text.replaceAll('ORIGIN', origin)]),
      ),
    },
    { environment: { SECRET, OTHER }, broken: true, ...options },
  )
  const { control } = project.app
  return {
    ...project,
    service,
    origin,
    control,
    credential,
    asked: (path: string) => service.asked.filter(({ url }) => url === path),
    test: async (name: string, request: { call?: string; tryOthers?: boolean } = {}, signal?: AbortSignal) =>
      (await control.testCredential(name, { ...asIs, ...request }, signal))!,
    state: (name: string) => control.credentials().find((entry) => entry.name === name)!.state,
  }
}

function callOf({ steps }: CredentialTestReport): CredentialTestStep {
  const step = steps.at(-1)!
  assert.equal(step.title, 'call')
  return step
}

test('a token is asked for, the receiver is called with it, and the engine keeps it', async (t) => {
  const { test, origin, asked, control, state } = await setUp(t)
  const report = await test('api', { call: 'items?$top=1' })
  assert.equal(report.ok, true)
  assert.deepEqual(
    [report.name, report.type, report.file, report.problems],
    ['api', 'oauth2', 'security-material/api.yaml', []],
  )
  assert.deepEqual(
    report.steps.map(({ title, ok }) => [title, ok]),
    [
      ['token request', true],
      ['call', true],
    ],
  )
  const { asked: sent, got } = callOf(report)
  assert.deepEqual(sent, {
    method: 'GET',
    url: `${origin}/api/items`,
    headers: ['user-agent', 'accept', 'accept-encoding', 'authorization (Bearer)'],
    query: ['$top'],
    fields: [],
  })
  const { took, ...rest } = got
  assert.match(String(took), / m?s$/)
  assert.deepEqual(rest, { status: 200, 'content type': 'application/json', size: 13, body: '{"fine":true}' })
  assert.equal(asked('/api/items?$top=1')[0]!.headers.authorization, `Bearer ${issued(1)}`)
  assert.equal(state('api').status, 'ready')
  assert.equal(asked('/token').length, 1)
  assert.equal(await control.testCredential('apis', asIs), undefined)
})

test('headers and parameters that the credential adds are named, and nothing of their values', async (t) => {
  const { test } = await setUp(t, {
    more: 'apiHeaders: { X-Tenant: "${env:OTHER}" }\napiQuery: { region: secret-region }\n',
    files: {
      'security-material/key.yaml':
        'type: apiKey\nkey: ${env:SECRET}\ntokenIn: { in: query, name: api_key }\nbaseUrl: ORIGIN/\n',
      'security-material/bare.yaml':
        'type: apiKey\nkey: ${env:SECRET}\ntokenIn: { in: header, name: Authorization }\nbaseUrl: ORIGIN/\n',
    },
  })
  const { asked } = callOf(await test('api', { call: 'items?page=secret-page' }))
  assert.ok(asked.headers.includes('x-tenant'))
  assert.deepEqual(asked.query, ['page', 'region'])
  const inQuery = callOf(await test('key', { call: 'items' }))
  assert.deepEqual(inQuery.asked.query, ['api_key'])
  const bare = callOf(await test('bare', { call: 'items' }))
  assert.ok(bare.asked.headers.includes('authorization'))
  for (const step of [asked, inQuery, bare]) assert.doesNotMatch(JSON.stringify(step), /secret/)
})

test('a kind that asks for nothing has no step, and its call tries it', async (t) => {
  const { test } = await setUp(t, {
    answer: ({ headers }) => (headers.authorization === undefined ? { status: 403 } : undefined),
    files: {
      'security-material/user.yaml': 'type: basic\nusername: me\npassword: ${env:SECRET}\nbaseUrl: ORIGIN/\n',
    },
  })
  const quiet = await test('user')
  assert.deepEqual([quiet.ok, quiet.steps, quiet.type], [true, [], 'basic'])
  const called = await test('user', { call: '/x' })
  assert.equal(called.ok, true)
  assert.ok(callOf(called).asked.headers.includes('authorization (Basic)'))
})

test('what a receiver echoes is redacted before it is cut, also in the middle of a long text', async (t) => {
  const filler = 'x'.repeat(280)
  const echo = `${filler}${issued(1)} and ${Buffer.from(`acme:${SECRET}`).toString('base64')}`
  const { test } = await setUp(t, {
    answer: ({ url }) => (url === '/token' ? undefined : { body: { echo } }),
  })
  const { got } = callOf(await test('api', { call: 'echo' }))
  const body = String(got['body'])
  assert.ok(body.startsWith(`{"echo":"${filler}[secret]`), body)
  assert.ok(body.endsWith('…'))
  assert.doesNotMatch(body, /token-1/)
})

test('what a token service echoes is redacted, however it is encoded', async (t) => {
  const encoded = Buffer.from(`acme:${SECRET}`).toString('base64')
  const { test } = await setUp(t, {
    answer: ({ url }) =>
      url === '/token'
        ? {
            status: 400,
            body: { error: 'invalid_request', error_description: `found Basic ${encoded}, and ${SECRET}` },
          }
        : undefined,
  })
  const report = await test('api')
  const text = JSON.stringify(report)
  assert.match(text, /found Basic .*\[secret\]/)
  assert.ok(!text.includes(encoded.slice(8, -4)))
  assert.ok(!text.includes(SECRET))
})

test('a large answer is told by its size and beginning; the rest is not read', async (t) => {
  const large = Buffer.alloc(4 * 1024 * 1024, 'a')
  const { test } = await setUp(t, {
    answer: ({ url }) =>
      url === '/token'
        ? undefined
        : {
            headers: {
              'content-type': 'text/plain',
              ...(url === '/api/known' && { 'content-length': String(large.length) }),
            },
            body: large,
          },
  })
  const known = callOf(await test('api', { call: 'known' })).got
  assert.equal(known['size'], large.length)
  assert.equal(known['body'], `${'a'.repeat(300)}…`)
  assert.match(String(callOf(await test('api', { call: 'unknown' })).got['size']), /^more than \d+ KB$/)
})

test('content that is no text is not shown; a web page is odd', async (t) => {
  const { test } = await setUp(t, {
    answer: ({ url }) =>
      url === '/token'
        ? undefined
        : url === '/api/image'
          ? { headers: { 'content-type': 'image/png' }, body: Buffer.from([1, 2, 3]) }
          : { headers: { 'content-type': 'text/html; charset=utf-8' }, body: '<h1>Log in</h1>' },
  })
  const { took: _, ...image } = callOf(await test('api', { call: 'image' })).got
  assert.deepEqual(image, { status: 200, 'content type': 'image/png', size: 3 })
  const page = await test('api', { call: 'page' })
  assert.equal(page.ok, true)
  assert.match(callOf(page).warnings![0]!, /a web page, not data/)
})

test('an error status is told with the words of the receiver and what to do', async (t) => {
  const { test } = await setUp(t, {
    answer: ({ url }) =>
      url === '/token' ? undefined : { status: 403, body: { error: 'no role "items" for you' } },
  })
  const report = await test('api', { call: 'items' })
  assert.equal(report.ok, false)
  const { got, failure } = callOf(report)
  assert.equal(got['status'], 403)
  assert.match(String(got['body']), /no role/)
  assert.equal(failure!.code, 'receiver.status')
  assert.match(failure!.hint!, /roles and scopes of the client/)
})

test('a redirect is told and not followed', async (t) => {
  const { test, origin, asked } = await setUp(t, {
    answer: ({ url }) =>
      url === '/api/items' ? { status: 302, headers: { location: '/api/elsewhere' }, body: '' } : undefined,
  })
  const { ok, got, failure } = callOf(await test('api', { call: `${origin}/api/items` }))
  assert.deepEqual([ok, got['status'], failure!.code], [false, 302, 'receiver.redirect'])
  assert.equal(asked('/api/elsewhere').length, 0)
})

test('a URL that the credential may not go to, or that is none, is not called', async (t) => {
  const { test, service } = await setUp(t)
  const foreign = callOf(await test('api', { call: 'https://elsewhere.example.com/x?token=1' }))
  assert.equal(foreign.failure!.code, 'credential.host')
  assert.deepEqual(foreign.asked, {
    method: 'GET',
    url: 'https://elsewhere.example.com/x',
    headers: [],
    query: ['token'],
    fields: [],
  })
  assert.deepEqual(foreign.got, {})
  const outside = callOf(await test('api', { call: '../up' }))
  assert.equal(outside.failure!.code, 'request.invalid')
  const user = callOf(await test('api', { call: 'https://user:pass-word@127.0.0.1/' }))
  assert.doesNotMatch(JSON.stringify(user), /pass-word/)
  assert.ok(service.asked.every(({ url }) => url === '/token'))
})

test('a receiver that takes no token: one more is fetched, and the hint tells a role problem from a token problem', async (t) => {
  const { test, asked } = await setUp(t, {
    answer: ({ url }) => (url === '/token' ? undefined : { status: 401 }),
  })
  const report = await test('api', { call: 'items' })
  assert.equal(report.ok, false)
  const { got, failure } = callOf(report)
  assert.equal(got['status'], 401)
  assert.equal(failure!.code, 'receiver.unauthorized')
  assert.match(failure!.hint!, /Tokens can be obtained, so check the roles/)
  assert.deepEqual([asked('/token').length, asked('/api/items').length], [2, 2])
})

test('a receiver that takes the second token only is odd', async (t) => {
  const { test } = await setUp(t, {
    answer: ({ headers }) => (headers.authorization === `Bearer ${issued(1)}` ? { status: 401 } : undefined),
  })
  const report = await test('api', { call: 'items' })
  assert.equal(report.ok, true)
  assert.match(callOf(report).warnings![0]!, /refused the first token and took the next one/)
})

test('without a token no call is made', async (t) => {
  const { test, service, state } = await setUp(t, {
    answer: ({ url }) => (url === '/token' ? { status: 401, body: { error: 'invalid_client' } } : undefined),
  })
  const report = await test('api', { call: 'items' })
  assert.deepEqual(
    report.steps.map(({ title, ok, others }) => [title, ok, others! > 0]),
    [['token request', false, true]],
  )
  assert.equal(report.ok, false)
  assert.equal(service.asked.length, 1)
  assert.equal(state('api').status, 'refused')
})

test('with two secrets it works when the second one does', async (t) => {
  const isOther = ({ headers }: Asked) =>
    Buffer.from(headers.authorization!.slice(6), 'base64').toString().endsWith(OTHER)
  const { test, credential, folder, logged } = await setUp(t, {
    answer: (asked) => (asked.url === '/token' && !isOther(asked) ? { status: 401 } : undefined),
  })
  const changed = logged(/api.* was changed/)
  writeFileSync(join(folder, 'security-material/api.yaml'), credential("['${env:SECRET}', '${env:OTHER}']"))
  await changed
  const report = await test('api', { call: 'items' })
  assert.deepEqual(
    report.steps.map(({ ok }) => ok),
    [false, true, true],
  )
  assert.equal(report.ok, true)
})

test('another way that works leaves the settings as they are broken', async (t) => {
  const { test } = await setUp(t, {
    answer: ({ url, headers }) =>
      url === '/token' && headers.authorization !== undefined
        ? { status: 400, body: { error: 'invalid_request' } }
        : undefined,
  })
  const report = await test('api', { tryOthers: true, call: 'items' })
  assert.equal(report.ok, false)
  assert.equal(report.steps.at(-1)!.change, 'clientAuthentication: body')
  assert.equal(report.steps.at(-1)!.ok, true)
})

test('a credential that lacks a secret says which, and nothing is asked', async (t) => {
  const { test, service } = await setUp(t, { environment: {} })
  const { ok, steps, problems } = await test('api', { call: 'items' })
  assert.equal(ok, false)
  assert.deepEqual(problems, [])
  assert.deepEqual(
    steps.map(({ title, failure }) => [title, failure!.code]),
    [['settings', 'credential.incomplete']],
  )
  assert.match(steps[0]!.failure!.message, /"SECRET"/)
  assert.match(steps[0]!.failure!.hint!, /Set it/)
  assert.equal(service.asked.length, 0)
})

test('mistakes in the file are told where they stand; the version in force is tested all the same', async (t) => {
  const { test, folder, credential, service, logged } = await setUp(t, {
    files: { 'security-material/bad.yaml': 'type: oauth2\nscop: x\n' },
  })
  const bad = await test('bad')
  assert.equal(bad.ok, false)
  assert.equal(bad.steps[0]!.failure!.code, 'credential.missing')
  assert.match(bad.problems.map(({ message }) => message).join(), /"scop".*did you mean "scope"/)
  assert.equal(bad.problems.find(({ message }) => message.includes('"scop"'))!.line, 2)

  const kept = logged(/the version before stays in force/)
  writeFileSync(join(folder, 'security-material/api.yaml'), `${credential()}lifetim: 1h\n`)
  await kept
  const { ok, problems, steps } = await test('api')
  assert.equal(ok, false, 'the file is not in order')
  assert.equal(steps[0]!.ok, true)
  assert.match(problems[0]!.message, /"lifetim"/)
  assert.equal(service.asked.length, 1)
})

test('a test is called off while the token service, or the receiver, takes its time', async (t) => {
  const asked = { token: Promise.withResolvers<void>(), call: Promise.withResolvers<void>() }
  const held = Promise.withResolvers<void>()
  t.after(() => held.resolve())
  let slow = '/token'
  const { test } = await setUp(t, {
    async answer({ url }): Promise<Said | undefined> {
      if (url !== slow) return undefined
      asked[url === '/token' ? 'token' : 'call'].resolve()
      await held.promise
      return {}
    },
  })
  const first = new AbortController()
  const tokenTest = test('api', { call: 'items' }, first.signal)
  await asked.token.promise
  first.abort()
  assert.deepEqual(
    (await tokenTest).steps.map(({ failure }) => failure!.code),
    ['flow.cancelled'],
  )

  slow = '/api/items'
  const second = new AbortController()
  const callTest = test('api', { call: 'items' }, second.signal)
  await asked.call.promise
  second.abort()
  assert.equal(callOf(await callTest).failure!.code, 'flow.cancelled')

  const before = new AbortController()
  before.abort()
  assert.equal((await test('api', {}, before.signal)).ok, false)
})

test('an invalidated token is asked for anew by the next request; a remembered failure is forgotten', async (t) => {
  let refuses = false
  const { control, run, asked } = await setUp(t, {
    answer: ({ url }) => (url === '/token' && refuses ? { status: 401 } : undefined),
    files: {
      'flows/call.yaml': 'steps:\n  - http: { url: items, credential: api }\n',
      'security-material/user.yaml': 'type: basic\nusername: me\npassword: ${env:SECRET}\nbaseUrl: ORIGIN/\n',
      'security-material/bad.yaml': 'type: oauth2\n',
    },
  })
  const about = { name: 'api', type: 'oauth2', keeps: true }
  assert.deepEqual(control.invalidateCredential('api'), { ...about, status: 'unused' })
  for (const tokens of [1, 1, 2]) {
    if (tokens === 2) assert.deepEqual(control.invalidateCredential('api'), { ...about, status: 'ready' })
    assert.equal((await run('call')).status, 'COMPLETED')
    assert.equal(asked('/token').length, tokens)
  }
  control.invalidateCredential('api')
  refuses = true
  for (const _ of [1, 2]) assert.equal((await run('call')).status, 'FAILED')
  assert.equal(asked('/token').length, 3)
  refuses = false
  assert.equal(control.invalidateCredential('api')!.status, 'refused')
  assert.equal((await run('call')).status, 'COMPLETED')

  assert.equal(control.invalidateCredential('user')!.keeps, false)
  assert.deepEqual(control.invalidateCredential('bad'), {
    name: 'bad',
    type: 'oauth2',
    keeps: false,
    status: 'broken',
  })
  assert.equal(control.invalidateCredential('apis'), undefined)
})
