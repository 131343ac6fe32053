import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { Body } from '../../src/core/body.ts'
import { Failure } from '../../src/core/failure.ts'
import { endpoint } from '../../src/triggers/endpoint.ts'
import { call } from '../support/http.ts'
import { host, prepare } from './deployment.ts'
import { echo, serve } from './serve-endpoint.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

test('the body of a request is the message, and comes back with its content type and the run id', async (t) => {
  const flow = echo()
  const { orders } = await serve(t, flow)
  const got = await call(orders, { method: 'POST', headers: JSON_TYPE, body: '{"a":1}' })
  assert.deepEqual([got.status, got.text], [200, '{"a":1}'])
  assert.equal(got.headers['content-type'], 'application/json')
  assert.equal(got.headers['content-length'], '7')
  assert.equal(got.headers['sluice-run'], 'run-1')
  assert.deepEqual(flow.requests[0]!.message.headers, Object.create(null))
})

test('the flow sees method, path, parameters, query and headers of the request, without its credentials', async (t) => {
  const seen: unknown[] = []
  const flow = host((message, { trigger }) => {
    assert.equal(trigger.data, trigger.data)
    seen.push(trigger.data)
    message.body = Body.empty()
  })
  const { url } = await serve(t, flow, { path: '/orders/{id}/*', method: ['PUT', 'GET'] })
  await call(`${url}/http/orders/4%202/a/b?x=1&x=%C3%A9&y=a+b&z&x=3&%zz=%zz`, {
    method: 'PUT',
    headers: {
      Authorization: 'Bearer secret',
      Cookie: 'a=b',
      'Proxy-Authorization': 'Basic x',
      'X-Own': 'yes',
      Host: 'example.com',
    },
  })
  assert.deepEqual(seen, [
    {
      method: 'PUT',
      path: '/orders/4%202/a/b',
      params: { id: '4 2', '*': 'a/b' },
      query: { x: ['1', 'é', '3'], y: 'a b', z: '', '%zz': '%zz' },
      headers: { host: 'example.com', 'x-own': 'yes', connection: 'close', 'content-length': '0' },
      caller: { id: null, roles: [] },
    },
  ])
})

test('a well-formed correlation id and traceparent go on; others do not', async (t) => {
  const flow = echo()
  const { orders } = await serve(t, flow)
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const send = async (headers: Record<string, string>) => {
    await call(orders, { method: 'POST', headers })
    const { correlationId, traceparent } = flow.requests.at(-1)!
    return [correlationId, traceparent]
  }
  assert.deepEqual(await send({ 'x-correlation-id': 'order-42', traceparent: trace }), ['order-42', trace])
  assert.deepEqual(await send({ 'x-correlation-id': 'a b', traceparent: trace.toUpperCase() }), [
    undefined,
    undefined,
  ])
  assert.deepEqual(
    await send({ 'x-correlation-id': 'x'.repeat(129), traceparent: trace.replace(/^00/, 'ff') }),
    [undefined, undefined],
  )
  assert.deepEqual(await send({ traceparent: `00-${'0'.repeat(32)}-b7ad6b7169203331-01` }), [
    undefined,
    undefined,
  ])
  assert.deepEqual(await send({}), [undefined, undefined])
})

test('a body that is passed on as it came keeps its encoding', async (t) => {
  const flow = host((message) => message.setHeader('content-encoding', 'gzip'))
  const { orders } = await serve(t, flow)
  for (const size of [10, 200_000]) {
    const body = gzipSync(randomBytes(size))
    const got = await call(orders, { method: 'POST', body, headers: { 'content-encoding': 'gzip' } })
    assert.equal(got.headers['content-encoding'], 'gzip')
    assert.deepEqual(got.body, body)
  }
})

