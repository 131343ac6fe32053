import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { makeSecretHash } from '../../../src/access/secret-hash.ts'
import { runCommandLine } from '../../../src/commands/index.ts'
import { controlPath } from '../../../src/server/control-path.ts'
import type { EngineHealth } from '../../../src/core/control.ts'
import { call, rawCall } from '../../support/http.ts'
import { basic, MANAGERS, SECRET as MANAGERS_SECRET } from '../../support/management.ts'
import { startEngine } from '../../support/process.ts'
import { projectFolder } from '../../support/project.ts'
import { scrape } from '../../support/scrape.ts'
import { KEY, secretFile } from '../../support/secrets.ts'
import { leaksIn } from './search.ts'
import { API_WAYS, canaryService, keyOf, secretOf, TOKEN_WAYS } from './service.ts'

const SECRETS: Record<string, string> = {
  OAUTH: secretOf('oauth'),
  RAW: secretOf('raw'),
  BODY: secretOf('body'),
  JSON_BODY: secretOf('json body'),
  EMPTY: secretOf('empty'),
  OPEN: secretOf('open'),
  OPEN_HEADER: keyOf('open header'),
  OPEN_QUERY: secretOf('open query'),
  FIRST: secretOf('first of two'),
  SECOND: secretOf('second of two'),
  PASSWORD: secretOf('password'),
  BEARER: keyOf('bearer'),
  KEY: keyOf('key'),
  QUERY_KEY: secretOf('query key'),
  COOKIE: keyOf('cookie'),
  API_HEADER: keyOf('api header'),
  API_QUERY: secretOf('api query'),
  PROXY: keyOf('proxy').replace('/', ''),
}
const SECRET_FILE = 'security-material/secrets.yaml'
const FILE = secretOf('file')
const CHANGED = secretOf('changed file')
const SEALED = secretOf('encrypted')
const READER = secretOf('reader')

/** Every kind of credential, and each way in which a client shows who it is. */
function credentials(url: string): Record<string, string> {
  const common = `baseUrl: ${url}/api\nfindable: true\n`
  const oauth = (name: string, secret: string, more = '') =>
    `type: oauth2\ntokenServiceUrl: ${url}/token/${name}\nclientId: client-of-${name}\nclientSecret: ${secret}\n${more}${common}`
  const env = (name: string) => `\${env:${name}}`
  const good = {
    header: oauth('header', env('OAUTH'), 'scope: read write\n'),
    raw: oauth('raw', env('RAW'), 'basicEncoding: raw\n'),
    body: oauth(
      'body',
      env('BODY'),
      'clientAuthentication: body\nparameters: { body: { extra: "${file:secret.txt}" } }\n',
    ),
    json: oauth(
      'json',
      env('JSON_BODY'),
      'clientAuthentication: body\ncontentType: application/json\nscope: { userId: svc }\n',
    ),
    empty: oauth('empty', env('EMPTY'), 'contentType: none\n'),
    sealed: oauth('sealed', '${secret:sealed}'),
    two: oauth('two', `["${env('FIRST')}", "${env('SECOND')}"]`),
    open: `type: oauth2\ntokenServiceUrl: ${url}/token/open\nclientId: client-of-open\nclientAuthentication: none\nparameters: { body: { key: "${env('OPEN')}" }, headers: { x-key: "${env('OPEN_HEADER')}" }, query: { q: "${env('OPEN_QUERY')}" } }\n${common}`,
    basic: `type: basic\nusername: user\npassword: ${env('PASSWORD')}\n${common}`,
    bearer: `type: bearer\ntoken: ${env('BEARER')}\napiHeaders: { x-extra: "${env('API_HEADER')}" }\napiQuery: { tenant: "${env('API_QUERY')}" }\n${common}`,
    key: `type: apiKey\nkey: ${env('KEY')}\ntokenIn: { in: header, name: x-api-key, prefix: "" }\n${common}`,
    query: `type: apiKey\nkey: ${env('QUERY_KEY')}\ntokenIn: { in: query, name: key }\n${common}`,
    cookie: `type: apiKey\nkey: ${env('COOKIE')}\ntokenIn: { in: cookie, name: session }\n${common}`,
  }
  const failing = Object.keys(TOKEN_WAYS).flatMap((way) => [
    [`${way}-header`, oauth(way, env('OAUTH'), 'retry: { attempts: 1 }\n')],
    [`${way}-body`, oauth(way, env('BODY'), 'retry: { attempts: 1 }\nclientAuthentication: body\n')],
  ])
  return { ...good, ...(Object.fromEntries(failing) as Record<string, string>) }
}

