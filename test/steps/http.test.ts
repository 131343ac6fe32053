import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import { Body } from '../../src/core/body.ts'
import type { OutgoingRequest } from '../../src/core/http.ts'
import { Message } from '../../src/core/message.ts'
import type { CredentialReference, Send } from '../../src/core/services.ts'
import { failureOf, receiver, testCredential, TestGrant, TestRun } from '../net/fixture.ts'
import { prepareHttp } from './http-fixture.ts'

/** A message with something of everything in it. */
function order(): Message {
  const message = new Message(
    Body.ofJson({
      id: 'a/b?c',
      none: null,
      list: [1, 'two', null],
      map: { a: 1 },
      dots: '..',
      flag: true,
      n: 12,
    }),
  )
  message.headers['x-tenant'] = 'acme'
  message.properties['base'] = 'https://api.example.com/v1?x=1'
  message.properties['text'] = 'ä b&c=d+e%'
  return message
}

/** What a step would send for this message; the answer is `reply`. */
async function sentBy(
  t: TestContext,
  yaml: string,
  setting: { message?: Message; credentials?: CredentialReference[]; run?: TestRun } = {},
) {
  const sent: OutgoingRequest[] = []
  const send: Send = (request) => {
    sent.push(request)
    return Promise.resolve({ status: 200, headers: {}, url: 'https://api.example.com/', body: Body.empty() })
  }
  const { step, problems } = await prepareHttp(t, yaml, {
    send,
    ...(setting.credentials && { credentials: setting.credentials }),
  })
  assert.deepEqual(problems, [])
  await step.run(setting.message ?? order(), setting.run ?? new TestRun({ company: 'acme corp' }))
  const { headers, body, ...rest } = sent[0]!
  const pairs = Object.fromEntries(
    headers.flatMap((_, i) => (i % 2 === 0 ? [[headers[i]!, headers[i + 1]!]] : [])),
  )
  return { ...rest, headers: pairs, body }
}

const urls: [written: string, sent: string][] = [
  ['https://api.example.com/orders', 'https://api.example.com/orders'],
  ['https://api.example.com/orders/${body.id}/items', 'https://api.example.com/orders/a%2Fb%3Fc/items'],
  [
    'https://api.example.com/orders?q=${properties.text}',
    'https://api.example.com/orders?q=%C3%A4%20b%26c%3Dd%2Be%25',
  ],
  ['${properties.base}', 'https://api.example.com/v1?x=1'],
  ['${properties.base}&y=${properties.text}', 'https://api.example.com/v1?x=1&y=%C3%A4%20b%26c%3Dd%2Be%25'],
  ['https://${headers["x-tenant"]}.example.com/', 'https://acme.example.com/'],
  ['https://api.example.com/${body.none}/x', 'https://api.example.com//x'],
  ['https://api.example.com/${body.n}-${body.flag}', 'https://api.example.com/12-true'],
  ['https://api.example.com/v${body.dots}x', 'https://api.example.com/v..x'],
]

for (const [written, expected] of urls)
  test(`the url ${written}`, async (t) => {
    assert.equal((await sentBy(t, `url: '${written}'`)).url, expected)
  })

test('a value cannot climb in the path', async (t) => {
  for (const url of [
    'https://x/a/${body.dots}/b',
    'https://x/a/${body.dots}',
    'https://x/a/${body.dots}?x',
    'https://x/a/.${body.dot}/b',
  ]) {
    const message = order()
    ;(message.body.value() as Record<string, unknown>)['dot'] = '.'
    const { step } = await prepareHttp(t, `url: '${url}'`)
    const failure = await failureOf(() => step.run(message, new TestRun()))
    assert.equal(failure.code, 'request.invalid')
    assert.match(failure.message, /would lead to another path/)
  }
})

const queries: [yaml: string, expected: string][] = [
  ['query: { $filter: "id eq 1", $top: 10 }', '?$filter=id%20eq%201&$top=10'],
  [
    'query: { a: "${body.none}", b: "${body.list}", c: "${body.map}", d: "${body.flag}" }',
    '?b=1&b=two&c=%7B%22a%22%3A1%7D&d=true',
  ],
  [
    'query: { "a b&c": "${properties.text}", "@p": 1, "x:y": "" }',
    '?a%20b%26c=%C3%A4%20b%26c%3Dd%2Be%25&@p=1&x:y=',
  ],
  ['query: { a: "${body.none}" }', ''],
  ['query: {}', ''],
]

for (const [yaml, expected] of queries)
  test(`the ${yaml}`, async (t) => {
    assert.equal((await sentBy(t, `{ url: https://x/y, ${yaml} }`)).url, `https://x/y${expected}`)
    const more = expected === '' ? '' : `&${expected.slice(1)}`
    assert.equal(
      (await sentBy(t, `{ url: "https://x/y?z=1#f", ${yaml} }`.replace('#f', ''))).url,
      `https://x/y?z=1${more}`,
    )
  })

