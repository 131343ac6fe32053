import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { door, SECRET } from './fixture.ts'

const GRANT = 'grant_type=client_credentials'
const PATHS = ['/oauth2/token', '/http/ESBMessaging.send']
/** One id, written as RFC 6749 lets it be written. */
const SPELLINGS = ['shop', 'sho%70', '%73hop', 's%68op', 'sh%6Fp', 'sh%6fp', '%73%68%6f%70']

describe('a client whose secret is guessed', () => {
  for (const path of PATHS)
    it(`is slowed down however its id is written: ${path}`, async (t) => {
      const { ask, basic, log } = await door(t)
      const guess = (id: string, secret = 'wrong') =>
        ask(`${path}?${GRANT}`, { headers: basic(id, secret) }).then(({ status }) => status)
      for (const [index, id] of SPELLINGS.entries())
        assert.equal(await guess(id, `wrong ${index}`), index < 5 ? 401 : 429, id)
      assert.equal(await guess('sho%70', SECRET), 429, 'the right one has to wait, too')
      assert.ok(!log.lines.some(({ text }) => text.includes('%')), 'the log has one name for it')
      assert.ok(log.lines.every(({ fields }) => (fields['client'] ?? 'shop') === 'shop'))
    })

  it('still gets in with its id form-encoded', async (t) => {
    const { ask, basic } = await door(t)
    assert.equal((await ask(PATHS[1]!, { headers: basic('sho%70') })).status, 200)
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'shop' })
    assert.equal((await ask(PATHS[0]!, { headers: basic('sho%70'), body })).status, 200)
  })
})
