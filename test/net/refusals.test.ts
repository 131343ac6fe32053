import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { inspect } from 'node:util'
import { Body } from '../../src/core/body.ts'
import { Failure } from '../../src/core/failure.ts'
import type { Said, TestService } from '../support/credentials.ts'
import { gate, numbered, SECOND, SECRET, setUpOAuth2 } from '../support/oauth2.ts'
import {
  dispatchers,
  failureOf,
  receiver,
  sender,
  testCredential,
  TestRun,
  testWorld,
  type Receiver,
} from './fixture.ts'

type Options = NonNullable<Parameters<typeof setUpOAuth2>[2]>

/** An API, and the sender with an oauth2 credential for it whose token service says what a test wants. */
async function setUp(
  t: TestContext,
  api: Parameters<typeof receiver>[1],
  service?: TestService['answer'],
  options?: Options,
) {
  const made = await setUpOAuth2(t, service, options)
  const called = await receiver(t, api)
  const credential = testCredential(called.origin, [], { name: 'im_write', authorizer: made.authorizer })
  const shared = dispatchers(t, { connections: 256 })
  const send = sender(t, testWorld(t, { dispatcherFor: () => shared.dispatcherFor() }))
  return {
    ...made,
    api: called,
    host: new URL(called.origin).host,
    send: (request: Partial<Parameters<typeof send>[0]> = {}, run = new TestRun()) =>
      send({ url: 'orders', ...request }, credential, run),
  }
}

function tokensAt({ requests }: Receiver): (string | undefined)[] {
  return requests.map(({ headers }) => headers.authorization)
}

const scoped: TestService['answer'] = (_asked, count) => ({
  body: { access_token: `token-number-${count}`, expires_in: 3600, scope: 'im.write' },
})

/** An API that takes one token only. */
const takes =
  (token: string): Parameters<typeof receiver>[1] =>
  (request, reply) =>
    reply.writeHead(request.headers.authorization === `Bearer ${token}` ? 200 : 401).end('SECRET-BODY')

const refusesAll: Parameters<typeof receiver>[1] = (_, reply) => reply.writeHead(401).end('SECRET-BODY')

test('200 requests that are refused at once cause one renewal, and each is sent once more', async (t) => {
  const waiting: (() => void)[] = []
  const { send, api, service } = await setUp(t, (request, reply) => {
    if (request.headers.authorization !== 'Bearer token-number-1') return void reply.end('taken')
    waiting.push(() => reply.writeHead(401).end())
    if (waiting.length === 200) for (const refuse of waiting) refuse()
  })
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, i) => send({ method: 'POST', body: Body.ofText(`order ${i}`) })),
  )
  assert.deepEqual(
    answers.map(({ status }) => status),
    Array.from({ length: 200 }, () => 200),
  )
  assert.equal(service.asked.length, 2)
  const orders = (token: string) =>
    new Set(api.requests.filter(({ headers }) => headers.authorization === token).map(({ body }) => body))
  assert.equal(api.requests.length, 400)
  assert.deepEqual([orders('Bearer token-number-1').size, orders('Bearer token-number-2').size], [200, 200])
})

test('a refusal that arrives after the renewal takes the new token, and asks for none', async (t) => {
  const late = gate()
  const { send, api, service } = await setUp(t, (request, reply) => {
    if (request.headers.authorization === 'Bearer token-number-2') return void reply.end('taken')
    const refuse = () => reply.writeHead(401).end()
    if (request.url === '/late') void late.passed.then(refuse)
    else refuse()
  })
  const slow = send({ url: 'late' })
  assert.equal((await send()).status, 200)
  late.open()
  assert.equal((await slow).status, 200)
  assert.equal(service.asked.length, 2)
  assert.equal(api.requests.length, 4)
})

