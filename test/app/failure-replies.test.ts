import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { FAILURES, type FailureCode } from '../../src/core/failure.ts'
import { certificate, freePort, rawReceiver, receiver } from '../net/fixture.ts'
import { call, type Got } from '../support/http.ts'
import { startProject } from '../support/project.ts'

/** Stands in everything that a receiver or a token service says. */
const MARK = 'KUCKUCK'
const SECRET = 'the-secret-of-the-client'
const JSON_TYPE = { 'content-type': 'application/json', 'x-mark': MARK, 'set-cookie': `a=${MARK}` }

/** Answers what the path asks for. */
function answer(request: IncomingMessage, reply: ServerResponse): void {
  const [, what, detail] = request.url!.split('?')[0]!.split('/')
  if (what === 'status')
    reply
      .writeHead(Number(detail), MARK, {
        ...JSON_TYPE,
        ...{ location: `https://${MARK}.example/`, 'retry-after': '7' },
        'www-authenticate': `Bearer realm="${MARK}"`,
      })
      .end(JSON.stringify({ error: MARK }))
  else if (what === 'silent') return
  else if (what === 'stalls') reply.writeHead(200, { 'content-length': 100_000 }).write(MARK.repeat(10_000))
  else if (what === 'cut') reply.writeHead(200, { 'content-length': 100 }).write(MARK, () => reply.destroy())
  else if (what === 'gone') reply.destroy()
  else if (what === 'json') reply.writeHead(200, JSON_TYPE).end(`{"a": ${MARK}}`)
  else if (what === 'large') reply.writeHead(200, JSON_TYPE).end(`"${MARK.repeat(50_000)}"`)
  else if (what === 'token')
    reply.writeHead(200, JSON_TYPE).end('{"access_token":"a-token-that-is-good","expires_in":3600}')
  else if (what === 'refusal')
    reply.writeHead(400, JSON_TYPE).end(`{"error":"invalid_client","error_description":"${MARK}"}`)
  else if (what === 'no-token') reply.writeHead(200, JSON_TYPE).end(`{"token": "${MARK}"}`)
  else reply.writeHead(200, JSON_TYPE).end('{"a":1}')
}

interface Class {
  readonly name: string
  /** Steps after the endpoint; `RECEIVER`, `NOBODY` and `TLS` stand for addresses. */
  readonly steps: string
  /** Beside `steps`. */
  readonly flow?: string
  /** Options of the endpoint. */
  readonly endpoint?: string
  readonly body?: string
  readonly type?: string
  readonly code: FailureCode | (string & {})
  /** Where it is not the code's own. */
  readonly status?: number
  readonly title?: string
  readonly detail?: string | RegExp
}

const http = (path: string, rest = '') => `  - http: { url: "RECEIVER${path}"${rest} }\n`
/** ms; a receiver that says nothing is not waited for any longer. */
const SHORT = '    timeout: 300ms\n'

const receivers: Class[] = [
  ...[400, 403, 404, 405, 409, 410, 413, 422, 429, 500, 502, 503, 504].map((status) => ({
    name: `a receiver that answers ${status}`,
    steps: http(`/status/${status}`),
    code: 'receiver.status',
  })),
  { name: '401 without a credential', steps: http('/status/401'), code: 'receiver.status' },
  {
    name: '401 with a credential',
    steps: http('/status/401', ', credential: good'),
    code: 'receiver.unauthorized',
  },
  {
    name: '401 with a fixed token',
    steps: http('/status/401', ', credential: fixed'),
    code: 'receiver.unauthorized',
  },
  { name: 'a redirect', steps: http('/status/302'), code: 'receiver.redirect' },
  {
    name: 'a refused connection',
    steps: '  - http: { url: "http://NOBODY/" }\n',
    code: 'receiver.unreachable',
  },
  {
    name: 'a name that nobody knows',
    steps: '  - http: { url: "http://nowhere.invalid/" }\n',
    code: 'receiver.unreachable',
  },
  {
    name: 'a certificate that is not trusted',
    steps: '  - http: { url: "https://TLS/" }\n',
    code: 'receiver.unreachable',
  },
  {
    name: 'TLS where there is none',
    steps: `  - http: { url: "\${replace('RECEIVER', 'http:', 'https:')}/" }\n`,
    code: 'receiver.unreachable',
  },
  { name: 'a connection that is closed', steps: http('/gone'), code: 'receiver.unreachable' },
  { name: 'the time of a step', steps: http('/silent') + SHORT, code: 'receiver.timeout' },
  { name: 'the time of a flow', flow: 'timeout: 300ms\n', steps: http('/silent'), code: 'receiver.timeout' },
  {
    name: 'the time of a flow while a body is read',
    flow: 'timeout: 300ms\n',
    steps: `${http('/stalls')}  - log: "\${size(body)}"\n`,
    code: 'flow.timeout',
  },
  { name: 'an answer that is cut off', steps: http('/cut'), code: 'receiver.broken' },
  {
    name: 'an answer that is no JSON',
    steps: `${http('/json')}  - set: { body: "\${body.a}" }\n`,
    code: 'receiver.broken',
  },
  {
    name: 'an answer that is too large to be read',
    steps: `${http('/large')}  - set: { body: "\${body.a}" }\n`,
    code: 'receiver.too-large',
  },
  {
    name: 'an answer over `maxResponse`',
    steps: http('/large', ', maxResponse: 1KB'),
    code: 'receiver.too-large',
  },
]

