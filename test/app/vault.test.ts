import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { checkProject } from '../../src/app.ts'
import { sluice } from '../support/command-line.ts'
import { startService } from '../support/credentials.ts'
import { projectFolder, settingOf, startProject } from '../support/project.ts'
import { ROLE_ID, SECRET_ID, startVault } from '../support/vault.ts'

const SEALED = { status: 503, body: { errors: ['Vault is sealed'] } }

async function setUp(t: TestContext) {
  const vault = await startVault(t)
  const service = await startService(t, () => ({ body: { fine: true } }))
  const files = {
    'sluice.yaml': `vault:
  address: ${vault.address}
  refresh: 1s
  auth: { appRole: { roleId: ${ROLE_ID}, secretId: "\${env:VAULT_SECRET_ID}" } }
`,
    'flows/call.yaml':
      'steps:\n  - endpoint: { path: /call, access: public }\n  - http: { url: items, credential: api }\n',
    'flows/plain.yaml': 'steps:\n  - endpoint: { path: /plain, access: public }\n  - set: { body: plain }\n',
    'security-material/api.yaml': `type: bearer\ntoken: \${vault:apps/shop#token}\nbaseUrl: http://127.0.0.1:${service.port}/\n`,
  }
  const environment = { VAULT_SECRET_ID: SECRET_ID }
  return { vault, service, files, environment }
}

test('the engine starts without Vault, tells which credentials wait, and runs their flows once Vault answers', async (t) => {
  const { vault, service, files, environment } = await setUp(t)
  vault.state.all = SEALED
  vault.put('apps/shop', { token: 'token-kept-in-vault' })
  const { app, run, logged, log } = await startProject(t, files, { environment })
  assert.equal((await run('plain')).failure, undefined)

  const state = (name: string) => app.control.flows().find((flow) => flow.name === name)!
  assert.equal(state('call').state === 'running', false)
  const [report] = app.control.credentials()
  assert.equal(report!.state.status, 'incomplete')
  const waits = 'the Vault secret "apps/shop#token" cannot be read: Vault is sealed'
  assert.equal(report!.state.details['waits for'], waits)
  const [notWell] = app.control.health().credentials.notWell
  assert.equal(notWell!.reason, waits)

  vault.state.all = undefined
  await logged(/the flow \\"call\\" runs now/)
  assert.equal((await run('call')).failure, undefined)
  assert.equal(service.asked.at(-1)!.headers.authorization, 'Bearer token-kept-in-vault')

  vault.put('apps/shop', { token: 'another-token-in-vault' }, 2)
  await logged(/credential \\"api\\" was changed; it takes effect with the next request/)
  await run('call')
  assert.equal(service.asked.at(-1)!.headers.authorization, 'Bearer another-token-in-vault')

  vault.state.all = SEALED
  await logged(/stays in force/)
  assert.equal((await run('call')).failure, undefined)
  assert.equal(app.control.credentials()[0]!.state.status, 'ready')
  assert.doesNotMatch(log.join(''), /token-kept|another-token|hvs\.|secret-id-of/)
})

test('check asks Vault with --secrets only', async (t) => {
  const { vault, files, environment } = await setUp(t)
  const folder = projectFolder(t, files)
  const setting = await settingOf(folder, { environment }, () => {})
  const unset = async (secrets: boolean) =>
    (await checkProject(setting, secrets)).problems.map(({ code, severity, message }) => [
      code,
      severity,
      message.split(';')[0],
    ])
  const what = 'the Vault secret "apps/shop#token"'
  assert.deepEqual(await unset(false), [['credential/unset', 'warning', `${what} was not asked for`]])
  assert.equal(vault.service.asked.length, 0)
  assert.deepEqual(await unset(true), [['credential/unset', 'warning', `${what} is not in Vault`]])
  vault.put('apps/shop', { token: 'token-kept-in-vault' })
  assert.deepEqual(await unset(true), [])

  vault.state.all = SEALED
  const { code, stdout } = await sluice(t, ['check', '--secrets'], {}, { folder, environment })
  assert.equal(code, 1)
  assert.match(stdout, /api\.yaml:2:8: the Vault secret "apps\/shop#token" cannot be read: Vault is sealed;/)
})

test('credential show tells what a credential waits for', async (t) => {
  const { files, environment } = await setUp(t)
  const folder = projectFolder(t, files)
  const shown = await sluice(t, ['credential', 'show', 'api'], {}, { folder, environment })
  assert.match(
    shown.stdout.replace(/\s+/g, ' '),
    /waits for the Vault secret "apps\/shop#token" was not asked for/,
  )
})
