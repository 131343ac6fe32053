import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../src/core/failure.ts'
import { Secret } from '../../src/core/secret.ts'
import { settle } from '../support/clock.ts'
import { TestCaller, type Asked } from '../support/credentials.ts'
import { failureOf, gate, numbered, SECOND, SECRET, setUpOAuth2, tokenOf } from '../support/oauth2.ts'

const exclusive = { exclusive: true }
const refreshing = { grantType: 'refresh_token', refreshToken: new Secret('refresh-token-0') }
const refreshOf = ({ body }: Asked) => new URLSearchParams(body).get('refresh_token')

/** A service that takes each refresh token once and gives the next one. */
function rotating() {
  let good = 0
  return (asked: Asked) =>
    refreshOf(asked) === `refresh-token-${good}`
      ? { body: { access_token: `token-${++good}`, refresh_token: `refresh-token-${good}`, expires_in: 60 } }
      : { status: 400, body: { error: 'invalid_grant' } }
}

/** The next engine, with what the one before kept. */
const restart = (
  before: Awaited<ReturnType<typeof setUpOAuth2>>,
  options: object,
  t: Parameters<typeof setUpOAuth2>[0],
) => {
  before.authorizer.stop!()
  return setUpOAuth2(t, undefined, options, 0.5, before)
}

test('exclusive: the next engine takes the token over, and asks when its time has come', async (t) => {
  const first = await setUpOAuth2(t, numbered(3600), exclusive)
  assert.equal(tokenOf(await first.get()), 'Bearer token-number-1')
  await first.clock.advance(1000 * SECOND)
  const second = await restart(first, exclusive, t)
  assert.equal(tokenOf(await second.get()), 'Bearer token-number-1')
  assert.equal(first.service.asked.length, 1)
  const { status, details, token } = second.authorizer.state()
  assert.equal(status, 'ready')
  assert.equal(details['expires'], 'in 43 min 20 s')
  assert.equal(details['kept token'], 'kept 16 min 40 s ago')
  assert.deepEqual([token!.renewals, token!.requests], [0, 0])
  assert.equal(second.log.count('token taken over from the engine before'), 1)
  assert.ok(second.redacted.has('token-number-1'))
  await first.clock.advance(2600 * SECOND)
  assert.equal(tokenOf(await second.get()), 'Bearer token-number-2')
  const third = await restart(second, exclusive, t)
  assert.equal(tokenOf(await third.get()), 'Bearer token-number-2')
  assert.equal(first.service.asked.length, 2)
})

test('exclusive: many callers at the start take over the same token', async (t) => {
  const first = await setUpOAuth2(t, numbered(3600), exclusive)
  await first.get()
  const second = await restart(first, exclusive, t)
  const grants = await Promise.all(Array.from({ length: 50 }, () => second.get()))
  assert.equal(new Set(grants).size, 1)
  assert.equal(first.service.asked.length, 1)
})

test('without exclusive nothing is kept', async (t) => {
  const first = await setUpOAuth2(t, numbered(3600))
  await first.get()
  const second = await restart(first, exclusive, t)
  assert.equal(tokenOf(await second.get()), 'Bearer token-number-2')
})

const CHANGES: [string, object][] = [
  ['another client', { clientId: 'other' }],
  ['another scope', { scope: 'other' }],
  ['another secret', { clientSecret: [new Secret('another-secret-0123456789')] }],
  ['another token service', { tokenServiceUrl: 'other' }],
]
for (const [title, change] of CHANGES)
  test(`exclusive: the token of ${title} is not taken over`, async (t) => {
    const first = await setUpOAuth2(t, numbered(3600), exclusive)
    await first.get()
    const url = 'tokenServiceUrl' in change ? { tokenServiceUrl: `${first.service.url}?other` } : {}
    const second = await restart(first, { ...exclusive, ...change, ...url }, t)
    assert.equal(tokenOf(await second.get()), 'Bearer token-number-2')
  })

test('exclusive: of two secrets the one that the token was got with may be either', async (t) => {
  const first = await setUpOAuth2(t, numbered(3600), exclusive)
  await first.get()
  const clientSecret = [new Secret('a-new-secret-0123456789'), new Secret(SECRET)]
  const second = await restart(first, { ...exclusive, clientSecret }, t)
  assert.equal(tokenOf(await second.get()), 'Bearer token-number-1')
})

