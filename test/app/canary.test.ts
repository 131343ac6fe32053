import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { call } from '../support/http.ts'
import { startCommand, startEngine } from '../support/process.ts'
import { projectFolder } from '../support/project.ts'

/** Each with characters that every encoding changes. */
const SECRETS = {
  OAUTH: 'canary+oauth/secret="1" ä&%',
  WRONG: 'canary+wrong/secret="2" ö&%',
  PASSWORD: 'canary+password/secret="3" ü&%',
  BEARER: 'canary-bearer-secret-4~._-aaaa',
  KEY: 'canary-api-key-secret-5~._-aaaa',
  HEADER: 'canary-api-header-secret-6~._-aaaa',
  FILE: 'canary-file-secret-7~._-aaaa',
}
const TOKEN = 'canary.token-8~+/aaaaaaaaaaaaaaaaaaaa'

/**
 * A token service and an API. The API echoes what it was sent, authentication included: what a receiver gives back in
 * clear is in the body and may reach the caller of the flow, but no log, record or error. The find-destination API,
 * the other exception, does not exist yet.
 */
async function service(t: TestContext): Promise<string> {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const json = (status: number, value: unknown, headers = {}) => {
        response.writeHead(status, { 'content-type': 'application/json', ...headers })
        response.end(JSON.stringify(value))
      }
      const url = request.url!
      if (url.startsWith('/token/good'))
        return json(200, { access_token: TOKEN, token_type: 'Bearer', expires_in: 600 })
      if (url.startsWith('/token/wrong'))
        return json(401, {
          error: 'invalid_client',
          error_description: `wrong: ${SECRETS.WRONG} in ${body} ${request.headers.authorization}`,
        })
      if (url.startsWith('/token/odd'))
        return json(200, { access_token: `${TOKEN}\r\nx: y`, expires_in: 600 })
      if (url.startsWith('/api/refuse'))
        return json(
          401,
          { seen: request.headers },
          { 'www-authenticate': `Bearer error="invalid_token", error_description="${TOKEN}"` },
        )
      if (url.startsWith('/api/fail')) return json(500, { seen: request.headers, url })
      if (url.startsWith('/api/break')) return void request.socket.destroy()
      return json(200, { seen: request.headers, url, body })
    })
  })
  t.after(() => server.closeAllConnections())
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}

/** Every way in which a text may be written down. */
function spellings(text: string): string[] {
  const bytes = Buffer.from(text)
  return [
    text,
    JSON.stringify(text).slice(1, -1),
    encodeURIComponent(text),
    new URLSearchParams({ x: text }).toString().slice(2),
    // base64 of the text wherever it begins in a larger one: what does not depend on its neighbours
    ...[0, 1, 2].map((shift) => {
      const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64')
      return encoded.slice(shift === 0 ? 0 : shift + 1, Math.floor(((shift + bytes.length) * 8) / 6) - 1)
    }),
  ]
}

function leaksIn(text: string): string[] {
  return [...Object.entries(SECRETS), ['TOKEN', TOKEN] as const]
    .filter(([, secret]) => spellings(secret).some((spelling) => text.includes(spelling)))
    .map(([name]) => name)
}

const CREDENTIALS = ['oauth', 'wrong', 'odd', 'basic', 'bearer', 'key', 'query']

test('the search finds a secret in every spelling', () => {
  const basic = Buffer.from(`user:${SECRETS.OAUTH}`).toString('base64')
  for (const text of [
    SECRETS.OAUTH,
    JSON.stringify({ a: SECRETS.OAUTH }),
    encodeURIComponent(`x${SECRETS.OAUTH}y`),
    `Basic ${basic}`,
  ])
    assert.deepEqual(leaksIn(text), ['OAUTH'], text)
})

