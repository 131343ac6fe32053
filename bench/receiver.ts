// The receiver of all systems: a token service and an API that checks the bearer of every call.
import { createServer, type ServerResponse } from 'node:http'

const delay = Number(process.env['BENCH_TOKEN_DELAY'] ?? 0)
const item = JSON.stringify({ id: 'i', text: 'x'.repeat(2048 - 24) })
const tokens = new Set<string>()
const counts = { tokens: 0, calls: 0, refused: 0 }

function reply(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  })
  response.end(body)
}

const server = createServer((request, response) => {
  const url = request.url!
  if (url.startsWith('/api/item')) {
    counts.calls++
    request.resume()
    if (tokens.has(request.headers.authorization?.slice(7) ?? '')) return reply(response, 200, item)
    counts.refused++
    return reply(response, 401, '{"error":"invalid_token"}')
  }
  if (url === '/oauth/token') {
    counts.tokens++
    request.resume()
    const token = `${counts.tokens}-`.padEnd(800, 't')
    tokens.add(token)
    const body = JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: 1800 })
    return void setTimeout(() => reply(response, 200, body), delay)
  }
  if (url === '/counts') return reply(response, 200, JSON.stringify(counts))
  if (url === '/revoke') {
    tokens.clear()
    return reply(response, 200, '{}')
  }
  reply(response, 404, '{}')
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number }
  process.stdout.write(`listening http://127.0.0.1:${port}\n`)
})