test('a receiver that refuses everything gets no request in a loop, though each renewal brings a new token', async (t) => {
  const { send, api, service, clock } = await setUp(t, refusesAll, numbered(86_400))
  const failures = await Promise.all(Array.from({ length: 200 }, () => failureOf(send())))
  assert.ok(failures.every(({ code }) => code === 'receiver.unauthorized'))
  assert.equal(service.asked.length, 2)
  assert.ok(api.requests.length <= 400, `${api.requests.length} requests`)

  const before = api.requests.length
  for (let i = 0; i < 60; i++) {
    await failureOf(send())
    await clock.advance(SECOND)
  }
  assert.ok(api.requests.length - before <= 120, 'at most two for each message')
  assert.equal(service.asked.length, 2 + 5, 'after 1, 3, 7, 15 and 31 s')
})

test('so it is when it redirects, and refuses at each place', async (t) => {
  const { send, api, service } = await setUp(t, (request, reply) => {
    const [, hop, again] = /^\/(\d+)(r?)$/.exec(request.url!)!
    if (again === 'r') reply.writeHead(401).end()
    else reply.writeHead(307, { location: `/${Number(hop) + 1}${hop === '8' ? 'r' : ''}` }).end()
  })
  const failure = await failureOf(send({ url: '1', followRedirects: 10 }))
  assert.equal(failure.code, 'receiver.unauthorized')
  assert.equal(api.requests.length, 10)
  assert.equal(service.asked.length, 2)
})

test('a receiver that refuses two tokens has a matter with roles: the failure says so, and tells age and scope', async (t) => {
  const { send, host, clock } = await setUp(t, refusesAll, scoped, { scope: 'im.write' })
  const failure = await failureOf(send())
  assert.deepEqual(failure.record(), {
    code: 'receiver.unauthorized',
    message: `"${host}" refused the credential "im_write" with status 401`,
    hint: 'A new token was fetched and was refused, too: the token was renewed just now with scope im.write and refused again; the next one is asked for in 1 s at the earliest. Tokens can be obtained, so check the roles of the client at the receiver, and audience and scope of the credential "im_write".',
    receiver: { status: 401, host },
  })
  await clock.advance(SECOND / 2)
  assert.equal(
    (await failureOf(send())).hint,
    'No new token was fetched: the token was renewed just now with scope im.write and refused again; the next one is asked for in 500 ms at the earliest. Tokens can be obtained, so check the roles of the client at the receiver, and audience and scope of the credential "im_write".',
  )
  assert.doesNotMatch(inspect(failure, { depth: 9 }), /token-number|SECRET-BODY/)
})

test('a token service that gives the same token again: the request is sent once, and the hint says why', async (t) => {
  const { send, api, service, clock } = await setUp(t, refusesAll, () => ({
    body: { access_token: 'the-same-token', expires_in: 3600 },
  }))
  for (let i = 1; i <= 2; i++) {
    const failure = await failureOf(send())
    assert.equal(failure.code, 'receiver.unauthorized')
    assert.match(
      failure.hint!,
      /^The token service gave the same token again, so the request was not sent again: a token was obtained just now\. The token itself is in order; check the roles/,
    )
    assert.deepEqual([api.requests.length, service.asked.length], [i, i + 1])
    await clock.advance(2 * SECOND)
  }
})

test('a stream is not sent again: its token is dropped, so that the next message gets through', async (t) => {
  const { send, api, service } = await setUp(t, takes('token-number-2'))
  const body = Body.ofStream(Readable.from([Buffer.from('once')]))
  const failure = await failureOf(send({ method: 'POST', body }))
  assert.equal(failure.code, 'receiver.unauthorized')
  assert.equal(
    failure.hint,
    'The token was dropped; the request was not sent again, because its body was a stream and is used up: a token was obtained just now. Let a step look at the body before, so that it is kept in memory.',
  )
  assert.deepEqual([api.requests.length, service.asked.length], [1, 1])
  assert.equal((await send({ method: 'POST', body: Body.ofText('twice') })).status, 200)
  assert.deepEqual(tokensAt(api), ['Bearer token-number-1', 'Bearer token-number-2'])
})

