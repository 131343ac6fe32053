import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, type IncomingMessage, type ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { receiver } from '../net/fixture.ts'
import { settle } from '../support/clock.ts'
import { call } from '../support/http.ts'
import { replyText, startProject } from '../support/project.ts'

const TIMER = 'timer: { cron: "0 0 1 1 *" }'

/** Pages of 100 numbered items, and a store that takes one item a request. A page that is held is never answered. */
async function shop(t: TestContext, pages: number) {
  const state = {
    asked: 0,
    stored: [] as number[],
    underWay: 0,
    mostUnderWay: 0,
    /** Items that were asked for and had not reached the store, at the most. */
    mostAhead: 0,
    heldFrom: Infinity,
    failsAt: Infinity,
    held: [] as { page: number; closed: Promise<unknown> }[],
    onHeld: () => {},
  }
  const store = (reply: ServerResponse, item: number) => {
    state.stored.push(item)
    state.mostUnderWay = Math.max(state.mostUnderWay, ++state.underWay)
    setImmediate(() => {
      state.underWay--
      reply.writeHead(item === state.failsAt ? 500 : 204).end()
    })
  }
  const { origin } = await receiver(t, (request, reply) => {
    const [, path, number] = /^\/(\w+)[/?]\D*(\d+)/.exec(request.url!)!
    if (path === 'store') return store(reply, Number(number))
    const page = Number(number)
    state.asked++
    state.mostAhead = Math.max(state.mostAhead, page * 100 - state.stored.length)
    if (page >= state.heldFrom) {
      state.held.push({ page, closed: once(reply, 'close') })
      return state.onHeld()
    }
    const items = Array.from({ length: page > pages ? 0 : 100 }, (_, i) => ({ id: (page - 1) * 100 + i }))
    reply.setHeader('content-type', 'application/json').end(JSON.stringify({ items }))
  })
  const whenHeld = () => new Promise<void>((resolve) => (state.onHeld = resolve))
  return { origin, state, whenHeld }
}

function copying(origin: string, { pages = '', step = '', loop = '' } = {}): string {
  return [
    `steps:`,
    `  - ${TIMER}`,
    `  - id: items`,
    `    http:`,
    `      url: ${origin}/items`,
    `      paginate: { items: body.items, page: { param: page, size: 100 } ${pages} }`,
    ...(step === '' ? [] : [`    ${step}`]),
    `  - forEach:`,
    `      concurrency: 16`,
    ...(loop === '' ? [] : [`      ${loop}`]),
    `      steps:`,
    `        - http: { method: PUT, url: "${origin}/store/\${body.id}" }`,
    '',
  ].join('\n')
}

test('10,000 items of 100 pages are copied, 16 at once; never more than the page that is worked on and the next one are there', async (t) => {
  const { origin, state } = await shop(t, 100)
  const { run } = await startProject(t, { 'flows/copy.yaml': copying(origin) })
  const report = await run('copy')
  assert.equal(report.status, 'COMPLETED', JSON.stringify(report.failure))
  assert.deepEqual(JSON.parse(replyText(report)), { count: 10_000, failed: 0 })
  assert.deepEqual(
    state.stored.toSorted((a, b) => a - b),
    Array.from({ length: 10_000 }, (_, i) => i),
  )
  assert.equal(state.asked, 101)
  assert.ok(state.mostUnderWay > 8 && state.mostUnderWay <= 16, String(state.mostUnderWay))
  assert.ok(state.mostAhead <= 200 + 16, String(state.mostAhead))
})

test('an item that fails ends the page that is under way, at once', async (t) => {
  const { origin, state } = await shop(t, 100)
  state.heldFrom = 2
  state.failsAt = 99
  const { run } = await startProject(t, { 'flows/copy.yaml': copying(origin) })
  const report = await run('copy')
  assert.equal(report.status, 'FAILED')
  assert.equal(report.failure!.receiver!.status, 500)
  assert.equal(report.failure!.item!.index, 99)
  await state.held[0]!.closed
  assert.equal(state.asked, 2)
})

test('a page that fails, fails the step that takes the items, and tells which page of which step', async (t) => {
  const { origin } = await shop(t, 100)
  let asked = 0
  const broken = await receiver(t, (_, reply) =>
    ++asked === 1
      ? reply.setHeader('content-type', 'application/json').end('{"items":[{"id":1}]}')
      : reply.writeHead(503).end(),
  )
  const yaml = copying(origin).replace(`${origin}/items`, `${broken.origin}/items`)
  const { run } = await startProject(t, { 'flows/copy.yaml': yaml })
  const { status, failure } = await run('copy')
  assert.equal(status, 'FAILED')
  assert.equal(failure!.code, 'receiver.status')
  assert.match(failure!.message, /^page 2 of "items": GET "127\.0\.0\.1:\d+" answered 503$/)
  assert.equal(failure!.step, 'forEach')
  assert.equal(failure!.receiver!.status, 503)
})

