import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { PagedDocument } from '../../src/reference/openapi-page/document.ts'
import { openApiPage } from '../../src/reference/openapi-page/page.ts'

const NASTY = `</style><script>alert("x")</script><img src=x onerror='alert(1)'> & "more"`

function documentOf(own: Partial<PagedDocument['paths'][string][string]> = {}): PagedDocument {
  return {
    info: { title: 'Endpoints', version: '1' },
    servers: [{ url: 'https://flows.example.com/http' }],
    paths: {
      '/orders/{id}': {
        post: {
          operationId: 'orders',
          summary: 'Takes an order',
          parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
          requestBody: {
            required: true,
            content: {
              'application/json': {
                schema: { $ref: '#/components/schemas/order' },
                examples: { one: { value: { qty: 2, note: "it's" } } },
              },
            },
          },
          responses: { 200: { description: 'Done.' }, 403: { description: 'The role is missing.' } },
          security: [{ oauth2: ['orders.write'] }, { oauth2: ['orders.admin'] }, { basic: [] }],
          ...own,
        },
      },
    },
    components: {
      schemas: {
        order: {
          type: 'object',
          required: ['qty'],
          properties: {
            qty: { type: 'integer', minimum: 1, description: 'How many.' },
            items: { type: 'array', items: { $ref: '#/components/schemas/order' } },
          },
        },
      },
      securitySchemes: {
        oauth2: {
          type: 'oauth2',
          flows: { clientCredentials: { tokenUrl: 'https://flows.example.com/oauth2/token' } },
        },
      },
    },
  }
}

/** What a browser shows of it, about. */
const textOf = (page: string) =>
  page
    .replace(/<style>[^]*?<\/style>/, '')
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replaceAll(/\s+/g, ' ')

test('an endpoint is told with who may call, what it takes, how to call it and what comes back', () => {
  const text = textOf(openApiPage(documentOf(), [{ text: 'JSON', href: '/openapi.json' }]).text)
  for (const part of [
    'POST /orders/{id}',
    'Takes an order',
    'Who may call: clients with the role orders.write or orders.admin',
    'id path: string',
    'Body, required',
    'qty integer required minimum 1',
    'How many.',
    'items list of object',
    '"qty": 2',
    `curl -s -X POST -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' -d '{"qty":2,"note":"it'\\''s"}' https://flows.example.com/http/orders/ID`,
    '403 The role is missing.',
    'curl -s -u CLIENT -d grant_type=client_credentials https://flows.example.com/oauth2/token',
  ])
    assert.ok(text.includes(part), `${part}\n${text}`)
})

/** The page of one endpoint whose body has this schema. */
function pageOfSchema(order: PagedSchema, others: Record<string, PagedSchema> = {}): string {
  const document = documentOf()
  return openApiPage({ ...document, components: { schemas: { order, ...others } } }, []).text
}

type PagedSchema = NonNullable<PagedDocument['components']['schemas']>[string]

test('a schema that is in itself again and again is shown once, and named where it comes again', () => {
  const $ref = '#/components/schemas/order'
  const properties = Object.fromEntries(
    Array.from({ length: 8 }, (_, i) => [
      `part${i}`,
      i % 2 === 0 ? { $ref } : { type: 'array', items: { $ref } },
    ]),
  )
  const text = pageOfSchema({ type: 'object', properties })
  assert.ok(text.length < 20_000, `${text.length} characters`)
  assert.equal(textOf(text).match(/as order above/g)!.length, 8)
  const { length } = pageOfSchema({ type: 'array', items: { $ref } })
  assert.ok(length < 20_000)
  const choices = Array.from({ length: 8 }, () => ({ $ref }))
  assert.ok(pageOfSchema({ anyOf: choices }).length < 20_000)
})

test('a page shows some thousand keys at the most, and says so', () => {
  const many = (count: number, of: PagedSchema) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`key${i}`, of]))
  const wide = {
    type: 'object',
    properties: many(100, { type: 'object', properties: many(100, { type: 'string' }) }),
  }
  const text = pageOfSchema(wide)
  assert.equal(text.match(/<li>\s*<code>/g)!.length, 3000)
  assert.match(textOf(text), /more: the page is full, the JSON has them/)
})

test('references lead to what they point at, also inside of a component', () => {
  const text = textOf(
    pageOfSchema({
      type: 'object',
      properties: {
        to: { $ref: '#/components/schemas/order/$defs/post~1address' },
        lost: { $ref: '#/components/schemas/order/$defs/nothing' },
        broken: { $ref: '#/components/schemas/%E0%A4%A' },
      },
      $defs: { 'post/address': { type: 'object', properties: { street: { type: 'string', maxLength: 7 } } } },
    }),
  )
  for (const part of ['to object', 'street string maxLength 7', 'lost anything', 'broken anything'])
    assert.ok(text.includes(part), `${part}\n${text}`)
})