/** Tells of a token when another one has taken its place. */
const LATE = `
logLevel: trace
steps:
  - endpoint: { path: /late, access: public }
  - http: { url: echo, credential: raw, into: before }
  - http: { url: refuse, credential: raw, into: refused, acceptStatus: [401] }
  - http: { url: echo, credential: body, into: other }
  - log: { message: "\${toJson(properties)}", attach: { name: all.json, content: "\${toJson(properties)}" } }
  - respond: { body: done }
`

/** Does with an answer whatever a flow can do with it. */
const flow = (credential: string) => `
logLevel: trace
searchable: [x-seen]
steps:
  - endpoint: { path: "/${credential}/{what}", access: public, body: { limit: 1KB } }
  - http:
      method: POST
      url: "\${trigger.params.what}"
      query: { q: "\${trigger.params.what}" }
      credential: ${credential}
      saveHeaders: [x-seen]
  - set: { properties: { all: "\${body}", answer: "\${response}" } }
  - respond: { body: done }
    if: trigger.params.what == 'large'
  - log: { message: "got \${body}", fields: { all: "\${body}" }, attach: { name: "all.json" } }
    if: trigger.params.what in ['echo', 'php']
  - log: { message: "\${base64.encode(toJson(body))}", attach: { name: all.txt, content: "\${toJson(toJson(body))}" } }
    if: trigger.params.what in ['echo', 'php']
  - log: { message: taken, fields: { all: "\${body}" }, attach: { name: all.bin } }
  - log: "\${base64.encode(body)}"
    if: trigger.params.what == 'bytes'
  - script: |
      const body = message.body
      log.info(JSON.stringify(body), { all: body })
      console.log(JSON.stringify(JSON.stringify({ body })))
      message.headers['x-seen'] = String(body?.seen?.authorization ?? message.headers['x-seen'] ?? 'none')
      attach('script.json', { body })
      if (body?.seen) throw new Error('not taken: ' + JSON.stringify(body))
    if: trigger.params.what in ['echo', 'php']
  - fail: { message: "seen \${toJson(body)}", status: 418 }
    if: trigger.params.what == 'php'
  - respond: { body: done }
`