test('a run that is cancelled ends the page that is under way', async (t) => {
  const { origin, state, whenHeld } = await shop(t, 100)
  state.heldFrom = 3
  const { app } = await startProject(t, { 'flows/copy.yaml': copying(origin) })
  const held = whenHeld()
  const cancelling = new AbortController()
  const running = app.control.run('copy', { headers: {}, parameters: {} }, cancelling.signal)
  await held
  cancelling.abort()
  assert.equal((await running)!.status, 'CANCELLED')
  await state.held[0]!.closed
})

test('the timeout of the step is one of each page', async (t) => {
  const { origin, state } = await shop(t, 100)
  state.heldFrom = 2
  const { run } = await startProject(t, { 'flows/copy.yaml': copying(origin, { step: 'timeout: 200ms' }) })
  const { failure } = await run('copy')
  assert.equal(failure!.code, 'receiver.timeout')
  assert.match(failure!.message, /^page 2 of "items": /)
  assert.match(failure!.hint!, /Raise `timeout` of the step/)
  await state.held[0]!.closed
})

test('the deadline of the step that takes the items, and that of the run, are those of the pages, too', async (t) => {
  const { origin, state } = await shop(t, 100)
  state.heldFrom = 2
  const { run } = await startProject(t, {
    'flows/loop.yaml': copying(origin).replace('  - forEach:', '  - timeout: 200ms\n    forEach:'),
    'flows/whole.yaml': `timeout: 200ms\n${copying(origin)}`,
  })
  for (const flow of ['loop', 'whole']) {
    const { failure } = await run(flow)
    assert.equal(failure!.code, 'receiver.timeout')
    assert.match(failure!.message, /^page 2 of "items": /)
  }
  await Promise.all(state.held.map(({ closed }) => closed))
})

test('without forEach the items are the reply, or the next request, as a JSON list', async (t) => {
  const { origin, state } = await shop(t, 3)
  const target = await receiver(t, (_, reply, body) =>
    reply.end(String((JSON.parse(body) as unknown[]).length)),
  )
  const paged = `http: { url: "${origin}/items", paginate: { items: body.items, page: { param: page } } }`
  const { url } = await startProject(t, {
    'flows/reply.yaml': `steps:\n  - endpoint: { path: /items, method: GET, access: public }\n  - ${paged}\n`,
    'flows/next.yaml': `steps:\n  - endpoint: { path: /next, method: GET, access: public }\n  - ${paged}\n  - http: { method: POST, url: "${target.origin}" }\n`,
  })
  const reply = await call(`${url}/http/items`)
  assert.equal(reply.headers['content-type'], 'application/json')
  assert.deepEqual(
    reply.json(),
    Array.from({ length: 300 }, (_, id) => ({ id })),
  )
  assert.equal(state.asked, 4)
  assert.equal((await call(`${url}/http/next`)).text, '300')
  assert.equal(target.requests[0]!.headers['content-type'], 'application/json')
})

test('a caller that goes away while the items stream ends the page that is under way', async (t) => {
  const { origin, state, whenHeld } = await shop(t, 100)
  state.heldFrom = 3
  const { url } = await startProject(t, {
    'flows/reply.yaml': `steps:\n  - endpoint: { path: /items, method: GET, access: public }\n  - http: { url: "${origin}/items", paginate: { items: body.items, page: { param: page } } }\n`,
  })
  const held = whenHeld()
  const request = get(`${url}/http/items`)
  request.on('error', () => {})
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  answer.on('error', () => {}).resume()
  await held
  request.destroy()
  await state.held[0]!.closed
})

test('items that nobody takes are not fetched, and nothing goes on after the run', async (t) => {
  const { origin, state } = await shop(t, 100)
  const { run } = await startProject(t, {
    'flows/drop.yaml': `steps:\n  - ${TIMER}\n  - http: { url: "${origin}/items", paginate: { items: body.items, page: { param: page } } }\n  - set: { body: done }\n`,
  })
  assert.equal((await run('drop')).status, 'COMPLETED')
  assert.equal(state.asked, 1)
})

