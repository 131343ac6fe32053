import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { brotliCompressSync } from 'node:zlib'
import { Body } from '../../src/core/body.ts'
import type { Retry } from '../../src/core/flow.ts'
import { Message } from '../../src/core/message.ts'
import type { CredentialReference } from '../../src/core/services.ts'
import type { World } from '../../src/core/world.ts'
import { LinkedWalk } from '../../src/steps/page-walks.ts'
import { failureOf, receiver, testCredential, TestGrant, TestRun, textOf } from '../net/fixture.ts'
import { ManualClock, settle } from '../support/clock.ts'
import { prepareHttp } from './http-fixture.ts'

class PagedRun extends TestRun {
  readonly lines: string[] = []

  override log(...[level, text]: unknown[]): void {
    if (level !== 'debug') this.lines.push(`${String(level)} ${String(text)}`)
  }
}

interface Setting {
  readonly message?: Message
  readonly run?: TestRun
  readonly credentials?: CredentialReference[]
  readonly retry?: Retry
  readonly world?: Partial<World>
}

/** The message after a step with these options. */
async function run(t: TestContext, yaml: string, setting: Setting = {}): Promise<Message> {
  const { message = new Message(), run = new PagedRun(), ...rest } = setting
  const { step, problems } = await prepareHttp(t, yaml, rest)
  assert.deepEqual(problems, [])
  assert.equal(step.leaves, 'items')
  await step.run(message, run)
  return message
}

async function itemsOf(message: Message): Promise<unknown[]> {
  const items = message.body.takeItems()
  const all: unknown[] = []
  for (let page = await items.next(); page.done !== true; page = await items.next()) all.push(...page.value)
  return all
}

type Answer = { headers?: Record<string, string>; status?: number; body?: unknown }

/** A receiver that answers `METHOD /path?query body` from a table; the origin stands for ORIGIN in it. */
async function answering(t: TestContext, answers: Readonly<Record<string, Answer | unknown[]>>) {
  const { origin, requests } = await receiver(t, (request, reply, sent) => {
    const line = `${request.method === 'GET' ? '' : `${request.method} `}${request.url}${sent === '' ? '' : ` ${sent}`}`
    const found = answers[line]
    if (found === undefined) return reply.writeHead(404).end(`there is no ${line}`)
    const answer = Array.isArray(found) ? { body: found } : found
    const text = answer.body === undefined ? '' : JSON.stringify(answer.body).replaceAll('ORIGIN', origin)
    reply.writeHead(answer.status ?? 200, {
      'content-type': 'application/json',
      ...Object.fromEntries(
        Object.entries(answer.headers ?? {}).map(([name, value]) => [
          name,
          value.replaceAll('ORIGIN', origin),
        ]),
      ),
    })
    reply.end(text)
  })
  return {
    origin,
    lines: () =>
      requests.map(({ line, body }) => `${line.replace(/^GET /, '')}${body === '' ? '' : ` ${body}`}`),
    requests,
  }
}