const bodies: [name: string, yaml: string, method: string, body: string | null, type: string | undefined][] =
  [
    ['nothing is a GET', '{}', 'GET', null, undefined],
    ['a body makes it a POST', '{ body: hello }', 'POST', 'hello', 'text/plain; charset=utf-8'],
    [
      'a map is JSON',
      '{ body: { id: "${body.id}", n: "${body.n}" } }',
      'POST',
      '{"id":"a/b?c","n":12}',
      'application/json',
    ],
    ['a constant map is JSON', '{ body: { a: 1 } }', 'POST', '{"a":1}', 'application/json'],
    ['a list is JSON', '{ method: PUT, body: ["${body.flag}"] }', 'PUT', '[true]', 'application/json'],
    [
      'one expression keeps its type',
      '{ body: "${body.list}" }',
      'POST',
      '[1,"two",null]',
      'application/json',
    ],
    [
      'a form',
      '{ body: { a: "${properties.text}", b: "${body.list}", c: "${body.none}", d: "${body.map}" }, contentType: application/x-www-form-urlencoded }',
      'POST',
      'a=%C3%A4+b%26c%3Dd%2Be%25&b=1&b=two&d=%7B%22a%22%3A1%7D',
      'application/x-www-form-urlencoded',
    ],
    [
      'a form by its header',
      '{ body: { a: 1 }, headers: { Content-Type: application/x-www-form-urlencoded } }',
      'POST',
      'a=1',
      'application/x-www-form-urlencoded',
    ],
    [
      'text with a content type',
      '{ body: "<a/>", contentType: application/xml }',
      'POST',
      '<a/>',
      'application/xml',
    ],
    [
      'JSON under a name of its own',
      '{ body: { a: 1 }, contentType: application/vnd.x+json }',
      'POST',
      '{"a":1}',
      'application/vnd.x+json',
    ],
    ['an empty body', '{ body: null }', 'POST', '', undefined],
    [
      'a POST without body sends the message',
      '{ method: POST }',
      'POST',
      JSON.stringify(order().body.value()),
      'application/json',
    ],
    [
      'and may call it something else',
      '{ method: PATCH, contentType: text/plain }',
      'PATCH',
      JSON.stringify(order().body.value()),
      'text/plain',
    ],
    ['a DELETE does not', '{ method: DELETE }', 'DELETE', null, undefined],
    ['a GET may have a body', '{ method: GET, body: { a: 1 } }', 'GET', '{"a":1}', 'application/json'],
  ]

for (const [name, yaml, method, body, type] of bodies)
  test(`the body of the request: ${name}`, async (t) => {
    const sent = await sentBy(t, yaml.replace('{', '{ url: https://x/y, ').replace(', }', '}'))
    assert.equal(sent.method, method)
    assert.equal(sent.body === null ? null : sent.body.bytes().toString(), body)
    assert.equal(sent.headers['content-type'], type)
  })

test('headers: defaults, values, null leaves one out', async (t) => {
  const plain = await sentBy(t, 'url: https://x/y')
  assert.deepEqual(plain.headers, {
    accept: '*/*',
    'accept-encoding': 'identity',
    traceparent: new TestRun().run.traceparent,
  })
  const own = await sentBy(
    t,
    '{ url: https://x/y, headers: { Accept: application/json, X-Tenant: "${headers[\'x-tenant\']}", X-None: "${body.none}", X-N: 5, X-Null: null, traceparent: mine } }',
  )
  assert.deepEqual(own.headers, {
    accept: 'application/json',
    'accept-encoding': 'identity',
    'x-tenant': 'acme',
    'x-n': '5',
    traceparent: 'mine',
  })
  assert.deepEqual((await sentBy(t, '{ url: https://x/y, headers: { accept: null } }')).headers, {
    'accept-encoding': 'identity',
    traceparent: new TestRun().run.traceparent,
  })
})

test("nothing of the message's headers goes out by itself", async (t) => {
  const message = order()
  message.headers['authorization'] = 'Bearer inbound'
  message.headers['cookie'] = 'a=b'
  const { headers } = await sentBy(t, '{ url: https://x/y, method: POST }', { message })
  assert.deepEqual(Object.keys(headers).toSorted(), [
    'accept',
    'accept-encoding',
    'content-type',
    'traceparent',
  ])
})

test('a header value with a line end fails the step', async (t) => {
  const message = order()
  message.properties['bad'] = 'a\r\nx: 1'
  const { step } = await prepareHttp(t, '{ url: https://x/y, headers: { x-a: "${properties.bad}" } }')
  assert.equal((await failureOf(() => step.run(message, new TestRun()))).code, 'request.invalid')
})

