import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { startSummary } from '../../src/commands/start-summary.ts'
import { MessageLogReader } from '../../src/store/reading.ts'
import { call } from '../support/http.ts'
import { startProject } from '../support/project.ts'

const files = { 'flows/a.yaml': 'steps:\n  - log: x\n' }
const dev = { dev: 'true', management: '127.0.0.1:0' }
const io = { color: false, columns: 80 } as never

test('a development engine prints a link that makes the one who opens it an admin, and is on record', async (t) => {
  const { app, folder, log } = await startProject(t, files, { settings: dev })
  const summary = startSummary(app, io, 'sluice log')
  const [link] = /http:\/\/127\.0\.0\.1:\d+\/login\?code=\S+/.exec(summary)!
  assert.ok(
    summary.split('\n').every((line) => line.length <= 100),
    summary,
  )
  const opened = await call(link)
  assert.equal(opened.status, 303)
  const cookie = opened.headers['set-cookie']![0]!.split(';')[0]!
  const management = app.control.status().management!
  const headers = { cookie, origin: management, 'sec-fetch-site': 'same-origin' }
  assert.equal((await call(`${management}/api/reload`, { method: 'POST', headers })).status, 200)
  assert.equal((await call(`${management}/api/clients`, { headers })).status, 200)
  const foreign = { cookie, origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'same-site' }
  assert.equal((await call(`${management}/api/reload`, { method: 'POST', headers: foreign })).status, 403)
  assert.equal((await call(link)).status, 401)
  await app.flush()
  using reader = new MessageLogReader(join(folder, 'data'))
  assert.deepEqual(
    reader
      .audit({ limit: 10, who: ['local*'] })
      .toReversed()
      .map(({ what, who, outcome }) => `${what} ${who} ${outcome}`),
    ['login local user (link) done', 'reload local user (link) done', 'login local user (link) refused'],
  )
  const code = new URL(link).searchParams.get('code')!
  assert.ok(!log.join('').includes(code))
})

test('there is no link without --dev, on an address that others reach, or where nothing listens', async (t) => {
  for (const settings of [
    { management: '127.0.0.1:0' },
    { dev: 'true', management: '0.0.0.0:0' },
    { dev: 'true' },
  ] as Record<string, string>[]) {
    const { app } = await startProject(t, files, { settings })
    assert.equal(app.loginLink, undefined)
    assert.doesNotMatch(startSummary(app, io, 'sluice log'), /login/)
  }
})
