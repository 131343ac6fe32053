import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { printCredentialTest, type ReportSetting } from '../../src/commands/test-report.ts'
import type { CredentialTestReport } from '../../src/core/control.ts'
import type { CredentialTestStep } from '../../src/core/credential-test.ts'
import { sluice, type CommandSetting } from '../support/command-line.ts'
import { startService, type TestService } from '../support/credentials.ts'
import { startProject } from '../support/project.ts'

const SECRET = 'secret-of-the-command-line'

const asked: CredentialTestStep['asked'] = {
  method: 'POST',
  url: 'https://api.sap.com/oauth/token',
  headers: ['accept-encoding', 'accept', 'user-agent', 'content-type: application/x-www-form-urlencoded'],
  query: [],
  fields: ['grant_type', 'client_id', 'client_secret', 'scope'],
}
const token: CredentialTestStep = {
  title: 'token request',
  ok: true,
  asked,
  got: { status: 200, 'token type': 'Bearer', lifetime: '30 min', 'granted scope': 'im.read', took: '12 ms' },
}
const refused: CredentialTestStep = {
  title: 'token request',
  ok: false,
  asked,
  got: { status: 400, error: 'invalid_request', description: 'client_id is missing', took: '9 ms' },
  failure: {
    code: 'credential.refused',
    message: 'the token service refused credential "im_read": 400 invalid_request (client_id is missing)',
    hint: 'Check contentType, clientAuthentication, scope and parameters of the credential; the words of the service say which field is wrong.',
  },
}
const call: CredentialTestStep = {
  title: 'call',
  ok: true,
  asked: {
    method: 'GET',
    url: 'https://api.sap.com/successfactors/im/participants',
    headers: ['user-agent', 'accept', 'authorization (Bearer)'],
    query: ['$top'],
    fields: [],
  },
  got: { status: 200, 'content type': 'application/json', size: 2048, took: '3 ms', body: '{"value":[]}' },
}

function printed(
  steps: CredentialTestStep[],
  setting: Partial<ReportSetting> = {},
  ok = true,
  problems: CredentialTestReport['problems'] = [],
): string {
  const report: CredentialTestReport = {
    name: 'im_read',
    type: 'oauth2',
    file: 'security-material/im_read.yaml',
    ok,
    problems,
    steps,
  }
  return printCredentialTest(report, {
    color: false,
    columns: 200,
    call: undefined,
    tryOthers: false,
    byEngine: true,
    ...setting,
  })
}

test('a report tells each step: what was asked, what came back, and whether it worked', () => {
  assert.equal(
    printed([token, call], { call: 'participants?$top=1' }),
    `im_read  oauth2  security-material/im_read.yaml
  asked by the running engine, which keeps the token
  1 token request                                                         ok
    asked  POST https://api.sap.com/oauth/token
           headers  content-type: application/x-www-form-urlencoded,
                    accept-encoding, accept, user-agent
           fields   grant_type, client_id, client_secret, scope
    got    status 200, token type Bearer, lifetime 30 min,
           granted scope im.read, took 12 ms
  2 call                                                                  ok
    asked  GET https://api.sap.com/successfactors/im/participants
           headers  authorization (Bearer), user-agent, accept
           query    $top
    got    status 200, content type application/json, size 2.0 KB, took 3 ms
           body     {"value":[]}

im_read works.
`,
  )
})

test('a failure tells why and what to do, says a thing once, and mentions the other ways', () => {
  assert.equal(
    printed([{ ...refused, others: 5 }], { byEngine: false }, false),
    `im_read  oauth2  security-material/im_read.yaml
  asked in a process of its own: no engine runs on this data folder
  1 token request                                                         failed
    asked  POST https://api.sap.com/oauth/token
           headers  content-type: application/x-www-form-urlencoded,
                    accept-encoding, accept, user-agent
           fields   grant_type, client_id, client_secret, scope
    got    status 400, error invalid_request, took 9 ms
    why    the token service refused credential "im_read": 400 invalid_request
           (client_id is missing)
    fix    Check contentType, clientAuthentication, scope and parameters of the
           credential; the words of the service say which field is wrong.

im_read does not work as it is.
--try asks once in each of 5 other common ways; wrong attempts may count at the
service and lock the client.
`,
  )
})

test('other ways are told briefly, and the one that works with its lines for the file', () => {
  const json = 'token request with contentType: application/json'
  const lines = printed(
    [
      refused,
      { ...refused, title: json, variant: true },
      {
        ...token,
        title: 'token request with two',
        variant: true,
        change: 'clientAuthentication: body\nx: y',
      },
    ],
    { tryOthers: true },
    false,
  ).split('\n')
  const second = lines.findIndex((line) => line.includes(json))
  assert.deepEqual(
    lines.slice(second, second + 3).map((line) => line.trim().replace(/ {2,}/, ' ')),
    [
      `2 ${json} failed`,
      'got status 400, error invalid_request, description client_id is missing,',
      'took 9 ms',
    ],
  )
  const change = lines.findIndex((line) => line.includes('change'))
  assert.deepEqual(lines.slice(change), [
    '    change security-material/im_read.yaml:',
    '             clientAuthentication: body',
    '             x: y',
    '',
    'im_read does not work as it is. It does with the change above: write it into',
    'security-material/im_read.yaml.',
    '',
  ])
})

