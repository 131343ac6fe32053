import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { Body } from '../../src/core/body.ts'
import { Message } from '../../src/core/message.ts'
import { failureOf, receiver, rawReceiver, TestRun, textOf } from '../net/fixture.ts'
import { prepareHttp } from '../steps/http-fixture.ts'
import { startService } from '../support/credentials.ts'
import {
  failureOf as tokenFailureOf,
  numbered,
  SECOND,
  SECRET as OWN_SECRET,
  setUpOAuth2,
} from '../support/oauth2.ts'
import { leaks, oauth, SECRET, tokenService, TOKEN, withCredential } from './fixture.ts'

for (const status of [301, 302, 303, 307, 308])
  test(`row 3: a token service that redirects (${status}) never has the secret sent on`, async (t) => {
    const other = await startService(t, numbered(3600))
    const { get, service } = await setUpOAuth2(
      t,
      () => ({ status, headers: { location: other.url }, body: '' }),
      { clientAuthentication: 'body' },
    )
    const failure = await tokenFailureOf(get())
    assert.equal(failure.code, 'credential.answer')
    assert.match(failure.message, /redirects of a token service are not followed/)
    assert.deepEqual([service.asked.length, other.asked.length], [1, 0])
  })

test('row 4: an address in the answer of a token service leads nowhere', async (t) => {
  const evil = await receiver(t, (_, reply) => reply.end('evil'))
  const service = await tokenService(t, {
    instance_url: evil.origin,
    rest_instance_url: evil.origin,
    geolocation: evil.origin,
    api_domain: evil.origin,
  })
  const { send, credential } = withCredential(t, oauth(service.origin))
  assert.equal((await send({ url: 'items' }, credential)).body.text(), '"done"')
  assert.equal(service.requests[1]!.headers.authorization, `Bearer ${TOKEN}`)
  assert.equal((await failureOf(send({ url: `${evil.origin}/items` }, credential))).code, 'credential.host')
  assert.deepEqual(evil.requests, [])
})

test('row 7: a token with a line end is refused, and is not told', async (t) => {
  for (const token of [`${TOKEN}\r\nX: y`, `${TOKEN}\n`, `${TOKEN}\0`, `${TOKEN}\u2028`]) {
    const { get, authorizer } = await setUpOAuth2(t, () => ({
      body: { access_token: token, expires_in: 60 },
    }))
    const failure = await tokenFailureOf(get())
    assert.equal(failure.code, 'credential.answer')
    assert.deepEqual(leaks([failure, failure.message, authorizer.state()]), [])
  }
})

test('row 7: a secret with line ends stays one value, in the header and in the form', async (t) => {
  const odd = 'odd-secret-%0d%0a\r\nx: y&grant_type=password'
  for (const [way, secretIn] of [
    [
      'header',
      (sent: { headers: Record<string, unknown>; body: string }) =>
        decodeURIComponent(
          Buffer.from(String(sent.headers['authorization']).slice(6), 'base64')
            .toString()
            .split(':')[1]!
            .replaceAll('+', ' '),
        ),
    ],
    [
      'body',
      (sent: { headers: Record<string, unknown>; body: string }) =>
        new URLSearchParams(sent.body).get('client_secret'),
    ],
  ] as const) {
    const service = await tokenService(t)
    const { send, credential } = withCredential(
      t,
      oauth(service.origin, `clientAuthentication: ${way}\n`),
      undefined,
      { SECRET: odd },
    )
    await send({ url: 'x' }, credential)
    const [sent] = service.requests
    assert.equal(secretIn(sent!), odd)
    assert.equal(new URLSearchParams(sent!.body).get('grant_type'), 'client_credentials')
    assert.equal(sent!.headers['x'], undefined)
  }
})