test('at the finest level no secret and no token is in any output, record, file or error', async (t) => {
  const url = await service(t)
  const common = `baseUrl: ${url}/api\n`
  const oauth = (path: string, secret: string) =>
    `type: oauth2\ntokenServiceUrl: ${url}/token/${path}\nclientId: client\nclientSecret: \${env:${secret}}\n${common}`
  const steps = (credential: string) => `
logLevel: trace
searchable: [x-seen]
steps:
  - endpoint: { path: "/${credential}/{what}", access: public }
  - http:
      method: POST
      url: "/\${trigger.params.what}"
      query: { q: "\${trigger.params.what}" }
      credential: ${credential}
      acceptStatus: [401]
  - script: |
      log.info(JSON.stringify(message.body), { all: message.body })
      message.headers['x-seen'] = String(message.body.seen?.authorization ?? message.body.url)
      message.properties.all = message.body
      console.log(JSON.stringify(Object.keys(globalThis)))
  - log: { message: "got \${body}", fields: { all: "\${body}" }, attach: { name: all.json } }
  - fail: { message: "seen \${toJson(body)}", status: 418 }
    if: trigger.params.what == 'tell'
  - respond: { body: done }
`
  const folder = projectFolder(t, {
    'secret.txt': `${SECRETS.FILE}\n`,
    'security-material/oauth.yaml': `${oauth('good', 'OAUTH')}parameters: { body: { extra: "\${file:secret.txt}" } }\n`,
    'security-material/wrong.yaml': oauth('wrong', 'WRONG'),
    'security-material/odd.yaml': oauth('odd', 'OAUTH'),
    'security-material/basic.yaml': `type: basic\nusername: user\npassword: \${env:PASSWORD}\n${common}`,
    'security-material/bearer.yaml': `type: bearer\ntoken: \${env:BEARER}\napiHeaders: { x-extra: "\${env:HEADER}" }\n${common}`,
    'security-material/key.yaml': `type: apiKey\nkey: \${env:KEY}\ntokenIn: { in: header, name: x-api-key, prefix: "" }\n${common}`,
    'security-material/query.yaml': `type: apiKey\nkey: \${env:KEY}\ntokenIn: { in: query, name: key }\n${common}`,
    ...Object.fromEntries(CREDENTIALS.map((name) => [`flows/${name}.yaml`, steps(name)])),
  })
  const environment = { ...SECRETS, SLUICE_LOG_LEVEL: 'debug', SLUICE_LOG_FORMAT: 'json' }
  const engine = await startEngine(t, folder, environment)

  const errors: string[] = []
  for (const credential of CREDENTIALS)
    for (const what of ['echo', 'refuse', 'fail', 'break']) {
      const reply = await call(`${engine.url}/http/${credential}/${what}`, {
        method: 'POST',
        body: '{}',
        headers: { 'content-type': 'application/json' },
      })
      if (reply.status >= 400) errors.push(JSON.stringify(reply.headers) + reply.text)
      else assert.equal(reply.text, 'done')
    }
  assert.ok(errors.length >= CREDENTIALS.length * 2, 'failures were provoked')
  assert.deepEqual(leaksIn(errors.join('\n')), [], 'replies of failed runs')

  const outputs: Record<string, string> = {}
  const run = async (...args: string[]) => {
    const { stdout, stderr } = await startCommand(t, folder, args, environment).ended
    outputs[args.join(' ')] = stdout + stderr
    return stdout
  }
  const runs = JSON.parse(await run('log', '--json', '--limit', '100')) as { id: string }[]
  assert.equal(runs.length, CREDENTIALS.length * 4)
  await run('log')
  for (const { id } of runs.slice(0, 8)) await run('log', id)
  await run('log', runs[0]!.id, '--json')
  await run('credential', 'list')
  for (const name of ['oauth', 'bearer']) await run('credential', 'show', name, '--json')
  await run('flow', 'show', 'oauth', '--json')
  await run('run', 'wrong')
  for (const [command, output] of Object.entries(outputs)) {
    assert.ok(output.length > 50, `${command} printed something`)
    assert.deepEqual(leaksIn(output), [], command)
  }

  assert.ok(Object.values(outputs).join('').includes('[secret]'), 'what the receiver echoed was taken out')

  engine.kill('SIGTERM')
  const { stdout, stderr } = await engine.ended
  assert.match(stdout + stderr, /token obtained/)
  assert.deepEqual(leaksIn(stdout + stderr), [], "the engine's log")

  const files = readdirSync(join(folder, 'data'), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  assert.ok(files.some(({ name }) => name === 'log.db'))
  for (const { name, parentPath } of files) {
    const bytes = readFileSync(join(parentPath, name))
    assert.deepEqual(leaksIn(bytes.toString('utf8') + bytes.toString('latin1')), [], name)
  }
})