async function runHttp(
  t: TestContext,
  yaml: string,
  message = order(),
  credentials: CredentialReference[] = [],
) {
  const { step, problems } = await prepareHttp(t, yaml, { credentials })
  assert.deepEqual(problems, [])
  await step.run(message, new TestRun())
  return message
}

test('the answer replaces the body and its content type', async (t) => {
  const { origin } = await receiver(t, (_, reply) => {
    reply.setHeader('x-rate', '5')
    reply.setHeader('content-type', 'application/json; charset=utf-8')
    reply.end('{"ok":true}')
  })
  const message = await runHttp(t, `url: ${origin}/a`)
  assert.deepEqual(message.body.value(), { ok: true })
  assert.equal(message.body.contentType, 'application/json; charset=utf-8')
  assert.equal(message.response?.status, 200)
  assert.equal(message.response?.url, `${origin}/a`)
  assert.equal(message.response?.headers['x-rate'], '5')
  assert.deepEqual({ ...message.headers }, { 'x-tenant': 'acme' })
})

test('into keeps the body and puts the answer into a property', async (t) => {
  const { origin } = await receiver(t, (request, reply) => {
    const [path] = request.url!.slice(1).split('?')
    reply.setHeader(
      'content-type',
      path === 'json' ? 'application/json' : path === 'png' ? 'image/png' : 'text/plain',
    )
    reply.end(
      path === 'json' ? '{"n":1}' : path === 'empty' ? '' : path === 'broken' ? '{"n"' : 'x'.repeat(100_000),
    )
  })
  const message = order()
  const before = message.body
  await runHttp(t, `{ url: "${origin}/json", into: customer, saveHeaders: [Content-Language] }`, message)
  assert.equal(message.body, before)
  assert.deepEqual(message.properties['customer'], { n: 1 })
  await runHttp(t, `{ url: "${origin}/text", into: text }`, message)
  assert.equal(message.properties['text'], 'x'.repeat(100_000))
  await runHttp(t, `{ url: "${origin}/empty", into: empty }`, message)
  assert.equal(message.properties['empty'], null)
  const failure = await failureOf(runHttp(t, `{ url: "${origin}/png", into: picture }`, message))
  assert.equal(failure.code, 'receiver.broken')
  assert.match(failure.message, /neither JSON nor text \(image\/png\)/)
  assert.ok(!('picture' in message.properties))
})

test('into with an answer that is not the JSON it says', async (t) => {
  const { origin } = await receiver(t, (_, reply) =>
    reply.setHeader('content-type', 'application/json').end('{"SECRET'),
  )
  const failure = await failureOf(runHttp(t, `{ url: "${origin}", into: x }`))
  assert.equal(failure.code, 'receiver.broken')
  assert.equal(failure.reply, 502)
  assert.ok(!inspect(failure).includes('SECRET'))
})

test('an answer in an encoding that is not known fails the step; its connection is let go', async (t) => {
  let closed: () => void = () => {}
  const whenClosed = new Promise<void>((resolve) => (closed = resolve))
  const { origin } = await receiver(t, (request, reply) => {
    reply.setHeader('content-encoding', request.url!.slice(1).replace('+', ', '))
    if (request.url === '/large') {
      reply.on('close', () => closed())
      reply.write(Buffer.alloc(200_000))
    } else reply.end('{"a":1}')
  })
  const message = order()
  const former = message.body
  for (const path of ['compress', 'large', 'gzip+exi', 'gzip,gzip,gzip,gzip,gzip']) {
    const failure = await failureOf(runHttp(t, `{ url: "${origin}/${path}" }`, message))
    assert.equal(failure.code, 'receiver.broken')
    assert.equal(failure.receiver!.status, 200)
    const named = path.replace('+', ', ')
    assert.match(failure.message, new RegExp(`answered in the encoding "${named}", which is not known`))
    assert.match(failure.hint!, /Known are gzip, deflate, br, zstd, identity/)
    assert.equal(message.body, former)
  }
  await whenClosed
})

test('accept-encoding is identity, or what the flow says', async (t) => {
  assert.equal((await sentBy(t, 'url: https://x/y')).headers['accept-encoding'], 'identity')
  assert.equal(
    (await sentBy(t, '{ url: https://x/y, headers: { Accept-Encoding: "gzip, br;q=0.5" } }')).headers[
      'accept-encoding'
    ],
    'gzip, br;q=0.5',
  )
})

test('an error status says more than the encoding of its body', async (t) => {
  const { origin } = await receiver(t, (_, reply) =>
    reply.writeHead(500, { 'content-encoding': 'gzip' }).end(gzipSync('no')),
  )
  assert.equal((await failureOf(runHttp(t, `url: "${origin}"`))).code, 'receiver.status')
})

