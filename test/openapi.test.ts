import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { openApiDocument, type DescribedEndpoint } from '../src/reference/openapi.ts'
import { sluice } from './support/command-line.ts'
import { call } from './support/http.ts'
import { projectFolder } from './support/project.ts'
import { basic, startManaged } from './support/management.ts'

const FLOWS = {
  'flows/shop/orders.yaml': `description: Takes an order.
steps:
  - endpoint:
      path: /orders/{id}
      method: [POST, PUT]
      access: { roles: [orders.write, shop], all: true }
      body:
        schema:
          type: object
          required: [qty]
          properties: { qty: { $ref: "#/$defs/qty" } }
          $defs: { qty: { type: integer } }
          examples: [{ qty: 3 }]
  - respond: { status: 202 }
`,
  'flows/order.yaml': `steps:
  - endpoint: { path: "/orders/{key}", method: GET, access: [orders.read, shop] }
  - log: read
`,
  'flows/files.yaml': `steps:
  - endpoint: { path: "/files/{rest}/*", method: [GET, DELETE], access: public }
  - log: files
`,
  'flows/off.yaml': `enabled: false
steps:
  - endpoint: { path: /off, access: public }
  - log: off
`,
  'flows/tick.yaml': `steps:
  - timer: { every: 1h }
  - log: tick
`,
}

async function assertValid(document: object): Promise<any> {
  const validator = new Validator()
  const { valid, errors } = await validator.validate(structuredClone(document) as Record<string, unknown>)
  assert.ok(valid, JSON.stringify(errors))
  assert.equal(validator.version, '3.1')
  return document
}