test('words between backticks are code, and stay text', () => {
  const { text } = openApiPage(documentOf({ description: 'a `<b>` and `x' }), [])
  assert.match(text, /a <code>&#60;b&#62;<\/code> and `x/)
})

test('open and signed endpoints say so, and an engine without endpoints has a page', () => {
  assert.match(textOf(openApiPage(documentOf({ security: [] }), []).text), /Who may call: everybody/)
  assert.match(
    textOf(openApiPage(documentOf({ security: [{ signature: [] }] }), []).text),
    /whoever signs the body/,
  )
  const both = documentOf({ security: [{ oauth2: ['a', 'b'] }, { basic: [] }] })
  assert.match(textOf(openApiPage(both, []).text), /the role a and b/)
  assert.match(textOf(openApiPage({ ...documentOf(), paths: {} }, []).text), /There are none yet/)
})

test('endpoints that take other ways than tokens are told with their roles and how to call them', () => {
  const of = (...security: Record<string, string[]>[]) =>
    textOf(openApiPage(documentOf({ security }), []).text)
  const key = of({ apiKey: ['shop'] }, { certificate: ['shop'] })
  assert.match(key, /clients with the role shop, by an API key or a certificate/)
  assert.match(key, /-H "x-api-key: \$API_KEY"/)
  assert.match(of({ certificate: ['shop'] }), /curl -s -X POST --cert client.pem --key client.key/)
  assert.match(of({ basic: ['shop'] }), /-u 'CLIENT'/)
  assert.match(of({ basic: ['shop'] }, { oauth2: ['shop'] }), /Basic work without a token, too/)
  assert.doesNotMatch(of({ oauth2: ['shop'] }), /by Basic work/)
})

test('whatever a document says is text', () => {
  const nasty: PagedDocument = {
    info: { title: NASTY, description: NASTY, version: NASTY },
    servers: [{ url: NASTY }],
    paths: {
      [NASTY]: {
        [NASTY]: {
          operationId: NASTY,
          summary: NASTY,
          description: `other ${NASTY}`,
          tags: [NASTY],
          parameters: [{ name: NASTY, in: NASTY, description: NASTY, schema: { type: NASTY } }],
          requestBody: {
            content: {
              [NASTY]: {
                schema: {
                  type: 'object',
                  description: NASTY,
                  properties: { [NASTY]: { enum: [NASTY], default: NASTY, pattern: NASTY } },
                },
                examples: { one: { value: NASTY } },
              },
            },
          },
          responses: { [NASTY]: { description: NASTY, content: { [NASTY]: { schema: { const: NASTY } } } } },
          security: [{ oauth2: [NASTY] }],
        },
      },
    },
    components: {
      securitySchemes: { oauth2: { type: 'oauth2', flows: { clientCredentials: { tokenUrl: NASTY } } } },
    },
  }
  const { text } = openApiPage(nasty, [{ text: NASTY, href: NASTY }])
  assert.doesNotMatch(text, /<script|<img|onerror='/)
  assert.equal(text.match(/<\/style>/g)!.length, 1)
  const tags = new Set([...text.matchAll(/<\/?([a-z0-9!]+)/gi)].map(([, name]) => name!.toLowerCase()))
  for (const tag of tags)
    assert.ok(
      /^(!doctype|html|head|meta|title|style|body|header|nav|h[1-4]|p|a|b|i|ul|li|dl|dt|dd|pre|code|span|article|details|summary)$/.test(
        tag,
      ),
      tag,
    )
  for (const [, value] of text.matchAll(/ (?:class|href|id)="([^"]*)"/g)) assert.doesNotMatch(value!, /[<>]/)
})

test('a browser may use its one style and nothing else', () => {
  const { text, contentSecurityPolicy } = openApiPage(documentOf(), [])
  const style = /<style>([^]*?)<\/style>/.exec(text)![1]!
  const hash = createHash('sha256').update(style).digest('base64')
  assert.equal(
    contentSecurityPolicy,
    `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  )
  assert.doesNotMatch(text, / style=|<script|<link|src=|url\(/)
})

test('schemas that refer to themselves, are true or false, or point nowhere, end', () => {
  const schemas = [
    true,
    false,
    { $ref: '#/components/schemas/order' },
    { $ref: '#/components/schemas/missing' },
    { $ref: '#/$defs/other' },
    { anyOf: [{ type: 'string' }, { const: 1 }, { type: ['null', 'boolean'] }] },
    { type: 'array' },
    { type: 'object', additionalProperties: { type: 'number' } },
  ]
  for (const schema of schemas) {
    const page = openApiPage(documentOf({ requestBody: { content: { 'application/json': { schema } } } }), [])
    assert.ok(page.text.length < 100_000)
  }
})