test("a user agent is the flow's, else the credential's, else ours; null leaves it out", async (t) => {
  const { origin, requests } = await receiver(t, (_, reply) => reply.end())
  const credential = testCredential(origin, [new TestGrant('T1')], { apiHeaders: ['User-Agent', 'api/1'] })
  await runHttp(t, `{ url: "${origin}", headers: { User-Agent: mine/2 } }`)
  await runHttp(t, `{ url: "${origin}", headers: { user-agent: "\${body.none}" } }`)
  await runHttp(t, '{ url: "", credential: shop_api }', order(), [credential])
  await runHttp(t, `{ url: "${origin}" }`)
  assert.deepEqual(
    requests.map(({ headers }) => headers['user-agent']),
    ['mine/2', undefined, 'api/1', 'sluice/test'],
  )
})

test('a constant body with a constant content type is made once', async (t) => {
  const sent: OutgoingRequest[] = []
  const send: Send = (request) => {
    sent.push(request)
    return Promise.resolve({ status: 200, headers: {}, url: 'https://x/', body: Body.empty() })
  }
  for (const type of [
    'contentType: application/x-www-form-urlencoded',
    'headers: { Content-Type: text/x }',
  ]) {
    const { step } = await prepareHttp(t, `{ url: https://x/y, body: { a: b c }, ${type} }`, { send })
    sent.length = 0
    for (let i = 0; i < 2; i++) await step.run(order(), new TestRun())
    assert.equal(sent[0]!.body, sent[1]!.body)
    assert.equal(sent[0]!.body!.text(), type.includes('urlencoded') ? 'a=b+c' : '{"a":"b c"}')
    assert.deepEqual(sent[0]!.headers.slice(-2), ['content-type', type.split(': ').at(-1)!.replace(' }', '')])
  }
})

test('saveHeaders keeps headers of the answer, and forgets those of an earlier one', async (t) => {
  let etag: string | undefined = '"1"'
  const { origin } = await receiver(t, (_, reply) => {
    if (etag !== undefined) reply.setHeader('ETag', etag)
    reply.end()
  })
  const message = await runHttp(t, `{ url: "${origin}", saveHeaders: [ETag, constructor] }`)
  assert.equal(message.headers['etag'], '"1"')
  assert.ok(!('constructor' in message.headers))
  etag = undefined
  await runHttp(t, `{ url: "${origin}", saveHeaders: [ETag] }`, message)
  assert.ok(!('etag' in message.headers))
})

test('statuses from 400 on fail the step and leave the message as it was', async (t) => {
  const { origin } = await receiver(t, (request, reply) => {
    reply.setHeader('retry-after', '7')
    reply.writeHead(Number(request.url!.slice(1))).end('SECRET-BODY')
  })
  const host = new URL(origin).host
  for (const [status, hint] of [
    [400, /does not take the request as it is/],
    [401, /name a credential/],
    [403, /name a credential/],
    [404, /acceptStatus: \[404\]/],
    [429, /Too many requests.*wait 7 s/],
    [500, /The receiver failed/],
    [503, /wait 7 s/],
  ] as const) {
    const message = order()
    const { body } = message
    const failure = await failureOf(runHttp(t, `url: ${origin}/${status}`, message))
    assert.equal(failure.code, 'receiver.status')
    assert.equal(failure.message, `GET "${host}" answered ${status}`)
    assert.deepEqual(failure.receiver, { status, host })
    assert.match(failure.hint!, hint)
    assert.ok(!inspect(failure).includes('SECRET-BODY'))
    assert.equal(message.body, body)
    assert.equal(message.response, null)
  }
})

test('acceptStatus takes single statuses and classes', async (t) => {
  const { origin } = await receiver(t, (request, reply) =>
    reply.writeHead(Number(request.url!.slice(1))).end('text'),
  )
  const yaml = (status: number) => `{ url: "${origin}/${status}", acceptStatus: [404, 5xx] }`
  for (const status of [404, 500, 503]) {
    const message = await runHttp(t, yaml(status))
    assert.deepEqual([message.response?.status, message.body.bytes().toString()], [status, 'text'])
  }
  assert.equal((await failureOf(runHttp(t, yaml(409)))).receiver?.status, 409)
  assert.equal((await runHttp(t, `{ url: "${origin}/404", acceptStatus: 404 }`)).response?.status, 404)
})

test('a redirect that is not followed fails, one that is goes on, one that is accepted stays', async (t) => {
  const { origin } = await receiver(t, (request, reply) => {
    if (request.url === '/a') reply.writeHead(302, { location: '/b' })
    reply.end('there')
  })
  const failure = await failureOf(runHttp(t, `url: ${origin}/a`))
  assert.equal(failure.code, 'receiver.redirect')
  assert.match(failure.message, /answered 302, a redirect/)
  assert.match(failure.hint!, /followRedirects: true/)
  assert.equal(
    (await runHttp(t, `{ url: "${origin}/a", followRedirects: true }`)).body.bytes().toString(),
    'there',
  )
  assert.equal((await runHttp(t, `{ url: "${origin}/a", acceptStatus: [302] }`)).response?.status, 302)
})

