import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { loadSettings } from '../src/config.ts'
import { projectFolder } from './support/project.ts'

async function load(t: TestContext, text: string, environment: Record<string, string> = {}) {
  const folder = projectFolder(t, { 'sluice.yaml': text })
  const { settings, problems } = await loadSettings(folder, environment, {})
  return { vault: settings.vault, problems }
}

test('without settings there is no Vault, and the rest has its defaults', async (t) => {
  const { vault, problems } = await load(t, '')
  assert.deepEqual(problems, [])
  assert.deepEqual(vault, {
    mount: 'secret',
    refresh: 300_000,
    auth: {
      appRole: { mount: 'approle' },
      kubernetes: {
        jwtFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
        mount: 'kubernetes',
      },
    },
  })
})

test('file and environment go together, at any depth', async (t) => {
  const { vault, problems } = await load(
    t,
    'vault:\n  refresh: 1m\n  auth: { appRole: { roleId: r, mount: teams/approle } }\n',
    {
      SLUICE_VAULT_ADDRESS: 'https://vault.example.com/below/',
      SLUICE_VAULT_AUTH_APP_ROLE_SECRET_ID: '${env:X}',
    },
  )
  assert.deepEqual(problems, [])
  assert.equal(vault.address, 'https://vault.example.com/below/')
  assert.equal(vault.refresh, 60_000)
  assert.deepEqual(vault.auth.appRole, { roleId: 'r', secretId: '${env:X}', mount: 'teams/approle' })
})

const ADDRESS = 'address: https://vault.example.com'
const WRONG: readonly [text: string, message: RegExp, at: string][] = [
  [`{ auth: { token: "\${env:T}" } }`, /no "vault.address"/, '{ '],
  [`{ ${ADDRESS} }`, /does not say how to log in/, '{ '],
  [`{ ${ADDRESS}, auth: { token: "\${env:T}", kubernetes: { role: r } } }`, /several ways/, '{ token'],
  [`{ ${ADDRESS}, auth: { appRole: { roleId: r } } }`, /has no "secretId"/, '{ '],
  [`{ ${ADDRESS}, auth: { appRole: { secretId: "\${env:T}" } } }`, /has no "roleId"/, '{ '],
  [
    `{ ${ADDRESS}, auth: { appRole: { roleId: "a\${env:T}", secretId: "\${env:T}" } } }`,
    /neither an id nor/,
    '"a$',
  ],
  [`{ ${ADDRESS}, auth: { token: "x\${env:T}" } }`, /"vault.auth.token" is no reference/, '"x$'],
  [`{ address: "vault:8200", auth: { token: "\${env:T}" } }`, /no address of a server/, '"'],
  [`{ address: "https://u:secret-pass@v/", auth: { token: "\${env:T}" } }`, /more than a host/, '"'],
  [`{ address: "http://10.0.0.1", auth: { token: "\${env:T}" } }`, /in clear/, '"'],
]

test('what cannot work is told at its place without the value, and there is no Vault then', async (t) => {
  for (const [text, message, at] of WRONG) {
    const { vault, problems } = await load(t, `vault: ${text}\n`)
    assert.equal(problems.length, 1, text)
    const [{ code, line, column, ...problem }] = problems as [(typeof problems)[0]]
    assert.match(problem.message, message)
    assert.doesNotMatch(`${problem.message} ${problem.hint}`, /secret-pass|x\$\{env/)
    assert.deepEqual([code, line, vault.address], ['setting/vault', 1, undefined])
    assert.ok(`vault: ${text}`.slice(column - 1).startsWith(at), `${text} at ${column}`)
  }
})

test('http is for this machine', async (t) => {
  for (const host of ['127.0.0.1:8200', 'localhost:8200', '[::1]:8200']) {
    const { problems } = await load(t, `vault: { address: "http://${host}", auth: { token: "\${env:T}" } }\n`)
    assert.deepEqual(problems, [], host)
  }
})
