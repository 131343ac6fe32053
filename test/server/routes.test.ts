import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { parsePath, routeKey } from '../../src/core/route.ts'
import type { RouteRequest } from '../../src/core/services.ts'
import type { RouteTable } from '../../src/server/routes.ts'
import { call } from '../support/http.ts'
import { startServer } from './start-server.ts'

function told(name: string) {
  return ({ params, query, path, ...request }: RouteRequest) =>
    void (request.reply.setHeader('x-path', path), request.reply.end(JSON.stringify({ name, params, query })))
}

function serve(routes: RouteTable, path: string, ...methods: string[]): () => void {
  return routes.serve({ path, methods: methods.length === 0 ? ['GET'] : methods }, path, told(path))
}

async function found(t: TestContext, paths: string[], asked: string): Promise<unknown> {
  const { routes, url } = await startServer(t)
  for (const path of paths) serve(routes, path)
  const got = await call(`${url}/http${asked}`)
  return got.status === 200 ? [got.json().name, got.json().params] : got.status
}

test('text goes before parameters, parameters before the rest, whatever the order they came in', async (t) => {
  const paths = ['/*', '/orders/*', '/orders/{id}', '/orders/new', '/orders/{id}/items/{item}']
  assert.deepEqual(await found(t, paths, '/orders/new'), ['/orders/new', {}])
  assert.deepEqual(await found(t, paths, '/orders/7'), ['/orders/{id}', { id: '7' }])
  assert.deepEqual(await found(t, paths, '/orders/7/items/a'), [
    '/orders/{id}/items/{item}',
    { id: '7', item: 'a' },
  ])
  assert.deepEqual(await found(t, paths, '/orders/7/other/a'), ['/orders/*', { '*': '7/other/a' }])
  assert.deepEqual(await found(t, paths, '/orders'), ['/*', { '*': 'orders' }])
  assert.deepEqual(await found(t, paths.toReversed(), '/orders/new'), ['/orders/new', {}])
})

test('a path is matched whole: no more, no fewer segments, no empty parameter', async (t) => {
  const paths = ['/a', '/a/{x}/c', '/files/*']
  assert.equal(await found(t, paths, '/a/'), 404)
  assert.equal(await found(t, paths, '/a/b'), 404)
  assert.equal(await found(t, paths, '/a//c'), 404)
  assert.equal(await found(t, paths, '/files'), 404)
  assert.deepEqual(await found(t, paths, '/files/'), ['/files/*', { '*': '' }])
  assert.equal(await found(t, paths, '/A'), 404)
})

test('parameters are decoded; what is not encoded correctly is 400', async (t) => {
  const paths = ['/orders/{id}', '/größe', '/files/*']
  assert.deepEqual(await found(t, paths, '/orders/a%2Fb%20c%C3%A9'), ['/orders/{id}', { id: 'a/b cé' }])
  assert.deepEqual(await found(t, paths, '/gr%C3%B6%C3%9Fe'), ['/größe', {}])
  assert.deepEqual(await found(t, paths, '/files/a%20b/c'), ['/files/*', { '*': 'a b/c' }])
  assert.equal(await found(t, paths, '/orders/%zz'), 400)
  assert.equal(await found(t, paths, '/orders/%ff'), 400)
  assert.deepEqual(await found(t, ['/{__proto__}'], '/x'), ['/{__proto__}', JSON.parse('{"__proto__":"x"}')])
})

test('path and query are handed on as they were called', async (t) => {
  const { routes, url } = await startServer(t)
  serve(routes, '/a/{b}')
  const got = await call(`${url}/http/a/%41?x=1&y=%20?z`)
  assert.equal(got.headers['x-path'], '/a/%41')
  assert.equal(got.json().query, 'x=1&y=%20?z')
})

test('an unknown path is 404, an unknown method 405 with Allow over all routes that match', async (t) => {
  const { routes, url } = await startServer(t)
  serve(routes, '/orders/{id}', 'GET', 'DELETE')
  serve(routes, '/orders/new', 'POST')
  const missing = await call(`${url}/http/nothing`)
  assert.equal(missing.status, 404)
  assert.equal(missing.headers['content-type'], 'application/problem+json')
  const wrong = await call(`${url}/http/orders/new`, { method: 'PUT' })
  assert.equal(wrong.status, 405)
  assert.equal(wrong.headers.allow, 'DELETE, GET, HEAD, OPTIONS, POST')
  assert.equal(wrong.json().status, 405)
})

