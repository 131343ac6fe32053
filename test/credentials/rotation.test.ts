import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Secret } from '../../src/core/secret.ts'
import { settle } from '../support/clock.ts'
import { TestCaller, type Asked } from '../support/credentials.ts'
import { failureOf, gate, numbered, SECOND, SECRET, setUpOAuth2, tokenOf } from '../support/oauth2.ts'

const OTHER = 'the-other-secret-0123456789'
const both = [new Secret(SECRET), new Secret(OTHER)]

function secretOf({ headers }: Asked): string {
  const pair = Buffer.from(headers.authorization!.replace('Basic ', ''), 'base64').toString()
  return pair.slice(pair.indexOf(':') + 1)
}

/** A service that takes these secrets. */
async function setUp(t: TestContext, good: Set<string>, clientSecret: readonly Secret[], status = 401) {
  const issue = numbered(100)
  return setUpOAuth2(
    t,
    (asked, count) =>
      good.has(secretOf(asked)) ? issue(asked, count) : { status, body: { error: 'invalid_client' } },
    { clientSecret: [...clientSecret] },
    0,
  )
}

for (const status of [401, 403, 400])
  test(`the second secret is used where the first is refused with ${status}, is remembered, and a warning says so`, async (t) => {
    const good = new Set([OTHER])
    const { clock, log, service, authorizer, get } = await setUp(t, good, both, status)
    assert.equal(tokenOf(await get()), 'Bearer token-number-2')
    assert.deepEqual(service.asked.map(secretOf), [SECRET, OTHER])
    const warning = log.lines.find(({ text }) => text.startsWith('clientSecret:'))
    assert.equal(warning?.level, 'warn')
    assert.equal(
      warning.text,
      'clientSecret: secret 1 of the list is refused, secret 2 works and is used from now on',
    )
    assert.equal(authorizer.state().details['secret in use'], '2 of 2')
    await clock.advance(60 * SECOND)
    await get()
    assert.deepEqual(service.asked.map(secretOf), [SECRET, OTHER, OTHER])
  })

test('when the second secret ends, the first is asked with again', async (t) => {
  const good = new Set([OTHER])
  const { clock, service, authorizer, get } = await setUp(t, good, both)
  await get()
  good.delete(OTHER)
  good.add(SECRET)
  await clock.advance(60 * SECOND)
  await get()
  assert.deepEqual(service.asked.map(secretOf), [SECRET, OTHER, OTHER, SECRET])
  assert.equal(authorizer.state().details['secret in use'], '1 of 2')
})

test('where both are refused each is sent once, the failure says so, and is remembered', async (t) => {
  const { service, get } = await setUp(t, new Set(), both)
  const { code, message } = await failureOf(get())
  assert.equal(code, 'credential.refused')
  assert.equal(
    message,
    'the token service refused credential "im_write": 401 invalid_client, with each of its 2 secrets',
  )
  await failureOf(get())
  assert.equal(service.asked.length, 2)
})

test('another refusal than one of the client does not try the second secret', async (t) => {
  const { service, get } = await setUpOAuth2(t, () => ({ status: 400, body: { error: 'invalid_scope' } }), {
    clientSecret: both,
  })
  await failureOf(get())
  assert.equal(service.asked.length, 1)
})

test('one secret is no list: no number is told', async (t) => {
  const { authorizer, get } = await setUpOAuth2(t)
  await get()
  assert.equal(Object.hasOwn(authorizer.state().details, 'secret in use'), false)
})

/** The version that takes the place of another one, before the same service and clock. */
async function replacement(
  t: TestContext,
  former: Awaited<ReturnType<typeof setUpOAuth2>>,
  options: Parameters<typeof setUpOAuth2>[2],
) {
  const next = await setUpOAuth2(t, undefined, { tokenServiceUrl: former.service.url, ...options }, 0, former)
  next.authorizer.inherit!(former.authorizer)
  former.authorizer.stop!()
  return next
}

test('a change of what does not shape the token keeps it', async (t) => {
  const former = await setUpOAuth2(t, numbered(100), {}, 0)
  const grant = await former.get()
  const next = await replacement(t, former, { refreshBefore: 10 * SECOND, warm: true })
  assert.equal(await next.get(), grant)
  await former.clock.advance(80 * SECOND)
  assert.equal(await next.get(), grant)
  assert.equal(former.service.asked.length, 1)
  await former.clock.advance(11 * SECOND)
  assert.notEqual(await next.get(), grant)
  assert.deepEqual(
    [...former.redacted].filter((text) => text.startsWith('token')),
    ['token-number-2'],
  )
})

test('requests to the token service are counted over versions, also where the token is not kept', async (t) => {
  const former = await setUpOAuth2(t)
  await former.get()
  const next = await replacement(t, former, { scope: 'im.read' })
  await next.get()
  const { requests, failures, renewals, uses } = next.authorizer.state().token!
  assert.deepEqual([requests, failures, renewals, uses], [2, 0, 1, 1])
})