test('maxResponse holds for small answers, streams, and answers into a property', async (t) => {
  const { origin } = await receiver(t, (_, reply) => reply.end('x'.repeat(200_000)))
  for (const rest of ['maxResponse: 100KB', 'maxResponse: 100KB, into: x'])
    assert.equal((await failureOf(runHttp(t, `{ url: "${origin}", ${rest} }`))).code, 'receiver.too-large')
  const { body } = await runHttp(t, `{ url: "${origin}" }`)
  assert.equal(body.isStream, true)
  body.unread?.destroy()
})

test('a stream goes through two requests in turn', async (t) => {
  const first = await receiver(t, (_, reply) =>
    reply.setHeader('content-type', 'text/csv').end('x'.repeat(200_000)),
  )
  const second = await receiver(t, (_, reply) => reply.end('ok'))
  const message = await runHttp(t, `url: ${first.origin}`)
  assert.equal(message.body.isStream, true)
  await runHttp(t, `{ url: "${second.origin}", method: POST }`, message)
  assert.equal(second.requests[0]!.body.length, 200_000)
  assert.equal(second.requests[0]!.headers['content-length'], '200000')
  assert.equal(second.requests[0]!.headers['content-type'], 'text/csv')
  assert.equal(message.body.bytes().toString(), 'ok')
})

test('an answer that the next one replaces unread is let go of', async (t) => {
  const { origin } = await receiver(t, (_, reply) => reply.end('x'.repeat(200_000)))
  const message = await runHttp(t, `url: ${origin}`)
  const unread = message.body.unread!
  await runHttp(t, `url: ${origin}`, message)
  assert.equal(unread.destroyed, true)
  message.body.unread?.destroy()
})

test('a stream that a step with `into` sends is loaded before, so that the body stays', async (t) => {
  assert.equal((await prepareHttp(t, '{ url: https://x/, method: POST, into: a }')).step.readsBody, true)
  assert.equal((await prepareHttp(t, '{ url: https://x/, method: POST }')).step.readsBody, false)
  assert.equal((await prepareHttp(t, '{ url: https://x/, into: a }')).step.readsBody, false)
  const message = new Message(Body.ofStream(Readable.from([Buffer.from('a')])))
  const { body } = message
  assert.equal((await sentBy(t, '{ url: https://x/, method: POST }', { message })).body, body)
})

test('with a credential the step needs no address of its own', async (t) => {
  const { origin, requests } = await receiver(t, (_, reply) => reply.end('{}'))
  const credential = testCredential(`${origin}/odata/`, [new TestGrant('T1')])
  await runHttp(t, '{ url: "/Items/${body.n}", credential: shop_api }', order(), [credential])
  assert.equal(requests[0]!.line, 'GET /odata/Items/12')
  assert.equal(requests[0]!.headers.authorization, 'Bearer T1')
  assert.equal(requests[0]!.headers['user-agent'], 'sluice/test')
})

test('a cookie that an answer gave goes along with a credential', async (t) => {
  const { origin, requests } = await receiver(t, (_, reply) => reply.end('{}'))
  const credential = testCredential(origin, [new TestGrant('T1')])
  const yaml = '{ url: a, credential: shop_api, headers: { cookie: "s=${body.n}" } }'
  await runHttp(t, yaml, order(), [credential])
  assert.equal(requests[0]!.headers.cookie, 's=12')
  assert.equal(requests[0]!.headers.authorization, 'Bearer T1')
})

test('a cookie of the flow does not meet the cookie of a credential', async (t) => {
  const { origin, requests } = await receiver(t, (_, reply) => reply.end('{}'))
  const grant = Object.assign(new TestGrant('T1'), { headers: ['cookie', 'key=T1'] })
  const yaml = '{ url: a, credential: shop_api, headers: { Cookie: "s=${body.n}" } }'
  const failure = await failureOf(runHttp(t, yaml, order(), [testCredential(origin, [grant])]))
  assert.equal(failure.code, 'request.invalid')
  assert.match(failure.message, /the header "cookie" is set by the credential "shop_api"/)
  assert.equal(requests.length, 0)
})

test('the step fails when its deadline passes', async (t) => {
  const { origin } = await receiver(t, () => {})
  const { step } = await prepareHttp(t, `url: ${origin}`)
  const run = new TestRun()
  run.deadline = performance.now() + 60
  const failure = await failureOf(step.run(order(), run) as Promise<unknown>)
  assert.equal(failure.code, 'receiver.timeout')
  assert.match(failure.message, /no answer from "127\.0\.0\.1:\d+" within/)
})

