import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { inspect } from 'node:util'
import { Body } from '../../src/core/body.ts'
import { Failure } from '../../src/core/failure.ts'
import { createSend } from '../../src/net/send.ts'
import { failureOf, receiver, sender, testCredential, TestGrant, TestRun, testWorld } from './fixture.ts'

test('without a credential a request goes anywhere, with nothing added', async (t) => {
  const { origin, requests } = await receiver(t, (_, reply) =>
    reply.setHeader('content-type', 'text/plain').end('hi'),
  )
  const run = new TestRun()
  const answer = await sender(t)({ url: `${origin}/a/b?c=d#e` }, undefined, run)
  assert.equal(answer.status, 200)
  assert.equal(answer.body.text(), 'hi')
  assert.equal(answer.body.contentType, 'text/plain')
  assert.equal(requests[0]!.line, 'GET /a/b?c=d')
  assert.equal(requests[0]!.headers['user-agent'], 'sluice/test')
  assert.equal(requests[0]!.headers.authorization, undefined)
  assert.deepEqual(run.notes, [`- ${new URL(origin).host}`])
})

test('a credential puts its headers and query on the request, and stays out of the url that flows see', async (t) => {
  const { origin, requests } = await receiver(t, (_, reply) => reply.end())
  const grant = new TestGrant('T1', { query: 'api_key=K%201' })
  const credential = testCredential(`${origin}/odata/`, [grant], {
    apiHeaders: ['x-tenant', 'acme', 'accept', 'application/json'],
    apiQuery: 'client=100',
  })
  const run = new TestRun()
  const answer = await sender(t)({ url: 'Items?$top=1' }, credential, run)
  assert.equal(requests[0]!.line, 'GET /odata/Items?$top=1&client=100&api_key=K%201')
  assert.equal(requests[0]!.headers.authorization, 'Bearer T1')
  assert.equal(requests[0]!.headers['x-tenant'], 'acme')
  assert.equal(requests[0]!.headers.accept, 'application/json')
  assert.equal(answer.url, `${origin}/odata/Items?$top=1`)
  assert.deepEqual(run.notes, [`shop_api ${new URL(origin).host}`])
})

test('with a cached credential nothing asynchronous happens before the request is dispatched', (t) => {
  let dispatched = 0
  const world = testWorld(t)
  const counting = { ...world, dispatcherFor: () => ({ dispatch: () => ++dispatched > 0 }) as never }
  const send = createSend(counting, { userAgent: 'x' })
  const context = new TestRun()
  const request = {
    url: 'a',
    method: 'GET',
    headers: [],
    body: null,
    followRedirects: 0,
    maxResponse: Infinity,
  }
  const pending = send(request, testCredential('https://api.example.com', [new TestGrant('T')]), context)
  assert.equal(dispatched, 1)
  context.cancel()
  return assert.rejects(pending)
})

const BASE = 'https://api.example.com/odata/v4/'
const relative: [url: string, path: string][] = [
  ['Items', '/odata/v4/Items'],
  ['/Items', '/odata/v4/Items'],
  ['//evil.example/x', '/odata/v4/evil.example/x'],
  ['\\\\evil.example\\x', '/odata/v4/evil.example/x'],
  ['', '/odata/v4/'],
  ['?$top=1', '/odata/v4/?$top=1'],
  ['a/../Items', '/odata/v4/Items'],
  ['./a:b', '/odata/v4/a:b'],
  ['Items?next=../x', '/odata/v4/Items?next=../x'],
  ['a..b/c', '/odata/v4/a..b/c'],
]

/** Resolves a URL with a credential that would send it into the void. */
async function pathOf(t: TestContext, url: string, base = BASE): Promise<string> {
  const paths: string[] = []
  const world = testWorld(t, {
    dispatcherFor: () =>
      ({
        dispatch(
          options: { path: string; origin: string },
          handler: { onResponseError(c: null, e: Error): void },
        ) {
          paths.push((options.origin === new URL(base).origin ? '' : options.origin) + options.path)
          handler.onResponseError(null, new Error('sent'))
        },
      }) as never,
  })
  const send = createSend(world, { userAgent: 'x' })
  const request = { url, method: 'GET', headers: [], body: null, followRedirects: 0, maxResponse: Infinity }
  const failure = await failureOf(
    send(request, testCredential(base, [new TestGrant('SECRET')]), new TestRun()),
  )
  return paths[0] ?? `${failure.code}: ${failure.message}`
}