test('exclusive: how patiently it is asked for changes nothing', async (t) => {
  const first = await setUpOAuth2(t, numbered(3600), exclusive)
  await first.get()
  const second = await restart(first, { ...exclusive, refreshBefore: 5 * SECOND, retry: { attempts: 1 } }, t)
  assert.equal(tokenOf(await second.get()), 'Bearer token-number-1')
})

test('exclusive: a token of the future is not trusted', async (t) => {
  const first = await setUpOAuth2(t, numbered(3600), exclusive)
  await first.get()
  first.clock.jump(-60_000)
  const second = await restart(first, exclusive, t)
  assert.equal(tokenOf(await second.get()), 'Bearer token-number-2')
})

test('exclusive: a token that was dropped by hand or refused is not taken over', async (t) => {
  const first = await setUpOAuth2(t, numbered(3600), exclusive)
  await first.get()
  first.authorizer.invalidate!()
  const second = await restart(first, exclusive, t)
  const grant = await second.get()
  assert.equal(tokenOf(grant), 'Bearer token-number-2')
  assert.ok(grant.reject())
  assert.equal(tokenOf(await second.get()), 'Bearer token-number-3')
  const third = await restart(second, exclusive, t)
  const taken = await third.get()
  assert.equal(tokenOf(taken), 'Bearer token-number-3')
  assert.ok(taken.reject())
  assert.equal(tokenOf(await third.get()), 'Bearer token-number-4')
})

test('exclusive: a test of the credential says that it ended the token, and the new one is kept', async (t) => {
  const first = await setUpOAuth2(t, numbered(3600), exclusive)
  await first.get()
  const [step] = await first.authorizer.test!(new TestCaller(), { tryOthers: false })
  assert.match(step!.warnings!.join(), /a new token ends the one before/)
  const second = await restart(first, exclusive, t)
  assert.equal(tokenOf(await second.get()), 'Bearer token-number-2')
})

test('exclusive: what cannot be read or kept costs a token request, and the log says so', async (t) => {
  const first = await setUpOAuth2(t, numbered(3600), exclusive)
  const { storedTokens } = first
  storedTokens.keep = () => Promise.reject(new Failure('credential.kept', 'the disk is full'))
  assert.equal(tokenOf(await first.get()), 'Bearer token-number-1')
  assert.equal(first.log.count('the token could not be kept'), 1)
  assert.match(String(first.authorizer.state().details['kept token']), /in memory only/)
  storedTokens.read = () =>
    Promise.reject(new Failure('credential.kept', 'it is locked', { hint: 'find the key' }))
  const second = await restart(first, exclusive, t)
  assert.equal(tokenOf(await second.get()), 'Bearer token-number-2')
  assert.equal(second.log.count('a new one is asked for, which ends it'), 1)
  assert.doesNotMatch(JSON.stringify(first.log.lines), /token-number-\d/)
})

test('exclusive and a refresh token go together', async (t) => {
  const options = { ...refreshing, ...exclusive }
  const first = await setUpOAuth2(t, rotating(), options)
  assert.equal(tokenOf(await first.get()), 'Bearer token-1')
  const second = await restart(first, options, t)
  assert.equal(tokenOf(await second.get()), 'Bearer token-1')
  await first.clock.advance(60 * SECOND)
  assert.equal(tokenOf(await second.get()), 'Bearer token-2')
})

test('exclusive: each tenant has its own', async (t) => {
  const { service } = await setUpOAuth2(t, numbered(3600))
  const options = {
    ...exclusive,
    tokenServiceUrlType: 'common' as const,
    tenants: ['acme', 'globex'],
    tokenServiceUrl: service.url.replace('/token', '/{tenant}'),
  }
  const start = async () => setUpOAuth2(t, undefined, options, 0.5, shared)
  const shared = await setUpOAuth2(t, numbered(3600), options)
  assert.equal(shared.authorizer.keepsTokens, true)
  const tokens = async ({ authorizer }: typeof shared) =>
    Promise.all(
      ['acme', 'globex'].map(async (tenant) => tokenOf(await authorizer.authorize(new TestCaller(), tenant))),
    )
  const before = await tokens(shared)
  assert.equal(new Set(before).size, 2)
  assert.deepEqual(await tokens(await start()), before)
  assert.equal(service.asked.length, 2)
})

