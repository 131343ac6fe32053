import assert from 'node:assert/strict'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { KeySeal, type KeySealSetting } from '../../src/access/key-seal.ts'
import { SigningKeys } from '../../src/access/signing-keys.ts'
import { makeIdentity } from '../../src/security/secret-cipher.ts'
import { ManualClock } from '../support/clock.ts'
import { TestLog } from '../support/credentials.ts'
import { projectFolder } from '../support/project.ts'
import { p256 } from '../support/keys.ts'
import { sealIn } from './fixture.ts'

function keysIn(t: TestContext) {
  const folder = projectFolder(t, {})
  const file = join(folder, 'access-keys.json')
  const clock = new ManualClock()
  const log = new TestLog()
  const open = (own: Partial<KeySealSetting> = {}) =>
    SigningKeys.open(file, clock, new KeySeal(file, { ...sealIn(folder, {}), ...own }, log))
  const text = () => readFileSync(file, 'utf8')
  const kid = (keys: SigningKeys) => keys.current().kid
  return { folder, file, ageKey: join(folder, 'age.key'), clock, log, open, text, kid }
}

const IN_CLEAR = /"(d|jwk)":/
const refused = (pattern: RegExp) => (error: NodeJS.ErrnoException) =>
  error.code === 'SLUICE_ACCESS' && pattern.test(error.message)

describe('signing keys at rest', () => {
  it('are encrypted, with an age key that is made where there is none, and come back', async (t) => {
    const { open, text, kid, ageKey, file } = keysIn(t)
    const first = await open()
    assert.doesNotMatch(text(), IN_CLEAR)
    assert.deepEqual([statSync(file).mode & 0o777, statSync(ageKey).mode & 0o777], [0o600, 0o600])
    assert.equal(kid(await open()), kid(first))
  })

  it('that an older version has kept in clear are the same, and encrypted at once', async (t) => {
    const { open, text, kid, file, clock } = keysIn(t)
    const jwk = p256.privateKey.export({ format: 'jwk' })
    writeFileSync(file, JSON.stringify({ keys: [{ kid: 'old', from: clock.now(), jwk }] }))
    assert.equal(kid(await open()), 'old')
    assert.doesNotMatch(text(), IN_CLEAR)
    assert.equal(kid(await open()), 'old')
  })

  it('are never replaced in silence where their age key is another one, gone or none', async (t) => {
    const { open, text, kid, ageKey, file } = keysIn(t)
    const first = kid(await open())
    const before = text()
    const good = readFileSync(ageKey, 'utf8')
    writeFileSync(ageKey, await makeIdentity())
    await assert.rejects(
      open(),
      refused(/encrypted for a key that is not here; put .*age\.key .*remove the file/),
    )
    rmSync(ageKey)
    await assert.rejects(open(), refused(/encrypted for a key that is not here/))
    writeFileSync(ageKey, 'nonsense')
    await assert.rejects(open(), refused(/cannot be used: .*age\.key: this is no key/))
    assert.equal(text(), before)
    writeFileSync(ageKey, good)
    assert.equal(kid(await open()), first)
    writeFileSync(file, before.replace(/"sealed":"......../, '"sealed":"AAAAAAAA'))
    await assert.rejects(open(), refused(/is damaged; remove it/))
  })

  it('are encrypted anew for another age key, and wait where there is none for a while', async (t) => {
    const { open, kid, ageKey, text, folder } = keysIn(t)
    const keys = await open()
    const before = text()
    rmSync(ageKey)
    await keys.rotate()
    assert.equal(text(), before)
    const identity = await makeIdentity()
    writeFileSync(ageKey, identity, { mode: 0o600 })
    await keys.rotate()
    assert.notEqual(text(), before)
    rmSync(ageKey)
    const given = sealIn(folder, { SLUICE_SECRET_KEY: identity })
    assert.equal(kid(await open(given)), kid(keys))
  })

  it('are not made where the settings name a place for the age key and none is there', async (t) => {
    const { open } = keysIn(t)
    await assert.rejects(
      open({ mayMakeKey: false }),
      refused(/no key to encrypt it with .*sluice secret key --new/),
    )
  })
})