test('a relative url is appended to the baseUrl', async (t) => {
  for (const [url, expected] of relative) assert.equal(await pathOf(t, url), expected, url)
  assert.equal(await pathOf(t, 'Items', 'https://api.example.com'), '/Items')
  assert.equal(await pathOf(t, 'Items', 'https://api.example.com/a'), '/a/Items')
  assert.equal(
    await pathOf(t, 'Items?x=1', 'https://api.example.com/a?sap-client=100'),
    '/a/Items?sap-client=100&x=1',
  )
})

test('a relative url does not leave the baseUrl', async (t) => {
  for (const url of [
    '..',
    '../admin',
    'a/../../admin',
    '%2e%2e/admin',
    '.%2E/admin',
    '..\\admin',
    '.\t./admin',
    '..%2fadmin',
    '%2e%2e%5Cadmin',
    'a/..%2f..%2fadmin',
    '../v4x/',
  ])
    assert.match(
      await pathOf(t, url),
      /^request\.invalid: the URL .* leaves the `baseUrl` of the credential/,
      url,
    )
})

test('urls that are no address of a receiver are refused before anything is sent', async (t) => {
  for (const [url, message] of [
    ['ftp://api.example.com/', /"ftp:"; "https:" and "http:" are supported/],
    ['javascript:alert(1)', /"javascript:"/],
    [
      'https://user:SECRET@api.example.com/x',
      /holds a user name or password before the host "api\.example\.com"/,
    ],
    ['https://SECRET@api.example.com/', /user name or password/],
    ['https://', /is no URL/],
    ['https://a%2Fb.example.com/', /is no URL/],
    ['https://a b/?SECRET', /is no URL/],
  ] as const) {
    const failure = await failureOf(sender(t)({ url }))
    assert.equal(failure.code, 'request.invalid', url)
    assert.match(failure.message, message)
    assert.ok(!inspect(failure).includes('SECRET'), url)
  }
  const failure = await failureOf(sender(t)({ url: 'Items' }))
  assert.match(failure.message, /relative, and no credential with a `baseUrl`/)
})

test('a refused token is renewed once and the request is sent once more', async (t) => {
  const { origin, requests } = await receiver(t, (request, reply) => {
    reply.statusCode = request.headers.authorization === 'Bearer T2' ? 200 : 401
    reply.end('answer')
  })
  const [first, second] = [new TestGrant('T1'), new TestGrant('T2')]
  for (const isAsync of [false, true]) {
    requests.length = 0
    const credential = testCredential(origin, [first, second], { async: isAsync })
    const answer = await sender(t)({ url: 'orders', method: 'POST', body: Body.ofText('order') }, credential)
    assert.equal(answer.status, 200)
    assert.deepEqual(
      requests.map(({ headers, body }) => [headers.authorization, body]),
      [
        ['Bearer T1', 'order'],
        ['Bearer T2', 'order'],
      ],
    )
  }
  assert.equal(first.rejections, 2)
  assert.equal(second.rejections, 0)
})

test('a second refusal ends it: the hint says that tokens can be obtained', async (t) => {
  const { origin, requests } = await receiver(t, (_, reply) => reply.writeHead(401).end('SECRET-BODY'))
  const credential = testCredential(origin, [new TestGrant('T1'), new TestGrant('T2'), new TestGrant('T3')])
  const failure = await failureOf(sender(t)({ url: 'x' }, credential))
  assert.equal(failure.code, 'receiver.unauthorized')
  assert.match(failure.message, /refused the credential "shop_api" with status 401/)
  assert.match(
    failure.hint!,
    /A new token was fetched and was refused, too: a token was obtained 3 s ago .*roles/,
  )
  assert.equal(requests.length, 2)
  assert.ok(!inspect(failure).match(/SECRET-BODY|T1|T2/))
})

