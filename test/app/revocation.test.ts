import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { sluice } from '../support/command-line.ts'
import { startService, type Said } from '../support/credentials.ts'
import { startProject } from '../support/project.ts'

const SECRET = 'secret-of-the-revoked-client'

/** An engine with the credential `api`, before a service that takes tokens back and a receiver. */
async function setUp(t: TestContext, more = '', said: Said = {}) {
  const service = await startService(t, ({ url }, count) => {
    if (url === '/revoke') return said
    return url === '/token' ? { body: { access_token: `token-number-${count}`, expires_in: 600 } } : {}
  })
  const origin = `http://127.0.0.1:${service.port}`
  const credential = `type: oauth2\ntokenServiceUrl: ${origin}/token\nclientId: acme\nclientSecret: \${env:SECRET}\nbaseUrl: ${origin}/api/\n${more.replaceAll('ORIGIN', origin)}`
  const project = await startProject(
    t,
    {
      'flows/call.yaml': 'steps:\n  - http: { url: items, credential: api }\n',
      'security-material/api.yaml': credential,
    },
    { environment: { SECRET } },
  )
  const cli = (...line: string[]) => sluice(t, line, {}, { folder: project.folder, environment: { SECRET } })
  return {
    ...project,
    cli,
    credential,
    file: join(project.folder, 'security-material/api.yaml'),
    revoked: () => service.asked.filter(({ url }) => url === '/revoke').map(({ body }) => body),
  }
}

const REVOKES = 'revocationUrl: ORIGIN/revoke\n'
const FORM = 'token=token-number-1&token_type_hint=access_token'

test('the token of a credential whose file is deleted is revoked; a changed file keeps it', async (t) => {
  const { run, file, credential, revoked, logged, log } = await setUp(t, REVOKES)
  await run('call')
  writeFileSync(file, `${credential}description: the same\n`)
  await logged(/credential \\"api\\" was changed/)
  assert.deepEqual(revoked(), [])
  rmSync(file)
  await logged(/token revoked at the token service/)
  assert.deepEqual(revoked(), [FORM])
  assert.doesNotMatch(log.join('\n'), /token-number-1/)
})

test('the engine stops and revokes nothing', async (t) => {
  const { run, app, revoked } = await setUp(t, REVOKES)
  await run('call')
  await app.stop()
  assert.deepEqual(revoked(), [])
})

test('credential invalidate --revoke tells the token service', async (t) => {
  const { run, cli, revoked } = await setUp(t, REVOKES)
  await run('call')
  const done = await cli('credential', 'invalidate', 'api', '--revoke')
  assert.equal(
    done.stdout,
    '"api": the token is dropped; the next request asks for a new one\n"api": the token service was told that the token is no longer wanted\n',
  )
  assert.equal(done.code, 0)
  assert.deepEqual(revoked(), [FORM])
  assert.equal((await cli('credential', 'invalidate', 'api', '--revoke')).code, 0)
  assert.equal((await run('call')).status, 'COMPLETED')
})

test('a token that cannot be revoked is dropped all the same; why, and the way out, is said', async (t) => {
  const refused = await setUp(t, REVOKES, { status: 400, body: { error: 'unsupported_token_type' } })
  await refused.run('call')
  const told = await refused.cli('credential', 'invalidate', 'api', '--revoke')
  assert.match(
    told.stdout,
    /the token is dropped; .*\n"api": the token could not be revoked: .* answered 400 unsupported_token_type\n {2}This service/,
  )
  assert.equal(told.code, 1)
  const nowhere = await setUp(t)
  await nowhere.run('call')
  const impossible = await nowhere.cli('credential', 'invalidate', 'api', '--revoke', '--json')
  assert.deepEqual(JSON.parse(impossible.stdout), {
    name: 'api',
    type: 'oauth2',
    keeps: true,
    status: 'ready',
    revocation: { outcome: 'impossible' },
  })
  assert.equal(impossible.code, 1)
})

test('where no engine runs the token that is kept for the next one is revoked', async (t) => {
  const { run, app, cli, revoked } = await setUp(t, `${REVOKES}exclusive: true\n`)
  await run('call')
  await app.stop()
  const done = await cli('credential', 'invalidate', 'api', '--revoke')
  assert.equal(
    done.stdout,
    '"api": the token that was kept for the next engine is dropped\n"api": the token service was told that the token is no longer wanted\n',
  )
  assert.deepEqual(revoked(), [FORM])
  assert.match((await cli('credential', 'invalidate', 'api', '--revoke')).stdout, /^nothing to drop/)
})