test('the reply has the status, headers and content type of the message; 204 when there is nothing in it', async (t) => {
  const flow = host((message) => {
    message.body = Body.ofText('grüße')
    message.replyStatus = 201
    message.setHeader('location', '/orders/1')
    for (const name of [
      'connection',
      'content-length',
      'transfer-encoding',
      'set-cookie',
      'server',
      'authorization',
      'sluice-run',
      'keep-alive',
      'upgrade',
      'strict-transport-security',
      'proxy-authenticate',
      'via',
      'alt-svc',
      'date',
      'content-encoding',
    ])
      message.setHeader(name, '1')
  })
  const { orders } = await serve(t, flow)
  const { status, headers, text } = await call(orders, { method: 'POST' })
  assert.notEqual(headers.date, '1')
  delete headers.date
  assert.deepEqual(
    { status, text, headers },
    {
      status: 201,
      text: 'grüße',
      headers: {
        'content-type': 'text/plain; charset=utf-8',
        'content-length': '7',
        location: '/orders/1',
        'x-content-type-options': 'nosniff',
        'sluice-run': 'run-1',
        connection: 'close',
      },
    },
  )
  const { orders: empty } = await serve(
    t,
    host((message) => void (message.body = Body.empty('text/plain'))),
  )
  const nothing = await call(empty, { method: 'POST', body: 'x' })
  assert.deepEqual(
    [nothing.status, nothing.text, nothing.headers['content-type'], nothing.headers['content-length']],
    [204, '', undefined, undefined],
  )
})

test('HEAD gets what GET gets, without the body; other methods get 405', async (t) => {
  const { orders } = await serve(
    t,
    host((message) => void (message.body = Body.ofJson({ a: 1 }))),
    { method: ['GET'] },
  )
  const head = await call(orders, { method: 'HEAD' })
  assert.deepEqual(
    [head.status, head.headers['content-length'], head.headers['content-type'], head.text],
    [200, '7', 'application/json', ''],
  )
  const post = await call(orders, { method: 'POST', body: 'x' })
  assert.deepEqual([post.status, post.headers.allow], [405, 'GET, HEAD, OPTIONS'])
})

test('HEAD on a reply that is a stream sends its length and lets the stream go', async (t) => {
  const source = new Readable({ read() {} })
  const { orders } = await serve(
    t,
    host((message) => void (message.body = Body.ofStream(source, 'text/csv', 12))),
    { method: ['GET'] },
  )
  const head = await call(orders, { method: 'HEAD' })
  assert.deepEqual(
    [head.status, head.headers['content-length'], head.headers['content-type']],
    [200, '12', 'text/csv'],
  )
  assert.equal(source.destroyed, true)
})

test('a failure is problem+json with code, title and run, and nothing that a receiver said', async (t) => {
  const failure = new Failure('receiver.status', 'the receiver answered 401: inner text', {
    receiver: { status: 401, host: 'a' },
  })
  const { orders } = await serve(
    t,
    host(() => failure),
  )
  const got = await call(orders, { method: 'POST', body: 'x' })
  assert.equal(got.headers['content-type'], 'application/problem+json')
  assert.equal(got.headers['sluice-run'], 'run-1')
  assert.deepEqual(
    [got.status, got.json()],
    [
      502,
      {
        title: 'The receiver answered with an error status',
        status: 502,
        code: 'receiver.status',
        run: 'run-1',
      },
    ],
  )
})

test('what a fail step says reaches the caller; mistakes of the request are explained; 503 says when to come again', async (t) => {
  let failure = new Failure('order.no-id', 'the order has no id', { reply: 422 })
  const { orders } = await serve(
    t,
    host(() => failure),
  )
  const send = () => call(orders, { method: 'POST', body: 'x' })
  assert.deepEqual((await send()).json(), {
    title: 'The flow failed',
    status: 422,
    detail: 'the order has no id',
    code: 'order.no-id',
    run: 'run-1',
  })
  failure = new Failure('body.invalid', 'the body is not JSON: at position 3')
  assert.equal((await send()).json().detail, 'the body is not JSON: at position 3')
  failure = new Failure('engine.fault', 'inner text')
  assert.equal((await send()).json().detail, undefined)
  failure = new Failure('flow.overload', 'too much')
  const busy = await send()
  assert.deepEqual([busy.status, busy.headers['retry-after']], [503, '1'])
})

test('a run without steps that wait is answered without a promise', async (t) => {
  const results: unknown[] = []
  const flow = echo()
  const { process } = flow
  flow.process = (request) => {
    const result = process(request)
    results.push(result)
    return result
  }
  const { orders } = await serve(t, flow)
  assert.equal((await call(orders, { method: 'POST', body: 'x' })).text, 'x')
  assert.equal(results[0] instanceof Promise, false)
})

