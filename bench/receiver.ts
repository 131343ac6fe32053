// The receiver of all systems: a token service and an API that checks the bearer of every call. It speaks just enough
// HTTP/1.1 over bare sockets, so that it is never what limits a measurement.
import { LargeAnswer, page } from './receiver-bulk.ts'
import { createServer, type Socket } from 'node:net'

/** ms */
const delay = Number(process.env['BENCH_TOKEN_DELAY'] ?? 0)
/** s */
const lifetime = Number(process.env['BENCH_TOKEN_LIFETIME'] ?? 1800)
/** ms that a record takes. */
const recordDelay = Number(process.env['BENCH_RECORD_DELAY'] ?? 0)
/** After so many accepted orders all tokens are revoked: `3000,6000`. */
const revokeAfter = new Set(process.env['BENCH_REVOKE_AFTER']?.split(',').map(Number))
const item = reply(200, JSON.stringify({ id: 'i', text: 'x'.repeat(2048 - 24) }))
const refused = reply(401, '{"error":"invalid_token"}')
/** Tokens and when they end (epoch ms). */
const bearers = new Map<string, number>()
const accepted = new Set<string>()
const counts = { tokens: 0, calls: 0, refused: 0, doubled: 0 }
const END_OF_HEAD = '\r\n\r\n'
const ORDER = 'POST /api/orders?id='
const ID = '"id":"'

function reply(status: number, body: string): string {
  return `HTTP/1.1 ${status} Status\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

function isAllowed(head: string): boolean {
  counts.calls++
  const at = head.indexOf('Bearer ')
  const end = at > 0 ? bearers.get(head.slice(at + 7, head.indexOf('\r\n', at))) : undefined
  const good = end !== undefined && Date.now() < end
  if (!good) counts.refused++
  return good
}

function accept(id: string): string {
  if (accepted.has(id)) counts.doubled++
  else if (revokeAfter.has(accepted.add(id).size)) bearers.clear()
  return reply(200, JSON.stringify({ id, status: 'accepted' }))
}

function issue(): string {
  counts.tokens++
  const token = `${counts.tokens}-`.padEnd(800, 't')
  bearers.set(token, Date.now() + lifetime * 1000)
  return reply(200, JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: lifetime }))
}

/** The records of a page, or one that is to be kept. */
function records(socket: Socket, head: string, body: string): void {
  if (!isAllowed(head)) socket.write(refused)
  else if (head.startsWith('GET')) socket.write(reply(200, page(head)), 'latin1')
  else {
    const at = body.indexOf(ID) + ID.length
    const text = accept(body.slice(at, body.indexOf('"', at)))
    if (recordDelay === 0) socket.write(text)
    else setTimeout(() => socket.write(text), recordDelay)
  }
}

function answer(socket: Socket, head: string, body: string): void {
  if (head.startsWith('GET /api/item')) socket.write(isAllowed(head) ? item : refused, 'latin1')
  else if (head.startsWith(ORDER))
    socket.write(
      isAllowed(head) ? accept(head.slice(ORDER.length, head.indexOf(' ', ORDER.length))) : refused,
    )
  else if (head.startsWith('/api/records', head.indexOf(' ') + 1)) records(socket, head, body)
  else if (head.startsWith('GET /api/large')) {
    if (isAllowed(head)) new LargeAnswer(socket, head).begin()
    else socket.write(refused)
  } else if (head.startsWith('POST /oauth/token')) {
    const text = issue()
    setTimeout(() => socket.write(text), delay)
  } else if (head.startsWith('GET /revoke')) {
    bearers.clear()
    socket.write(reply(200, '{}'))
  } else socket.write(reply(200, JSON.stringify({ ...counts, accepted: accepted.size })))
}

const server = createServer({ noDelay: true }, (socket) => {
  let received = ''
  socket.setEncoding('latin1')
  socket.on('error', () => {})
  socket.on('data', (text: string) => {
    received += text
    for (;;) {
      const end = received.indexOf(END_OF_HEAD)
      if (end < 0) return
      const length = /\r\ncontent-length: (\d+)/i.exec(received)
      const size = end + 4 + (length === null || length.index > end ? 0 : Number(length[1]))
      if (received.length < size) return
      answer(socket, received.slice(0, end + 2), received.slice(end + 4, size))
      received = received.slice(size)
    }
  })
})
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number }
  process.stdout.write(`listening http://127.0.0.1:${port}\n`)
})
