import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Dispatcher } from 'undici'
import { Body } from '../../src/core/body.ts'
import { Message } from '../../src/core/message.ts'
import { Egress, type Lookup } from '../../src/net/egress.ts'
import {
  collected,
  dispatchers,
  failureOf,
  fetchFrom,
  receiver,
  testCredential,
  TestGrant,
  TestRun,
  testWorld,
} from '../net/fixture.ts'
import { prepareHttp } from '../steps/http-fixture.ts'
import { startProject } from '../support/project.ts'
import { leaks, TOKEN, withCredential } from './fixture.ts'

const BEARER = 'type: bearer\ntoken: ${env:TOKEN}\n'

test('row 1: an address from the message cannot lead a token to a foreign host', async (t) => {
  const sent: string[] = []
  const dispatch = (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => {
    assert.ok((options.headers as string[]).includes(`Bearer ${TOKEN}`))
    sent.push(String(options.origin))
    handler.onResponseError?.(null as never, new Error('no network'))
    return true
  }
  const world = testWorld(t, { dispatcherFor: () => ({ dispatch }) as never })
  const { send, credential } = withCredential(t, `${BEARER}baseUrl: https://api.sap.com/\n`, world)
  for (const url of ['https://api.sap.com/x', 'HTTPS://API.SAP.COM./x', 'https://api.sap.com:443/x', 'x'])
    assert.equal((await failureOf(send({ url }, credential))).code, 'receiver.unreachable', url)
  assert.equal(sent.splice(0).length, 4)
  for (const url of [
    'https://evil.example/',
    'https://api.sap.com.evil.example/',
    'https://api.sap.com@evil.example/',
    'https://api.sap.com:8443/',
    'http://api.sap.com/',
    'https://evil.example\\@api.sap.com/',
    'https://api.s\u0430p.com/',
    'https://sap.com/',
    'https://x.api.sap.com/',
  ])
    assert.match(
      (await failureOf(send({ url }, credential))).code,
      /^(credential\.host|request\.invalid)$/,
      url,
    )
  assert.deepEqual(sent, [], 'nothing was sent')
})

for (const status of [301, 302, 303, 307, 308])
  test(`row 2: a redirect (${status}) to another port loses the credential and all that goes along with it`, async (t) => {
    const other = await receiver(t, (_, reply) => reply.end('other'))
    const home = await receiver(t, (_, reply) =>
      reply.writeHead(status, { location: `${other.origin}/there` }).end(),
    )
    const { send, credential } = withCredential(
      t,
      `type: apiKey\nkey: \${env:TOKEN}\ntokenIn: { in: header, name: X-Shopify-Access-Token, prefix: '' }\nbaseUrl: ${home.origin}/\nallowedHosts: ['127.0.0.1:${home.port}', '127.0.0.1:${other.port}']\napiHeaders: { x-tenant: tenant-of-the-header }\napiQuery: { code: "\${env:SECRET}" }\n`,
    )
    const answer = await send({ url: 'x', followRedirects: 5 }, credential)
    assert.equal(answer.body.text(), 'other')
    const [first] = home.requests
    assert.equal(first!.headers['x-shopify-access-token'], TOKEN, 'it goes where it belongs')
    assert.match(first!.line, /code=/)
    const [moved] = other.requests
    assert.equal(moved!.line, 'GET /there')
    assert.equal(moved!.headers['x-shopify-access-token'], undefined)
    assert.equal(moved!.headers['x-tenant'], undefined)
    assert.deepEqual(leaks(moved), [])
  })

test('row 2: what a flow itself sets for a receiver stays there, too', async (t) => {
  const other = await receiver(t, (_, reply) => reply.end('other'))
  const home = await receiver(t, (_, reply) => reply.writeHead(307, { location: other.origin }).end())
  const { send } = withCredential(t, `${BEARER}baseUrl: ${home.origin}/\n`)
  const headers = ['Authorization', `Bearer ${TOKEN}`, 'Cookie', `a=${TOKEN}`, 'x-own', 'goes along']
  await send({ url: home.origin, headers, followRedirects: 1 })
  assert.equal(home.requests[0]!.headers.authorization, `Bearer ${TOKEN}`)
  assert.equal(other.requests[0]!.headers['x-own'], 'goes along')
  assert.deepEqual(leaks(other.requests), [])
})

test('row 2: a redirect is not followed where the step does not ask for it', async (t) => {
  const other = await receiver(t, (_, reply) => reply.end('other'))
  const home = await receiver(t, (_, reply) => reply.writeHead(302, { location: other.origin }).end())
  const { send, credential } = withCredential(t, `${BEARER}baseUrl: ${home.origin}/\n`)
  assert.equal((await send({ url: 'x' }, credential)).status, 302)
  assert.deepEqual(other.requests, [])
})

test('row 6: link-local and metadata addresses are refused in every spelling, also by name', async (t) => {
  const shared = dispatchers(t)
  for (const origin of [
    'http://169.254.169.254',
    'http://[::ffff:169.254.169.254]',
    'http://2852039166',
    'http://0xa9.0xfe.0xa9.0xfe',
    'http://0251.0376.0251.0376',
    'http://169.254.43518',
    'http://[64:ff9b::a9fe:a9fe]',
    'http://[fd00:ec2::254]',
    'http://[fe80::1]',
    'http://169.254.0.1',
    'http://metadata.google.internal',
  ]) {
    const { origin: read } = new URL(origin)
    assert.equal(
      (await failureOf(fetchFrom(t, read, {}, { dispatchers: shared }))).code,
      'egress.denied',
      origin,
    )
  }
})

test('row 6: a name that turns private at the second lookup is refused then', async (t) => {
  const { port } = await receiver(t, (_, reply) => reply.writeHead(200, { connection: 'close' }).end('here'))
  const answers = ['127.0.0.1', '10.0.0.1', '169.254.169.254']
  const lookup: Lookup = (_, _options, callback) => callback(null, [{ address: answers.shift()!, family: 4 }])
  const shared = dispatchers(t, { egress: new Egress({ deny: ['private'] }, lookup) })
  const ask = () => fetchFrom(t, `http://turns.example.test:${port}`, {}, { dispatchers: shared })
  assert.equal(collected(await ask()), 'here')
  for (const message of [/\(10\.0\.0\.1\): `egress\.deny` holds "private"/, /\(169\.254\.169\.254\)/]) {
    const failure = await failureOf(ask())
    assert.equal(failure.code, 'egress.denied')
    assert.match(failure.message, message)
  }
})

test('row 6: no message can name a token service', (t) => {
  const { problems } = withCredential(
    t,
    'type: oauth2\ntokenServiceUrl: https://${body.host}/token\nbaseUrl: https://api.example.com/\nclientId: a\nclientSecret: ${env:SECRET}\n',
  )
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['credential/reference'],
  )
})