test('the next engine goes on with the newest refresh token, and credential show tells so', async (t) => {
  const first = await setUpOAuth2(t, rotating(), refreshing)
  await first.get()
  const second = await restart(first, refreshing, t)
  assert.equal(tokenOf(await second.get()), 'Bearer token-2')
  assert.equal(second.authorizer.state().details['refresh token'], 'given by the service just now, kept')
})

test('a refresh token is on disk before its access token is handed out', async (t) => {
  const { get, storedTokens } = await setUpOAuth2(t, rotating(), refreshing)
  const { open, passed } = gate()
  const keep = storedTokens.keep.bind(storedTokens)
  let kept = false
  let begun!: () => void
  const begins = new Promise<void>((resolve) => (begun = resolve))
  storedTokens.keep = async (slot, content) => {
    begun()
    await passed
    await keep(slot, content)
    kept = true
  }
  const waiting = get().then(() => kept)
  await begins
  open()
  assert.equal(await waiting, true)
})

test('a refresh token is not sent to another service, or for another client', async (t) => {
  const first = await setUpOAuth2(t, rotating(), refreshing)
  await first.get()
  const second = await restart(first, { ...refreshing, clientId: 'other' }, t)
  await failureOf(second.get())
  assert.equal(refreshOf(first.service.asked.at(-1)!), 'refresh-token-0')
  const third = await restart(second, refreshing, t)
  assert.equal(tokenOf(await third.get()), 'Bearer token-2')
})

test('a refresh token that is kept and locked: nothing is asked, and it is told at once and again', async (t) => {
  const first = await setUpOAuth2(t, rotating(), refreshing)
  await first.get()
  const { storedTokens, clock } = first
  const read = storedTokens.read.bind(storedTokens)
  storedTokens.read = () =>
    Promise.reject(new Failure('credential.kept', 'it is locked', { hint: 'find the key.' }))
  const second = await restart(first, refreshing, t)
  second.authorizer.warm!()
  await second.log.seen('the kept refresh token cannot be read')
  await settle()
  const state = second.authorizer.state()
  assert.equal(state.status, 'locked')
  assert.equal(state.details['last error'], 'it is locked')
  assert.equal(state.details['what to do'], 'find the key.')
  const failure = await failureOf(second.get())
  assert.equal(failure.code, 'credential.kept')
  assert.equal(failure.message, 'it is locked')
  assert.match(failure.hint!, /^find the key\. .*again in/)
  await clock.advance(10 * SECOND)
  assert.equal((await failureOf(second.get())).code, 'credential.kept')
  assert.equal(first.service.asked.length, 1)
  storedTokens.read = read
  await clock.advance(60 * SECOND)
  assert.equal(tokenOf(await second.get()), 'Bearer token-2')
})

test('a store that fails while the engine runs does not stop it', async (t) => {
  const { get, storedTokens, clock } = await setUpOAuth2(t, rotating(), refreshing)
  await get()
  const gone = () => Promise.reject(new Failure('credential.kept', 'the disk is gone'))
  Object.assign(storedTokens, { read: gone, asking: gone, keep: gone, answered: gone })
  await clock.advance(60 * SECOND)
  assert.equal(tokenOf(await get()), 'Bearer token-2')
  await clock.advance(60 * SECOND)
  assert.equal(tokenOf(await get()), 'Bearer token-3')
})

test('where an answer was lost, the refusal of the token before tells so', async (t) => {
  const answer = rotating()
  const first = await setUpOAuth2(t, async () => new Promise<never>(() => {}), {
    ...refreshing,
    readTimeout: SECOND,
  })
  const lost = first.get()
  lost.catch(() => {})
  while (first.service.asked.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const at = new Date(first.clock.now()).toISOString()
  // The answer that never came: the service has rotated.
  answer(first.service.asked[0]!)
  first.authorizer.stop!()
  first.service.answer = answer
  await first.clock.advance(2 * SECOND)
  const second = await setUpOAuth2(t, undefined, refreshing, 0.5, first)
  const failure = await failureOf(second.get())
  assert.equal(failure.code, 'credential.refused')
  assert.ok(failure.hint!.startsWith(`A request with this refresh token, sent at ${at}, got no answer here`))
  assert.match(failure.hint!, /let the user log in once more/)
})

test('a refusal without a lost answer tells nothing of one', async (t) => {
  const { get } = await setUpOAuth2(t, () => ({ status: 400, body: { error: 'invalid_grant' } }), refreshing)
  assert.doesNotMatch((await failureOf(get())).hint!, /got no answer/)
})