test('insufficient_scope renews nothing and keeps the token: the hint names the scope', async (t) => {
  const { send, api, service } = await setUp(t, (_, reply) =>
    reply
      .writeHead(401, { 'www-authenticate': 'Bearer error="insufficient_scope", scope="im.admin im.write"' })
      .end(),
  )
  for (let i = 0; i < 2; i++) {
    const failure = await failureOf(send())
    assert.equal(failure.code, 'receiver.unauthorized')
    assert.equal(
      failure.hint,
      'The receiver says that a scope is missing (im.admin im.write): give the client the scope or role, and check `scope` of the credential "im_write": a token was obtained just now.',
    )
  }
  assert.deepEqual(tokensAt(api), ['Bearer token-number-1', 'Bearer token-number-1'])
  assert.equal(service.asked.length, 1)
})

test('a status that the flow takes is handed over after one renewal', async (t) => {
  const { send, api, service } = await setUp(t, refusesAll)
  const answer = await send({ accepts: (status) => status === 401 })
  assert.deepEqual([answer.status, answer.body.text()], [401, 'SECRET-BODY'])
  assert.deepEqual(tokensAt(api), ['Bearer token-number-1', 'Bearer token-number-2'])
  assert.equal(service.asked.length, 2)
})

test('what the flow takes is asked of each answer: the second may have another status', async (t) => {
  const { send } = await setUp(
    t,
    (request, reply) =>
      reply.writeHead(request.headers.authorization === 'Bearer token-number-1' ? 401 : 403).end(),
    undefined,
    { invalidateOn: [401, 403] },
  )
  const failure = await failureOf(send({ accepts: (status) => status === 401 }))
  assert.deepEqual([failure.code, failure.receiver?.status], ['receiver.unauthorized', 403])
})

/** The token service gives one token, and then says this. */
const thenSays =
  (said: Said): TestService['answer'] =>
  (asked, count) =>
    count === 1 ? scoped(asked, count) : said