test('whose time was up is what the hint says to raise', async (t) => {
  const { origin } = await receiver(t, () => {})
  const hint = async (own: number, left: number) => {
    const { step } = await prepareHttp(t, `url: ${origin}`, { timeout: own })
    const run = new TestRun()
    run.deadline = performance.now() + left
    return (await failureOf(step.run(order(), run) as Promise<unknown>)).hint!
  }
  assert.match(await hint(60, 60), /^Raise `timeout` of the step, and of the flow where that is not longer/)
  assert.match(await hint(60_000, 60), /^The time of the flow .* was up: raise its `timeout`/)
})

const infos = [
  { name: 'shop_api', type: 'oauth2', baseUrl: 'https://api.example.com/v1/', unset: [] },
  { name: 'bare', type: 'basic', baseUrl: undefined, unset: [] },
  {
    name: 'open',
    type: 'oauth2',
    baseUrl: 'https://api.example.com/',
    unset: ['env:SHOP_SECRET', 'file:/run/x'],
  },
]

/** Of a credential whose hosts are known. */
const known = {
  name: 'known',
  type: 'oauth2',
  baseUrl: 'https://api.example.com/v1/',
  unset: [],
  hosts: ['api.example.com', 'files.example.com:8443'],
  allows: ({ protocol, host }: URL) =>
    protocol === 'https:' && ['api.example.com', 'files.example.com:8443'].includes(host),
}