test('row 8: what a token service says, and what breaks, tells no secret', async (t) => {
  const ways: [name: string, talk: Parameters<typeof rawReceiver>[1]][] = [
    [
      'describes',
      (_, reply) =>
        reply.writeHead(401, { 'content-type': 'application/json' }).end(
          JSON.stringify({
            error: 'invalid_client',
            error_description: `secret ${SECRET} is wrong`,
            access_token: TOKEN,
          }),
        ),
    ],
    [
      'breaks off',
      (_, reply) =>
        reply
          .writeHead(200, { 'content-length': '999' })
          .end(`{"access_token":"${TOKEN}`, () => reply.socket!.destroy()),
    ],
    ['sends no JSON', (_, reply) => reply.end(`<p>${SECRET} ${TOKEN}</p>`)],
    ['sends no HTTP', (request) => request.socket.end(`HTTP/1.1 200 ${SECRET}\r\n${TOKEN}\r\n\r\n`)],
  ]
  for (const [name, talk] of ways) {
    const origin = await rawReceiver(t, talk)
    const { send, credential, material } = withCredential(t, oauth(origin, 'retry: { attempts: 1 }\n'))
    const failure = await failureOf(send({ url: 'x' }, credential))
    assert.match(failure.code, /^credential\./, name)
    assert.deepEqual(leaks(failure), [], name)
    assert.deepEqual(leaks([failure.record(), material.reports(() => [])]), [], name)
  }
})

test('row 8: what goes wrong at a receiver tells no secret either', async (t) => {
  const ways: [name: string, talk: Parameters<typeof rawReceiver>[1]][] = [
    ['closes', (request) => request.socket.destroy()],
    [
      'echoes no HTTP',
      (request) => request.socket.end(`HTTP/1.1 200 ${request.headers.authorization}\r\n${TOKEN}\r\n\r\n`),
    ],
    [
      'refuses',
      (request, reply) =>
        reply
          .writeHead(401, { 'www-authenticate': `Bearer error="${request.headers.authorization}"` })
          .end(TOKEN),
    ],
  ]
  for (const [name, talk] of ways) {
    const origin = await rawReceiver(t, talk)
    const { send, credential } = withCredential(
      t,
      `type: bearer\ntoken: \${env:TOKEN}\nbaseUrl: ${origin}/\n`,
    )
    assert.deepEqual(leaks(await failureOf(send({ url: 'x?q=1' }, credential))), [], name)
  }
})

test('row 16: keys that reach prototypes give no token and change nothing', async (t) => {
  for (const body of [
    `{"__proto__":{"access_token":"${TOKEN}","expires_in":60}}`,
    `{"constructor":{"prototype":{"access_token":"${TOKEN}"}}}`,
    `[{"access_token":"${TOKEN}"}]`,
  ]) {
    const { get } = await setUpOAuth2(t, () => ({ body, headers: { 'content-type': 'application/json' } }))
    assert.equal((await tokenFailureOf(get())).code, 'credential.answer', body)
  }
  const { get } = await setUpOAuth2(t, () => ({ body: { expires_in: 60 } }))
  const { prototype } = Object
  t.after(() => Reflect.deleteProperty(prototype, 'access_token'))
  Reflect.defineProperty(prototype, 'access_token', { value: TOKEN, configurable: true })
  assert.equal((await tokenFailureOf(get())).code, 'credential.answer', 'only what is its own counts')
  Reflect.deleteProperty(prototype, 'access_token')
  const { step } = await prepareHttp(
    t,
    `url: ${(await receiver(t, (_, reply) => reply.writeHead(200, { 'content-type': 'application/json' }).end('{"__proto__":{"polluted":1}}'))).origin}\ninto: answer`,
  )
  const message = new Message(Body.ofText(''))
  await step.run(message, new TestRun())
  assert.equal((message.properties['answer'] as { polluted?: number }).polluted, undefined)
  assert.equal(({} as { polluted?: number }).polluted, undefined)
  assert.equal(({} as { access_token?: string }).access_token, undefined)
})

test('row 17: a token answer of more than 1 MiB is refused', async (t) => {
  const { get, service } = await setUpOAuth2(t, () => ({
    body: { access_token: 'a-token', expires_in: 60, rest: 'x'.repeat(1024 * 1024) },
  }))
  const failure = await tokenFailureOf(get())
  assert.equal(failure.code, 'credential.answer')
  assert.match(failure.message, /sent more than 1 MB/)
  assert.equal(service.asked.length, 1)
})

