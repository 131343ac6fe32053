import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readClient } from '../../src/access/client-file.ts'
import { FailedAttempts } from '../../src/access/failed-attempts.ts'
import { SecretCheck } from '../../src/access/secret-check.ts'
import { makeSecretHash, readSecretHash } from '../../src/access/secret-hash.ts'
import { ManualClock } from '../support/clock.ts'
import { HASH, SECRET } from './fixture.ts'

/** One that costs little to try. */
const CHEAP = await makeSecretHash(SECRET, readSecretHash(HASH.replace('ln=14', 'ln=10')))

/** Every id is that of a client with the secret `SECRET`. */
function checking() {
  const clock = new ManualClock()
  const { client } = readClient({
    file: 'security-material/shop.yaml',
    text: `type: client\nsecretHash: ${CHEAP}\n`,
  })
  const check = new SecretCheck({ clock, attempts: new FailedAttempts(clock), ofId: () => client })
  const from = async (address: string, clientId: string, secret = SECRET) => {
    const verdict = await check.check({ clientId, secrets: [secret] }, address)
    return verdict.fits ? 'fits' : (verdict.retryAfter ?? 'wrong')
  }
  return { clock, from }
}

describe('secrets that one network has tried', () => {
  it('are few at once, and nobody else waits for them', async () => {
    const { from } = checking()
    const flood = Array.from({ length: 80 }, (_, at) => from(`2001:db8:1:2::${at}`, `id${at}`, 'wrong'))
    assert.equal(await from('2001:db8:1:3::1', 'shop'), 'fits')
    const verdicts = await Promise.all(flood)
    assert.deepEqual(
      verdicts.slice(0, 16),
      Array.from({ length: 16 }, () => 'wrong'),
    )
    assert.deepEqual(
      verdicts.slice(16),
      Array.from({ length: 64 }, () => 1),
    )
    assert.equal(await from('2001:db8:1:2::1', 'shop'), 'fits', 'there is room again')
  })

  it('are slowed down whatever their ids are; what is remembered goes on, and so do others', async () => {
    const { from, clock } = checking()
    assert.equal(await from('2001:db8::1', 'shop'), 'fits')
    for (let at = 0; at < 50; at++) assert.equal(await from(`2001:db8::${at}`, `id${at}`, 'no'), 'wrong')
    assert.equal(await from('2001:db8::99', 'other'), 60)
    assert.equal(await from('2001:db8::1', 'shop'), 'fits')
    assert.equal(await from('2001:db8:0:1::1', 'other'), 'fits')
    await clock.advance(60_000)
    assert.equal(await from('2001:db8::99', 'other'), 'fits')
  })

  it('count only where they were wrong', async () => {
    const { from } = checking()
    for (let at = 0; at < 60; at++) assert.equal(await from('10.0.0.1', `id${at}`), 'fits')
  })
})