const mistakes: [yaml: string, code: string, at: string, message: RegExp, hint?: RegExp][] = [
  [
    '{ url: https://x/y, credential: shop_apo }',
    'credential/unknown',
    'credential',
    /no credential "shop_apo"; did you mean "shop_api"/,
    /Known credentials: shop_api, bare, open/,
  ],
  [
    '{ url: https://x/y, credential: { name: bare, type: oauth2 } }',
    'credential/type',
    'credential.type',
    /^credential "bare" is a "basic" credential; "oauth2" is wanted here$/,
  ],
  [
    '{ url: https://x/y, credential: { name: nobody, type: oauth2 } }',
    'credential/unknown',
    'credential.name',
    /no credential "nobody"/,
  ],
  ['url: orders', 'flow/url', 'url', /"orders" is a relative URL, and there is no credential/],
  ['url: api.example.com/orders', 'flow/url', 'url', /relative/, /https:\/\/api\.example\.com\/orders/],
  [
    '{ url: "orders/${body.id}", credential: bare }',
    'flow/url',
    'url',
    /the credential "bare" has no `baseUrl`/,
  ],
  ['{ url: ../admin, credential: shop_api }', 'flow/url', 'url', /leaves the `baseUrl`/],
  ['url: htps://x/y', 'flow/url', 'url', /"htps:" is no scheme of an http step; did you mean "https"/],
  ['url: "ftp://x/${body.id}"', 'flow/url', 'url', /"ftp:" is no scheme/],
  ['url: "localhost:8080/x"', 'flow/url', 'url', /has no scheme/, /https:\/\/localhost:8080/],
  ['url: https:/x/y', 'flow/url', 'url', /two slashes are missing/],
  ['url: "https://x y/"', 'flow/url', 'url', /is no URL/],
  ['url: "https://user:pw@x/"', 'flow/url', 'url', /user name or password/],
  ['url: "https://user:${body.pw}@x/"', 'flow/url', 'url', /user name or password/],
  ['url: ""', 'flow/url', 'url', /is empty/],
  [
    'url: "http://127.0.0.1:7811${body.id}"',
    'flow/url',
    'url',
    /^no slash stands between the host and \$\{body\.id\} in "http:\/\/127\.0\.0\.1:7811\$\{body\.id\}"$/,
    /Write http:\/\/127\.0\.0\.1:7811\/\$\{body\.id\};/,
  ],
  [
    'url: "http://localhost${body.u}"',
    'flow/url',
    'url',
    /no slash stands between the host and \$\{body\.u\}/,
  ],
  ['url: "https://api.example.com${body.p}?a=1"', 'flow/url', 'url', /no slash stands between/],
  ['url: "https://api.example.com${body.p}${body.q}/x"', 'flow/url', 'url', /no slash stands between/],
  ['url: "https://${body.h}.example.com${body.p}"', 'flow/url', 'url', /the host and \$\{body\.p\} in/],
  ['url: "https://[::1]${body.p}"', 'flow/url', 'url', /no slash stands between/],
  [
    '{ url: "https://other.example.com/x", credential: known }',
    'credential/host',
    'url',
    /^the credential "known" may not go to "other\.example\.com"; it may go to "api\.example\.com", "files\.example\.com:8443"$/,
    /allowedHosts/,
  ],
  [
    '{ url: "https://files.example.com/${body.id}", credential: known }',
    'credential/host',
    'url',
    /may not go to "files\.example\.com"/,
  ],
  [
    '{ url: "http://api.example.com", credential: known }',
    'credential/host',
    'url',
    /may not go to "http:\/\/api\.example\.com"/,
    /by https/,
  ],
  [
    '{ url: https://x/y, into: a b }',
    'flow/property-name',
    'into',
    /^"a b" cannot be the name of a property here: it has a space in it$/,
    /into: customer/,
  ],
  ['{ url: https://x/y, into: a.b }', 'flow/property-name', 'into', /it has a dot in it$/],
  ['{ url: https://x/y, into: "" }', 'flow/property-name', 'into', /"into" is empty/],
  [
    '{ url: https://x/y, headers: { Accept-Encoding: "gzip, compress;q=0.5" } }',
    'flow/header-value',
    'headers.Accept-Encoding',
    /answers in the encoding "compress" cannot be read/,
    /gzip, deflate, br, zstd, identity/,
  ],
  ['{ url: https://x/y, body: a, contentType: "a\\nb" }', 'flow/header-value', 'contentType', /line end/],
  [
    '{ url: https://x/y, body: { a: 1 }, headers: { content-type: multipart/mixed } }',
    'flow/multipart',
    'headers.content-type',
    /a map is sent as "multipart\/form-data", not as "multipart\/mixed"/,
  ],
  ['url: "https://x/y#z"', 'flow/url', 'url', /"#"/],
  [
    '{ url: https://x/y, headers: { Authorization: Bearer x } }',
    'flow/authorization',
    'headers.Authorization',
    /does not set "Authorization"/,
    /credential: <name>/,
  ],
  [
    '{ url: https://x/y, headers: { proxy-authorization: x } }',
    'flow/authorization',
    'headers.proxy-authorization',
    /does not set/,
    /http\.proxy/,
  ],
  [
    '{ url: a, credential: shop_api, headers: { Cookie: x } }',
    'flow/authorization',
    'headers.Cookie',
    /on a request with a credential/,
  ],
  [
    '{ url: https://x/y, headers: { Host: x } }',
    'flow/header-reserved',
    'headers.Host',
    /is not set by a flow/,
  ],
  [
    '{ url: https://x/y, headers: { content-length: 1 } }',
    'flow/header-reserved',
    'headers.content-length',
    /is not set by a flow/,
  ],
  [
    '{ url: https://x/y, headers: { Transfer-Encoding: chunked } }',
    'flow/header-reserved',
    'headers.Transfer-Encoding',
    /is not set by a flow/,
  ],
  ['{ url: https://x/y, headers: { "a b": 1 } }', 'flow/header-name', 'headers.a b', /cannot be the name/],
  ['{ url: https://x/y, headers: { x-a: 1, X-A: 2 } }', 'flow/header-twice', 'headers.X-A', /twice/],
  ['{ url: https://x/y, headers: { x-a: "a\\nb" } }', 'flow/header-value', 'headers.x-a', /line end/],
  [
    '{ url: https://x/y, body: a, contentType: text/a, headers: { content-type: text/b } }',
    'flow/header-twice',
    'headers.content-type',
    /content type is there twice/,
  ],
  [
    '{ url: https://x/y, saveHeaders: [etag, content-length] }',
    'flow/header-reserved',
    'saveHeaders.1',
    /is not kept/,
  ],
  [
    '{ url: https://x/y, saveHeaders: [Content-Type] }',
    'flow/header-reserved',
    'saveHeaders.0',
    /is not kept/,
  ],
  [
    '{ url: https://x/y, body: { grant_type: client_credentials } }',
    'flow/token-request',
    'body.grant_type',
    /"grant_type"/,
    /security-material/,
  ],
  [
    '{ url: https://x/y, body: { a: 1, client_secret: x } }',
    'flow/token-request',
    'body.client_secret',
    /"client_secret"/,
  ],
  ['{ url: https://x/y, body: "grant_type=password&x=1" }', 'flow/token-request', 'body', /"grant_type"/],
  ['{ url: https://x/y, body: \'{"client_secret": "x"}\' }', 'flow/token-request', 'body', /"client_secret"/],
  ['{ url: "https://x/y?grant_type=x" }', 'flow/token-request', 'url', /"grant_type"/],
  [
    '{ url: https://x/y, query: { grant_type: x } }',
    'flow/token-request',
    'query.grant_type',
    /"grant_type"/,
  ],
  [
    '{ url: https://x/y, body: { a: 1 }, contentType: "multipart/form-data; boundary=x" }',
    'flow/multipart',
    'contentType',
    /makes the boundary of the parts itself/,
  ],
  [
    '{ url: https://x/y, body: { f: { filename: a } }, contentType: multipart/form-data }',
    'key/missing',
    'body.f.content',
    /"content" is missing in the part "f"/,
  ],
  [
    '{ url: https://x/y, body: { f: [{ content: a, fileName: b }] }, contentType: multipart/form-data }',
    'key/unknown',
    'body.f.0.fileName',
    /"fileName" is not a key of the part "f"; did you mean "filename"\?/,
    /content, contentType, filename/,
  ],
  [
    '{ url: https://x/y, body: { grant_type: a }, contentType: multipart/form-data }',
    'flow/token-request',
    'body.grant_type',
    /"grant_type"/,
  ],
  [
    '{ url: https://x/y, body: a, contentType: text/plain; charset=utf-7 }',
    'flow/charset',
    'contentType',
    /the charset "utf-7" is not known/,
    /Leave `charset` out/,
  ],
  [
    '{ url: https://x/y, method: POST, contentType: text/plain; charset=shift_jis }',
    'flow/charset',
    'contentType',
    /text cannot be written in the charset "shift_jis"/,
  ],
  [
    '{ url: https://x/y, body: "5 €", contentType: text/plain; charset=iso-8859-1 }',
    'flow/body',
    'body',
    /the charset "iso-8859-1" does not have the character U\+20AC/,
  ],
  [
    '{ url: https://x/y, body: { a: 1 }, contentType: application/x-www-form-urlencoded;charset=utf-16 }',
    'flow/body',
    'body',
    /a form cannot be sent in the charset "utf-16"/,
  ],
]

