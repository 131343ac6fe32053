import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { test, type TestContext } from 'node:test'
import { receiver } from '../net/fixture.ts'
import { call } from '../support/http.ts'
import { replyText, startProject } from '../support/project.ts'

const CALLS = 2000
const CONNECTIONS = 32

/**
 * A token service and an API that takes orders; it forgets every token when it has accepted `revokedAfter` of them. The
 * first refusal is late: it comes when the next token has been accepted.
 */
async function shop(t: TestContext, revokedAfter: number) {
  const seen = { tokens: 0, refused: 0, accepted: [] as string[] }
  let good: string | undefined
  let late: (() => void) | undefined
  const { origin } = await receiver(t, ({ url, headers }, reply) => {
    const json = (status: number, value: unknown) =>
      reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    if (url === '/token') {
      good = `token-number-${++seen.tokens}`
      return json(200, { access_token: good, expires_in: 1800 })
    }
    if (good === undefined || headers.authorization !== `Bearer ${good}`) {
      const refuse = () => json(401, { error: 'invalid_token' })
      if (++seen.refused > 1) return refuse()
      late = refuse
      return
    }
    const id = new URL(url!, origin).searchParams.get('id')!
    if (seen.accepted.push(id) === revokedAfter) good = undefined
    json(200, { taken: id })
    if (seen.tokens === 1) return
    late?.()
    late = undefined
  })
  return { origin, seen }
}

test('a token revoked among 2,000 calls costs one token request; every call is taken once and answered', async (t) => {
  const { origin, seen } = await shop(t, CALLS / 2)
  const { url } = await startProject(
    t,
    {
      'security-material/shop.yaml': `type: oauth2\ntokenServiceUrl: ${origin}/token\nclientId: c\nclientSecret: \${env:SHOP_SECRET}\nbaseUrl: ${origin}\n`,
      'flows/order.yaml':
        'timeout: 10s\nsteps:\n  - endpoint: { path: /order, access: public }\n  - http: { method: POST, url: /orders, query: { id: "${body.id}" }, credential: shop }\n',
    },
    { environment: { SHOP_SECRET: 'shop-secret-0123456789' } },
  )
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  t.after(() => agent.destroy())
  const ids = Array.from({ length: CALLS }, (_, i) => `o-${i}`)
  const replies = await Promise.all(
    ids.map((id) =>
      call(`${url}/http/order`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ id }),
        agent,
      }),
    ),
  )
  assert.deepEqual(
    replies.map(({ text }) => text),
    ids.map((id) => `{"taken":"${id}"}`),
  )
  assert.deepEqual(seen.accepted.toSorted(), ids.toSorted())
  assert.equal(seen.tokens, 2)
  assert.ok(seen.refused >= 2 && seen.refused <= CONNECTIONS, `${seen.refused} calls were refused`)
})

const PAGES = 10
const PAGE = 100

/** Pages of items and a store for them, behind one token service; every token is forgotten at each of these counts of stored items. */
async function pagedShop(t: TestContext, revokedAfter: readonly number[]) {
  const seen = { tokens: 0, refused: 0, stored: [] as string[] }
  let good: string | undefined
  const { origin } = await receiver(t, ({ url, headers }, reply) => {
    const json = (status: number, value: unknown) =>
      reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    if (url === '/token') {
      good = `token-number-${++seen.tokens}`
      return json(200, { access_token: good, expires_in: 1800 })
    }
    if (good === undefined || headers.authorization !== `Bearer ${good}`) {
      seen.refused++
      return json(401, { error: 'invalid_token' })
    }
    const { pathname, searchParams } = new URL(url!, origin)
    if (pathname === '/items') {
      const page = Number(searchParams.get('page'))
      const value = Array.from({ length: PAGE }, (_, i) => ({ id: `i-${(page - 1) * PAGE + i}` }))
      return json(200, { value, ...(page < PAGES && { next: `/items?page=${page + 1}` }) })
    }
    const count = seen.stored.push(pathname.slice('/store/'.length))
    if (revokedAfter.includes(count)) good = undefined
    json(200, {})
  })
  return { origin, seen }
}

test('a sync of 10 pages whose token is revoked twice loses no item and doubles none; each time costs one token', async (t) => {
  const { origin, seen } = await pagedShop(t, [250, 700])
  const { run } = await startProject(
    t,
    {
      'security-material/shop.yaml': `type: oauth2\ntokenServiceUrl: ${origin}/token\nclientId: c\nclientSecret: \${env:SHOP_SECRET}\nbaseUrl: ${origin}\n`,
      'flows/sync.yaml':
        'steps:\n  - timer: { cron: "0 0 1 1 *" }\n  - http: { url: "/items?page=1", credential: shop, paginate: { items: body.value, next: body.next } }\n  - forEach:\n      concurrency: 16\n      steps:\n        - http: { method: PUT, url: "/store/${item.id}", credential: shop }\n',
    },
    { environment: { SHOP_SECRET: 'shop-secret-0123456789' } },
  )
  const report = await run('sync')
  assert.equal(report.status, 'COMPLETED', JSON.stringify(report.failure))
  assert.equal(replyText(report), `{"count":${PAGES * PAGE},"failed":0}`)
  const ids = Array.from({ length: PAGES * PAGE }, (_, i) => `i-${i}`)
  assert.deepEqual(seen.stored.toSorted(), ids.toSorted())
  assert.equal(seen.tokens, 3)
  assert.ok(seen.refused >= 2 && seen.refused <= 2 * 18, `${seen.refused} requests were refused`)
})