test('when the same grant comes back nothing is sent again', async (t) => {
  const { origin, requests } = await receiver(t, (_, reply) => reply.writeHead(401).end())
  const failure = await failureOf(sender(t)({ url: 'x' }, testCredential(origin, [new TestGrant('T1')])))
  assert.equal(failure.code, 'receiver.unauthorized')
  assert.match(failure.hint!, /gave the same token again/)
  assert.equal(requests.length, 1)
})

test('a credential that cannot be renewed fails at once', async (t) => {
  const { origin, requests } = await receiver(t, (_, reply) => reply.writeHead(401).end())
  for (const [grant, hint] of [
    [
      new TestGrant('T1', { refusedBy: [] }),
      'Check the credential "shop_api" (oauth2) and what it is allowed at the receiver: a token was obtained 3 s ago with scope im.read.',
    ],
    [
      new TestGrant('T1', { refusedBy: [419] }),
      'By `invalidateOn` of the credential "shop_api" status 401 does not mean that a token is no longer good, so no new one was fetched: a token was obtained 3 s ago with scope im.read. Check the roles of the client at the receiver, or add 401 to `invalidateOn`.',
    ],
    [
      new TestGrant('T1', { renewable: false }),
      'No new token was fetched: a token was obtained 3 s ago with scope im.read. Tokens can be obtained, so check the roles of the client at the receiver, and audience and scope of the credential "shop_api".',
    ],
  ] as const) {
    const failure = await failureOf(
      sender(t)({ url: 'x' }, testCredential(origin, [grant, new TestGrant('T2')])),
    )
    assert.equal(failure.code, 'receiver.unauthorized')
    assert.equal(failure.hint, hint)
    assert.deepEqual(failure.receiver, { status: 401, host: new URL(origin).host })
  }
  assert.equal(requests.length, 3)
})

test('insufficient_scope is not a matter of the token: nothing is renewed', async (t) => {
  const { origin, requests } = await receiver(t, (_, reply) =>
    reply
      .writeHead(401, {
        'www-authenticate': 'Bearer realm="x", error="insufficient_scope", scope="im.write"',
      })
      .end(),
  )
  const grant = new TestGrant('T1')
  const failure = await failureOf(
    sender(t)({ url: 'x' }, testCredential(origin, [grant, new TestGrant('T2')])),
  )
  assert.match(failure.hint!, /a scope is missing/)
  assert.equal(grant.rejections, 0)
  assert.equal(requests.length, 1)
})

test('a stream that was sent is not sent again: the token is dropped, the hint says why', async (t) => {
  const { origin, requests } = await receiver(t, (_, reply) => reply.writeHead(401).end())
  const grant = new TestGrant('T1')
  const body = Body.ofStream(Readable.from([Buffer.from('once')]))
  const failure = await failureOf(
    sender(t)({ url: 'x', method: 'POST', body }, testCredential(origin, [grant, new TestGrant('T2')])),
  )
  assert.equal(failure.code, 'receiver.unauthorized')
  assert.match(failure.hint!, /its body was a stream/)
  assert.equal(grant.rejections, 1)
  assert.equal(requests.length, 1)
})

test('a refused answer that is a stream is let go of before the request is sent again', async (t) => {
  let closed: () => void = () => {}
  const whenClosed = new Promise<void>((resolve) => (closed = resolve))
  const { origin } = await receiver(t, (request, reply) => {
    if (request.headers.authorization === 'Bearer T2') reply.end('ok')
    else {
      reply.on('close', () => closed())
      reply.writeHead(401).write(Buffer.alloc(200_000))
    }
  })
  const answer = await sender(t)(
    { url: 'x' },
    testCredential(origin, [new TestGrant('T1'), new TestGrant('T2')]),
  )
  assert.equal(answer.body.text(), 'ok')
  await whenClosed
})

test('a refused answer that is a stream is let go of when no other token can be had', async (t) => {
  let closed: () => void = () => {}
  const whenClosed = new Promise<void>((resolve) => (closed = resolve))
  const { origin } = await receiver(t, (_, reply) => {
    reply.on('close', () => closed())
    reply.writeHead(401).write(Buffer.alloc(200_000))
  })
  let asked = 0
  const authorizer = {
    authorize: () =>
      asked++ === 0
        ? new TestGrant('T1')
        : Promise.reject(new Failure('credential.unreachable', 'no token service')),
    state: () => ({ status: 'ready' as const, details: {} }),
  }
  const failure = await failureOf(sender(t)({ url: 'x' }, testCredential(origin, [], { authorizer })))
  assert.equal(failure.code, 'credential.unreachable')
  await whenClosed
})

