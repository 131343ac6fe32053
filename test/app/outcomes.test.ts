import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test, type TestContext } from 'node:test'
import { writeFileSync } from 'node:fs'
import { call } from '../support/http.ts'
import { startCommand } from '../support/process.ts'
import { projectFolder, startProject } from '../support/project.ts'

/** A receiver that answers what the path asks for. */
async function receiver(t: TestContext): Promise<string> {
  const server = createServer((request, response) => {
    const json = { 'content-type': 'application/json' }
    if (request.url === '/broken') response.writeHead(200, json).end('{"a": <html>')
    else if (request.url === '/large') response.writeHead(200, json).end(`"${'x'.repeat(300_000)}"`)
    else if (request.url === '/slow')
      response.writeHead(200, { ...json, 'content-length': 200_000 }).write('"x')
    else response.writeHead(200, json).end('{"a":1}')
  })
  t.after(() => server.closeAllConnections())
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}

const reading = (url: string, path: string, rest = '') =>
  `${rest}steps:\n  - endpoint: { path: ${path}, access: public }\n  - http: { url: "${url}${path}" }\n  - set: { body: "\${body.a}" }\n`

test("a receiver's bad answer is the receiver's fault (502), a caller's bad body the caller's (400)", async (t) => {
  const url = await receiver(t)
  const { url: own, run } = await startProject(t, {
    'flows/broken.yaml': reading(url, '/broken'),
    'flows/fine.yaml': reading(url, '/fine'),
    'flows/own.yaml':
      'steps:\n  - endpoint: { path: /own, access: public }\n  - set: { body: "${body.a}" }\n',
  })
  const broken = await call(`${own}/http/broken`, { method: 'POST' })
  assert.deepEqual(
    [broken.status, broken.json().code, broken.json().detail],
    [502, 'receiver.broken', undefined],
  )
  assert.match((await run('broken')).failure!.message, /^the answer of "127\.0\.0\.1:\d+" is not JSON/)
  const bad = await call(`${own}/http/own`, {
    method: 'POST',
    body: '{',
    headers: { 'content-type': 'application/json' },
  })
  assert.deepEqual([bad.status, bad.json().code], [400, 'body.invalid'])
  assert.equal((await call(`${own}/http/fine`, { method: 'POST' })).text, '1')
})

test('an answer that is too large to be read is 502, not 413', async (t) => {
  const url = await receiver(t)
  const { url: own } = await startProject(
    t,
    { 'flows/large.yaml': reading(url, '/large') },
    { environment: { SLUICE_LIMITS_BODY: '100KB' } },
  )
  const reply = await call(`${own}/http/large`, { method: 'POST' })
  assert.deepEqual([reply.status, reply.json().code], [502, 'receiver.too-large'])
})

test('a body that stops coming ends the run at its timeout, and its connection is let go', async (t) => {
  const url = await receiver(t)
  const { run } = await startProject(t, { 'flows/slow.yaml': reading(url, '/slow', 'timeout: 300ms\n') })
  const report = await run('slow')
  assert.deepEqual([report.status, report.failure!.code], ['FAILED', 'flow.timeout'])
})

test('level trace does not change the outcome of a run, whatever its body is', async (t) => {
  const flow = (level: string) =>
    `logLevel: ${level}\nsteps:\n  - endpoint: { path: /${level}, access: public }\n  - set: { headers: { x-a: "1" } }\n`
  const { url } = await startProject(t, {
    'flows/info.yaml': flow('info'),
    'flows/trace.yaml': flow('trace'),
  })
  for (const [type, body] of [
    ['text/plain; charset=nosuch', 'x'],
    ['application/json', '{'],
    ['application/octet-stream', Buffer.from([0, 255, 1])],
    ['application/json', ''],
  ] as const) {
    const replies = await Promise.all(
      ['info', 'trace'].map((level) =>
        call(`${url}/http/${level}`, { method: 'POST', body, headers: { 'content-type': type } }),
      ),
    )
    assert.deepEqual(
      replies.map(({ status }) => status),
      body === '' ? [204, 204] : [200, 200],
      type,
    )
  }
})

