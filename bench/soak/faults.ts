// What the receiver does wrong, as data. A fault either answers in its own way, or leaves it to the usual one.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Chance } from './chance.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** A request, what would be the right answer to it, and the ways to give it. */
export interface Call {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly answer: Answer
  readonly chance: Chance
  /** Gives the right answer. */
  readonly right: () => void
  /** Forgets the token of the request; false: it is too young to be forgotten. */
  readonly revoke: () => boolean
}

export interface Fault {
  readonly name: string
  readonly weight: number
  apply(call: Call): void
}

/** ms that a connection lives on after a fault that leaves its end to the other side. */
const PATIENCE = 10_000

export const FAULTS: readonly Fault[] = [
  { name: '500', weight: 10, apply: (call) => reply(call, 500) },
  { name: '503, again at once', weight: 6, apply: (call) => reply(call, 503, { 'retry-after': '0' }) },
  { name: '429, again in 1 s', weight: 6, apply: (call) => reply(call, 429, { 'retry-after': '1' }) },
  {
    name: '401, token revoked',
    weight: 6,
    apply: (call) => (call.revoke() ? reply(call, 401) : call.right()),
  },
  { name: '401, token good', weight: 1, apply: (call) => reply(call, 401) },
  {
    name: 'slow',
    weight: 20,
    apply: ({ chance, right }) => void setTimeout(right, chance.between(50, 1500)),
  },
  { name: 'no answer', weight: 3, apply: ({ request }) => endLater(request, PATIENCE) },
  { name: 'reset', weight: 6, apply: ({ request }) => void request.socket.resetAndDestroy() },
  { name: 'closed', weight: 6, apply: ({ request }) => void request.socket.end() },
  { name: 'cut off', weight: 6, apply: (call) => half(call, () => call.request.socket.end()) },
  {
    name: 'cut off by reset',
    weight: 6,
    apply: (call) => half(call, () => call.request.socket.resetAndDestroy()),
  },
  { name: 'stuck in the middle', weight: 3, apply: (call) => half(call, () => endLater(call.request, 3000)) },
  {
    name: 'content-length too long',
    weight: 4,
    apply: ({ request, answer }) =>
      void request.socket.end(
        wire({
          ...answer,
          headers: { ...answer.headers, 'content-length': String(answer.body.length + 100) },
        }),
      ),
  },
  {
    name: 'bytes behind the answer',
    weight: 4,
    apply({ request, answer }) {
      const more = wire({ ...answer, status: 200, body: Buffer.from('{"id":"smuggled"}') })
      request.socket.write(Buffer.concat([wire(answer), more]))
      endLater(request, 1000)
    },
  },
  {
    name: 'closed behind the answer',
    weight: 10,
    apply({ request, answer, chance }) {
      request.socket.write(wire(answer))
      endLater(request, chance.between(0, 3))
    },
  },
  { name: 'no HTTP', weight: 4, apply: ({ request }) => void request.socket.end('HELLO 200\r\n\r\nhello') },
  {
    name: 'chunks without an end',
    weight: 4,
    apply: ({ request }) =>
      void request.socket.end(
        'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"id"\r\n',
      ),
  },
  { name: 'head too large', weight: 2, apply: (call) => reply(call, 200, { 'x-much': 'x'.repeat(100_000) }) },
  { name: 'in pieces', weight: 10, apply: (call) => trickle(call, 5) },
]

/** The answer as bytes, with the length of its body where no other one is given. */
export function wire({ status, headers, body }: Answer): Buffer {
  const lines = Object.entries({ 'content-length': String(body.length), ...headers })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status} Status\r\n${head}\r\n`), body])
}

function reply({ response }: Call, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end('{"trouble":true}')
}

function half({ request, answer }: Call, then: () => void): void {
  const bytes = wire(answer)
  const size = Math.max(bytes.length - answer.body.length, Math.floor(bytes.length / 2))
  request.socket.write(bytes.subarray(0, size), then)
}

function trickle({ response, answer, right }: Call, pieces: number): void {
  const { status, headers, body } = answer
  if (body.length < pieces) return right()
  response.writeHead(status, { ...headers, 'content-length': String(body.length) })
  const size = Math.ceil(body.length / pieces)
  let at = 0
  const next = (): void => {
    if (response.destroyed) return
    response.write(body.subarray(at, (at += size)))
    if (at < body.length) setTimeout(next, 20)
    else response.end()
  }
  next()
}

function endLater({ socket }: IncomingMessage, ms: number): void {
  setTimeout(() => socket.destroy(), ms).unref()
}
