import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { inspect } from 'node:util'
import { Secret } from '../../src/core/secret.ts'
import { leaksIn } from '../app/canary/search.ts'
import { receiver } from '../net/fixture.ts'
import { sluice } from '../support/command-line.ts'
import { replyText, startProject } from '../support/project.ts'
import { leaks, oauth, SECRET, TOKEN } from './fixture.ts'

const secrets = { SECRET, TOKEN }

/** A running project whose receiver gives back all that it was sent, and everything that its data folder shows. */
async function echoing(t: TestContext, steps: string) {
  const api = await receiver(t, (request, reply) => {
    reply.setHeader('content-type', 'application/json')
    reply.end(
      JSON.stringify(
        request.url === '/token'
          ? { access_token: TOKEN, expires_in: 600 }
          : { authorization: request.headers.authorization, url: request.url },
      ),
    )
  })
  const project = await startProject(
    t,
    {
      'flows/a.yaml': `logLevel: trace\nsteps:\n  - endpoint: { path: /a, access: public }\n${steps}`,
      'security-material/x.yaml': oauth(api.origin),
      'security-material/key.yaml': `type: apiKey\nkey: \${env:TOKEN}\ntokenIn: { in: query, name: key }\nbaseUrl: ${api.origin}/\n`,
    },
    { environment: { SECRET, TOKEN }, settings: { 'log.level': 'debug' } },
  )
  const { app, folder, log } = project
  /** All that people can read of the runs. */
  const shown = async () => {
    await app.flush()
    const texts = [...log]
    const read = async (...args: string[]) => {
      const { stdout, stderr } = await sluice(t, ['log', ...args], {}, { folder })
      texts.push(stdout, stderr)
      return stdout
    }
    const lines = (await read('--json')).trim().split('\n')
    const runs = lines.map((line) => JSON.parse(line) as { id: string })
    assert.ok(runs.length > 0)
    for (const { id } of runs) {
      await read(id)
      const { attachments } = JSON.parse(await read(id, '--json')) as { attachments: { name: string }[] }
      for (const { name } of attachments) await read(id, '--attachment', name)
    }
    return texts.join('\n')
  }
  return { ...project, api, shown }
}

test('row 10: a secret prints as "[secret]", however it is printed', () => {
  const secret = new Secret(SECRET)
  const error = Object.assign(new Error('x', { cause: { secret } }), { secret })
  for (const text of [
    String(secret),
    JSON.stringify({ secret }),
    inspect(error, { depth: 9, showHidden: true }),
    Object.entries(secret).join(),
  ])
    assert.deepEqual(leaksIn(text, secrets), [], text)
  assert.match(inspect({ secret }), /\[secret\]/)
})

test('row 10: nobody listens to the channels on which undici publishes headers', async (t) => {
  const { run } = await echoing(t, '  - http: { url: x, credential: x }\n')
  assert.equal((await run('a')).failure, undefined)
  for (const name of ['request:create', 'request:headers', 'client:sendHeaders', 'client:connectError'])
    assert.equal(channel(`undici:${name}`).hasSubscribers, false, name)
})

test('rows 10, 11 and 13: at the finest level no log and no record holds a token, not even one that a receiver gives back', async (t) => {
  const { run, shown, api } = await echoing(
    t,
    `  - http: { url: "echo?a=1", credential: x }
  - log: { message: "got \${body}", fields: { all: "\${toJson(body)}" }, attach: { name: all.json, content: "\${toJson(body)}" } }
  - set: { properties: { kept: "\${body}" }, headers: { x-seen: "\${body.authorization}" } }
  - log: "\${base64.encode(toJson(body))}"
  - http: { url: echo, credential: key }
  - respond: { body: done }
`,
  )
  const { failure } = await run('a')
  assert.equal(failure, undefined)
  assert.equal(api.requests[1]!.headers.authorization, `Bearer ${TOKEN}`, 'it was sent, and given back')
  const text = await shown()
  assert.match(text, /got \{.*\[secret\]/)
  assert.deepEqual(leaksIn(text, secrets), [])
})

test('row 12: a script finds no token and no secret, wherever it looks', async (t) => {
  const { run } = await echoing(
    t,
    `  - http: { url: echo, credential: x, into: unused }
  - set: { properties: { unused: null } }
  - script: |
      const seen = new Set()
      const found = []
      const walk = (value, path) => {
        if (typeof value === 'string') found.push(value)
        if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) return
        seen.add(value)
        for (const key of Reflect.ownKeys(value)) {
          found.push(String(key))
          const { value: inner, get, set } = Reflect.getOwnPropertyDescriptor(value, key)
          walk(inner, path); walk(get, path); walk(set, path)
        }
        walk(Object.getPrototypeOf(value), path)
      }
      for (const root of [message, log, attach, fail, Object, Function, Array, Promise, Error, JSON, Math, Reflect]) walk(root, '')
      message.body = { found, kinds: [typeof process, typeof require, typeof fetch, typeof globalThis] }
  - respond: { contentType: application/json }
`,
  )
  const report = await run('a', 'the-body-that-it-sees', { 'x-seen': 'the-header-that-it-sees' })
  assert.equal(report.failure, undefined)
  const reply = replyText(report)
  assert.match(reply, /the-header-that-it-sees/, 'it looks')
  assert.match(reply, /\["undefined","undefined","undefined","undefined"\]/)
  assert.deepEqual(leaksIn(reply, secrets), [])
})

test('row 21: nothing on the disk holds a secret or a token, and nobody else can look', async (t) => {
  const { run, app, folder } = await echoing(
    t,
    '  - http: { url: echo, credential: x }\n  - log: "${body}"\n  - respond: { body: done }\n',
  )
  await run('a')
  await app.flush()
  const data = join(folder, 'data')
  assert.equal(statSync(data).mode & 0o777, 0o700)
  const files = readdirSync(data, { recursive: true, withFileTypes: true }).filter((file) => file.isFile())
  assert.ok(files.length > 0)
  for (const { parentPath, name } of files) {
    const text = readFileSync(join(parentPath, name)).toString('latin1')
    assert.deepEqual(leaksIn(text, secrets), [], name)
  }
})

test('row 22: a key in the query is sent, and shown nowhere', async (t) => {
  const { run, shown, api, app } = await echoing(
    t,
    '  - http: { url: "echo?a=1", credential: key }\n  - fail: { message: "of ${response.url}" }\n',
  )
  const { failure } = await run('a')
  assert.match(api.requests[0]!.line, /^GET \/echo\?a=1&key=Xk9/)
  assert.match(failure!.message, /^of http:\S+\/echo\?a=1$/, 'the URL that a flow sees is without it')
  const reports = app.control.credentials()
  assert.deepEqual(leaks([failure, reports]), [])
  assert.deepEqual(leaksIn(await shown(), secrets), [])
})
