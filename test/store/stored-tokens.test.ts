import assert from 'node:assert/strict'
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Failure } from '../../src/core/failure.ts'
import { Secret } from '../../src/core/secret.ts'
import { makeIdentity } from '../../src/security/secret-cipher.ts'
import { SealedTokens } from '../../src/store/stored-tokens.ts'
import { createTokensInMemory } from '../../src/store/tokens-in-memory.ts'
import { dataFolder, stores, type Opened } from './support.ts'
import { SLOT, storedTokensBehaviour } from './stored-tokens-behaviour.ts'

storedTokensBehaviour('memory', async () => createTokensInMemory())
storedTokensBehaviour('SQLite', async (t) => (await setUp(t)).tokens)

const TOKEN = 'rotated-refresh-token-0123456789'
const DAY = 24 * 60 * 60 * 1000

interface SetUp extends Opened {
  readonly tokens: SealedTokens
  readonly keyFile: string
  readonly redacted: string[]
}

async function setUp(
  t: TestContext,
  setting: { folder?: string; environment?: Record<string, string>; mayMakeKey?: boolean } = {},
): Promise<SetUp> {
  const opened = await stores(t, setting.folder === undefined ? {} : { folder: setting.folder })
  const keyFile = join(opened.folder, 'age.key')
  const redacted: string[] = []
  const tokens = new SealedTokens({
    state: opened.state,
    clock: opened.clock,
    log: opened.log,
    redactor: { add: (text) => redacted.push(text) },
    keys: { environment: setting.environment ?? {}, keyFile, shownKeyFile: 'data/age.key' },
    mayMakeKey: setting.mayMakeKey ?? true,
  })
  return { ...opened, tokens, keyFile, redacted }
}

/** The same data folder, opened by the next engine. */
async function next(t: TestContext, before: SetUp, environment: Record<string, string> = {}): Promise<SetUp> {
  await before.close()
  return setUp(t, { folder: before.folder, environment })
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  assert.ok(thrown instanceof Failure)
  assert.equal(thrown.code, 'credential.kept')
  return thrown
}

const textOf = async ({ tokens }: SetUp) => (await tokens.read(SLOT))?.content.reveal()

test('a token outlives the engine; nothing on disk shows it, and the key is made for the owner alone', async (t) => {
  const first = await setUp(t)
  await first.tokens.keep(SLOT, new Secret(TOKEN))
  const second = await next(t, first)
  assert.equal(await textOf(second), TOKEN)
  for (const file of await readdir(first.folder)) {
    const bytes = await readFile(join(first.folder, file))
    for (const text of [TOKEN, Buffer.from(TOKEN).toString('base64').slice(2, -4)])
      assert.ok(!bytes.includes(text), file)
  }
  if (process.platform !== 'win32') assert.equal((await stat(first.keyFile)).mode & 0o777, 0o600)
  assert.match(await readFile(first.keyFile, 'utf8'), /^AGE-SECRET-KEY-1/m)
  assert.equal(first.log.texts('warn').filter((text) => /made a key/.test(text)).length, 1)
  assert.match(first.redacted.join(), /AGE-SECRET-KEY-1/)
})

test('a request without an answer is known to the next engine', async (t) => {
  const first = await setUp(t)
  await first.tokens.asking(SLOT)
  const second = await next(t, first)
  assert.equal(await second.tokens.asking(SLOT), first.clock.now())
})

test('without the key, or with another one, the token is not given, and the way out is told', async (t) => {
  const first = await setUp(t)
  await first.tokens.keep(SLOT, new Secret(TOKEN))
  const key = await readFile(first.keyFile, 'utf8')
  await rm(first.keyFile)
  const without = await next(t, first)
  const lost = await failureOf(without.tokens.read(SLOT))
  assert.equal(
    lost.message,
    'the refresh token that is kept for credential "api" cannot be read without the key',
  )
  assert.match(
    lost.hint!,
    /into data\/age.key or SLUICE_SECRET_KEY.*If that key is lost: let the user log in once more/,
  )
  await assert.rejects(stat(first.keyFile))

  await writeFile(first.keyFile, `${await makeIdentity()}\n`, { mode: 0o600 })
  const wrong = await failureOf(without.tokens.read(SLOT))
  assert.match(wrong.message, /is encrypted for another key than data\/age.key has$/)

  const bad = await next(t, without, { SLUICE_SECRET_KEY: 'no-key' })
  await rm(first.keyFile)
  const why = await failureOf(bad.tokens.read(SLOT))
  assert.match(
    why.message,
    /cannot be read without the key \(environment variable SLUICE_SECRET_KEY: this is no key\)/,
  )

  await writeFile(first.keyFile, key, { mode: 0o600 })
  assert.equal(await textOf(bad), TOKEN)
})

test('a token of another login counts even where the one that is kept cannot be read', async (t) => {
  const first = await setUp(t)
  await first.tokens.keep(SLOT, new Secret(TOKEN))
  await writeFile(first.keyFile, `${await makeIdentity()}\n`)
  const second = await next(t, first)
  const other = { ...SLOT, origin: 'file-2' }
  assert.equal(await second.tokens.read(other), undefined)
  await second.tokens.keep(other, new Secret('newer-token-0123456789'))
  assert.equal((await second.tokens.read(other))!.content.reveal(), 'newer-token-0123456789')
})

test('what was moved to another credential or origin, or is damaged, is refused', async (t) => {
  const { tokens, state } = await setUp(t)
  await tokens.keep(SLOT, new Secret(TOKEN))
  const [row] = await state.tokens('api')
  for (const moved of [{ credential: 'foreign' }, { origin: 'elsewhere' }, { sealed: 'AAAA' }]) {
    const slot = { ...SLOT, ...moved }
    await state.atomically([{ kind: 'keep-token', token: { ...row!, ...moved } }])
    assert.match((await failureOf(tokens.read(slot))).message, /is damaged$/)
  }
})