const credentials: Class[] = [
  { name: 'a refused client', steps: http('/', ', credential: refused'), code: 'credential.refused' },
  {
    name: 'a token service that is down',
    steps: http('/', ', credential: down'),
    code: 'credential.unreachable',
  },
  {
    name: 'a token service that is silent',
    steps: http('/', ', credential: silent'),
    code: 'credential.timeout',
  },
  {
    name: 'an answer without a token',
    steps: http('/', ', credential: tokenless'),
    code: 'credential.answer',
  },
  {
    name: 'a host that a credential may not go to',
    steps: '  - http: { url: "${body.url}", credential: good }\n',
    body: '{"url":"https://elsewhere.example/"}',
    code: 'credential.host',
  },
]

const ours: Class[] = [
  { name: 'a script that throws', steps: `  - script: throw new Error('${MARK}')\n`, code: 'script.error' },
  { name: 'a script without end', steps: `  - script: for (;;) {}\n${SHORT}`, code: 'script.timeout' },
  {
    name: 'a script that grows',
    steps: '  - script: const a = []; for (;;) a.push(new Array(1e6).fill(a))\n',
    code: 'script.crashed',
  },
  { name: 'a result that is none', steps: '  - script: message.body = () => 1\n', code: 'script.output' },
  {
    name: 'a script that says fail()',
    steps: `  - script: "fail('no id', { status: 422, code: 'order.no-id' })"\n`,
    code: 'order.no-id',
    status: 422,
    title: 'The flow failed',
    detail: 'no id',
  },
  { name: 'an expression', steps: '  - set: { body: "${body.a + body.b}" }\n', code: 'expression.failed' },
  {
    name: 'a fail step',
    steps: '  - fail: { message: "no id in ${body.a}", status: 409, code: order.no-id }\n',
    code: 'order.no-id',
    status: 409,
    title: 'The flow failed',
    detail: 'no id in 1',
  },
  {
    name: 'a fail step without more',
    steps: '  - fail: not today\n',
    code: 'flow.failed',
    detail: 'not today',
  },
  { name: 'a flow that is not running', steps: '  - call: off\n', code: 'flow.unavailable' },
  {
    name: 'a flow that fails in another one',
    steps: '  - call: inner\n',
    code: 'receiver.status',
  },
  {
    name: 'a header that cannot be sent',
    steps: '  - set: { headers: { x-a: "${body.line}" } }\n',
    code: 'request.invalid',
  },
]

const callers: Class[] = [
  {
    name: 'a body that is no JSON',
    steps: '  - set: { body: "${body.a}" }\n',
    body: '{"a": ',
    code: 'body.invalid',
    detail: /^the body is not JSON/,
  },
  {
    name: 'a content type that is not taken',
    endpoint: ', body: { contentTypes: application/json }',
    steps: '  - log: x\n',
    type: 'text/csv',
    code: 'request.type',
    detail: 'the content type is "text/csv"; taken here: application/json',
  },
  {
    name: 'a body that is too large',
    endpoint: ', body: { limit: 4B }',
    steps: '  - log: x\n',
    code: 'body.too-large',
    detail: 'the body is larger than the 4 bytes that are taken here',
  },
]

const classes = [...receivers, ...credentials, ...ours, ...callers]

const credentialFile = (receiver: string, token: string, rest = '') =>
  `type: oauth2\nbaseUrl: ${receiver}\ntokenServiceUrl: ${token}\nclientId: me\nclientSecret: \${env:CLIENT_SECRET}\n${rest}`