test('a step that is skipped does not read a streamed body', async (t) => {
  const { url } = await startProject(
    t,
    {
      'flows/skip.yaml':
        'steps:\n  - endpoint: { path: /skip, access: public }\n  - log: "${size(body)}"\n    if: param.look\nparameters: { look: false }\n',
    },
    { environment: { SLUICE_LIMITS_BODY: '100KB' } },
  )
  const reply = await call(`${url}/http/skip`, {
    method: 'POST',
    body: Buffer.alloc(90_000),
    headers: { 'content-type': 'text/plain' },
  })
  assert.deepEqual([reply.status, reply.body.length], [200, 90_000])
})

test('a folder that cannot be read is a problem, not a fault, and the engine starts without it', async (t) => {
  const folder = projectFolder(t, {})
  writeFileSync(`${folder}/security-material`, 'a file')
  const { code, stdout } = await startCommand(t, folder, ['check']).ended
  assert.equal(code, 1)
  assert.match(stdout, /security-material:1:1: it cannot be read \(ENOTDIR\)/)
})

test('certificates that cannot be read end the start with what to do, and no process stays', async (t) => {
  const folder = projectFolder(t, { 'sluice.yaml': 'http: { ca: nosuch.pem }\n' })
  const { code, stderr } = await startCommand(t, folder, ['start']).ended
  assert.equal(code, 1)
  assert.match(stderr, /sluice\.yaml:1:13: the file of "http\.ca" is not there \[setting\/certificate\]/)
})

test('Ctrl-C ends `sluice run`: the run is cancelled', async (t) => {
  const url = await receiver(t)
  const folder = projectFolder(t, {
    'flows/slow.yaml': `steps:\n  - log: begun\n  - http: { url: "${url}/slow", into: x }\n`,
  })
  const command = startCommand(t, folder, ['run', 'slow'], { SLUICE_LOG_LEVEL: 'info' })
  const follow = startCommand(t, folder, ['log', '--follow'])
  await follow.shows(/begun/)
  command.kill('SIGINT')
  const { code, stderr } = await command.ended
  assert.equal(code, 1)
  assert.match(stderr, /CANCELLED slow/)
})

test('a caller that waits to be asked for a long body gets its echo', async (t) => {
  const { url } = await startProject(t, {
    'flows/echo.yaml': 'steps:\n  - endpoint: { path: /echo, access: public }\n',
  })
  const body = Buffer.alloc(2_000_000, 'x')
  let asked = 0
  const reply = await call(`${url}/http/echo`, {
    method: 'POST',
    body,
    headers: { expect: '100-continue', 'content-length': String(body.length) },
    onContinue: () => asked++,
  })
  assert.deepEqual([reply.status, reply.body.length, asked], [200, body.length, 1])
})

test('a reply without a body has no content type', async (t) => {
  const { url } = await startProject(t, {
    'flows/none.yaml':
      'steps:\n  - endpoint: { path: /none, access: public }\n  - respond: { status: 204, body: { a: 1 } }\n',
  })
  const reply = await call(`${url}/http/none`, { method: 'POST' })
  assert.deepEqual([reply.status, reply.headers['content-type'], reply.text], [204, undefined, ''])
})

test('what a fail step tells the caller and the command line holds no secret, even when a receiver gave it back', async (t) => {
  const server = createServer((request, response) =>
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ seen: request.headers.authorization })),
  )
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { url, run } = await startProject(
    t,
    {
      'flows/tell.yaml':
        'steps:\n  - endpoint: { path: /tell, access: public }\n  - http: { url: /x, credential: api }\n  - fail: { message: "seen ${body.seen}", code: told }\n',
      'security-material/api.yaml': `type: bearer\ntoken: \${env:API_TOKEN_TEST}\nbaseUrl: http://127.0.0.1:${(server.address() as { port: number }).port}\n`,
    },
    { environment: { API_TOKEN_TEST: 'very-secret-token-1' } },
  )
  const reply = await call(`${url}/http/tell`, { method: 'POST' })
  assert.equal(reply.json().detail, 'seen Bearer [secret]')
  assert.equal((await run('tell')).failure!.message, 'seen Bearer [secret]')
})