const forms: [
  name: string,
  yaml: string,
  answers: Readonly<Record<string, Answer | unknown[]>>,
  items: unknown[],
][] = [
  [
    'links of OData: absolute, relative to the page, to the root, of the query alone',
    'url: ORIGIN/v4/Items, query: { $top: 2 }, paginate: { items: body.value, next: "${body[\'@odata.nextLink\']}" }',
    {
      '/v4/Items?$top=2': { body: { value: [1], '@odata.nextLink': 'ORIGIN/v4/Items?$skip=1#x' } },
      '/v4/Items?$skip=1': { body: { value: [2], '@odata.nextLink': 'Items?$skip=2' } },
      '/v4/Items?$skip=2': { body: { value: [], '@odata.nextLink': '/v4/Items?$skip=3' } },
      '/v4/Items?$skip=3': { body: { value: [4], '@odata.nextLink': '?$skip=4' } },
      '/v4/Items?$skip=4': { body: { value: [5] } },
    },
    [1, 2, 4, 5],
  ],
  [
    'an empty text where there is no next page; more says so earlier',
    'url: ORIGIN/a, paginate: { items: body.i, next: body.n, more: body.m }',
    {
      '/a': { body: { i: [1], n: '/b', m: true } },
      '/b': { body: { i: [2], n: '/c', m: false } },
    },
    [1, 2],
  ],
  [
    'the Link header',
    'url: ORIGIN/items, paginate: { items: body, link: true }',
    {
      '/items': {
        body: [1, 2],
        headers: { link: '<ORIGIN/items?p=9>; rel="last", </items?p=2>; rel="next"' },
      },
      '/items?p=2': { body: [3], headers: { link: '<ORIGIN/items>; rel="first"' } },
    },
    [1, 2, 3],
  ],
  [
    'page numbers until an empty page',
    'url: "ORIGIN/items?sort=id", paginate: { items: body, page: { param: page } }',
    { '/items?sort=id&page=1': [1, 2], '/items?sort=id&page=2': [3], '/items?sort=id&page=3': [] },
    [1, 2, 3],
  ],
  [
    'page numbers from 0 until a page that is not full',
    'url: ORIGIN/items, paginate: { items: body, page: { param: p, start: 0, size: 2, sizeParam: "per[page]" } }',
    {
      '/items?p=0&per%5Bpage%5D=2': [1, 2],
      '/items?p=1&per%5Bpage%5D=2': [3, 4],
      '/items?p=2&per%5Bpage%5D=2': [5],
    },
    [1, 2, 3, 4, 5],
  ],
  [
    'the receiver gives smaller pages than asked for: nothing is cut off',
    'url: ORIGIN/items, paginate: { items: body, page: { param: p, size: 1000, sizeParam: n } }',
    {
      '/items?p=1&n=1000': [1, 2],
      '/items?p=2&n=1000': [3, 4],
      '/items?p=3&n=1000': [5],
    },
    [1, 2, 3, 4, 5],
  ],
  [
    'the number of all items, as a text',
    'url: ORIGIN/items, paginate: { items: body, page: { param: p, size: 2, total: \'headers["x-total-count"]\' } }',
    {
      '/items?p=1': { body: [1, 2], headers: { 'X-Total-Count': '3' } },
      '/items?p=2': { body: [3], headers: { 'X-Total-Count': '3' } },
    },
    [1, 2, 3],
  ],
  [
    'the number of all pages',
    'url: ORIGIN/items, paginate: { items: body.i, page: { param: p, pages: body.pages } }',
    { '/items?p=1': { body: { i: [1], pages: 2 } }, '/items?p=2': { body: { i: [2], pages: 2 } } },
    [1, 2],
  ],
  [
    'an offset goes on by what came',
    'url: ORIGIN/items, paginate: { items: body, offset: { param: $skip, size: 3, sizeParam: $top } }',
    {
      '/items?$skip=0&$top=3': [1, 2],
      '/items?$skip=2&$top=3': [3, 4],
      '/items?$skip=4&$top=3': [5],
    },
    [1, 2, 3, 4, 5],
  ],
  [
    'an offset from 1 with a total in the body',
    'url: ORIGIN/items, paginate: { items: body.i, offset: { param: start, start: 1, total: body.total } }',
    {
      '/items?start=1': { body: { i: [1, 2], total: 3 } },
      '/items?start=3': { body: { i: [3], total: 3 } },
    },
    [1, 2, 3],
  ],
  [
    'a cursor, encoded',
    'url: ORIGIN/items, paginate: { items: body.i, cursor: { param: after, value: body.next.after } }',
    {
      '/items': { body: { i: [1], next: { after: 'a/b=' } } },
      '/items?after=a%2Fb%3D': { body: { i: [2], next: { after: 7 } } },
      '/items?after=7': { body: { i: [3] } },
    },
    [1, 2, 3],
  ],
  [
    'a cursor that the first page needs, too, and that stays the same at the end',
    'url: ORIGIN/items, paginate: { items: body.i, cursor: { param: cursorMark, start: "*", value: body.c } }',
    {
      '/items?cursorMark=*': { body: { i: [1], c: 'x' } },
      '/items?cursorMark=x': { body: { i: [2], c: 'y' } },
      '/items?cursorMark=y': { body: { i: [], c: 'y' } },
    },
    [1, 2],
  ],
  [
    'a cursor with more',
    'url: ORIGIN/items, paginate: { items: body.data, more: body.has_more, cursor: { param: starting_after, value: "body.data[size(body.data) - 1]" } }',
    {
      '/items': { body: { data: [1, 2], has_more: true } },
      '/items?starting_after=2': { body: { data: [3], has_more: false } },
    },
    [1, 2, 3],
  ],
  [
    'a cursor in the body, also deep in it',
    'url: ORIGIN/search, body: { q: x, page: { size: 2 } }, paginate: { items: body.i, cursor: { in: body, param: page.after, value: body.after } }',
    {
      'POST /search {"q":"x","page":{"size":2}}': { body: { i: [1], after: ['a', 1] } },
      'POST /search {"q":"x","page":{"size":2,"after":["a",1]}}': { body: { i: [2], after: null } },
    },
    [1, 2],
  ],
  [
    'page numbers among the fields of a form',
    'url: ORIGIN/search, contentType: application/x-www-form-urlencoded, body: { q: "ä", p: 9 }, paginate: { items: body, page: { in: body, param: p, size: 1, sizeParam: n } }',
    { 'POST /search q=%C3%A4&p=1&n=1': [1], 'POST /search q=%C3%A4&p=2&n=1': [] },
    [1],
  ],
  [
    'no items at all',
    'url: ORIGIN/items, paginate: { items: body.value, next: body.next }',
    { '/items': { body: { value: [] } } },
    [],
  ],
  [
    'a page whose list is null',
    'url: ORIGIN/items, paginate: { items: body.value, next: body.next }',
    { '/items': { body: { next: '/more' } }, '/more': { body: { value: [1], next: '' } } },
    [1],
  ],
  [
    'the status 204, which has no body',
    'url: ORIGIN/items, paginate: { items: body.value, page: { param: p } }',
    { '/items?p=1': { status: 204 } },
    [],
  ],
  [
    'a status that says that there is no such page, where the step takes it',
    'url: ORIGIN/items, acceptStatus: [404], paginate: { items: "response.status == 404 ? [] : body", page: { param: p } }',
    { '/items?p=1': [1] },
    [1],
  ],
]