/** What the caller gets is this and nothing else. */
function check(got: Got, expected: Omit<Class, 'name' | 'steps'>): void {
  const { code } = expected
  const known = FAILURES[code as FailureCode]
  const { run, detail, ...rest } = got.json()
  const status = expected.status ?? known.reply
  assert.deepEqual(rest, { title: expected.title ?? known.title, status, code })
  if (expected.detail instanceof RegExp) assert.match(detail, expected.detail)
  else assert.equal(detail, expected.detail)
  assert.equal(got.status, status)
  assert.equal(got.headers['content-type'], 'application/problem+json')
  assert.equal(got.headers['sluice-run'], run)
  assert.equal(got.headers['retry-after'], status === 503 ? '1' : undefined)
  const ordinary = [
    'content-type',
    'sluice-run',
    'retry-after',
    'content-length',
    'date',
    'connection',
    'keep-alive',
    'cache-control',
    'x-content-type-options',
  ]
  assert.deepEqual(
    Object.keys(got.headers).filter((name) => !ordinary.includes(name)),
    [],
  )
  assert.ok(!/kuckuck|127\.0\.0\.1|localhost/i.test(got.text + JSON.stringify(got.headers)))
}

test('what the caller of an endpoint gets when its flow fails', { concurrency: true }, async (t) => {
  const url = await rawReceiver(t, answer)
  const { origin: tls } = await receiver(
    t,
    (_, reply) => reply.end(),
    certificate(t, { name: 'IP:127.0.0.1' }),
  )
  const nobody = `127.0.0.1:${await freePort()}`
  const files: Record<string, string> = {
    'flows/off.yaml': 'steps:\n  - http: { url: /, credential: lacking }\n',
    'flows/inner.yaml': `steps:\n  - http: { url: "${url}/status/404" }\n`,
    'security-material/good.yaml': credentialFile(url, `${url}/token`),
    'security-material/refused.yaml': credentialFile(url, `${url}/refusal`),
    'security-material/tokenless.yaml': credentialFile(url, `${url}/no-token`),
    'security-material/down.yaml': credentialFile(url, `http://${nobody}/token`),
    'security-material/silent.yaml': credentialFile(url, `${url}/silent`, 'readTimeout: 300ms\n'),
    'security-material/lacking.yaml': `type: bearer\ntoken: \${env:NOT_SET}\nbaseUrl: ${url}\n`,
    'security-material/fixed.yaml': `type: bearer\ntoken: \${env:CLIENT_SECRET}\nbaseUrl: ${url}\n`,
  }
  for (const [index, one] of classes.entries())
    files[`flows/class-${index}.yaml`] =
      `${one.flow ?? ''}steps:\n  - endpoint: { path: /${index}, access: public${one.endpoint ?? ''} }\n` +
      one.steps
        .replaceAll('RECEIVER', url)
        .replaceAll('NOBODY', nobody)
        .replaceAll('TLS', tls.slice('https://'.length))
  const project = await startProject(t, files, {
    environment: { CLIENT_SECRET: SECRET, SLUICE_LIMITS_BODY: '200KB' },
  })
  const asking = classes.map((one, index) =>
    t.test(one.name, async () => {
      const headers = { 'content-type': one.type ?? 'application/json' }
      const body = one.body ?? '{"a":1,"line":"a\\r\\nb"}'
      check(await call(`${project.url}/http/${index}`, { method: 'POST', headers, body }), one)
    }),
  )
  await Promise.all(asking)
})

test('what the caller gets when a credential goes, or loses its secret, while its flow runs', async (t) => {
  const url = await rawReceiver(t, answer)
  const credential = (reference: string) => `type: bearer\ntoken: ${reference}\nbaseUrl: ${url}\n`
  const project = await startProject(
    t,
    {
      'flows/call.yaml':
        'steps:\n  - endpoint: { path: /call, access: public }\n  - http: { url: /, credential: api }\n',
      'security-material/api.yaml': credential('${env:CLIENT_SECRET}'),
    },
    { environment: { CLIENT_SECRET: SECRET } },
  )
  const file = join(project.folder, 'security-material/api.yaml')
  const ask = () => call(`${project.url}/http/call`, { method: 'POST' })
  assert.equal((await ask()).status, 200)
  writeFileSync(file, credential('${env:NOT_SET}'))
  await project.logged(/NOT_SET/)
  check(await ask(), { code: 'credential.incomplete' })
  rmSync(file)
  await project.logged(/credential \\"api\\" was removed/)
  check(await ask(), { code: 'credential.missing' })
})
