import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createRedactor } from '../../src/security/redaction.ts'
import { VaultBackend, type VaultBackendSetting } from '../../src/vault/backend.ts'
import { ManualClock, settle } from '../support/clock.ts'
import { TestLog, testWorld } from '../support/credentials.ts'
import { projectWith } from '../support/files.ts'
import { JWT, ROLE_ID, ROOT, SECRET_ID, startVault } from '../support/vault.ts'

const MINUTE = 60_000
const mounts = { appRole: { mount: 'approle' }, kubernetes: { mount: 'kubernetes', jwtFile: '/nowhere' } }
const TOKEN = { ...mounts, token: '${env:VAULT_TOKEN}' }
const APP_ROLE = {
  ...mounts,
  appRole: { mount: 'approle', roleId: ROLE_ID, secretId: '${env:VAULT_SECRET_ID}' },
}

async function setUp(t: TestContext, changes: Partial<VaultBackendSetting> = {}) {
  const vault = await startVault(t)
  const clock = new ManualClock()
  const log = new TestLog()
  const redactor = createRedactor()
  const backend = new VaultBackend({
    address: vault.address,
    namespace: undefined,
    mount: 'secret',
    refresh: 5 * MINUTE,
    auth: TOKEN,
    from: { projectFolder: '/nowhere', environment: { VAULT_TOKEN: ROOT, VAULT_SECRET_ID: SECRET_ID } },
    world: testWorld(t, clock),
    log,
    redactor,
    ...changes,
  })
  t.after(() => backend.stop())
  let waiting: (() => void)[] = []
  let changes_ = 0
  return {
    vault,
    clock,
    log,
    redactor,
    backend,
    get changes() {
      return changes_
    },
    follow: () =>
      backend.follow(() => {
        changes_++
        for (const done of waiting) done()
        waiting = []
      }),
    /** Resolves with the next change. */
    changed: () => new Promise<void>((done) => waiting.push(done)),
    /** Resolves once the path was asked for so often, and its answer is worked. */
    async askedTimes(path: string, count: number) {
      while (vault.asked(path).length < count) await settle()
      for (let i = 0; i < 50; i++) await settle()
    },
  }
}

const why = (backend: VaultBackend, name: string) => {
  const found = backend.value(name)
  return 'why' in found ? found.why : assert.fail(`${name} has a value`)
}

test('one request a path gives all its fields; numbers are texts, what is no text is told', async (t) => {
  const { vault, backend } = await setUp(t)
  vault.put('apps/shop', { password: 'p-of-the-shop', port: 8443, map: {}, empty: '' })
  const names = [
    'apps/shop#password',
    'apps/shop#port',
    'apps/shop#map',
    'apps/shop#empty',
    'apps/shop#pasword',
  ]
  await Promise.all([backend.open(names), backend.open(names)])
  assert.deepEqual(backend.value('apps/shop#password'), { value: 'p-of-the-shop' })
  assert.deepEqual(backend.value('apps/shop#port'), { value: '8443' })
  assert.equal(why(backend, 'apps/shop#map'), 'is no text in Vault but a map or a list')
  assert.equal(why(backend, 'apps/shop#empty'), 'is empty in Vault')
  const near = backend.value('apps/shop#pasword')
  assert.match('hint' in near ? near.hint : '', /^Did you mean "password"\?/)
  assert.equal(vault.asked('secret/data/apps/shop').length, 1)
  assert.equal(vault.asked('secret/data/apps/shop')[0]!.headers['x-vault-request'], 'true')
})

test('parts of a path are encoded, and the namespace goes along', async (t) => {
  const { vault, backend } = await setUp(t, { namespace: 'admin/team' })
  await backend.open(['a b/c?d#x'])
  const [asked] = vault.asked('secret/data/a%20b/c%3Fd')
  assert.equal(asked!.headers['x-vault-namespace'], 'admin/team')
})

test('what is missing, deleted, forbidden or not mounted is told apart', async (t) => {
  const { vault, backend } = await setUp(t)
  Object.assign(vault.state.secrets, { old: 'deleted', closed: 'forbidden' })
  await backend.open(['none#x', 'old#x', 'closed#x', 'secret/data/a#x'])
  assert.equal(why(backend, 'none#x'), 'is not in Vault')
  assert.equal(why(backend, 'old#x'), 'is deleted in Vault')
  assert.equal(why(backend, 'closed#x'), 'may not be read: Vault says "permission denied"')
  const doubled = backend.value('secret/data/a#x')
  assert.match('hint' in doubled ? doubled.hint : '', /without "secret\/" and "data\/"/)
  const other = await setUp(t, { mount: 'kv' })
  await other.backend.open(['none#x'])
  assert.match(why(other.backend, 'none#x'), /nothing mounted at "kv"/)
})

