import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { SealedToken, StateStore } from '../../src/core/stores.ts'

export interface StateDriver {
  readonly state: StateStore
  /** Closes it and opens it again on the same data. */
  reopen(): Promise<StateDriver>
}

/** What every driver of the state store must do. */
export function stateStoreBehaviour(name: string, open: (t: TestContext) => Promise<StateDriver>): void {
  const fire = (timer: string, scheduledAt: number) => ({ kind: 'fire', timer, scheduledAt }) as const

  const keep = (one: SealedToken) => ({ kind: 'keep-token', token: one }) as const
  const token = (one: Partial<SealedToken>): SealedToken => ({
    credential: 'x',
    kind: 'refresh',
    origin: 'file',
    at: 1,
    recipients: 'age1a',
    sealed: 'sealed',
    orphanedAt: undefined,
    ...one,
  })

  describe(`state store: ${name}`, () => {
    test('a tick is granted once, whoever asks and however often', async (t) => {
      const { state } = await open(t)
      const asked = await Promise.all(Array.from({ length: 300 }, () => state.atomically([fire('a', 1000)])))
      assert.equal(asked.filter((granted) => granted).length, 1)
      assert.equal(await state.atomically([fire('a', 1000)]), false)
    })

    test('ticks of another time or another timer are others', async (t) => {
      const { state } = await open(t)
      assert.equal(await state.atomically([fire('a', 1000)]), true)
      assert.equal(await state.atomically([fire('a', 2000)]), true)
      assert.equal(await state.atomically([fire('b', 1000)]), true)
    })

    test('a group with one refused guard leaves nothing', async (t) => {
      const { state } = await open(t)
      await state.atomically([fire('b', 1)])
      assert.equal(await state.atomically([fire('a', 1), fire('b', 1), fire('c', 1)]), false)
      assert.equal(await state.lastFire('a'), undefined)
      assert.equal(await state.atomically([fire('a', 1), fire('c', 1)]), true)
    })

    test('a refused group takes nothing from others on the way at the same time', async (t) => {
      const { state } = await open(t)
      const granted = await Promise.all([
        state.atomically([fire('a', 1)]),
        state.atomically([fire('b', 1), fire('a', 1)]),
        state.atomically([fire('c', 1)]),
      ])
      assert.deepEqual(granted, [true, false, true])
      assert.equal(await state.lastFire('b'), undefined)
      assert.equal(await state.lastFire('c'), 1)
    })

    test('an empty group is granted', async (t) => {
      const { state } = await open(t)
      assert.equal(await state.atomically([]), true)
    })

    test('the last tick is the latest one, undefined for an unknown timer', async (t) => {
      const { state } = await open(t)
      assert.equal(await state.lastFire('a'), undefined)
      await state.atomically([fire('a', 5000)])
      await state.atomically([fire('a', 3000)])
      assert.equal(await state.lastFire('a'), 5000)
      assert.equal(await state.lastFire('A'), undefined)
    })

    test('the last tick counts what was asked for before and not yet answered', async (t) => {
      const { state } = await open(t)
      const asked = state.atomically([fire('a', 7)])
      assert.equal(await state.lastFire('a'), 7)
      assert.equal(await asked, true)
    })

    test('ticks survive closing and opening', async (t) => {
      const driver = await open(t)
      await driver.state.atomically([fire('a', 1763726400000)])
      const { state } = await driver.reopen()
      assert.equal(await state.lastFire('a'), 1763726400000)
      assert.equal(await state.atomically([fire('a', 1763726400000)]), false)
    })

    test('a day of ticks is still known when the clock is set back', async (t) => {
      const { state } = await open(t)
      const day = 24 * 60 * 60 * 1000
      await state.atomically([fire('a', 10 * day)])
      await state.atomically([fire('a', 11 * day)])
      assert.equal(await state.atomically([fire('a', 10 * day)]), false)
    })

    test('tokens are kept by credential and kind, survive opening anew, and go when dropped', async (t) => {
      const driver = await open(t)
      const { state } = driver
      const refresh = token({ credential: 'a' })
      const access = token({ credential: 'a', kind: 'access', orphanedAt: 5 })
      const other = token({ credential: 'b (tenant)' })
      await state.atomically([keep(refresh), keep(access), keep(other)])
      const newer = token({ credential: 'a', sealed: 'newer', origin: 'another', at: 2 })
      await state.atomically([keep(newer)])
      const opened = await driver.reopen()
      assert.deepEqual(await opened.state.tokens('a'), [access, newer])
      assert.deepEqual(await opened.state.tokens('A'), [])
      assert.equal((await opened.state.tokens()).length, 3)
      await opened.state.atomically([{ kind: 'drop-token', credential: 'a', token: 'refresh' }])
      assert.deepEqual(await opened.state.tokens('a'), [access])
      await opened.state.atomically([{ kind: 'drop-token', credential: 'nobody', token: 'refresh' }])
    })

    test('a token is replaced only where no other one came in between', async (t) => {
      const { state } = await open(t)
      const first = token({ credential: 'a' })
      await state.atomically([keep(first)])
      const anew = token({ credential: 'a', sealed: 'anew', recipients: 'age1b' })
      const replace = { kind: 'replace-token', before: first.sealed, token: anew } as const
      assert.equal(await state.atomically([replace]), true)
      assert.equal(await state.atomically([replace]), false)
      assert.deepEqual(await state.tokens('a'), [anew])
      assert.equal(await state.atomically([fire('a', 1), replace]), false)
      assert.equal(await state.lastFire('a'), undefined)
    })

    test('what is asked sees tokens that are on the way', async (t) => {
      const { state } = await open(t)
      const asked = state.atomically([keep(token({ credential: 'a' }))])
      assert.equal((await state.tokens('a')).length, 1)
      assert.equal(await asked, true)
    })

    test('after closing it refuses to work', async (t) => {
      const driver = await open(t)
      await driver.reopen()
      await assert.rejects(driver.state.atomically([fire('a', 1)]), /closed/)
      await assert.rejects(driver.state.lastFire('a'), /closed/)
      await assert.rejects(driver.state.tokens(), /closed/)
    })
  })
}