test('row 9: a user and a password in a URL are refused, and not told', async (t) => {
  const { send } = withCredential(t, `${BEARER}baseUrl: https://api.example.com/\n`)
  for (const url of [
    `https://user:${TOKEN}@127.0.0.1/`,
    `https://${TOKEN}@127.0.0.1/`,
    `http://:${TOKEN}@[/`,
  ]) {
    const failure = await failureOf(send({ url }))
    assert.equal(failure.code, 'request.invalid')
    assert.deepEqual(leaks(failure), [])
  }
})

test('row 14: a flow that sets authorization itself has a problem, and at run time a failure', async (t) => {
  const { problems } = await prepareHttp(
    t,
    'url: x\ncredential: shop_api\nheaders: { Authorization: "${body.x}" }',
    { credentials: [testCredential('https://api.example.com', [new TestGrant(TOKEN)])] },
  )
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['flow/authorization'],
  )
  const { origin, requests } = await receiver(t, (_, reply) => reply.end())
  const { send, credential } = withCredential(t, `${BEARER}baseUrl: ${origin}/\n`)
  const failure = await failureOf(
    send({ url: 'x', headers: ['AUTHORIZATION', 'Bearer of-the-flow'] }, credential),
  )
  assert.equal(failure.code, 'request.invalid')
  assert.deepEqual(requests, [])
})

test('row 15: what a caller shows us never goes on to a receiver', async (t) => {
  const api = await receiver(t, (_, reply) => reply.end('done'))
  const { url } = await startProject(t, {
    'flows/a.yaml': `steps:\n  - endpoint: { path: /a, access: public }\n  - http: { method: POST, url: "${api.origin}/x" }\n`,
    'flows/b.yaml':
      'steps:\n  - endpoint: { path: /b, access: public }\n  - respond: { body: "${toJson(trigger.headers)}" }\n',
  })
  const marker = 'marker-of-the-caller-0123456789'
  const headers = {
    authorization: `Bearer ${marker}`,
    cookie: `a=${marker}`,
    'proxy-authorization': `Basic ${marker}`,
    'x-forwarded-client-cert': `Subject="CN=${marker}"`,
    'x-csrf-token': marker,
    'x-shopify-access-token': marker,
  }
  assert.equal((await fetch(`${url}/http/a`, { method: 'POST', headers, body: 'x' })).status, 200)
  assert.equal(api.requests.length, 1)
  assert.deepEqual(leaks(api.requests, { marker }), [])
  const shown = await fetch(`${url}/http/b`, { method: 'POST', headers: { ...headers, 'x-own': 'is there' } })
  const seen = (await shown.json()) as Record<string, string>
  assert.equal(seen['x-own'], 'is there')
  for (const name of ['authorization', 'cookie', 'proxy-authorization', 'x-forwarded-client-cert'])
    assert.equal(seen[name], undefined, 'not even the flow sees it')
})

test('row 7: no value of a message can add a header or a line', async (t) => {
  const api = await receiver(t, (_, reply) => reply.end('done'))
  const { step } = await prepareHttp(
    t,
    `url: ${api.origin}/items/\${body.x}\nquery: { q: "\${body.x}" }\nmethod: POST\ncontentType: application/x-www-form-urlencoded\nbody: { f: "\${body.x}" }`,
  )
  const crlf = 'a\r\nx-evil: 1\r\n\r\nGET /evil HTTP/1.1'
  await step.run(new Message(Body.ofJson({ x: crlf })), new TestRun())
  assert.equal(api.requests.length, 1)
  assert.equal(api.requests[0]!.headers['x-evil'], undefined)
  assert.deepEqual([...new URLSearchParams(api.requests[0]!.body)], [['f', crlf]])
  const header = await prepareHttp(t, `url: ${api.origin}/\nheaders: { x-a: "\${body.x}" }`)
  const failure = await failureOf(async () =>
    header.step.run(new Message(Body.ofJson({ x: crlf })), new TestRun()),
  )
  assert.equal(failure.code, 'request.invalid')
  assert.equal(api.requests.length, 1)
})