const noRenewal: [name: string, said: Said, code: string, message: RegExp, hint: RegExp][] = [
  [
    'is down',
    { status: 503 },
    'credential.unreachable',
    /^the token service of credential "im_write" \(127\.0\.0\.1:\d+\) cannot answer now: 503/,
    /^Look whether the token service is up; .*asked again in/,
  ],
  [
    'does not take the secret',
    { status: 401, body: { error: 'invalid_client' } },
    'credential.refused',
    /^the token service refused credential "im_write": 401 invalid_client$/,
    /^Verify clientId and clientSecret/,
  ],
  [
    'answers with a page',
    { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
    'credential.answer',
    /^the token service of credential "im_write" .* sent "text\/html" that is no JSON object: 200$/,
    /^Check tokenServiceUrl/,
  ],
]
for (const [name, said, code, message, hint] of noRenewal)
  for (const accepted of [false, true])
    test(`a token service that ${name} while a refused answer waits: people learn of both${accepted ? ', also where the flow takes the status' : ''}`, async (t) => {
      const { send, api, host, log, clock } = await setUp(t, refusesAll, thenSays(said))
      const failing = failureOf(send({ accepts: () => accepted }))
      if (said.status === 503)
        for (const attempt of [1, 2]) {
          await log.seen('it is tried again', attempt)
          await clock.advance(4 * SECOND)
        }
      const failure = await failing
      assert.equal(failure.code, code)
      assert.match(failure.message, message)
      assert.match(failure.hint!, hint)
      assert.ok(
        failure.hint!.endsWith(
          ` A new token was wanted because "${host}" had refused the one before, with status 401.`,
        ),
      )
      assert.equal(failure.reply, 502)
      assert.notEqual(failure.receiver?.host, host, 'the trouble is at the token service')
      assert.equal(api.requests.length, 1)
      assert.doesNotMatch(inspect(failure, { depth: 9 }), new RegExp(`token-number|${SECRET}|SECRET-BODY`))
    })

test('a run that is called off while its token is renewed lets go of the refused answer, and of nobody else', async (t) => {
  const [held, asked] = [gate(), gate()]
  let closed: () => void = () => {}
  const whenClosed = new Promise<void>((resolve) => (closed = resolve))
  const { send, service, authorizer } = await setUp(
    t,
    (request, reply) => {
      if (request.headers.authorization !== 'Bearer token-number-1') return void reply.end('taken')
      reply.on('close', () => closed())
      reply.writeHead(401).write(Buffer.alloc(200_000))
    },
    async (request, count) => {
      if (count === 2) {
        asked.open()
        await held.passed
      }
      return numbered(3600)(request, count)
    },
  )
  const run = new TestRun()
  const given = failureOf(send({}, run))
  await asked.passed
  const other = send()
  const reason = new Failure('flow.cancelled', 'called off')
  run.cancel(reason)
  assert.equal(await given, reason, 'and nothing is added to it')
  await whenClosed
  held.open()
  assert.equal((await other).status, 200)
  assert.equal(service.asked.length, 2)
  assert.equal(run.listeners, 0)
  assert.equal(authorizer.state().status, 'ready')
})

test('after a renewal nothing listens to the run any more', async (t) => {
  const { send } = await setUp(t, takes('token-number-2'))
  const run = new TestRun()
  await send({}, run)
  assert.equal(run.listeners, 0)
})

test('a refusal whose page is larger than the flow takes answers is one all the same', async (t) => {
  const { send, api } = await setUp(t, (request, reply) => {
    const taken = request.headers.authorization !== 'Bearer token-number-1'
    reply.writeHead(taken ? 200 : 401).end('x'.repeat(taken ? 10 : 2000))
  })
  assert.equal((await send({ maxResponse: 1000 })).status, 200)
  assert.equal(api.requests.length, 2)
})

test('a second refusal whose page is larger than the flow takes answers is told as a refusal', async (t) => {
  const { send, api, service } = await setUp(t, (_, reply) => reply.writeHead(401).end('x'.repeat(2000)))
  const failure = await failureOf(send({ maxResponse: 1000 }))
  assert.equal(failure.code, 'receiver.unauthorized')
  assert.match(failure.hint!, /was refused, too: .* renewed just now and refused again/)
  assert.equal(api.requests.length, 2)
  assert.equal(service.asked.length, 2)
})

test('a page that the flow wanted to take, and that is too large, is too large', async (t) => {
  const { send, api } = await setUp(t, (_, reply) => reply.writeHead(401).end('x'.repeat(2000)))
  const failure = await failureOf(send({ maxResponse: 1000, accepts: (status) => status === 401 }))
  assert.equal(failure.code, 'receiver.too-large')
  assert.equal(api.requests.length, 1)
})

test('invalidateOn and invalidateWhen decide what a refusal is', async (t) => {
  const answers: Record<string, [status: number, body: string]> = {
    'token-number-1': [200, '{"errors":[{"code":601}]}'],
    'token-number-2': [419, '{}'],
    'token-number-3': [200, '{"result":1}'],
  }
  const { send, api, clock } = await setUp(
    t,
    (request, reply) => {
      const [status, body] = answers[request.headers.authorization!.slice('Bearer '.length)]!
      reply.writeHead(status, { 'content-type': 'application/json' }).end(body)
    },
    undefined,
    { invalidateOn: [401, 419], invalidateWhen: 'body.errors[0].code in [601, 602]' },
  )
  const failure = await failureOf(send())
  assert.match(failure.message, /with status 419$/)
  assert.match(failure.hint!, /^A new token was fetched and was refused, too/)
  await clock.advance(SECOND)
  assert.equal((await send()).status, 200)
  assert.equal((await send()).body.text(), '{"result":1}')
  const sent = tokensAt(api).map((token) => token!.slice(-1))
  assert.deepEqual(sent, ['1', '2', '2', '3', '3'])
})