test('a content type that is not taken is 415, whatever its parameters and case', async (t) => {
  const { orders } = await serve(t, echo(), { body: { contentTypes: ['application/json', 'text/*'] } })
  const send = (type?: string, body: string | undefined = '{}') =>
    call(orders, {
      method: 'POST',
      ...(type === undefined ? {} : { headers: { 'content-type': type } }),
      body,
    })
  assert.equal((await send('Application/JSON; charset=utf-8')).status, 200)
  assert.equal((await send('text/csv')).status, 200)
  const got = await send('application/xml')
  assert.deepEqual([got.status, got.json().code], [415, 'request.type'])
  assert.match(got.json().detail, /"application\/xml"; taken here: application\/json, text\/\*/)
  assert.match((await send()).json().detail, /no content type/)
  assert.equal((await call(orders, { method: 'POST' })).status, 204)
})

test('a reply that cannot be sent is a 500 with the run id, and a warning in the log', async (t) => {
  const { orders, log } = await serve(
    t,
    host((message) => message.setHeader('x-own', 'line\nend')),
  )
  const got = await call(orders, { method: 'POST', body: 'x' })
  assert.deepEqual([got.status, got.json().run], [500, 'run-1'])
  assert.match(log.lines[0]!.text, /reply could not be sent/)
  const used = Body.ofStream(Readable.from(['x']))
  used.take()
  const { orders: second } = await serve(
    t,
    host((message) => void (message.body = used)),
  )
  assert.equal((await call(second, { method: 'POST', body: 'x' })).json().code, 'body.consumed')
})

test('after stop the address is free; a newer version keeps its own', async (t) => {
  const { orders, prepared, routes } = await serve(t, echo())
  const newer = prepare(endpoint, { path: '/orders', access: 'public' }, { routes }).prepared
  newer.start(host((message) => void (message.body = Body.ofText('new'))))
  await prepared.stop()
  assert.equal((await call(orders, { method: 'POST', body: 'x' })).text, 'new')
  await newer.stop()
  assert.equal((await call(orders, { method: 'POST', body: 'x' })).status, 404)
})

test('mistakes are problems: path, access, content types', () => {
  const codes = (options: object) => prepare(endpoint, options).problems.map(({ code, at }) => [code, at])
  assert.deepEqual(codes({ path: '/a', access: 'public' }), [])
  assert.deepEqual(codes({ path: 'a', access: 'public' }), [['endpoint/path', ['path']]])
  assert.deepEqual(codes({ path: '/a' }), [])
  assert.deepEqual(codes({ path: '/a', access: { role: 'x' } }), [])
  assert.deepEqual(codes({ path: '/a', access: { role: 'x y' } }), [['endpoint/access', ['access', 'role']]])
  assert.deepEqual(
    codes({ path: '/a', access: 'public', body: { contentTypes: ['application/json', 'json'] } }),
    [['endpoint/content-type', ['body', 'contentTypes', 1]]],
  )
  const { prepared, problems } = prepare(endpoint, {
    path: '/a/{id}',
    access: 'public',
    method: ['GET', 'PUT', 'GET'],
  })
  assert.deepEqual(problems, [])
  assert.equal(prepared.summary, 'GET, PUT /a/{id}')
  assert.deepEqual(prepared.route, { methods: ['GET', 'PUT'], path: '/a/{id}', access: 'public' })
  const [colon, ...others] = prepare(endpoint, { path: '/a/:id/b:c/{d}', access: 'public' }).problems
  assert.deepEqual([colon!.severity, colon!.offset, colon!.length, others], ['warning', 3, 3, []])
  assert.match(colon!.hint!, /\{id\}/)
  const accessOf = (access?: unknown) => prepare(endpoint, { path: '/a', access }).prepared.route!.access
  assert.deepEqual(accessOf(), { roles: ['ESBMessaging.send'], all: false })
  assert.deepEqual(accessOf({ role: 'x' }), { roles: ['x'], all: false })
  assert.deepEqual(accessOf(['x', 'y', 'x']), { roles: ['x', 'y'], all: false })
  assert.deepEqual(accessOf({ roles: ['x', 'y'], all: true }), { roles: ['x', 'y'], all: true })
})