for (const [name, yaml, answers, items] of forms)
  test(`pages: ${name}`, async (t) => {
    const { origin, lines } = await answering(t, answers)
    const message = await run(t, `{ ${yaml.replaceAll('ORIGIN', origin)} }`)
    assert.deepEqual(await itemsOf(message), items)
    const known = Object.keys(answers)
    assert.deepEqual(lines().slice(0, known.length), known)
    assert.ok(lines().length <= known.length + (yaml.includes('acceptStatus') ? 1 : 0), String(lines()))
  })

const endings: [
  name: string,
  yaml: string,
  answers: Readonly<Record<string, Answer | unknown[]>>,
  page: number,
  code: string,
  message: RegExp,
  hint?: RegExp,
][] = [
  [
    'a page that names itself as the next one',
    'paginate: { items: body.i, next: body.n }',
    { '/items': { body: { i: [1], n: '/items' } } },
    1,
    'receiver.pages',
    /^the next page that it names is one that was there before$/,
  ],
  [
    'pages in a circle',
    'paginate: { items: body.i, next: body.n }',
    {
      '/items': { body: { i: [1], n: '/2' } },
      '/2': { body: { i: [2], n: '/3' } },
      '/3': { body: { i: [3], n: '/2#again' } },
    },
    3,
    'receiver.pages',
    /one that was there before/,
  ],
  [
    'a cursor that does not change',
    'paginate: { items: body.i, cursor: { param: c, value: body.c } }',
    { '/items': { body: { i: [1], c: 'x' } }, '/items?c=x': { body: { i: [2], c: 'x' } } },
    2,
    'receiver.pages',
    /the cursor of the next page is one that was there before/,
  ],
  [
    'cursors in a circle',
    'paginate: { items: body.i, cursor: { param: c, start: a, value: body.c } }',
    { '/items?c=a': { body: { i: [1], c: 'b' } }, '/items?c=b': { body: { i: [2], c: 'a' } } },
    2,
    'receiver.pages',
    /the cursor of the next page/,
  ],
  [
    'a receiver that does not look at the number of the page',
    'paginate: { items: body.i, page: { param: p } }',
    {
      '/items?p=1': { body: { i: [{ id: 1 }, { id: 2 }], at: 1 } },
      '/items?p=2': { body: { i: [{ id: 1 }, { id: 2 }], at: 2 } },
    },
    2,
    'receiver.pages',
    /it holds the same items as page 1/,
    /the parameter "p"/,
  ],
  [
    'a receiver that does not look at the cursor',
    'paginate: { items: body.i, cursor: { param: c, value: body.c } }',
    { '/items': { body: { i: [1], c: 'x' } }, '/items?c=x': { body: { i: [1], c: 'y' } } },
    2,
    'receiver.pages',
    /it holds the same items as page 1/,
  ],
  [
    'an empty page that says that there is more',
    'paginate: { items: body, offset: { param: o }, more: "true" }',
    { '/items?o=0': [1], '/items?o=1': [] },
    2,
    'receiver.pages',
    /holds no items and says that there are more/,
  ],
  [
    'more pages than maxPages',
    'paginate: { items: body, page: { param: p }, maxPages: 2 }',
    { '/items?p=1': [1], '/items?p=2': [2], '/items?p=3': [3] },
    2,
    'receiver.pages',
    /there are more than the 2 pages of `maxPages`/,
    /Raise `maxPages`/,
  ],
  [
    'a next page at another host',
    'paginate: { items: body.i, next: body.n }',
    { '/items': { body: { i: [1], n: '//other.example.com/items' } } },
    1,
    'receiver.pages',
    /at "other\.example\.com", another host than the step's own/,
    /`allowedHosts`/,
  ],
  [
    'a next page at another port of the same host',
    'paginate: { items: body.i, next: body.n }',
    { '/items': { body: { i: [1], n: 'http://127.0.0.1:1/' } } },
    1,
    'receiver.pages',
    /at "127\.0\.0\.1:1", another host/,
  ],
  [
    'a next page that is a file',
    'paginate: { items: body.i, next: body.n }',
    { '/items': { body: { i: [1], n: 'file:///etc/passwd' } } },
    1,
    'receiver.pages',
    /no URL of http or https/,
  ],
  [
    'a next page that is no text',
    'paginate: { items: body.i, next: body.n }',
    { '/items': { body: { i: [1], n: { href: '/2' } } } },
    1,
    'expression.failed',
    /"next" of `paginate` gives a map; the URL of the next page is wanted, or null/,
  ],
  [
    'items that are no list',
    'paginate: { items: body, next: body.n }',
    { '/items': { body: { value: [1] } } },
    1,
    'expression.failed',
    /"items" of `paginate` gives a map; a list is wanted/,
    /items: body\.value/,
  ],
  [
    'items of a later page that are no list',
    'paginate: { items: body.i, next: body.n }',
    { '/items': { body: { i: [1], n: '/2' } }, '/2': { body: { i: 'none' } } },
    2,
    'expression.failed',
    /gives a text; a list is wanted/,
  ],
  [
    'a total that is no number',
    'paginate: { items: body.i, page: { param: p, total: body.t } }',
    { '/items?p=1': { body: { i: [1], t: 'many' } } },
    1,
    'expression.failed',
    /"total" of `paginate` gives a text; a number is wanted/,
  ],
  [
    'more that is neither true nor false',
    'paginate: { items: body.i, page: { param: p }, more: body.m }',
    { '/items?p=1': { body: { i: [1], m: 1 } } },
    1,
    'expression.failed',
    /"more" of `paginate` gives a number; true or false is wanted/,
  ],
  [
    'a cursor that cannot stand in a query',
    'paginate: { items: body.i, cursor: { param: c, value: body.c } }',
    { '/items': { body: { i: [1], c: { id: 1 } } } },
    1,
    'expression.failed',
    /"value" of `paginate` gives a map; text or a number is wanted/,
  ],
  [
    'an answer without a body',
    'paginate: { items: body.value, page: { param: p } }',
    { '/items?p=1': { status: 200 } },
    1,
    'receiver.broken',
    /answered 200 without a body; a page is wanted/,
  ],
  [
    'an error status of a later page',
    'paginate: { items: body, page: { param: p } }',
    { '/items?p=1': [1], '/items?p=2': { status: 500 } },
    2,
    'receiver.status',
    /^GET "127\.0\.0\.1:\d+" answered 500$/,
  ],
  [
    'a page that is no JSON',
    'paginate: { items: body, page: { param: p } }',
    { '/items?p=1': [1], '/items?p=2': { body: 'x', headers: { 'content-type': 'text/html' } } },
    2,
    'expression.failed',
    /gives a text/,
  ],
]

