import { STATUS_CODES, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { problemReply, type ProblemReply } from './problem-json.ts'

const NO_REQUEST = 'The request is malformed'
export const MALFORMED: ProblemReply = problemReply(400, NO_REQUEST)

export function sendProblem(reply: FastifyReply, problem: ProblemReply): void {
  for (let i = 0; i < problem.headers.length; i += 2)
    reply.header(problem.headers[i]!, problem.headers[i + 1])
  void reply.code(problem.status).send(problem.body)
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

/** Answers 405 at an address that there is, to other methods than its own. */
export function refuseOtherMethods(app: FastifyInstance, url: string, own: readonly string[]): void {
  const allowed = own.includes('GET') ? ['HEAD', ...own] : own
  const allow = METHODS.filter((method) => allowed.includes(method)).join(', ')
  const refuse = (reply: FastifyReply) =>
    sendProblem(
      reply.header('allow', allow),
      problemReply(405, 'The address does not take this method', { detail: `it takes ${allow}` }),
    )
  app.route({
    method: METHODS.filter((method) => !allowed.includes(method)),
    url,
    exposeHeadRoute: false,
    onRequest: async (_request, reply) => {
      refuse(reply)
      return reply
    },
    handler: () => undefined,
  })
}

/** Where Fastify is not asked. */
export function writeProblem(reply: ServerResponse, { status, headers, body }: ProblemReply): void {
  reply.writeHead(status, [...headers, 'content-length', String(body.length), 'connection', 'close'])
  reply.end(body)
}

/** What is no HTTP is answered on the bare socket. */
export function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  const open = (socket as { _httpMessage?: ServerResponse })._httpMessage
  if (BROKEN.test(error.code ?? '') || !socket.writable || open?.headersSent) {
    socket.destroy()
    return
  }
  const [status, title] = CODES[error.code ?? ''] ?? [400, NO_REQUEST]
  socket.end(problemText(problemReply(status, title)))
}

/** The connection is gone, or never came about: its handshake failed. */
const BROKEN = /^(ECONNRESET|EPROTO|ERR_SSL_|ERR_TLS_)/

/** A whole answer, after which the connection is closed. */
export function problemText({ status, headers, body }: ProblemReply): string {
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'connection: close',
    `content-length: ${body.length}`,
  ]
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`)
  return `${lines.join('\r\n')}\r\n\r\n${body.toString()}`
}

const CODES: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The headers are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request took too long to arrive'],
}
