// The receiver of the soak, a process of its own: a token service and an API that goes wrong at random, from a seed, on
// one port; on another one what must work, because the soak counts by it.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { Chance } from './chance.ts'
import { FAULTS, type Answer } from './faults.ts'
import { LARGE, PAGE, PAGES } from './large.ts'

/** Of 100 requests so many meet with a fault. */
const FAULTY = Number(process.env['SOAK_FAULTS'] ?? 12)
const chance = new Chance(Number(process.env['SOAK_SEED'] ?? 1))

/** ms of a token's life in which it is not revoked. */
const YOUNG = 500
/** ms that an idle connection is kept. */
const KEEP_ALIVE = 5000
const JSON_TYPE = { 'content-type': 'application/json' }

interface Token {
  readonly since: number
  readonly until: number
}

/** Epoch ms. */
const bearers = new Map<string, Token>()
/** How often each tick has come, by its time. */
const ticks = new Map<string, number>()
const faults: Record<string, number> = {}
const counts = { requests: 0, tokens: 0, refused: 0 }

/** What `/counts` tells. */
export interface Counts {
  readonly requests: number
  readonly tokens: number
  readonly refused: number
  readonly faults: Readonly<Record<string, number>>
  readonly ticks: Readonly<Record<string, number>>
}

interface Asked {
  readonly path: string
  readonly query: URLSearchParams
  /** Bytes of its body. */
  readonly size: number
}

function answerOf({ path, query, size }: Asked): Answer {
  if (path === '/api/item') return json({ id: query.get('id'), text: 'x'.repeat(2000) })
  if (path === '/api/large')
    return {
      status: 200,
      headers: { 'content-type': 'application/octet-stream' },
      body: LARGE.subarray(0, Number(query.get('size'))),
    }
  if (path === '/api/upload') return json({ bytes: size })
  if (path === '/api/page') return page(Number(query.get('page') ?? 1))
  if (path.startsWith('/api/items/')) return json({ id: path.slice('/api/items/'.length), stored: true })
  return json({ error: 'no such resource' }, 404)
}

function json(value: unknown, status = 200): Answer {
  return { status, headers: JSON_TYPE, body: Buffer.from(JSON.stringify(value)) }
}

function page(number: number): Answer {
  const items = Array.from({ length: PAGE }, (_, i) => ({
    id: (number - 1) * PAGE + i,
    note: 'n'.repeat(200),
  }))
  const plain = json({ items, next: number < PAGES ? `/api/page?page=${number + 1}` : null })
  if (number % 2 === 0) return plain
  return { ...plain, headers: { ...JSON_TYPE, 'content-encoding': 'gzip' }, body: gzipSync(plain.body) }
}

function issue(response: ServerResponse): void {
  const lifetime = chance.between(4, 15)
  const token = `soak-token-${++counts.tokens}`.padEnd(400, 't')
  const now = Date.now()
  for (const [text, { until }] of bearers) if (until < now) bearers.delete(text)
  bearers.set(token, { since: now, until: now + lifetime * 1000 })
  send(response, json({ access_token: token, token_type: 'Bearer', expires_in: lifetime }))
}

/** The token service is out of sorts now and then; the one for the moody credential says no, or what nobody understands. */
function tokenService(moody: boolean, { socket }: IncomingMessage, response: ServerResponse): void {
  const luck = chance.next() * 100
  if (moody && luck < 20) return send(response, json({ error: 'invalid_client' }, 401))
  if (moody && luck < 22) return void response.writeHead(200, JSON_TYPE).end('{"access_token"')
  if (luck < 3) return send(response, json({ error: 'server_error' }, 500))
  if (luck < 5) return void socket.resetAndDestroy()
  if (luck < 7) return void response.writeHead(429, { 'retry-after': '1' }).end()
  if (luck < 15) return void setTimeout(() => issue(response), chance.between(50, 1500))
  issue(response)
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  if (!response.destroyed) response.writeHead(status, { ...headers, 'content-length': body.length }).end(body)
}

function bearerOf(request: IncomingMessage): string {
  return request.headers.authorization?.replace(/^Bearer /, '') ?? ''
}

function isGood(bearer: string): boolean {
  const token = bearers.get(bearer)
  return token !== undefined && Date.now() < token.until
}

function revoke(bearer: string): boolean {
  const token = bearers.get(bearer)
  return token !== undefined && Date.now() > token.since + YOUNG && bearers.delete(bearer)
}

function onFaulty(asked: Asked, request: IncomingMessage, response: ServerResponse): void {
  counts.requests++
  if (asked.path.startsWith('/oauth/')) return tokenService(asked.path === '/oauth/moody', request, response)
  const bearer = bearerOf(request)
  if (!isGood(bearer)) {
    counts.refused++
    return send(response, json({ error: 'invalid_token' }, 401))
  }
  const answer = answerOf(asked)
  const right = () => send(response, answer)
  if (!chance.percent(FAULTY)) return right()
  const fault = chance.pick(FAULTS)
  faults[fault.name] = (faults[fault.name] ?? 0) + 1
  fault.apply({ request, response, answer, chance, right, revoke: () => revoke(bearer) })
}

function onPlain({ path, query }: Asked, _: IncomingMessage, response: ServerResponse): void {
  if (path === '/tick') {
    const at = query.get('at')!
    ticks.set(at, (ticks.get(at) ?? 0) + 1)
    return send(response, json({ at }))
  }
  if (path === '/wait')
    return void setTimeout(() => send(response, json({ id: query.get('id') })), Number(query.get('ms')))
  const told: Counts = { ...counts, faults, ticks: Object.fromEntries(ticks) }
  send(response, json(told))
}

function serve(handle: (asked: Asked, request: IncomingMessage, response: ServerResponse) => void): Server {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE, requestTimeout: 0 }, (request, response) => {
    const { pathname: path, searchParams: query } = new URL(request.url!, 'http://receiver')
    let size = 0
    request.on('data', (chunk: Buffer) => void (size += chunk.length))
    request.on('end', () => handle({ path, query, size }, request, response))
  })
  server.on('connection', (socket) => socket.on('error', () => {}))
  server.on('clientError', (_, socket) => socket.destroy())
  return server
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () =>
      resolve(`http://127.0.0.1:${(server.address() as { port: number }).port}`),
    ),
  )
}

process.stdout.write(`listening ${await listen(serve(onFaulty))} ${await listen(serve(onPlain))}\n`)