test('a status that the flow takes is handed over, after one renewal', async (t) => {
  const { origin, requests } = await receiver(t, (_, reply) => reply.writeHead(401).end('no'))
  const credential = testCredential(origin, [new TestGrant('T1'), new TestGrant('T2')])
  const answer = await sender(t)({ url: 'x', accepts: (status) => status === 401 }, credential)
  assert.equal(answer.status, 401)
  assert.equal(answer.body.text(), 'no')
  assert.equal(requests.length, 2)
})

test('a header that the credential sets is not taken from the flow', async (t) => {
  const { origin, requests } = await receiver(t, (_, reply) => reply.end())
  for (const [grant, name] of [
    [new TestGrant('T'), 'authorization'],
    [new TestGrant('T', { headers: ['X-Api-Key', 'T'] }), 'x-api-key'],
  ] as const) {
    const failure = await failureOf(
      sender(t)({ url: 'x', headers: [name, 'SECRET'] }, testCredential(origin, [grant])),
    )
    assert.equal(failure.code, 'request.invalid')
    assert.match(failure.message, new RegExp(`the header "${name}" is set by the credential "shop_api"`))
    assert.ok(!inspect(failure).includes('SECRET'))
  }
  assert.deepEqual(requests, [])
})

const redirects: [status: number, method: string, next: string, body: string][] = [
  [301, 'GET', 'GET', ''],
  [301, 'POST', 'GET', ''],
  [302, 'POST', 'GET', ''],
  [302, 'PUT', 'PUT', 'order'],
  [303, 'POST', 'GET', ''],
  [303, 'PUT', 'GET', ''],
  [303, 'HEAD', 'HEAD', ''],
  [307, 'POST', 'POST', 'order'],
  [308, 'POST', 'POST', 'order'],
]

for (const [status, method, next, body] of redirects)
  test(`${status} turns ${method} into ${next}`, async (t) => {
    const { origin, requests } = await receiver(t, (request, reply) => {
      if (request.url === '/a') reply.writeHead(status, { location: 'b?c' })
      reply.end()
    })
    const answer = await sender(t)({
      url: `${origin}/a`,
      method,
      followRedirects: 3,
      headers: ['content-type', 'text/plain', 'x-own', '1'],
      body: body === '' && next === method ? null : Body.ofText('order'),
    })
    assert.equal(answer.url, `${origin}/b?c`)
    assert.deepEqual([requests[1]!.line, requests[1]!.body], [`${next} /b?c`, body])
    assert.equal(
      requests[1]!.headers['content-type'],
      next === 'GET' && method !== 'GET' ? undefined : 'text/plain',
    )
    assert.equal(requests[1]!.headers['x-own'], '1')
  })

test('redirects are not followed unless asked for, and never in a circle', async (t) => {
  const { origin, requests } = await receiver(t, (_, reply) =>
    reply.writeHead(302, { location: '/again' }).end(),
  )
  assert.equal((await sender(t)({ url: origin })).status, 302)
  const failure = await failureOf(sender(t)({ url: origin, followRedirects: 4 }))
  assert.equal(failure.code, 'receiver.redirect')
  assert.match(failure.message, /more than 4 times/)
  assert.equal(requests.length, 1 + 5)
})

test('within its origin a redirect keeps the credential', async (t) => {
  const { origin, requests } = await receiver(t, (request, reply) => {
    if (request.url!.startsWith('/a')) reply.writeHead(307, { location: '/b' })
    reply.end()
  })
  const credential = testCredential(origin, [new TestGrant('T1')], {
    apiHeaders: ['x-tenant', 'acme'],
    apiQuery: 'client=1',
  })
  await sender(t)({ url: 'a', followRedirects: 1 }, credential)
  assert.deepEqual(
    requests.map(({ line }) => line),
    ['GET /a?client=1', 'GET /b?client=1'],
  )
  assert.equal(requests[1]!.headers.authorization, 'Bearer T1')
  assert.equal(requests[1]!.headers['x-tenant'], 'acme')
})