test(
  'at the finest level no secret and no token is in any output, record, file or error',
  { timeout: 180_000 },
  async (t) => {
    const service = await canaryService(t)
    const material = credentials(service.url)
    const folder = projectFolder(t, {
      'secret.txt': `${FILE}\n`,
      [SECRET_FILE]: await secretFile({ sealed: SEALED }),
      ...Object.fromEntries(
        Object.entries(material).map(([name, text]) => [`security-material/${name}.yaml`, text]),
      ),
      ...Object.fromEntries(Object.keys(material).map((name) => [`flows/${name}.yaml`, flow(name)])),
      'flows/late.yaml': LATE,
      'security-material/reader.yaml': `type: client\nroles: [destination.read]\nsecretHash: ${await makeSecretHash(READER)}\n`,
      ...MANAGERS,
    })
    const environment = {
      ...SECRETS,
      SLUICE_SECRET_KEY: KEY,
      HTTPS_PROXY: `http://proxy-user:${encodeURIComponent(SECRETS['PROXY']!)}@127.0.0.1:9`,
      SLUICE_LOG_LEVEL: 'debug',
      SLUICE_LOG_FORMAT: 'json',
      SLUICE_MANAGEMENT: '127.0.0.1:0',
      SLUICE_FIND_DESTINATION: 'true',
      SLUICE_MANAGEMENT_ACCESS_METRICS: 'public',
    }
    const engine = await startEngine(t, folder, environment)
    const leaks: string[] = []
    let redacted = 0
    const look = (text: string, where: string) => {
      assert.ok(text.length > 0, `${where}: there is something to look at`)
      if (text.includes('[secret]')) redacted++
      leaks.push(
        ...leaksIn(text, { ...SECRETS, FILE, CHANGED, SEALED, READER, KEY, ...service.tokens }).map(
          (name) => `${name} in ${where}`,
        ),
      )
    }

    const late = await call(`${engine.url}/http/late`, {
      method: 'POST',
      headers: { 'x-correlation-id': SECRETS['BEARER']! },
    })
    assert.deepEqual([late.status, late.text], [200, 'done'])
    writeFileSync(join(folder, 'secret.txt'), CHANGED)
    await engine.shows(/credential \W*"body\W* was changed/)

    const codes = new Set<unknown>()
    for (const name of Object.keys(material))
      for (const what of waysOf(name)) {
        const reply = await call(`${engine.url}/http/${name}/${what}`, {
          method: 'POST',
          body: '{}',
          headers: { 'content-type': 'application/json', 'x-correlation-id': `for-${name}-${what}` },
        })
        look(JSON.stringify(reply.headers) + reply.text, `the reply for ${name} ${what}`)
        codes.add(reply.status === 200 ? reply.text : (reply.json() as { code?: string }).code)
      }
    assert.deepEqual([...codes].toSorted(), OUTCOMES, 'each kind of outcome was provoked')
    for (const [path, options] of REFUSED)
      look(JSON.stringify(await call(engine.url + path, options)), `the answer of ${path}`)
    look(await rawCall(engine.url, 'nonsense\r\n\r\n'), 'the answer to what is no HTTP')

    await lookAtDestinations(engine.url, Object.keys(material), service.tokens, look)

    const status = JSON.parse(await socketAnswer(folder, 'GET', '/status')) as { management: string }
    const health = (
      await call(`${status.management}/health`, { headers: basic('viewer') })
    ).json() as EngineHealth
    assert.ok(health.credentials.notWell.length > 5, 'their errors are told')
    for (const path of ['/metrics', '/health', '/health/live', '/health/ready', '/none'])
      look((await call(status.management + path)).text, `the management listener's answer of ${path}`)
    const { series } = await scrape(status.management)
    assert.ok(series.some(({ name }) => name === 'sluice_receiver_request_duration_seconds_count'))

    const api = async (method: string, path: string, body?: object) => {
      const answer = await call(`${status.management}${path}`, {
        method,
        headers: { ...basic('admin'), ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
      })
      const text = JSON.stringify(answer.headers) + answer.text
      look(text, `the management API's answer of ${method} ${path}`)
      assert.doesNotMatch(text, new RegExp(MANAGERS_SECRET))
      return answer
    }
    for (const path of [
      '/openapi',
      '/openapi.json',
      '/api',
      '/api/openapi.json',
      '/api/status',
      '/api/flows',
    ])
      await api('GET', path)
    const few = Object.keys(material).filter((_, i) => i % 9 === 0)
    for (const name of few) {
      await api('POST', `/api/flows/${name}/runs`, {})
      await api('POST', `/api/credentials/${name}/test`, { call: 'echo' })
      await api('POST', `/api/credentials/${name}/invalidate`)
      await api('GET', `/api/credentials/${name}`)
      await api('GET', `/api/flows/${name}`)
    }
    for (const path of ['/api/credentials', '/api/clients', '/api/clients/admin', '/api/audit?limit=1000'])
      await api('GET', path)
    const { items } = (await api('GET', '/api/runs?limit=1000')).json() as { items: { id: string }[] }
    for (const { id } of items.slice(0, 5)) {
      const { attachments } = (await api('GET', `/api/runs/${id}`)).json() as {
        attachments: { name: string }[]
      }
      await api('GET', `/api/runs/${id}/snapshots`)
      for (const { name } of attachments)
        await api('GET', `/api/runs/${id}/attachments/${encodeURIComponent(name)}`)
    }

    for (const path of [
      '/status',
      '/health',
      '/flows',
      '/flows/header',
      '/credentials',
      '/credentials/header',
      '/none',
    ])
      look(await socketAnswer(folder, 'GET', path), `the control socket's answer of ${path}`)
    for (const name of Object.keys(material)) {
      const { reply: _own, ...report } = JSON.parse(
        await socketAnswer(folder, 'POST', `/flows/${name}/runs`),
      ) as Record<string, unknown>
      look(JSON.stringify(report), `the control socket's answer of a run of ${name}`)
    }

    const sluice = async (...args: string[]) => {
      const output = await outputOf(folder, environment, args)
      look(output.stdout + output.stderr, `sluice ${args.join(' ')}`)
      return output.stdout
    }
    assert.match(await sluice('audit', '--limit', '1000'), /credential\.tested/)
    await sluice('audit', '--json', '--limit', '1000')
    const runs = (await sluice('log', '--json', '--limit', '1000'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; correlationId: string })
    for (const { id, correlationId } of runs.filter((run) =>
      /^for-(header|basic|inheaders-body)-/.test(run.correlationId),
    )) {
      await sluice('log', id)
      const run = JSON.parse(await sluice('log', id, '--json')) as {
        attachments: { name: string; contentType: string }[]
      }
      for (const { name } of run.attachments) await sluice('log', id, '--attachment', name)
      if (correlationId === 'for-header-echo')
        assert.deepEqual(
          run.attachments.map(({ name }) => name),
          ['all.json', 'all.txt', 'all.bin', 'script.json'],
        )
    }
    look(readFileSync(join(folder, SECRET_FILE), 'utf8'), SECRET_FILE)
    for (const command of COMMANDS) await sluice(...command.split(' '))
    for (const name of Object.keys(material)) {
      await sluice('credential', 'show', name, '--json')
      await sluice('run', name)
    }

    lookAtFiles(folder, look, 'while the engine runs')
    engine.kill('SIGTERM')
    const { stdout, stderr, code } = await engine.ended
    assert.equal(code, 0)
    assert.match(stderr, /token obtained/)
    look(stdout + stderr, "the engine's log")
    lookAtFiles(folder, look, 'after the end')
    for (const command of ALONE) await sluice(...command.split(' '))

    assert.deepEqual(leaks, [])
    assert.ok(redacted > 20, `what was told was taken out, in many places: ${redacted}`)
  },
)

/**
 * `authTokens` of the find-destination API: the one output that holds tokens, because that is what it is for. Nothing else of its
 * answers has one, and what is told of it has none.
 */
async function lookAtDestinations(
  url: string,
  names: readonly string[],
  tokens: Readonly<Record<string, string>>,
  look: (text: string, where: string) => void,
): Promise<void> {
  const authorization = `Basic ${Buffer.from(`reader:${READER}`).toString('base64')}`
  const ask = (path: string) =>
    call(`${url}/destination-configuration/v1/${path}`, { headers: { authorization } })
  for (const name of names) {
    const { authTokens, ...rest } = (await ask(`destinations/${name}`)).json() as {
      authTokens: { error?: string; value: string }[]
    }
    look(JSON.stringify(rest), `the destination ${name} without its tokens`)
    for (const { error, value } of authTokens)
      if (error !== undefined) look(error, `the error of the destination ${name}`)
      else if (name === 'header') assert.ok(Object.values(tokens).includes(value))
    look((await ask(`destinations/${name}?$skipTokenRetrieval=true`)).text, `the properties of ${name}`)
  }
  for (const path of ['subaccountDestinations', 'subaccountDestinations/bearer', 'destinations/none'])
    look((await ask(path)).text, `the answer of ${path}`)
}

/** All commands that tell of flows, credentials and runs: a new one belongs here. */
const COMMANDS = [
  'check',
  'check --secrets --json',
  'status',
  'status --json',
  'check --format sarif',
  'check --format github',
  'flow list',
  'flow list --json',
  'flow show header',
  'flow show header --json',
  'credential list',
  'credential list --json',
  'credential show inheaders-header',
  'credential show bearer',
  'log',
  'log --status FAILED',
  'log --follow',
  'log --follow --json',
  'log --header x-seen=none',
  'credential test header --call echo',
  'credential test raw --call html --json',
  'credential test bearer --call echo?own=1 --json',
  'credential test query --call redirecting',
  'credential test body --call refuse --json',
  'credential test two --call large',
  'credential test html-header --try',
  'credential test inheaders-body --try --json',
  'credential invalidate header',
  'credential test sealed --call echo',
  'secret list',
  'secret list --json',
  'secret key',
  'secret key --json',
  'secret remove sealed',
  'secret rekey --finish',
  'credential invalidate inheaders-header --json',
  'run inheaders-body --json',
]

/** Some of them where no engine answers. */
const ALONE = [
  'check --secrets --json',
  'check --format sarif',
  'check --format github',
  'credential list --json',
  'credential show inheaders-header',
  'credential test json --call echo --json',
  'credential test html-body',
  'run inheaders-body --json',
  'log',
]

/** What the server itself refuses. */
const REFUSED: readonly (readonly [path: string, options: Parameters<typeof call>[1]])[] = [
  ['/health/live', {}],
  ['/health/ready', {}],
  ['/http/nothing', {}],
  ['/http/header/echo', { method: 'PUT' }],
  ['/http/header/%zz', { method: 'POST' }],
  ['/http/header/echo', { method: 'POST', body: 'x'.repeat(2000) }],
  ['/http/header/echo', { method: 'POST', headers: { 'x-large': 'x'.repeat(20_000) } }],
]

const OUTCOMES = [
  'credential.answer',
  'credential.refused',
  'credential.unreachable',
  'done',
  'flow.failed',
  'receiver.broken',
  'receiver.redirect',
  'receiver.status',
  'receiver.unauthorized',
  'script.error',
]

function waysOf(credential: string): readonly string[] {
  if (credential === 'header') return Object.keys(API_WAYS)
  return credential.includes('-') ? ['echo'] : ['echo', 'refuse', 'fail']
}

async function outputOf(folder: string, environment: Record<string, string>, args: readonly string[]) {
  const enough = new AbortController()
  const output = { stdout: '', stderr: '' }
  await runCommandLine(args, {
    stdout(text) {
      output.stdout += text
      if (args.includes('--follow')) enough.abort()
    },
    stderr: (text) => (output.stderr += text),
    stdin: new PassThrough(),
    color: false,
    colorErrors: false,
    terminal: false,
    columns: 200,
    workingFolder: folder,
    environment,
    signal: enough.signal,
  })
  return output
}

function socketAnswer(folder: string, method: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath: controlPath(join(folder, 'data')), method, path, agent: false }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      answer.on('end', () => resolve(text))
    })
      .on('error', reject)
      .end(method === 'POST' ? '{}' : undefined)
  })
}

function lookAtFiles(folder: string, look: (text: string, where: string) => void, when: string): void {
  const files = readdirSync(join(folder, 'data'), { recursive: true, withFileTypes: true })
  const names: string[] = []
  for (const { name, parentPath } of files.filter((entry) => entry.isFile())) {
    const bytes = readFileSync(join(parentPath, name))
    names.push(name)
    if (bytes.length > 0) look(bytes.toString('latin1'), `${name} ${when}`)
  }
  assert.ok(names.includes('log.db') && names.includes('state.db'))
}