for (const [name, yaml, answers, page, code, message, hint] of endings)
  test(`pages that fail: ${name}`, async (t) => {
    const { origin, lines } = await answering(t, answers)
    const before = new Message(Body.ofText('before'))
    const failure = await failureOf(async () => {
      await itemsOf(await run(t, `{ url: ${origin}/items, ${yaml} }`, { message: before }))
    })
    assert.equal(failure.code, code)
    if (page === 1) {
      assert.match(failure.message, message)
      assert.equal(before.body.text(), 'before', 'the step failed and left the message as it was')
    } else {
      const prefix = `page ${page} of "items": `
      assert.ok(failure.message.startsWith(prefix), failure.message)
      assert.match(failure.message.slice(prefix.length), message)
    }
    if (hint) assert.match(failure.hint!, hint)
    assert.ok(lines().length <= Object.keys(answers).length)
  })

test('the next page of a page of https may be named with http: it is asked for with https', () => {
  const walk = (next: string, origin?: string) => {
    const found = new LinkedWalk(() => next, origin).after({
      number: 1,
      items: [],
      message: new Message(),
      context: new TestRun(),
      url: 'https://api.example.com/items',
    })
    return (found as { url: string }).url
  }
  const origin = 'https://api.example.com'
  assert.equal(walk('http://api.example.com/items?p=2', origin), 'https://api.example.com/items?p=2')
  assert.throws(() => walk('http://api.example.com:8080/items', origin), /another host/)
  assert.throws(() => walk('http://user@other.example.com/', origin), /another host/)
  assert.equal(walk('https://files.example.com/items'), 'https://files.example.com/items')
})

