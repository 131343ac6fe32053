import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../src/core/failure.ts'
import { Secret } from '../../src/core/secret.ts'
import { settle } from '../support/clock.ts'
import { TestCaller, type Asked } from '../support/credentials.ts'
import {
  failureOf,
  gate,
  numbered,
  SECRET,
  setUpOAuth2,
  tokenOf,
  type OAuth2Setup,
} from '../support/oauth2.ts'

const asIs = { tryOthers: false }
const others = { tryOthers: true }

function run({ authorizer }: OAuth2Setup, options: { tryOthers: boolean }, caller = new TestCaller()) {
  return authorizer.test!(caller, options)
}

function isForm({ headers }: Asked): boolean {
  return headers['content-type'] === 'application/x-www-form-urlencoded'
}

test('a good credential: what was asked, by name, and what came back', async (t) => {
  const setup = await setUpOAuth2(
    t,
    () => ({
      body: { access_token: 'test-token', token_type: 'Bearer', expires_in: 1800, scope: 'im.read' },
    }),
    {
      clientAuthentication: 'body',
      scope: 'im.read',
      parameters: {
        query: { tenant: 'acme' },
        headers: { 'X-Region': 'eu' },
        body: { resource: ['a', 'b'] },
      },
    },
  )
  const steps = await run(setup, asIs)
  assert.deepEqual(steps, [
    {
      title: 'token request',
      ok: true,
      asked: {
        method: 'POST',
        url: setup.service.url,
        headers: [
          'accept-encoding',
          'accept',
          'user-agent',
          'content-type: application/x-www-form-urlencoded',
          'X-Region',
        ],
        query: ['tenant'],
        fields: ['grant_type', 'client_id', 'client_secret', 'scope', 'resource'],
      },
      got: {
        status: 200,
        'token type': 'Bearer',
        lifetime: '30 min',
        'granted scope': 'im.read',
        took: '0 ms',
      },
    },
  ])
  assert.equal(setup.authorizer.state().status, 'ready')
  assert.equal(tokenOf(await setup.get()), 'Bearer test-token')
  assert.equal(setup.service.asked.length, 1, 'the token of the test is kept')
})

test('a Basic header is named with its scheme, a JSON body by its fields', async (t) => {
  const setup = await setUpOAuth2(t, numbered(60), {
    contentType: 'application/json',
    scope: { userId: 'svc' },
  })
  const [step] = await run(setup, asIs)
  assert.ok(step!.asked.headers.includes('authorization (Basic)'))
  assert.ok(step!.asked.headers.includes('content-type: application/json'))
  assert.deepEqual(step!.asked.fields, ['grant_type', 'scope'])
})

test('a narrower scope and a lifetime that is not told are warnings', async (t) => {
  const setup = await setUpOAuth2(t, () => ({ body: { access_token: 'x', scope: 'im.read' } }), {
    scope: 'im.read im.write',
  })
  const [step] = await run(setup, asIs)
  assert.equal(step!.ok, true)
  assert.match(step!.warnings![0]!, /missing: im\.write\./)
  assert.match(step!.warnings![1]!, /"lifetime" counts \(60 min\)/)
})

test('a refusal tells status, error and description, the cause and the fix, and no secret', async (t) => {
  const setup = await setUpOAuth2(t, () => ({
    status: 401,
    body: { error: 'invalid_client', error_description: `not known: ${SECRET}` },
  }))
  const steps = await run(setup, asIs)
  assert.equal(steps.length, 1)
  const { ok, got, failure } = steps[0]!
  assert.equal(ok, false)
  assert.deepEqual(got, {
    status: 401,
    error: 'invalid_client',
    description: 'not known: [secret]',
    took: '0 ms',
  })
  assert.equal(failure!.code, 'credential.refused')
  assert.match(failure!.hint!, /Verify clientId and clientSecret/)
  assert.doesNotMatch(JSON.stringify(steps), new RegExp(SECRET))
})

test('it asks at once although a refusal is remembered, and asks once', async (t) => {
  let good = false
  const setup = await setUpOAuth2(t, (asked, count) => (good ? numbered(60)(asked, count) : { status: 401 }))
  await failureOf(setup.get())
  await run(setup, asIs)
  assert.equal(setup.service.asked.length, 2)
  good = true
  assert.equal((await run(setup, asIs))[0]!.ok, true)
  assert.equal(setup.authorizer.state().status, 'ready')
  await setup.get()
  assert.equal(setup.service.asked.length, 3)
})

test('a busy service is asked once and told', async (t) => {
  const setup = await setUpOAuth2(t, () => ({ status: 503, body: '<html>' }))
  const [step] = await run(setup, others)
  assert.equal(step!.failure!.code, 'credential.unreachable')
  assert.equal(setup.service.asked.length, 1, 'another way would not help')
})

test('a service that is not there is told by its host', async (t) => {
  const setup = await setUpOAuth2(t, numbered(60), { tokenServiceUrl: 'http://127.0.0.1:1/token' })
  const steps = await run(setup, others)
  assert.equal(steps.length, 1)
  assert.match(steps[0]!.failure!.message, /could not be reached/)
  assert.deepEqual(Object.keys(steps[0]!.got), ['took'])
})