test('the endpoints of a project are valid OpenAPI 3.1, from the files and from the engine', async (t) => {
  const { app, url } = await startManaged(t, FLOWS, {
    environment: { SLUICE_OPENAPI: 'true' },
  })
  const served = await call(`${url}/openapi.json`)
  assert.equal(served.headers['content-type'], 'application/json')
  const document = await assertValid(served.json())
  const management = app.control.status().management!
  assert.deepEqual((await call(`${management}/openapi.json`, { headers: basic('viewer') })).json(), document)
  assert.equal((await call(`${url}/openapi.json`, { method: 'POST' })).status, 405)
  assert.equal((await call(`${url}/openapi.json`, { method: 'HEAD' })).text, '')
  for (const [at, headers] of [
    [url, {}],
    [management, basic('viewer')],
  ] as const) {
    const page = await call(`${at}/openapi`, { headers })
    assert.equal(page.headers['content-type'], 'text/html; charset=utf-8')
    assert.match(String(page.headers['content-security-policy']), /^default-src 'none'; style-src 'sha256-/)
    assert.match(page.text, /\/orders\/\{key\}/)
    assert.equal(page.text.includes('href="/api"'), at === management)
  }
  assert.equal((await call(`${url}/openapi`, { method: 'POST' })).status, 405)

  const folder = projectFolder(t, FLOWS)
  const printed = await sluice(t, ['openapi', '--url', `${url}/`], {}, { folder })
  assert.deepEqual([printed.code, JSON.parse(printed.stdout)], [0, document])
  await sluice(t, ['openapi', '--url', url, '--out', 'api.json'], {}, { folder })
  assert.deepEqual(JSON.parse(await readFile(join(folder, 'api.json'), 'utf8')), document)

  assert.deepEqual(document.servers, [{ url: `${url}/http` }])
  assert.deepEqual(Object.keys(document.paths).toSorted(), ['/files/{rest}/{rest_}', '/orders/{key}'])
  const { get, post, put } = document.paths['/orders/{key}']
  assert.deepEqual(get.security, [
    { oauth2: ['orders.read'] },
    { oauth2: ['shop'] },
    { basic: ['orders.read'] },
    { basic: ['shop'] },
  ])
  assert.deepEqual(post.security, [{ oauth2: ['orders.write', 'shop'] }, { basic: ['orders.write', 'shop'] }])
  assert.deepEqual([post.operationId, put.operationId], ['shop/orders.post', 'shop/orders.put'])
  assert.equal(post.summary, 'Takes an order.')
  assert.deepEqual(
    post.parameters.map(({ name }: { name: string }) => name),
    ['key'],
  )
  assert.deepEqual(
    Object.keys(post.responses).map(Number),
    [200, 202, 204, 400, 401, 403, 408, 413, 415, 429, 500, 502, 503, 504],
  )
  assert.deepEqual(post.requestBody.content['application/json'], {
    schema: { $ref: '#/components/schemas/shop.orders' },
    examples: { 'example-1': { value: { qty: 3 } } },
  })
  assert.equal(
    document.components.schemas['shop.orders'].properties.qty.$ref,
    '#/components/schemas/shop.orders/$defs/qty',
  )
  const { clientCredentials } = document.components.securitySchemes.oauth2.flows
  assert.equal(clientCredentials.tokenUrl, `${url}/oauth2/token`)
  assert.deepEqual(Object.keys(clientCredentials.scopes), ['orders.read', 'orders.write', 'shop'])
  const files = document.paths['/files/{rest}/{rest_}']
  assert.deepEqual(files.get.security, [])
  assert.equal(files.get.requestBody, undefined)
  assert.deepEqual(Object.keys(files.delete.requestBody.content), ['*/*'])
  assert.equal(files.get.responses[401], undefined)
})

test('the ways into an endpoint are those that it names', async (t) => {
  const endpoint = (path: string, access: string) =>
    `steps:\n  - endpoint: { path: ${path}, method: GET, access: ${access} }\n  - log: fine\n`
  const folder = projectFolder(t, {
    'flows/a.yaml': endpoint('/a', '{ role: shop, scheme: [certificate, apiKey] }'),
    'flows/b.yaml': endpoint('/b', '{ role: shop, scheme: oauth2 }'),
  })
  const { paths, components } = await assertValid(
    JSON.parse((await sluice(t, ['openapi'], {}, { folder })).stdout),
  )
  assert.deepEqual(paths['/a'].get.security, [{ apiKey: ['shop'] }, { certificate: ['shop'] }])
  assert.deepEqual(paths['/b'].get.security, [{ oauth2: ['shop'] }])
  assert.deepEqual(Object.keys(components.securitySchemes), ['oauth2', 'apiKey', 'certificate'])
  assert.equal(components.securitySchemes.certificate.type, 'mutualTLS')
  const shown = await sluice(t, ['flow', 'show', 'a'], {}, { folder })
  assert.match(shown.stdout, /clients with the role "shop", by an API key or a certificate only/)
  assert.match(shown.stdout, /-H "x-api-key: \$API_KEY"/)
  assert.doesNotMatch(shown.stdout, /oauth2\/token/)
})

test('no two operations have the same id', async (t) => {
  const flow = (path: string, methods: string) =>
    `steps:\n  - endpoint: { path: ${path}, method: ${methods}, access: public }\n  - log: x\n`
  const folder = projectFolder(t, {
    'flows/x.yaml': flow('/x', '[GET, POST]'),
    'flows/x-get.yaml': flow('/y', 'GET'),
    'flows/x/get.yaml': flow('/z', 'GET'),
  })
  const { stdout } = await sluice(t, ['openapi'], {}, { folder })
  const { paths } = await assertValid(JSON.parse(stdout))
  const ids = Object.values<Record<string, { operationId: string }>>(paths).flatMap((item) =>
    Object.values(item).map(({ operationId }) => operationId),
  )
  assert.deepEqual(ids.toSorted(), ['x-get', 'x.get', 'x.post', 'x/get'])
})

test('nobody is told on the listener of the endpoints unless the setting says so; a reload tells the new', async (t) => {
  const closed = await startManaged(t, FLOWS)
  assert.equal((await call(`${closed.url}/openapi.json`)).status, 404)
  assert.equal((await call(`${closed.url}/openapi`)).status, 404)
  const { writeFile } = await import('node:fs/promises')
  await writeFile(join(closed.folder, 'flows/off.yaml'), FLOWS['flows/off.yaml'].replace('false', 'true'))
  const before = (await closed.ask('viewer', 'GET', '/openapi.json')).json()
  await closed.app.control.reload()
  const after = (await closed.ask('viewer', 'GET', '/openapi.json')).json()
  assert.deepEqual([before.paths['/off'], typeof after.paths['/off']], [undefined, 'object'])
  assert.notEqual(before.info.version, after.info.version)
})

test('an engine without endpoints has a valid description, too', async () => {
  await assertValid(openApiDocument({ url: 'https://a.example', tokenPath: '/t', version: '1' }, []))
  const endpoint: DescribedEndpoint = {
    flow: 'a',
    description: undefined,
    route: { path: '/', methods: ['HEAD', 'OPTIONS', 'PATCH'], access: 'public', limited: true },
    replies: [304],
  }
  await assertValid(openApiDocument({ url: '', tokenPath: '/t', version: '1' }, [endpoint]))
})

test('flows that have mistakes are left out, and that is told', async (t) => {
  const folder = projectFolder(t, { ...FLOWS, 'flows/bad.yaml': 'steps:\n  - endpoint: { path: bad }\n' })
  const { code, stdout, stderr } = await sluice(t, ['openapi'], {}, { folder })
  assert.equal(code, 1)
  assert.ok(!stdout.includes('bad'))
  assert.match(stderr, /left out/)
  assert.equal((await sluice(t, ['openapi', '--url', 'x'], {}, { folder })).code, 2)
})