const conclusions: [title: string, steps: CredentialTestStep[], setting: Partial<ReportSetting>, RegExp][] = [
  ['nothing to ask', [], {}, /type oauth2 ask for nothing: .*\n?.*--call URL\n$/],
  ['a token alone', [token], {}, /im_read gets a token\.\nTry it at the receiver: .*--call URL\n$/],
  [
    'a call that failed',
    [token, { ...call, ok: false }],
    { call: 'x' },
    /gets a token, but the call with it failed\.\n$/,
  ],
  [
    'no token for the call',
    [refused],
    { call: 'x' },
    /The call was not made: there is nothing to make it with\.\n$/,
  ],
  [
    'no other way either',
    [refused, { ...refused, variant: true }],
    { tryOthers: true },
    /Nor does another common way: look at clientId,/,
  ],
]
for (const [title, steps, setting, pattern] of conclusions)
  test(`the conclusion of ${title}`, () => {
    assert.match(
      printed(
        steps,
        setting,
        steps.every(({ ok }) => ok),
      ),
      pattern,
    )
  })

test('no line is longer than 80 columns or the terminal, but for a URL', () => {
  const long = { ...call, got: { ...call.got, body: 'x'.repeat(300) }, warnings: ['odd '.repeat(60).trim()] }
  const title = `token request with ${'field: value, '.repeat(10)}`
  for (const [columns, most] of [
    [200, 80],
    [60, 60],
  ] as const)
    for (const line of printed([{ ...refused, title }, long], { columns }, false).split('\n'))
      assert.ok(line.length <= most || /^ +asked {2}\w+ https:\S+$/.test(line), line)
})

test('mistakes of the file come first, with their place; control characters cannot write on the terminal', () => {
  const text = printCredentialTest(
    {
      name: 'im_read',
      type: 'oauth2',
      file: 'security-material/im_read.yaml',
      ok: false,
      problems: [
        {
          code: 'key/unknown',
          severity: 'error',
          message: '"scop" is no field\x1b[2J',
          hint: 'Did you mean "scope"?',
          file: 'security-material/im_read.yaml',
          line: 3,
          column: 1,
        },
      ],
      steps: [
        {
          title: 'settings',
          ok: false,
          asked: { method: '', url: '', headers: [], query: [], fields: [] },
          got: {},
          failure: { code: 'credential.missing', message: 'not loaded', hint: 'sluice check shows them.' },
        },
      ],
    },
    { color: false, columns: 80, call: undefined, tryOthers: false, byEngine: false },
  )
  assert.match(text, /settings +failed\n {4}why {4}security-material\/im_read\.yaml:3:1: "scop" is no/)
  assert.match(text, /fix {4}Did you mean "scope"\?/)
  assert.doesNotMatch(text, /\x1b|sluice check/)
})

test('a version that works while its file has mistakes is not taken for a success', () => {
  const text = printed([token], {}, false, [
    {
      code: 'key/unknown',
      severity: 'error',
      message: '"scop" is no field',
      file: 'security-material/im_read.yaml',
      line: 3,
      column: 1,
    },
  ])
  assert.match(text.replaceAll(/\s+/g, ' '), /im_read works as it was; \S+ has mistakes, and does not count/)
})