test('row 17: a token answer is not inflated, and an answer of a receiver only up to its limit', async (t) => {
  const bomb = gzipSync(Buffer.alloc(80 * 1024 * 1024))
  assert.ok(bomb.length < 100_000)
  const { get, service } = await setUpOAuth2(t, () => ({
    headers: { 'content-encoding': 'gzip', 'content-type': 'application/json' },
    body: bomb,
  }))
  assert.match((await tokenFailureOf(get())).message, /sent a compressed answer, which was not asked for/)
  assert.equal(service.asked[0]!.headers['accept-encoding'], 'identity')
  const api = await receiver(t, (_, reply) => reply.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb))
  for (const limit of ['', 'maxResponse: 1MB']) {
    const { step } = await prepareHttp(t, `url: ${api.origin}\ninto: answer\n${limit}`)
    const failure = await failureOf(async () => step.run(new Message(Body.ofText('')), new TestRun()))
    assert.equal(failure.code, 'receiver.too-large')
  }
  const { step } = await prepareHttp(t, `url: ${api.origin}`)
  const message = new Message(Body.ofText(''))
  await step.run(message, new TestRun())
  const failure = await failureOf(textOf(message.body.take()))
  assert.equal(failure.code, 'receiver.too-large', 'a stream without a limit of its own ends, too')
})

test('row 17: a token service that trickles is given up when the time of the request is over', async (t) => {
  let trickled = 0
  let stop = () => {}
  t.after(() => stop())
  const began = Promise.withResolvers<void>()
  const origin = await rawReceiver(t, (_, reply) => {
    reply.writeHead(200, { 'content-type': 'application/json' })
    const drip = () => {
      trickled++
      reply.write(' ')
      began.resolve()
    }
    drip()
    const timer = setInterval(drip, 5)
    stop = () => clearInterval(timer)
    reply.on('close', stop)
  })
  const { get, clock } = await setUpOAuth2(t, undefined, {
    tokenServiceUrl: `${origin}/token`,
    retry: { attempts: 1 },
  })
  const failing = tokenFailureOf(get())
  await began.promise
  for (let i = 0; i < 40; i++) await clock.advance(SECOND)
  const failure = await failing
  assert.equal(failure.code, 'credential.timeout')
  assert.ok(trickled > 0)
})

test('row 19: credentials that differ in one field have a token each', async (t) => {
  const service = await tokenService(t)
  const base = oauth(service.origin)
  const variants = [
    base,
    base.replace('clientId: acme', 'clientId: other'),
    `${base}scope: admin\n`,
    `${base}parameters: { body: { tenant: other } }\n`,
    base.replace('env:SECRET', 'env:OTHER_SECRET'),
  ]
  for (const yaml of [...variants, ...variants]) {
    const { send, credential } = withCredential(t, yaml, undefined, {
      OTHER_SECRET: 'another-secret-0123456789',
    })
    await send({ url: 'x' }, credential)
    await send({ url: 'x' }, credential)
  }
  const asked = service.requests.filter(({ line }) => line === 'POST /token')
  assert.equal(asked.length, 2 * variants.length, 'one for each credential, none shared')
  assert.equal(
    new Set(asked.map(({ body, headers }) => `${headers.authorization} ${body}`)).size,
    variants.length,
  )
})

test('row 20: a wrong secret is shown to the service once, and then not for a while', async (t) => {
  const { get, service, clock } = await setUpOAuth2(t, () => ({
    status: 401,
    body: { error: 'invalid_client' },
  }))
  const first = tokenFailureOf(get())
  const end = first.then(() => true)
  while (!(await Promise.race([end, turn(false)]))) await clock.advance(1)
  assert.equal((await first).code, 'credential.refused')
  assert.equal(service.asked.length, 1)
  for (let i = 0; i < 20; i++) assert.equal((await tokenFailureOf(get())).code, 'credential.refused')
  await clock.advance(20 * SECOND)
  await tokenFailureOf(get())
  assert.equal(service.asked.length, 1)
  assert.equal(
    Buffer.from(service.asked[0]!.headers.authorization!.slice(6), 'base64').toString(),
    `client:${OWN_SECRET}`,
  )
})