test('response and saved headers are those of the first page; the request is the same for all', async (t) => {
  const { origin, requests } = await answering(t, {
    '/items': { body: { i: [1], n: '/2' }, headers: { 'x-first': 'yes' } },
    '/2': { body: { i: [2] }, headers: { 'x-first': 'no' } },
  })
  const message = new Message(Body.ofJson({ id: 7 }))
  message.properties['tag'] = 't1'
  await run(
    t,
    `{ url: ${origin}/items, headers: { x-id: "\${body.id}" }, saveHeaders: [x-first], paginate: { items: "body.i.map(x, {'n': x, 'tag': properties.tag})", next: body.n } }`,
    { message },
  )
  assert.equal(message.response!.status, 200)
  assert.equal(message.response!.url, `${origin}/items`)
  assert.equal(message.headers['x-first'], 'yes')
  message.properties['tag'] = 't2'
  assert.deepEqual(await itemsOf(message), [
    { n: 1, tag: 't1' },
    { n: 2, tag: 't1' },
  ])
  assert.deepEqual(
    requests.map(({ headers }) => [headers['x-id'], headers['accept-encoding']]),
    [
      ['7', 'gzip, deflate, br, zstd'],
      ['7', 'gzip, deflate, br, zstd'],
    ],
  )
})