test('where another place is named for the key, none is made there', async (t) => {
  const { tokens, keyFile } = await setUp(t, { mayMakeKey: false })
  const failure = await failureOf(tokens.asking(SLOT))
  assert.match(failure.message, /there is no key to encrypt tokens with: data\/age.key is not there/)
  assert.match(failure.hint!, /sluice secret key --new/)
  await failureOf(tokens.keep(SLOT, new Secret(TOKEN)))
  await assert.rejects(stat(keyFile))
})

test('a key in the environment is used, and no file is made', async (t) => {
  const environment = { SLUICE_SECRET_KEY: await makeIdentity() }
  const first = await setUp(t, { environment })
  await first.tokens.keep(SLOT, new Secret(TOKEN))
  await assert.rejects(stat(first.keyFile))
  assert.equal(await textOf(await next(t, first, environment)), TOKEN)
})

test('after a new key has come in front of the old one, tokens are encrypted for it, and the old one may go', async (t) => {
  const first = await setUp(t)
  await first.tokens.keep(SLOT, new Secret(TOKEN))
  const old = await readFile(first.keyFile, 'utf8')
  const fresh = await makeIdentity()
  await writeFile(first.keyFile, `${fresh}\n${old}`)
  const second = await next(t, first)
  await second.tokens.tend(() => true)
  await writeFile(first.keyFile, `${fresh}\n`)
  const third = await next(t, second)
  assert.equal(await textOf(third), TOKEN)
  assert.equal((await third.tokens.read(SLOT))!.at, first.clock.now())
})

test('tending does not touch a token that came in between', async (t) => {
  const { tokens, state } = await setUp(t)
  await tokens.keep(SLOT, new Secret('older-token-0123456789'))
  await tokens.read(SLOT)
  const slow = {
    ...state,
    atomically: state.atomically.bind(state),
    lastFire: state.lastFire.bind(state),
    async tokens(credential?: string) {
      const found = await state.tokens(credential)
      if (credential === undefined) await tokens.keep(SLOT, new Secret(TOKEN))
      return found.map((row) => ({ ...row, recipients: 'age1other' }))
    },
  }
  const tending = await setUpOn(t, slow)
  await tending.tend(() => false)
  assert.equal((await tokens.read(SLOT))!.content.reveal(), TOKEN)
  assert.equal((await state.tokens('api'))[0]!.orphanedAt, undefined)
})

async function setUpOn(t: TestContext, state: Opened['state']): Promise<SealedTokens> {
  const { clock, log } = await stores(t)
  return new SealedTokens({
    state,
    clock,
    log,
    redactor: { add() {} },
    keys: { environment: {}, keyFile: join(await dataFolder(t), 'age.key'), shownKeyFile: 'age.key' },
    mayMakeKey: true,
  })
}

test('what no credential uses any more goes after 30 days, and not before', async (t) => {
  const { tokens, state, clock } = await setUp(t)
  const gone = { ...SLOT, credential: 'gone (acme)' }
  const changed = { ...SLOT, credential: 'changed' }
  for (const slot of [SLOT, gone, changed]) {
    await tokens.keep(slot, new Secret(`${TOKEN} ${slot.credential}`))
    await tokens.asking(slot)
  }
  await tokens.read({ ...changed, origin: 'file-2' })
  const there = (name: string) => name !== 'gone'
  const left = async () => [...new Set((await state.tokens()).map(({ credential }) => credential))].toSorted()
  await tokens.tend(there)
  await clock.advance(29 * DAY)
  await tokens.tend(there)
  assert.deepEqual(await left(), ['api', 'changed', 'gone (acme)'])
  await clock.advance(DAY)
  await tokens.tend(there)
  assert.deepEqual(await left(), ['api'])
  assert.equal(
    (await state.tokens('api')).every(({ orphanedAt }) => orphanedAt === undefined),
    true,
  )
})

test('a credential that comes back in time has its token', async (t) => {
  const { tokens, state, clock } = await setUp(t)
  await tokens.keep(SLOT, new Secret(TOKEN))
  await tokens.tend(() => false)
  assert.equal((await state.tokens())[0]!.orphanedAt, clock.now())
  await clock.advance(20 * DAY)
  await tokens.tend(() => true)
  await clock.advance(20 * DAY)
  await tokens.tend(() => false)
  assert.equal((await tokens.read(SLOT))!.content.reveal(), TOKEN)
})

test('a token that is far too long is not kept', async (t) => {
  const { tokens } = await setUp(t)
  const failure = await failureOf(tokens.keep(SLOT, new Secret('x'.repeat(300 * 1024))))
  assert.match(failure.message, /too long to be kept/)
})

test('many credentials: each has its own, whatever happens at once', async (t) => {
  const first = await setUp(t)
  const slots = Array.from({ length: 60 }, (_, i) => ({ ...SLOT, credential: `api-${i}` }))
  await Promise.all(slots.map((slot) => first.tokens.keep(slot, new Secret(`token of ${slot.credential}`))))
  const second = await next(t, first)
  const read = await Promise.all(slots.map((slot) => second.tokens.read(slot)))
  assert.deepEqual(
    read.map((token) => token!.content.reveal()),
    slots.map(({ credential }) => `token of ${credential}`),
  )
})

test('a store that cannot tell is a failure, not an empty one', async (t) => {
  const { tokens, close } = await setUp(t)
  await close()
  assert.match(
    (await failureOf(tokens.read(SLOT))).message,
    /whether a newer refresh token .* cannot be told: /,
  )
})