for (const [yaml, code, at, message, hint] of mistakes)
  test(`a problem at load: ${yaml}`, async (t) => {
    const { problems } = await prepareHttp(t, yaml, {
      infos: [...infos, ...(yaml.includes('known') ? [known] : [])],
    })
    assert.deepEqual(
      problems.map((problem) => [problem.code, (problem.at ?? []).join('.')]),
      [[code, at]],
    )
    assert.match(problems[0]!.message, message)
    if (hint) assert.match(problems[0]!.hint!, hint)
    const isWarning = yaml.includes('#')
    assert.equal(problems[0]!.severity ?? 'error', isWarning ? 'warning' : 'error')
  })

test('no problem where nothing is wrong', async (t) => {
  for (const yaml of [
    'url: https://x/y?z={a}',
    'url: "https://${param.host}:${param.port}/x"',
    'url: ${properties.next}',
    'url: "https://api.${param.domain}/x"',
    'url: "https://api.example.${param.tld}"',
    'url: "https://node${param.n}/x"',
    'url: "https://api.x${param.n}.example.com/x"',
    'url: "https://api.example.com/${body.a}${body.b}"',
    'url: "http://localhost:${param.port}"',
    '{ url: "https://api.example.com/x", credential: known }',
    '{ url: "https://files.example.com:8443/${body.id}", credential: known }',
    '{ url: "https://${body.host}/x", credential: known }',
    '{ url: "${body.url}", credential: known }',
    '{ url: /Items, credential: shop_api }',
    '{ url: /Items, credential: open }',
    '{ url: "", credential: shop_api }',
    '{ url: "Items(\'${body.id}\')", credential: { name: shop_api, type: oauth2 } }',
    '{ url: https://x/y, headers: { cookie: a=b } }',
    '{ url: https://x/y, body: a text about a client secret and a grant type }',
  ])
    assert.deepEqual((await prepareHttp(t, yaml, { infos: [...infos, known] })).problems, [], yaml)
})

test('tenant: goes along with the request; what the credential does not list is told at load', async (t) => {
  const sent: (string | undefined)[] = []
  const send: Send = (request) => {
    sent.push(request.tenant)
    return new Promise(() => {})
  }
  const info = (tenants?: readonly string[]) => ({
    name: 'c',
    type: 'oauth2',
    baseUrl: 'https://a.example.com/',
    unset: [],
    ...(tenants && { tenants }),
  })
  const prepared = async (yaml: string, tenants?: readonly string[]) =>
    prepareHttp(t, `url: x\n${yaml}`, { infos: [info(tenants)], credentials: [], send })
  const told = async (yaml: string, tenants?: readonly string[]) =>
    (await prepared(yaml, tenants)).problems.map(({ message }) => message)
  const named = 'credential: c\ntenant: acme\n'
  assert.deepEqual(await told(named, ['acme', 'globex']), [])
  assert.deepEqual(await told(named), [])
  assert.deepEqual(await told(named, []), ['the credential "c" has no tenants'])
  assert.deepEqual(await told(named, ['acmee']), [
    'the credential "c" has no tenant "acme"; did you mean "acmee"?',
  ])
  assert.deepEqual(await told('credential: c\n', ['a', 'b']), [
    '"tenant" is missing; the credential "c" has 2 tenants',
  ])
  assert.deepEqual(await told('credential: c\n', ['a']), [])
  const { step } = await prepared('credential: c\ntenant: ${headers["x-tenant"]}\n', ['acme'])
  void step.run(order(), new TestRun())
  assert.deepEqual(sent, ['acme'])
})