test('a POST sends the same body for every page, or none where the message has none', async (t) => {
  const { origin, lines } = await answering(t, {
    'POST /items?p=1 {"q":1}': [1],
    'POST /items?p=2 {"q":1}': [],
  })
  const message = await run(
    t,
    `{ url: ${origin}/items, method: POST, paginate: { items: body, page: { param: p } } }`,
    { message: new Message(Body.ofJson({ q: 1 })) },
  )
  assert.deepEqual(await itemsOf(message), [1])
  assert.equal(lines().length, 2)
})

test('a list that is null on the first page is told to whoever reads the log', async (t) => {
  const { origin } = await answering(t, { '/items': { body: { values: [1] } } })
  const paged = new PagedRun()
  const message = await run(t, `{ url: ${origin}/items, paginate: { items: body.value, next: body.next } }`, {
    run: paged,
  })
  assert.deepEqual(await itemsOf(message), [])
  assert.deepEqual(paged.lines, [
    'warn "items" of `paginate` finds no list on the first page: taken for none',
  ])
})

/** A receiver of numbered pages with `size` items each, and how far it was asked. */
async function numbered(t: TestContext, count: number, size: number) {
  const state = { asked: 0, waiting: [] as (() => void)[], held: false }
  const { origin, requests } = await receiver(t, (request, reply) => {
    const page = Number(/page=(\d+)/.exec(request.url!)![1])
    state.asked++
    const answer = () =>
      reply
        .setHeader('content-type', 'application/json')
        .end(
          JSON.stringify(page > count ? [] : Array.from({ length: size }, (_, i) => (page - 1) * size + i)),
        )
    if (state.held) state.waiting.push(answer)
    else answer()
  })
  return { origin, state, requests, paginate: `items: body, page: { param: page, size: ${size} }` }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await settle()
}

for (const prefetch of [0, 1, 3])
  test(`with prefetch ${prefetch} so many pages are asked for ahead, in order, and never more`, async (t) => {
    const { origin, state, paginate } = await numbered(t, 8, 3)
    const message = await run(t, `{ url: ${origin}/, paginate: { ${paginate}, prefetch: ${prefetch} } }`)
    for (let i = 0; i < 300; i++) await settle()
    assert.equal(state.asked, 1, 'nothing is fetched before somebody takes the first page')
    const items = message.body.takeItems()
    for (let taken = 1; taken <= 8; taken++) {
      const page = await items.next()
      assert.deepEqual(
        page.value,
        [0, 1, 2].map((i) => (taken - 1) * 3 + i),
      )
      await until(() => state.asked === Math.min(9, taken + prefetch))
      for (let i = 0; i < 300; i++) await settle()
      assert.equal(state.asked, Math.min(9, taken + prefetch))
    }
    assert.deepEqual((await items.next()).value, [])
    assert.equal((await items.next()).done, true)
    assert.equal((await items.next()).done, true)
    assert.equal(state.asked, 9)
  })

test('pages ahead are asked for one after the other', async (t) => {
  const { origin, state, paginate } = await numbered(t, 8, 3)
  const message = await run(t, `{ url: ${origin}/, paginate: { ${paginate}, prefetch: 5 } }`)
  state.held = true
  await message.body.takeItems().next()
  await until(() => state.asked === 2)
  for (let i = 0; i < 300; i++) await settle()
  assert.equal(state.asked, 2)
  state.waiting.forEach((answer) => answer())
})