test('answers that are none of KV version 2, redirects and oversized ones leave it waiting', async (t) => {
  for (const [said, told] of [
    [{ body: { data: { password: 'of-version-1' } } }, /not of KV version 2/],
    [{ body: 'no JSON' }, /not of KV version 2/],
    [
      { status: 307, headers: { location: 'https://elsewhere.example.com/' } },
      /redirect \(307\), which is not followed/,
    ],
    [{ status: 503, body: { errors: ['Vault is sealed'] } }, /^cannot be read: Vault is sealed$/],
    [{ status: 429, body: {} }, /no more requests now \(429\)/],
    [
      { status: 500, body: { errors: ['internal\n\u001b[31merror'] } },
      /^cannot be read: Vault answers with 500: internal \[31merror$/,
    ],
    [{ body: Buffer.alloc(3 * 1024 * 1024) }, /./],
  ] as const) {
    const { vault, backend } = await setUp(t)
    vault.state.all = said
    await backend.open(['a#x'])
    assert.match(why(backend, 'a#x'), told)
  }
})

test('without Vault it waits 1 s, doubling to 60 s, and tells when Vault answers', async (t) => {
  const { vault, backend, clock, follow, changed, askedTimes } = await setUp(t)
  vault.put('a', { x: 'value-of-a' })
  vault.state.all = { status: 503, body: { errors: ['Vault is sealed'] } }
  const lookups = 'auth/token/lookup-self'
  await backend.open(['a#x'])
  follow()
  let count = 1
  for (const wait of [1, 2, 4, 8, 16, 32, 60, 60]) {
    await clock.advance(wait * 1000 - 1)
    assert.equal(vault.asked(lookups).length, count)
    await clock.advance(1)
    await askedTimes(lookups, ++count)
  }
  vault.state.all = undefined
  const told = changed()
  await clock.advance(60_000)
  await told
  assert.deepEqual(backend.value('a#x'), { value: 'value-of-a' })
})

test('a new version is noticed after the refresh, and nothing is told where it is the same', async (t) => {
  const set = await setUp(t)
  const { vault, backend, clock, log, follow, changed, askedTimes } = set
  vault.put('a', { x: 'first-value' })
  await backend.open(['a#x'])
  follow()
  await clock.advance(5 * MINUTE)
  await askedTimes('secret/data/a', 2)
  assert.equal(set.changes, 0)
  vault.put('a', { x: 'second-value' }, 2)
  assert.deepEqual(backend.value('a#x'), { value: 'first-value' })
  const told = changed()
  await clock.advance(5 * MINUTE)
  await told
  assert.deepEqual(backend.value('a#x'), { value: 'second-value' })
  assert.deepEqual(log.lines.at(-1), {
    level: 'info',
    text: 'Vault has a new version of a secret',
    fields: { path: 'a', version: 2 },
  })
})

test('an outage and a lost right leave the value; a secret that is deleted is gone', async (t) => {
  const set = await setUp(t)
  const { vault, backend, clock, log, follow, changed, askedTimes } = set
  vault.put('a', { x: 'value-of-a' })
  await backend.open(['a#x'])
  follow()
  vault.state.all = { status: 503, body: { errors: ['Vault is sealed'] } }
  await clock.advance(5 * MINUTE)
  await log.seen('stays in force')
  vault.state.all = undefined
  vault.state.secrets['a'] = 'forbidden'
  await clock.advance(1000)
  await log.seen('stays in force', 2)
  await askedTimes('auth/token/lookup-self', 2)
  assert.deepEqual(backend.value('a#x'), { value: 'value-of-a' })
  assert.equal(set.changes, 0)
  vault.state.secrets['a'] = 'deleted'
  const told = changed()
  await clock.advance(2000)
  await told
  assert.deepEqual(Object.keys(backend.value('a#x')), ['why', 'hint'])
})

test('AppRole: one login for all paths, renewed before its end', async (t) => {
  const { vault, backend, clock, follow, askedTimes } = await setUp(t, {
    auth: APP_ROLE,
    refresh: 24 * 60 * MINUTE,
  })
  vault.state.lease = 3600
  vault.put('a', { x: 'value-of-a' })
  vault.put('b', { x: 'value-of-b' })
  await backend.open(['a#x', 'b#x'])
  follow()
  assert.equal(vault.state.logins, 1)
  for (let renewals = 1; renewals < 4; renewals++) {
    await clock.advance(40 * MINUTE)
    await askedTimes('auth/token/renew-self', renewals)
  }
  assert.equal(vault.state.logins, 1)
})

test('a token that cannot be renewed further is replaced by another login before it ends', async (t) => {
  const { vault, backend, clock, log, askedTimes } = await setUp(t, { auth: APP_ROLE })
  Object.assign(vault.state, { lease: 3600, renewable: false })
  await backend.open(['a#x'])
  await clock.advance(40 * MINUTE)
  await log.seen('logged in to Vault', 2)
  assert.equal(vault.asked('auth/token/renew-self').length, 0)

  Object.assign(vault.state, { renewable: true })
  await clock.advance(40 * MINUTE)
  await log.seen('logged in to Vault', 3)
  vault.state.lease = 600 // the most that is left of its life
  await clock.advance(40 * MINUTE)
  await askedTimes('auth/token/renew-self', 1)
  await clock.advance((600_000 * 2) / 3)
  await log.seen('logged in to Vault', 4)
})

test('a renewal that is refused ends in a login, one that is not answered is tried again', async (t) => {
  const { vault, backend, clock, log } = await setUp(t, { auth: APP_ROLE })
  vault.state.lease = 3600
  await backend.open(['a#x'])
  vault.state.renewal = { status: 503, body: { errors: ['Vault is sealed'] } }
  await clock.advance(40 * MINUTE)
  await log.seen('could not be renewed yet')
  vault.state.renewal = { status: 403, body: { errors: ['permission denied'] } }
  await clock.advance(5000)
  await log.seen('logged in to Vault', 2)
})

test('a token that was revoked is replaced once, without the credential noticing', async (t) => {
  const { vault, backend, clock, log, follow, askedTimes } = await setUp(t, { auth: APP_ROLE })
  vault.put('a', { x: 'value-of-a' })
  await backend.open(['a#x'])
  follow()
  vault.state.tokens.clear()
  await clock.advance(5 * MINUTE)
  await askedTimes('secret/data/a', 3)
  assert.equal(vault.state.logins, 2)
  assert.equal(log.count('stays in force'), 0)
})

test('a login that is refused, or lacks what it needs, is told without its secret', async (t) => {
  const wrong = { ...APP_ROLE, appRole: { ...APP_ROLE.appRole, roleId: 'another-role-id' } }
  const refused = await setUp(t, { auth: wrong })
  await refused.backend.open(['a#x'])
  assert.equal(
    why(refused.backend, 'a#x'),
    'cannot be read: Vault refuses the login (400: invalid role or secret ID)',
  )
  const lacking = await setUp(t, { auth: TOKEN, from: { projectFolder: '/nowhere', environment: {} } })
  await lacking.backend.open(['a#x'])
  assert.equal(
    why(lacking.backend, 'a#x'),
    'cannot be read: the setting "vault.auth.token": the environment variable "VAULT_TOKEN" is not set',
  )
  assert.equal(lacking.vault.service.asked.length, 0)
})

test('Kubernetes: the token of the service account is read at each login', async (t) => {
  const folder = projectWith(t, { jwt: 'an-old-one' })
  const jwtFile = join(folder, 'jwt')
  const auth = { ...mounts, kubernetes: { mount: 'kubernetes', jwtFile, role: 'sluice' } }
  const { vault, backend, clock, follow, changed } = await setUp(t, { auth })
  vault.put('a', { x: 'value-of-a' })
  await backend.open(['a#x'])
  follow()
  assert.match(why(backend, 'a#x'), /refuses the login/)
  writeFileSync(jwtFile, `${JWT}\n`)
  const told = changed()
  await clock.advance(1000)
  await told
  assert.deepEqual(backend.value('a#x'), { value: 'value-of-a' })
})

test('tokens and secret ids are redacted, and stand in no line of the log', async (t) => {
  const { vault, backend, log, redactor } = await setUp(t, { auth: APP_ROLE })
  vault.put('a', { x: 'value-of-a' })
  await backend.open(['a#x'])
  assert.equal(redactor.text(`${SECRET_ID} hvs.token-of-login-1`), '[secret] [secret]')
  assert.doesNotMatch(JSON.stringify(log.lines), /secret-id-of|token-of|value-of/)
})

test('what is no longer named is no longer asked for; stopping ends all that goes on', async (t) => {
  const { vault, backend, clock, follow } = await setUp(t)
  await backend.open(['a#x', 'b#x'])
  follow()
  await backend.open([])
  await clock.advance(60 * MINUTE)
  assert.equal(vault.asked('secret/data/a').length, 1)
  vault.service.answer = () => new Promise(() => {})
  const opened = backend.open(['c#x'])
  while (vault.asked('secret/data/c').length === 0) await settle()
  backend.stop()
  await opened
  assert.match(why(backend, 'c#x'), /was not asked for yet/)
})
