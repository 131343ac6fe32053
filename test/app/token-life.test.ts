import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { test, type TestContext } from 'node:test'
import { receiver } from '../net/fixture.ts'
import { call } from '../support/http.ts'
import { startProject } from '../support/project.ts'

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