test('a redirect to another origin loses the credential and all that belongs to it, also on the way back', async (t) => {
  const home = await receiver(t, (request, reply) => {
    if (request.url!.startsWith('/a')) reply.writeHead(307, { location: `${foreign.origin}/evil` })
    reply.end()
  })
  const foreign = await receiver(t, (_, reply) =>
    reply.writeHead(307, { location: `${home.origin}/back` }).end(),
  )
  const credential = testCredential(home.origin, [new TestGrant('T1', { query: 'key=K' })], {
    apiHeaders: ['x-tenant', 'acme'],
    apiQuery: 'client=1',
    allows: () => true,
  })
  const run = new TestRun()
  await sender(t)({ url: 'a', followRedirects: 2, headers: ['cookie', 'a=b', 'x-own', '1'] }, credential, run)
  for (const { line, headers } of [foreign.requests[0]!, home.requests[1]!]) {
    assert.match(line, /^GET \/(evil|back)$/)
    assert.deepEqual(
      [headers.authorization, headers['x-tenant'], headers.cookie, headers['x-own']],
      [undefined, undefined, undefined, '1'],
    )
  }
  assert.deepEqual(run.notes, [
    `shop_api ${new URL(home.origin).host}`,
    `- ${new URL(foreign.origin).host}`,
    `- ${new URL(home.origin).host}`,
  ])
})

test('redirects that are not followed: to another scheme, to a user, to nowhere, with a used-up stream', async (t) => {
  let location = ''
  const { origin, requests } = await receiver(t, (_, reply) => reply.writeHead(307, { location }).end())
  for (const [to, message] of [
    ['ftp://x/', /redirected to "ftp:"/],
    ['https://', /no URL/],
    ['http://a:SECRET@x/', /with a user name/],
  ] as const) {
    location = to
    const failure = await failureOf(sender(t)({ url: origin, followRedirects: 1 }))
    assert.equal(failure.code, 'receiver.redirect')
    assert.match(failure.message, message)
    assert.ok(!inspect(failure).includes('SECRET'))
  }
  location = '/b'
  const body = Body.ofStream(Readable.from([Buffer.from('once')]))
  const failure = await failureOf(sender(t)({ url: origin, method: 'POST', followRedirects: 1, body }))
  assert.match(failure.message, /whose body was a stream/)
  assert.equal(requests.length, 4)
})

test('a request with a credential is not redirected from https to http', async (t) => {
  const answers = [{ status: 302, location: 'http://127.0.0.1:1/x' }]
  const world = testWorld(t, {
    dispatcherFor: () =>
      ({
        dispatch(_: object, handler: Record<string, (...given: unknown[]) => void>) {
          const { status, location } = answers.shift()!
          handler['onRequestStart']!({ abort() {} })
          handler['onResponseStart']!({}, status, { location, 'content-length': '0' })
          handler['onResponseEnd']!({}, {})
        },
      }) as never,
  })
  const send = createSend(world, { userAgent: 'x' })
  const request = {
    url: 'a',
    method: 'GET',
    headers: [],
    body: null,
    followRedirects: 5,
    maxResponse: Infinity,
  }
  const credential = testCredential('https://api.example.com', [new TestGrant('T')])
  const failure = await failureOf(send(request, credential, new TestRun()))
  assert.equal(failure.code, 'receiver.redirect')
  assert.match(failure.message, /from https to http/)
})

test('a big answer is a stream body with its length; the same with `collect` is in memory', async (t) => {
  const { origin } = await receiver(t, (_, reply) => reply.end(Buffer.alloc(100_000, 'x')))
  const streamed = await sender(t)({ url: origin })
  assert.deepEqual([streamed.body.isStream, streamed.body.length], [true, 100_000])
  await streamed.body.load(100_000)
  assert.equal(streamed.body.text().length, 100_000)
  assert.equal((await sender(t)({ url: origin, collect: Infinity })).body.isStream, false)
})
