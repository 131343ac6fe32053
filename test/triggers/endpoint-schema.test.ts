import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, rawCall } from '../support/http.ts'
import { startProject } from '../support/project.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const SCHEMA = `{
\t"type": "object",
\t"required": ["id"],
\t"properties": { "id": { "type": "string" }, "qty": { "type": "integer" } }
}`
const flow = (schema: string, more = '') => `steps:
  - endpoint:
      path: /orders
      method: [POST, DELETE]
      access: public
      body: { ${more}schema: ${schema} }
  - set: { body: { got: "\${body.id}" } }
`

test('what fits runs; what does not is 400 with the place, and no run', async (t) => {
  const project = await startProject(t, {
    'flows/orders.yaml': flow('schemas/order.json', 'limit: 200KB, '),
    'schemas/order.json': SCHEMA,
  })
  const orders = `${project.url}/http/orders`
  const send = (body: string, headers: Record<string, string> = JSON_TYPE) =>
    call(orders, { method: 'POST', headers, body })
  assert.deepEqual((await send('{"id":"a"}')).json(), { got: 'a' })
  const refused = await send('{"id":"a","qty":"SECRET"}')
  assert.equal(refused.headers['content-type'], 'application/problem+json')
  assert.deepEqual(refused.json(), {
    title: 'The body does not fit the schema',
    status: 400,
    detail: '"#/qty" must be integer',
    code: 'body.schema',
    errors: [{ pointer: '#/qty', detail: 'must be integer' }],
  })
  const large = 'x'.repeat(100 * 1024)
  assert.deepEqual((await send(`{"id":"${large}"}`)).json(), { got: large })
  assert.equal((await send(`{"id":1,"a":"${large}"}`)).status, 400)
  assert.equal((await send(`{"id":"${'x'.repeat(300 * 1024)}"}`)).status, 413)
  assert.equal((await send('{"id":"a"}', { 'content-type': 'application/vnd.shop+json' })).status, 200)
  assert.equal((await send('<id/>', { 'content-type': 'application/xml' })).status, 415)
  assert.equal((await send('', JSON_TYPE)).json().detail, 'the body is empty')
  assert.equal((await call(orders, { method: 'DELETE' })).status, 200)
  const chunked = await rawCall(
    orders,
    `POST /http/orders HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n8\r\n{"id":1}\r\n0\r\n\r\n`,
  )
  assert.match(chunked, /^HTTP\/1\.1 400 [^]*"pointer":"#\/id"/)
})

test('a changed schema file takes effect with a reload', async (t) => {
  const { writeFile } = await import('node:fs/promises')
  const project = await startProject(t, {
    'flows/orders.yaml': flow('schemas/order.json'),
    'schemas/order.json': SCHEMA,
  })
  await writeFile(`${project.folder}/schemas/order.json`, SCHEMA.replace('"id"]', '"id", "qty"]'))
  await project.app.control.reload()
  const got = await call(`${project.url}/http/orders`, {
    method: 'POST',
    headers: JSON_TYPE,
    body: '{"id":"a"}',
  })
  assert.equal(got.json().detail, '"#/qty" is missing')
})
