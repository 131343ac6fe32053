import assert from 'node:assert/strict'
import fs, { renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { watchMaterial } from '../../src/security/reload.ts'
import { settle } from '../support/clock.ts'
import { TestLog } from '../support/credentials.ts'
import { projectWith } from '../support/files.ts'
import { setUpMaterial } from '../support/material.ts'

const KEY = 'type: bearer\ntoken: ${file:key}\nbaseUrl: https://api.example.com/\n'

/** A credential whose secret is in the file `key`, loaded and watched. */
async function setUp(t: TestContext) {
  const folder = projectWith(t, { 'security-material/x.yaml': KEY, key: 'first-secret-01234' })
  const at = (name: string) => join(folder, name)
  const log = new TestLog()
  const { material, clock } = setUpMaterial(t, { projectFolder: folder, log })
  const files = async () => (await material.read(at('security-material'))).files
  material.load(await files())
  const watch = watchMaterial({
    material,
    clock,
    log,
    folder: at('security-material'),
    usedBy: () => [],
    loaded: () => Promise.resolve(),
  })
  t.after(() => watch.close())
  await watch.begun
  const look = async () => {
    await clock.advance(5000)
    while (clock.pending === 0) await settle()
  }
  await look()
  const token = () => material.reference('x').current()
  return { at, log, look, token, material }
}

const lines = (log: TestLog) => log.lines.map(({ level, text }) => `${level} ${text}`)

test('a folder that cannot be read is told once, and tried again until it can be', async (t) => {
  const { at, log, look, token } = await setUp(t)
  const before = token()
  renameSync(at('security-material'), at('elsewhere'))
  writeFileSync(at('security-material'), 'no folder')
  for (let i = 0; i < 5; i++) await look()
  assert.deepEqual(lines(log), [
    'error security-material:1:1: it cannot be read (ENOTDIR)',
    'warn the credentials stay as they were',
  ])
  unlinkSync(at('security-material'))
  renameSync(at('elsewhere'), at('security-material'))
  for (let i = 0; i < 3; i++) await look()
  assert.equal(token(), before)
  assert.equal(log.lines.length, 2)
})

test('a secret that is there and cannot be read leaves the version before in force', async (t) => {
  const { at, log, look, token, material } = await setUp(t)
  const before = token()
  renameSync(at('key'), at('kept'))
  symlinkSync('key', at('key'))
  for (let i = 0; i < 3; i++) await look()
  assert.equal(token(), before)
  assert.deepEqual(lines(log), [
    'warn security-material/x.yaml:2:8: the file "key" cannot be read (ELOOP); the credential "x" needs it',
    'warn credential "x": the version before stays in force',
  ])
  assert.match(String(material.reports(() => [])[0]!.state.details['in force']), /^the version before/)

  renameSync(at('kept'), at('key'))
  for (let i = 0; i < 2; i++) await look()
  assert.equal(token(), before)
  assert.deepEqual(lines(log).slice(2), ['info credential "x" is in order again, and as it was'])

  unlinkSync(at('key'))
  for (let i = 0; i < 2; i++) await look()
  assert.throws(token, { code: 'credential.incomplete' })
})

test('what could not be read is read again, though nothing else changes', async (t) => {
  const { at, log, look, token } = await setUp(t)
  const before = token()
  const failing = t.mock.method(fs, 'readFileSync', () => {
    throw Object.assign(new Error('too many open files'), { code: 'EMFILE' })
  })
  syncBuiltinESMExports()
  writeFileSync(at('key'), 'second-secret-0123')
  for (let i = 0; i < 3; i++) await look()
  failing.mock.restore()
  syncBuiltinESMExports()
  assert.equal(token(), before)
  await look()
  assert.notEqual(token(), before)
  assert.deepEqual(lines(log).slice(2), [
    'info credential "x" was changed; it takes effect with the next request',
  ])
})