test('a method that a better path does not serve goes to the next path that does', async (t) => {
  const { routes, url } = await startServer(t)
  serve(routes, '/orders/{id}', 'GET')
  serve(routes, '/orders/new', 'POST')
  assert.deepEqual((await call(`${url}/http/orders/new`)).json(), {
    name: '/orders/{id}',
    params: { id: 'new' },
    query: '',
  })
})

test('OPTIONS says what is allowed, HEAD goes where GET goes', async (t) => {
  const { routes, url } = await startServer(t)
  serve(routes, '/a', 'GET', 'POST')
  const options = await call(`${url}/http/a`, { method: 'OPTIONS' })
  assert.deepEqual(
    [options.status, options.headers.allow, options.text],
    [204, 'GET, HEAD, OPTIONS, POST', ''],
  )
  assert.equal((await call(`${url}/http/nothing`, { method: 'OPTIONS' })).status, 404)
  const head = await call(`${url}/http/a`, { method: 'HEAD' })
  assert.deepEqual([head.status, head.headers['x-path'], head.text], [200, '/a', ''])
  serve(routes, '/own', 'OPTIONS')
  assert.equal((await call(`${url}/http/own`, { method: 'OPTIONS' })).json().name, '/own')
})

test('serving again replaces what the owner served, elsewhere too; taking away an old one changes nothing', async (t) => {
  const { routes, url } = await startServer(t)
  const removeOld = routes.serve({ path: '/old', methods: ['GET'] }, 'flow', told('first'))
  const removeNew = routes.serve({ path: '/new', methods: ['GET'] }, 'flow', told('second'))
  assert.equal((await call(`${url}/http/old`)).status, 404)
  removeOld()
  assert.equal((await call(`${url}/http/new`)).json().name, 'second')
  removeNew()
  assert.equal((await call(`${url}/http/new`)).status, 404)
})

test('a path that is taken goes to the next owner when the first lets it go, and survives its redeployment', async (t) => {
  const { routes, url } = await startServer(t)
  const route = { path: '/a', methods: ['GET'] }
  const name = async () => (await call(`${url}/http/a`)).json().name
  routes.serve(route, 'one', told('one'))
  routes.serve(route, 'two', told('two'))
  assert.equal(await name(), 'one')
  const remove = routes.serve(route, 'one', told('one again'))
  assert.equal(await name(), 'one again')
  remove()
  assert.equal(await name(), 'two')
})

test('the same path under other parameter names is one key, another precedence is another', () => {
  assert.equal(routeKey('/a/{x}'), routeKey('/a/{y}'))
  assert.equal(routeKey('/a/*'), routeKey('/a/*'))
  assert.equal(routeKey('/%61'), routeKey('/a'))
  assert.notEqual(routeKey('/a/{x}'), routeKey('/a/b'))
  assert.notEqual(routeKey('/a/{x}'), routeKey('/a/*'))
})

test('mistakes in a path are named with their place in it', () => {
  const mistakes: [path: string, message: RegExp, offset: number, length: number][] = [
    ['orders', /does not begin with a slash/, 0, 6],
    ['', /does not begin with a slash/, 0, 0],
    ['/a//b', /two slashes/, 2, 2],
    ['/a/*/b', /only at the end/, 3, 1],
    ['/a*', /whole segment/, 1, 2],
    ['/{id}/{id}', /parameter "id" twice/, 6, 4],
    ['/{}', /not a parameter/, 1, 2],
    ['/{a b}', /not a parameter/, 1, 5],
    ['/a{id}', /whole segment/, 1, 5],
    ['/a?x=1', /no query/, 1, 5],
    ['/a#b', /"#" cannot stand/, 1, 3],
    ['/a b', /" " cannot stand/, 1, 3],
    ['/50%', /"%" cannot stand/, 1, 3],
    ['/%ff', /is not UTF-8/, 1, 3],
  ]
  for (const [path, message, offset, length] of mistakes) {
    const parsed = parsePath(path)
    assert.ok('message' in parsed, path)
    assert.match(parsed.message, message)
    assert.deepEqual([parsed.offset, parsed.length], [offset, length], path)
  }
  for (const path of ['/', '/a', '/a/', '/{id}', '/*', '/a/{id}/*', '/größe', '/a%20b', "/v1/Orders('x')"])
    assert.ok(Array.isArray(parsePath(path)), path)
})