test('steps of two flows share a throttle: at most so many requests are under way with one credential', async (t) => {
  const underWay: ServerResponse[] = []
  let most = 0
  const answerAll = async () => {
    for (let i = 0; i < 100; i++) await settle()
    most = Math.max(most, underWay.length)
    for (const waiting of underWay.splice(0)) waiting.end()
  }
  const { origin, requests } = await receiver(t, (_, reply) => {
    if (underWay.push(reply) === 3) void answerAll()
  })
  const flow = `steps:\n  - ${TIMER}\n  - set: { body: [1, 2, 3, 4, 5, 6, 7, 8, 9] }\n  - forEach:\n      concurrency: 10\n      steps:\n        - http: { method: PUT, url: x, credential: shop, throttle: { concurrency: 3 } }\n`
  const { run } = await startProject(
    t,
    {
      'flows/a.yaml': flow,
      'flows/b.yaml': flow,
      'security-material/shop.yaml': `type: basic\nbaseUrl: ${origin}/\nusername: me\npassword: \${env:SECRET}\n`,
    },
    { environment: { SECRET: 'secret-of-the-shop' } },
  )
  const reports = await Promise.all([run('a'), run('b')])
  assert.deepEqual(
    reports.map(({ status }) => status),
    ['COMPLETED', 'COMPLETED'],
  )
  assert.equal(requests.length, 18)
  assert.equal(most, 3)
})

test('a request that waits for its turn longer than its step may take fails', async (t) => {
  const { origin, requests } = await receiver(t, (_, reply) => reply.end())
  const { run } = await startProject(t, {
    'flows/a.yaml': `steps:\n  - ${TIMER}\n  - http: { url: "${origin}", throttle: { rate: 1, per: 1h } }\n`,
    'flows/b.yaml': `steps:\n  - ${TIMER}\n  - http: { url: "${origin}/x", throttle: { rate: 1, per: 1h } }\n    timeout: 100ms\n`,
  })
  assert.equal((await run('a')).status, 'COMPLETED')
  const { failure } = await run('b')
  assert.equal(failure!.code, 'request.throttled')
  assert.match(failure!.message, /lets 1 request in 1h go to "127\.0\.0\.1:\d+"/)
  assert.equal(requests.length, 1)
})

test("a caller's bytes go out as the part of a form; text of a receiver in another charset is read", async (t) => {
  const { origin, requests } = await receiver(t, (request, reply) =>
    request.method === 'POST'
      ? reply.end()
      : reply
          .setHeader('content-type', 'text/xml')
          .end(Buffer.from('<?xml version="1.0" encoding="iso-8859-1"?><a>Zoë</a>', 'latin1')),
  )
  const { url } = await startProject(t, {
    'flows/upload.yaml': `steps:\n  - endpoint: { path: /upload, access: public }\n  - http:\n      url: ${origin}/upload\n      contentType: multipart/form-data\n      body:\n        kind: invoice\n        tags: [a, "\${trigger.query.tag}"]\n        none: "\${trigger.query.none}"\n        file: { content: "\${body}", contentType: application/pdf, filename: "\${trigger.query.name}" }\n`,
    'flows/xml.yaml': `steps:\n  - endpoint: { path: /xml, method: GET, access: public }\n  - http: { url: "${origin}" }\n  - set: { body: "\${body.contains('Zoë')}" }\n`,
  })
  await call(`${url}/http/upload?tag=b&name=%22x%22.pdf`, {
    method: 'POST',
    headers: { 'content-type': 'application/pdf' },
    body: Buffer.from('%PDF bytes'),
  })
  const [request] = requests
  const boundary = /^multipart\/form-data; boundary=(\S+)$/.exec(request!.headers['content-type']!)![1]!
  assert.match(boundary, /^sluice-[0-9a-f-]{36}$/)
  assert.equal(
    request!.body.replaceAll(boundary, 'B'),
    [
      '--B\r\nContent-Disposition: form-data; name="kind"\r\n\r\ninvoice\r\n',
      '--B\r\nContent-Disposition: form-data; name="tags"\r\n\r\na\r\n',
      '--B\r\nContent-Disposition: form-data; name="tags"\r\n\r\nb\r\n',
      '--B\r\nContent-Disposition: form-data; name="file"; filename="%22x%22.pdf"\r\nContent-Type: application/pdf\r\n\r\n%PDF bytes\r\n',
      '--B--\r\n',
    ].join(''),
  )
  assert.equal((await call(`${url}/http/xml`)).text, 'true')
})
