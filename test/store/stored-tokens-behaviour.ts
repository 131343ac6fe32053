import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { Secret } from '../../src/core/secret.ts'
import type { StoredTokens, TokenSlot } from '../../src/core/stores.ts'

export const SLOT: TokenSlot = { credential: 'api', kind: 'refresh', origin: 'file-1' }

/** What everything that keeps tokens must do, however long they last. */
export function storedTokensBehaviour(name: string, open: (t: TestContext) => Promise<StoredTokens>): void {
  const textOf = async (tokens: StoredTokens, slot: TokenSlot) => (await tokens.read(slot))?.content.reveal()

  describe(`stored tokens: ${name}`, () => {
    test('the newest one is given back, each credential, tenant and kind its own', async (t) => {
      const tokens = await open(t)
      const tenant = { ...SLOT, credential: 'api (acme)' }
      const access = { ...SLOT, kind: 'access' } as const
      assert.equal(await tokens.read(SLOT), undefined)
      await tokens.keep(SLOT, new Secret('first'))
      await tokens.keep(SLOT, new Secret('second'))
      await tokens.keep(tenant, new Secret('of the tenant'))
      await tokens.keep(access, new Secret('ü "quoted" \n'))
      assert.equal(await textOf(tokens, SLOT), 'second')
      assert.equal(await textOf(tokens, tenant), 'of the tenant')
      assert.equal(await textOf(tokens, access), 'ü "quoted" \n')
      await tokens.drop(access)
      assert.equal(await tokens.read(access), undefined)
      assert.equal(await textOf(tokens, SLOT), 'second')
    })

    test('one of another origin does not count, and is replaced when a new one comes', async (t) => {
      const tokens = await open(t)
      const other = { ...SLOT, origin: 'file-2' }
      await tokens.keep(SLOT, new Secret('of the first login'))
      assert.equal(await tokens.read(other), undefined)
      assert.equal(await textOf(tokens, SLOT), 'of the first login')
      await tokens.keep(other, new Secret('of the second login'))
      assert.equal(await textOf(tokens, other), 'of the second login')
      assert.equal(await tokens.read(SLOT), undefined)
    })

    test('a request without an answer is told of, until there is one', async (t) => {
      const tokens = await open(t)
      assert.equal(await tokens.asking(SLOT), undefined)
      const at = await tokens.asking(SLOT)
      assert.equal(typeof at, 'number')
      assert.equal(await tokens.asking(SLOT), at)
      assert.equal(await tokens.asking({ ...SLOT, origin: 'file-2' }), undefined)
      await tokens.answered(SLOT)
      assert.equal(await tokens.asking(SLOT), undefined)
      await tokens.keep(SLOT, new Secret('new'))
      assert.equal(await tokens.asking(SLOT), undefined)
    })

    test('those who work with a token take turns, also after one that fails', async (t) => {
      const tokens = await open(t)
      const done: string[] = []
      const work = (word: string, fails = false) =>
        tokens.inTurn(SLOT, async () => {
          done.push(`${word} begins`)
          await new Promise((resolve) => setImmediate(resolve))
          done.push(`${word} ends`)
          if (fails) throw new Error(word)
          return word
        })
      const [first, second] = await Promise.allSettled([work('one', true), work('two')])
      assert.equal(first.status, 'rejected')
      assert.deepEqual(second, { status: 'fulfilled', value: 'two' })
      assert.deepEqual(done, ['one begins', 'one ends', 'two begins', 'two ends'])
    })
  })
}
