// The same work as bench/flows, written by hand with Fastify and undici.request: what we measure ourselves against.
import { createWriteStream } from 'node:fs'
import fastify from 'fastify'
import { Agent, request } from 'undici'

const receiver = process.env['BENCH_RECEIVER']!
const log = createWriteStream(process.env['BENCH_LOG']!)
const agent = new Agent({ connections: 128, pipelining: 1 })
const app = fastify()

let token: { value: string; until: number } | undefined
let pending: Promise<string> | undefined

function bearer(): string | Promise<string> {
  if (token !== undefined && Date.now() < token.until) return token.value
  return (pending ??= askToken().finally(() => (pending = undefined)))
}

async function askToken(): Promise<string> {
  const answer = await request(`${receiver}/oauth/token`, {
    method: 'POST',
    dispatcher: agent,
    headers: {
      authorization: `Basic ${Buffer.from('bench:bench-secret').toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=client_credentials',
  })
  const { access_token, expires_in } = (await answer.body.json()) as {
    access_token: string
    expires_in: number
  }
  token = { value: access_token, until: Date.now() + (expires_in - 60) * 1000 }
  return access_token
}

async function item(id: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const answer = await request(`${receiver}/api/item?id=${encodeURIComponent(id)}`, {
      dispatcher: agent,
      headers: { authorization: `Bearer ${await bearer()}`, accept: '*/*' },
    })
    const text = await answer.body.text()
    if (answer.statusCode === 401 && attempt === 1) token = undefined
    else if (answer.statusCode === 200) return text
    else throw new Error(`status ${answer.statusCode}`)
  }
}

interface Order {
  id: string
  status: string
  amount: number
}

app.post('/http/echo', () => ({ ok: true }))

app.post('/http/script', (call, reply) => {
  const order = call.body as Order
  order.status = 'processed'
  order.amount += 1
  void reply.header('x-processed', 'yes').send(order)
})

app.post('/http/call', async (call, reply) => {
  const text = await item((call.body as Order).id)
  return reply.type('application/json').send(text)
})

app.post('/http/chain', async (call, reply) => {
  const order = call.body as Order
  log.write(`${JSON.stringify({ time: Date.now(), text: `order ${order.id}` })}\n`)
  order.status = 'processed'
  order.amount += 1
  const found = JSON.parse(await item(order.id)) as { id: string }
  return reply.send({ item: found.id, ok: true })
})

/** All records of all pages; the page behind the one that is worked on is fetched meanwhile. */
async function* recordsOf({ run, pages }: Bulk): AsyncGenerator {
  let next = askPage(`/api/records?run=${run}&pages=${pages}`)
  for (;;) {
    const page = await next
    if (page.next !== null) next = askPage(page.next)
    yield* page.records
    if (page.next === null) return
  }
}

async function askPage(path: string): Promise<{ records: unknown[]; next: string | null }> {
  const answer = await request(receiver + path, {
    dispatcher: agent,
    headers: { authorization: `Bearer ${await bearer()}` },
  })
  if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`)
  return (await answer.body.json()) as { records: unknown[]; next: string | null }
}

async function keep(record: unknown): Promise<void> {
  const answer = await request(`${receiver}/api/records`, {
    method: 'POST',
    dispatcher: agent,
    headers: { authorization: `Bearer ${await bearer()}`, 'content-type': 'application/json' },
    body: JSON.stringify(record),
  })
  await answer.body.dump()
  if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`)
}

interface Bulk {
  run: string
  pages: number
}

app.post('/http/bulk', async (call) => {
  const records = recordsOf(call.body as Bulk)
  let count = 0
  const work = async () => {
    for (let each = await records.next(); each.done !== true; each = await records.next()) {
      await keep(each.value)
      count++
    }
  }
  await Promise.all(Array.from({ length: 32 }, work))
  return { count, failed: 0 }
})

app.get('/http/large/:bytes', async (call, reply) => {
  const { bytes } = call.params as { bytes: string }
  const answer = await request(`${receiver}/api/large?bytes=${bytes}`, {
    dispatcher: agent,
    headers: { authorization: `Bearer ${await bearer()}` },
  })
  return reply
    .type(String(answer.headers['content-type']))
    .header('content-length', answer.headers['content-length'])
    .send(answer.body)
})

await app.listen({ port: 0, host: '127.0.0.1' })
const { port } = app.server.address() as { port: number }
process.stdout.write(`listening http://127.0.0.1:${port}\n`)