test('colours are for terminals', () => {
  assert.doesNotMatch(printed([token, refused], {}, false), /\x1b/)
  const colored = printed([token, refused], { color: true }, false)
  assert.match(colored, /\x1b\[32mok\x1b/)
  assert.match(colored, /\x1b\[31mfailed\x1b/)
})

/** A project with the credential `api` and a token service and receiver in one. */
async function setUp(t: TestContext, answer?: TestService['answer']) {
  const service = await startService(
    t,
    answer ??
      (({ url }) => ({
        body:
          url === '/token' ? { access_token: 'token-of-the-command-line', expires_in: 60 } : { fine: true },
      })),
  )
  const origin = `http://127.0.0.1:${service.port}`
  const files = {
    'flows/none.yaml': 'steps:\n  - log: nothing\n',
    'security-material/api.yaml': `type: oauth2\ntokenServiceUrl: ${origin}/token\nclientId: acme\nclientSecret: \${env:SECRET}\nbaseUrl: ${origin}/api/\n`,
  }
  const environment = { SECRET }
  return {
    service,
    files,
    environment,
    run: (args: string[], setting: CommandSetting = {}) =>
      sluice(t, ['credential', ...args], files, { environment, ...setting }),
  }
}

test('test: works without an engine, and exits with 0, 1 or 2', async (t) => {
  const { run, service } = await setUp(t)
  const good = await run(['test', 'api', '--call', 'items'])
  assert.equal(good.code, 0, good.stdout + good.stderr)
  assert.match(good.stdout, /process of its own[^]*1 token request[^]*2 call[^]*api works\./)
  assert.equal(good.stderr, '')
  assert.deepEqual(
    service.asked.map(({ url }) => url),
    ['/token', '/api/items'],
  )
  const bad = await run(['test', 'api'], { environment: {} })
  assert.equal(bad.code, 1)
  assert.match(bad.stdout, /"SECRET"\s+is not set/)
  const unknown = await run(['test', 'apj'])
  assert.deepEqual(
    [unknown.code, unknown.stderr],
    [2, 'sluice: there is no credential "apj"; did you mean "api"?\n'],
  )
  assert.match(
    (await run(['test', 'something'])).stderr,
    /there is no credential "something"; there are: api\n/,
  )
  assert.equal((await run(['test'])).code, 2)
  assert.match((await run(['test', 'api', '--call', ' '])).stderr, /--call wants a URL/)
})

test('test --json gives the report', async (t) => {
  const { run } = await setUp(t)
  const { code, stdout } = await run(['test', 'api', '--json', '--call', 'items'])
  assert.equal(code, 0)
  const report = JSON.parse(stdout) as CredentialTestReport
  assert.deepEqual([report.name, report.ok, report.steps.length], ['api', true, 2])
  assert.doesNotMatch(stdout, new RegExp(`${SECRET}|token-of-the-command-line`))
})

test('test --try warns first on standard error, and shows the way that works', async (t) => {
  const { run } = await setUp(t, ({ headers }) =>
    headers.authorization === undefined
      ? { body: { access_token: 'x' } }
      : { status: 400, body: { error: 'invalid_request' } },
  )
  const shy = await run(['test', 'api'])
  assert.equal(shy.stderr, '')
  assert.match(shy.stdout, /--try asks once in each of \d other common ways/)
  const { code, stdout, stderr } = await run(['test', 'api', '--try'])
  assert.equal(code, 1)
  assert.match(stderr, /^warning: --try: each wrong attempt may count .* lock the client\.\n$/)
  assert.match(stdout, /change security-material\/api\.yaml:\n +clientAuthentication: body\n/)
})

test('test: a person at a terminal learns after a while that it goes on, and Ctrl-C ends it', async (t) => {
  const held = Promise.withResolvers<void>()
  t.after(() => held.resolve())
  const { run } = await setUp(t, async () => {
    await held.promise
    return {}
  })
  const interrupted = new AbortController()
  const { code, stdout, stderr } = await run(['test', 'api'], {
    terminal: true,
    signal: interrupted.signal,
    onStderr: (text) => /waiting for the answer/.test(text) && interrupted.abort(),
  })
  assert.deepEqual([code, stdout], [130, ''])
  assert.match(stderr, /^waiting for the answer.*\nsluice: interrupted\n$/)
})

test('test and invalidate ask the engine that runs on the data folder', async (t) => {
  const { files, environment, service } = await setUp(t)
  const { folder, app } = await startProject(t, files, { environment })
  const run = (...args: string[]) => sluice(t, ['credential', ...args], {}, { folder })
  const tested = await run('test', 'api')
  assert.equal(tested.code, 0, tested.stdout + tested.stderr)
  assert.match(tested.stdout, /asked by the running engine/)
  assert.equal(app.control.credentials()[0]!.state.status, 'ready')
  assert.equal((await run('test', 'apj')).code, 2)

  const dropped = await run('invalidate', 'api')
  assert.deepEqual(
    [dropped.code, dropped.stdout],
    [0, '"api": the token is dropped; the next request asks for a new one\n'],
  )
  assert.equal(app.control.credentials()[0]!.state.status, 'unused')
  assert.match((await run('invalidate', 'api')).stdout, /^nothing to drop: "api" has no token yet\n$/)
  const json = JSON.parse((await run('invalidate', 'api', '--json')).stdout) as object
  assert.deepEqual(json, { name: 'api', type: 'oauth2', keeps: true, status: 'unused' })
  const unknown = await run('invalidate', 'apj')
  assert.deepEqual(
    [unknown.code, unknown.stderr],
    [2, 'sluice: there is no credential "apj"; did you mean "api"?\n'],
  )
  assert.equal(service.asked.length, 1)
})

test('invalidate: without an engine there is nothing to drop', async (t) => {
  const { run, service } = await setUp(t)
  const { code, stdout } = await run(['invalidate', 'api'])
  assert.equal(code, 0)
  assert.match(stdout, /^nothing to drop: no engine runs here, and none is kept for the next one/)
  assert.equal((await run(['invalidate', 'api', '--json'])).stdout, 'null\n')
  assert.equal(service.asked.length, 0)
})