test('each secret of a list is tried, and the one that works is used from then on', async (t) => {
  const other = 'the-other-secret-0123456789'
  const setup = await setUpOAuth2(
    t,
    ({ headers }, count) =>
      Buffer.from(headers.authorization!.slice(6), 'base64').toString().endsWith(other)
        ? numbered(60)({} as Asked, count)
        : { status: 401 },
    { clientSecret: [new Secret(SECRET), new Secret(other)] },
  )
  const steps = await run(setup, others)
  assert.deepEqual(
    steps.map(({ title, ok }) => [title, ok]),
    [
      ['token request with secret 1 of 2', false],
      ['token request with secret 2 of 2', true],
    ],
  )
  assert.equal(setup.authorizer.state().details['secret in use'], '2 of 2')
})

test('the other ways are tried only when that is wanted', async (t) => {
  const setup = await setUpOAuth2(t, () => ({ status: 400, body: { error: 'invalid_request' } }))
  assert.equal((await run(setup, asIs)).length, 1)
})

test('the way that works is told with the lines for the file, is the last one tried, and its token is not kept', async (t) => {
  const setup = await setUpOAuth2(
    t,
    (asked, count) =>
      isForm(asked) || asked.headers.authorization !== undefined
        ? { status: 400, body: { error: 'invalid_request' } }
        : numbered(60)(asked, count),
    { scope: 'im.read' },
  )
  const steps = await run(setup, others)
  assert.deepEqual(
    steps.map(({ title, ok }) => [title, ok]),
    [
      ['token request', false],
      ['token request with clientAuthentication: body', false],
      ['token request with contentType: application/json', false],
      ['token request with clientAuthentication: body, contentType: application/json', true],
    ],
  )
  assert.equal(steps.at(-1)!.change, 'clientAuthentication: body\ncontentType: application/json')
  assert.equal(steps[1]!.change, undefined)
  assert.equal(setup.authorizer.state().status, 'refused')
  assert.equal((await failureOf(setup.get())).code, 'credential.refused')
})

const refused: [title: string, options: Parameters<typeof setUpOAuth2>[2], tried: string[]][] = [
  [
    'a form with a Basic header',
    {},
    [
      'clientAuthentication: body',
      'contentType: application/json',
      'clientAuthentication: body, contentType: application/json',
      'grantTypeIn: query',
      'contentType: none, grantTypeIn: query',
    ],
  ],
  [
    'a secret that encodings change',
    { clientSecret: [new Secret('a+secret/with=signs')], scope: 'im.read' },
    [
      'clientAuthentication: body',
      'contentType: application/json',
      'clientAuthentication: body, contentType: application/json',
      'basicEncoding: raw',
      'grantTypeIn: query',
      'contentType: none, grantTypeIn: query',
      'no scope',
    ],
  ],
  [
    'an object as scope stays in JSON',
    { contentType: 'application/json', scope: { userId: 'x' } },
    ['clientAuthentication: body', 'grantTypeIn: query', 'no scope'],
  ],
  [
    'everything in the URL',
    { contentType: 'none' },
    [
      'contentType: application/x-www-form-urlencoded, grantTypeIn: body',
      'clientAuthentication: body, contentType: application/x-www-form-urlencoded, grantTypeIn: body',
    ],
  ],
  ['no client authentication', { clientAuthentication: 'none', clientSecret: undefined as never }, []],
]
for (const [title, options, tried] of refused)
  test(`the other ways of ${title}, each once`, async (t) => {
    const setup = await setUpOAuth2(t, () => ({ status: 400, body: { error: 'invalid_request' } }), options)
    const steps = await run(setup, others)
    assert.deepEqual(
      steps.slice(1).map((step) => step.title.replace('token request with ', '')),
      tried,
    )
    assert.equal(new Set(setup.service.asked.map((asked) => JSON.stringify(asked))).size, tried.length + 1)
  })

test('a service that asks to wait ends the trying', async (t) => {
  const setup = await setUpOAuth2(t, (_, count) => ({ status: count < 3 ? 400 : 429 }))
  assert.equal((await run(setup, others)).length, 3)
})

test('a test that is called off ends at once, with what was done', async (t) => {
  const held = gate()
  t.after(held.open)
  const setup = await setUpOAuth2(t, async () => {
    await held.passed
    return {}
  })
  const caller = new TestCaller()
  const running = run(setup, others, caller)
  while (setup.service.asked.length === 0) await settle()
  caller.cancel(new Failure('flow.cancelled', 'called off'))
  const steps = await running
  assert.equal(steps.at(-1)!.failure!.code, 'flow.cancelled')
  assert.equal(setup.authorizer.state().status, 'unused')
})

test('each request of a test is a line of the log, as those of the engine are', async (t) => {
  const setup = await setUpOAuth2(t, (asked) =>
    isForm(asked)
      ? { status: 400, body: { error: 'invalid_request' } }
      : { body: { access_token: 'test-token', expires_in: 1800 } },
  )
  await run(setup, others)
  assert.equal(setup.log.count('token request failed'), setup.service.asked.length - 1)
  assert.equal(setup.log.count('token obtained'), 1)
  assert.equal(setup.log.count('it is tried again'), 0)
})