test('a page that fails is told when it is its turn: the ones before it come first', async (t) => {
  const { origin } = await answering(t, { '/?p=1': [1], '/?p=2': [2], '/?p=3': { status: 503 } })
  const message = await run(
    t,
    `{ url: ${origin}/, paginate: { items: body, page: { param: p }, prefetch: 3 } }`,
  )
  const items = message.body.takeItems()
  assert.deepEqual(await items.next(), { done: false, value: [1] })
  assert.deepEqual(await items.next(), { done: false, value: [2] })
  const failure = await failureOf(items.next())
  assert.match(failure.message, /^page 3 of "items": GET .* answered 503$/)
  assert.equal(failure.receiver!.status, 503)
  assert.deepEqual(await items.next(), { done: true, value: undefined })
})

test('as bytes the items are a JSON list; a failing page fails the stream', async (t) => {
  const { origin } = await answering(t, {
    '/?p=1': [{ id: 1 }, 'zwei'],
    '/?p=2': [null],
    '/?p=3': [],
    '/broken?p=1': [1],
    '/broken?p=2': { status: 500 },
    '/none?p=1': [],
  })
  const get = (path: string) =>
    run(t, `{ url: "${origin}${path}", paginate: { items: body, page: { param: p } } }`)
  assert.equal(await textOf((await get('/')).body.take()), '[{"id":1},"zwei",null]')
  assert.equal(await textOf((await get('/none')).body.take()), '[]')
  const failure = await failureOf(textOf((await get('/broken')).body.take()))
  assert.match(failure.message, /^page 2 of "items"/)
  const loaded = (await get('/')).body
  await loaded.load(1000)
  assert.deepEqual(loaded.value(), [{ id: 1 }, 'zwei', null])
})

test('a token that is refused in the middle is renewed, and the page is asked for again', async (t) => {
  const { origin, requests } = await receiver(t, (request, reply) => {
    const page = Number(/p=(\d+)/.exec(request.url!)![1])
    const good = page < 3 ? 'Bearer T1' : 'Bearer T2'
    if (request.headers.authorization !== good) return reply.writeHead(401).end()
    reply.setHeader('content-type', 'application/json').end(page > 4 ? '[]' : `[${page}]`)
  })
  const grants = ['T1', 'T2'].map((token) => new TestGrant(token))
  const credential = testCredential(origin, grants)
  credential.current().authorizer.authorize = () => (grants[0]!.rejections > 0 ? grants[1]! : grants[0]!)
  const message = await run(
    t,
    `{ url: /, credential: shop_api, paginate: { items: body, page: { param: p } } }`,
    {
      credentials: [credential],
    },
  )
  assert.deepEqual(await itemsOf(message), [1, 2, 3, 4])
  assert.deepEqual(
    requests.map(({ line, headers }) => `${line.at(-1)} ${headers.authorization}`),
    ['1 Bearer T1', '2 Bearer T1', '3 Bearer T1', '3 Bearer T2', '4 Bearer T2', '5 Bearer T2'],
  )
})

test('with a credential the next page may be where the credential may go, and nowhere else', async (t) => {
  const second = await answering(t, { '/more': { body: { i: [2], n: 'http://elsewhere.example.com/' } } })
  const first = await answering(t, { '/items': { body: { i: [1], n: `${second.origin}/more` } } })
  const credential = testCredential(first.origin, [new TestGrant('T1')], {
    allows: (url) => url.origin === first.origin || url.origin === second.origin,
  })
  const message = await run(
    t,
    `{ url: items, credential: shop_api, paginate: { items: body.i, next: body.n } }`,
    {
      credentials: [credential],
    },
  )
  const items = message.body.takeItems()
  assert.deepEqual((await items.next()).value, [1])
  assert.deepEqual((await items.next()).value, [2])
  assert.equal(second.requests[0]!.headers.authorization, 'Bearer T1')
  const failure = await failureOf(items.next())
  assert.equal(failure.code, 'credential.host')
  assert.match(
    failure.message,
    /^page 3 of "items": the credential "shop_api" may not go to "http:\/\/elsewhere/,
  )
})

