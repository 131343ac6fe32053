import {
  createServer as createHttpServer,
  STATUS_CODES,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { fastify, type FastifyInstance } from 'fastify'
import type { Logger } from '../core/services.ts'
import { problemReply, type ProblemReply } from './problem-json.ts'
import { PREFIX, type RouteTable } from './routes.ts'

/** ms for the headers of a request; the body has its own limits, in the trigger. */
const HEADERS_TIMEOUT = 30_000
/** ms that an unused connection is kept. Longer than the 60 s of most load balancers, which else run into a closed one. */
const KEEP_ALIVE = 65_000
/** ms between looks for connections that became idle while the server closes. */
const CLOSE_IDLE = 20

export interface ServerSetting {
  readonly routes: RouteTable
  readonly listen: { readonly host: string; readonly port: number }
  readonly health: () => { readonly ready: boolean; readonly reasons: readonly string[] }
  /** Bytes of all headers of a request together. */
  readonly limits: { readonly header: number }
  readonly log: Logger
}

export interface Server {
  /** Resolves to the URL. @throws Error with `code` `SLUICE_LISTEN` */
  listen(): Promise<string>
  /** Takes no new connection and no new request; resolves when what was open is answered, or cut off after `graceMs`. */
  close(graceMs: number): Promise<void>
}

/** The public listener: flows under `/http`, health, and problem+json for all else. */
export function createServer(setting: ServerSetting): Server {
  const { routes, listen, log } = setting
  let closing = false
  const prefix = `${PREFIX}/`

  function route(raw: IncomingMessage, reply: ServerResponse, rest: typeof other): void {
    if (closing) reply.shouldKeepAlive = false
    const url = raw.url!
    if (!url.startsWith('/')) raw.url = pathOf(url)
    if (!raw.url!.startsWith(prefix)) {
      rest(raw, reply)
      return
    }
    try {
      routes.dispatch(raw, reply, log)
    } catch (error) {
      log.error({ err: error, path: raw.url }, 'a fault in the engine while a request was taken')
      if (reply.headersSent) reply.destroy()
      else write(reply, problemReply(500, 'A fault in the engine', { code: 'engine.fault' }))
    }
  }

  let other: (raw: IncomingMessage, reply: ServerResponse) => void = () => {}
  const app = fastify({
    logger: false,
    exposeHeadRoutes: true,
    clientErrorHandler: refuseMalformed,
    frameworkErrors: (_error, _request, reply) =>
      sendProblem(reply, problemReply(400, 'The request is malformed')),
    serverFactory: (handler) => {
      other = handler
      const server = createHttpServer(
        {
          maxHeaderSize: setting.limits.header,
          headersTimeout: HEADERS_TIMEOUT,
          requestTimeout: 0,
          keepAliveTimeout: KEEP_ALIVE,
          connectionsCheckingInterval: HEADERS_TIMEOUT / 3,
        },
        (raw, reply) => route(raw, reply, handler),
      )
      server.on('checkContinue', (raw: IncomingMessage, reply: ServerResponse) =>
        route(raw, reply, unasked(handler)),
      )
      return server
    },
  })
  addRoutes(app, setting.health)

  return {
    async listen() {
      try {
        await app.listen({ host: listen.host, port: listen.port })
      } catch (error) {
        throw cannotListen(listen, error as NodeJS.ErrnoException)
      }
      const { address, family, port } = app.server.address() as AddressInfo
      return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
    },
    async close(graceMs) {
      closing = true
      const idle = setInterval(() => app.server.closeIdleConnections(), CLOSE_IDLE)
      const late = setTimeout(() => app.server.closeAllConnections(), graceMs)
      await app.close().finally(() => {
        clearInterval(idle)
        clearTimeout(late)
      })
    },
  }
}

/** A caller that waits to be asked for its body, where nobody is going to ask: the connection cannot be used again. */
function unasked(handler: (raw: IncomingMessage, reply: ServerResponse) => void): typeof handler {
  return (raw, reply) => {
    reply.shouldKeepAlive = false
    handler(raw, reply)
  }
}

function addRoutes(app: FastifyInstance, health: ServerSetting['health']): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.get('/health/live', () => ({ status: 'up' }))
  app.get('/health/ready', (_request, reply) => {
    if (health().ready) return { status: 'up' }
    reply.code(503)
    return { status: 'down' }
  })
  app.setNotFoundHandler((_request, reply) =>
    sendProblem(reply, problemReply(404, 'There is nothing at this address; flows are served under /http/')),
  )
  app.setErrorHandler((_error, _request, reply) =>
    sendProblem(reply, problemReply(400, 'The request is malformed')),
  )
}

function sendProblem(reply: import('fastify').FastifyReply, problem: ProblemReply): void {
  for (let i = 0; i < problem.headers.length; i += 2)
    reply.header(problem.headers[i]!, problem.headers[i + 1])
  void reply.code(problem.status).send(problem.body)
}

function write(reply: ServerResponse, { status, headers, body }: ProblemReply): void {
  reply.writeHead(status, [...headers, 'content-length', String(body.length), 'connection', 'close'])
  reply.end(body)
}

/** Of a request line with a whole URL, as proxies send it. */
function pathOf(url: string): string {
  const at = url.indexOf('/', url.indexOf('://') + 3)
  return url.includes('://') && at !== -1 ? url.slice(at) : '/'
}

/** What is no HTTP is answered on the bare socket. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  const open = (socket as { _httpMessage?: ServerResponse })._httpMessage
  if (error.code === 'ECONNRESET' || !socket.writable || open?.headersSent) {
    socket.destroy()
    return
  }
  const [status, title] = MALFORMED[error.code ?? ''] ?? [400, 'The request is malformed']
  const { headers, body } = problemReply(status, title)
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'connection: close',
    `content-length: ${body.length}`,
  ]
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`)
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body.toString()}`)
}

const MALFORMED: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The headers are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request took too long to arrive'],
}

function cannotListen(listen: ServerSetting['listen'], error: NodeJS.ErrnoException): Error {
  const address = `${listen.host}:${listen.port}`
  const reasons: Record<string, string> = {
    EADDRINUSE: 'another program listens there; stop it, or choose another port',
    EACCES: 'this user may not listen there; ports below 1024 need a privilege: choose a higher one',
    EADDRNOTAVAIL: 'this machine does not have that address; 127.0.0.1 and 0.0.0.0 are always there',
    ENOTFOUND: 'the name of the host is not known',
  }
  const reason = reasons[error.code ?? ''] ?? error.message
  return Object.assign(
    new Error(`cannot listen on ${address} (setting "listen"): ${reason}`, { cause: error }),
    { code: 'SLUICE_LISTEN' },
  )
}