test('a refusal of a token that was taken over is told to the one that has it now', async (t) => {
  const former = await setUpOAuth2(t)
  const grant = await former.get()
  const next = await replacement(t, former, {})
  assert.equal(grant.reject(), true)
  assert.equal(tokenOf(await next.get()), 'Bearer token-number-2')
})

const shaping: [title: string, options: NonNullable<Parameters<typeof setUpOAuth2>[2]>][] = [
  ['scope', { scope: 'im.read' }],
  ['client id', { clientId: 'another' }],
  ['way of authentication', { clientAuthentication: 'body' }],
  ['parameters', { parameters: { body: { audience: 'x' } } }],
  ['response', { response: { token: 'body.access_token' } }],
  ['lifetime', { maxLifetime: 50 * SECOND }],
  ['audience', { audience: 'https://api.example.com/' }],
  ['resource', { resource: ['urn:api'] }],
  ['user of the header', { basicAuth: { username: 'service', password: new Secret(OTHER) } }],
]
for (const [title, options] of shaping)
  test(`another ${title} means another token`, async (t) => {
    const former = await setUpOAuth2(t)
    await former.get()
    const next = await replacement(t, former, options)
    assert.equal(tokenOf(await next.get()), 'Bearer token-number-2')
  })

test('a new secret asks for a new token with the next request', async (t) => {
  const former = await setUpOAuth2(t)
  await former.get()
  const next = await replacement(t, former, { clientSecret: [new Secret(OTHER)] })
  assert.equal(tokenOf(await next.get()), 'Bearer token-number-2')
  assert.equal(secretOf(former.service.asked[1]!), OTHER)
})

test('while a new secret is refused, the token of the old one stands in until shortly before its end', async (t) => {
  const good = new Set([SECRET])
  const former = await setUp(t, good, [new Secret(SECRET)])
  await former.get()
  const next = await replacement(t, former, { clientSecret: [new Secret(OTHER)] })
  assert.equal(tokenOf(await next.get()), 'Bearer token-number-1')
  assert.equal(tokenOf(await next.get()), 'Bearer token-number-1')
  assert.equal(former.service.asked.length, 2, 'the refusal is remembered')
  const { status, details } = next.authorizer.state()
  assert.equal(status, 'renewal fails')
  assert.equal(details['last error'], '401 invalid_client')
  good.add(OTHER)
  await former.clock.advance(31 * SECOND)
  assert.equal(tokenOf(await next.get()), 'Bearer token-number-3')
  assert.equal(next.authorizer.state().status, 'ready')
})

test('a refused stand-in is not handed out again', async (t) => {
  const former = await setUp(t, new Set([SECRET]), [new Secret(SECRET)])
  await former.get()
  const next = await replacement(t, former, { clientSecret: [new Secret(OTHER)] })
  const standIn = await next.get()
  assert.equal(standIn.reject(), true)
  assert.equal((await failureOf(next.get())).code, 'credential.refused')
})

test('a warm credential asks with its new secret at once, before a request needs it', async (t) => {
  const good = new Set([SECRET, OTHER])
  const former = await setUp(t, good, [new Secret(SECRET)])
  await former.get()
  const next = await replacement(t, former, { clientSecret: [new Secret(OTHER)], warm: true })
  next.authorizer.warm!()
  await former.log.seen('token obtained', 2)
  assert.equal(secretOf(former.service.asked[1]!), OTHER)
})

test('a token whose secret is still in the list is kept', async (t) => {
  const former = await setUp(t, new Set([SECRET]), [new Secret(SECRET)])
  const grant = await former.get()
  const next = await replacement(t, former, { clientSecret: [new Secret(OTHER), new Secret(SECRET)] })
  assert.equal(await next.get(), grant)
  assert.equal(former.service.asked.length, 1)
})

test('a token that a replaced version asked for is dropped when it arrives', async (t) => {
  const held = gate()
  const former = await setUpOAuth2(t, async (asked, count) => {
    if (count === 1) await held.passed
    return numbered(100)(asked, count)
  })
  const waiting = failureOf(former.get())
  while (former.service.asked.length === 0) await settle()
  const next = await replacement(t, former, { clientSecret: [new Secret(OTHER)] })
  assert.equal((await waiting).code, 'credential.missing')
  held.open()
  assert.equal(tokenOf(await next.get()), 'Bearer token-number-2')
  await settle()
  assert.equal(tokenOf(await next.get()), 'Bearer token-number-2')
})

test('a request that is under way with the token of a replaced version may ask again', async (t) => {
  const former = await setUpOAuth2(t)
  const grant = await former.get()
  await replacement(t, former, { clientId: 'another' })
  assert.equal(grant.reject(), true)
  assert.throws(() => former.authorizer.authorize(new TestCaller()), { code: 'credential.missing' })
})