const retry: Retry = {
  attempts: 3,
  delay: 1000,
  factor: 2,
  maxDelay: 60_000,
  jitter: false,
  on: [429 as never, '5xx', 'network'],
}

test('the retry of the step is one of each page; Retry-After is obeyed', async (t) => {
  let tries = 0
  const { origin, requests } = await receiver(t, (request, reply) => {
    const page = Number(/p=(\d+)/.exec(request.url!)![1])
    if (page === 2 && ++tries === 1) return reply.writeHead(429, { 'retry-after': '7' }).end()
    if (page === 2 && tries === 2) return reply.writeHead(502).end()
    reply.setHeader('content-type', 'application/json').end(page > 2 ? '[]' : `[${page}]`)
  })
  const clock = new ManualClock()
  const paged = new PagedRun()
  const message = await run(t, `{ url: ${origin}/, paginate: { items: body, page: { param: p } } }`, {
    retry,
    world: { clock },
    run: paged,
  })
  const taking = itemsOf(message)
  await until(() => paged.lines.length === 1)
  await clock.advance(6999)
  assert.equal(requests.length, 2)
  await clock.advance(1)
  await until(() => paged.lines.length === 2)
  await clock.advance(1999)
  assert.equal(requests.length, 3)
  await clock.advance(1)
  assert.deepEqual(await taking, [1, 2])
  assert.match(
    paged.lines[0]!,
    /^warn page 2 of "items": attempt 1 failed: GET .* answered 429; again in 7 s$/,
  )
  assert.match(paged.lines[1]!, /^warn page 2 of "items": attempt 2 failed: .*; again in 2 s$/)
})

test('a page that fails again and again says how often it was tried', async (t) => {
  const { origin, requests } = await answering(t, { '/?p=1': [1], '/?p=2': { status: 503 } })
  const clock = new ManualClock()
  const paged = new PagedRun()
  const message = await run(t, `{ url: ${origin}/, paginate: { items: body, page: { param: p } } }`, {
    retry,
    world: { clock },
    run: paged,
  })
  const failing = failureOf(itemsOf(message))
  await until(() => paged.lines.length === 1)
  await clock.advance(1000)
  await until(() => paged.lines.length === 2)
  await clock.advance(2000)
  assert.match((await failing).message, /^page 2 of "items": GET .* answered 503 \(3 attempts\)$/)
  assert.equal(requests.length, 4)
})

test('a wait that would outlast the time there is, is not begun', async (t) => {
  const { origin } = await answering(t, {
    '/?p=1': [1],
    '/?p=2': { status: 429, headers: { 'retry-after': '3600' } },
  })
  const paged = new PagedRun()
  const message = await run(t, `{ url: ${origin}/, paginate: { items: body, page: { param: p } } }`, {
    retry,
    run: paged,
    world: { clock: new ManualClock() },
  })
  paged.deadline = 100_000
  const failure = await failureOf(itemsOf(message))
  assert.match(failure.message, /answered 429$/)
  assert.equal(failure.retryAfter, 3_600_000)
})

test('pages are decoded, and maxResponse is a limit of each page', async (t) => {
  const { origin } = await receiver(t, (request, reply) => {
    const page = Number(/p=(\d+)/.exec(request.url!)![1])
    const items = page > 2 ? [] : [page, 'x'.repeat(page * 100_000)]
    reply.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'br' })
    reply.end(brotliCompressSync(JSON.stringify(items)))
  })
  const get = (more: string) =>
    run(t, `{ url: ${origin}/, ${more} paginate: { items: body, page: { param: p } } }`).then(itemsOf)
  assert.equal((await get('')).length, 4)
  const failure = await failureOf(get('maxResponse: 150KB,'))
  assert.equal(failure.code, 'receiver.too-large')
  assert.match(failure.message, /^page 2 of "items": .*decoded, is larger than 153600 bytes$/)
})
