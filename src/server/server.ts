import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { fastify, type FastifyInstance } from 'fastify'
import type { Addresses, Logger } from '../core/services.ts'
import { hasBody, readLeftover } from './leftover.ts'
import { listenOn, type Address } from './listening.ts'
import type { OwnTls } from './own-tls.ts'
import { problemReply, type ProblemReply } from './problem-json.ts'
import { addProbes, ignoreBodies } from './probes.ts'
import { MALFORMED, refuseMalformed, sendProblem, writeProblem } from './refusals.ts'
import { misshapen, UNKNOWN_EXPECTATION } from './request-shape.ts'
import { PREFIX, type RouteTable } from './routes.ts'
import { withoutQuery } from '../core/url-query.ts'

/** ms for the headers of a request; the body has its own limits, in the trigger. */
const HEADERS_TIMEOUT = 30_000
/** ms that an unused connection is kept. Longer than the 60 s of most load balancers, which else run into a closed one. */
const KEEP_ALIVE = 65_000
/** ms between looks for connections that became idle while the server closes. */
const CLOSE_IDLE = 20

export interface ServerSetting {
  readonly routes: RouteTable
  /** What is served beside flows, health and problems. */
  readonly addresses?: Addresses
  readonly listen: Address
  /** Left out: it speaks plain HTTP. */
  readonly tls?: OwnTls | undefined
  readonly health: () => { readonly ready: boolean; readonly reasons: readonly string[] }
  /** Bytes of all headers of a request together. */
  readonly limits: { readonly header: number }
  readonly log: Logger
}

export interface Server {
  /**
   * Resolves to the URL.
   * @param begin called as soon as the address is had; requests wait until it has returned
   * @throws Error with `code` `SLUICE_LISTEN`
   */
  listen(begin?: (url: string) => void): Promise<string>
  /** Takes no new connection and no new request; resolves when what was open is answered, or cut off after `graceMs`. */
  close(graceMs: number): Promise<void>
}

/** The public listener: flows under `/http`, health, and problem+json for all else. */
export function createServer(setting: ServerSetting): Server {
  const { routes, listen, tls, log } = setting
  let closing = false
  /** Requests that came before there was anything to serve. */
  let early: (() => void)[] | undefined
  const prefix = `${PREFIX}/`
  const refused = new WeakSet<Socket>()

  function enter(raw: IncomingMessage, reply: ServerResponse, rest: typeof other): void {
    // Node parses what comes behind a refused request before the connection is closed: nobody answers it.
    if (refused.has(raw.socket)) return
    const problem = misshapen(raw)
    if (problem) refuse(raw, reply, problem)
    else route(raw, reply, rest)
  }

  function refuse({ socket }: IncomingMessage, reply: ServerResponse, problem: ProblemReply): void {
    refused.add(socket)
    writeProblem(reply, problem)
  }

  function route(raw: IncomingMessage, reply: ServerResponse, rest: typeof other): void {
    if (early) {
      early.push(() => route(raw, reply, rest))
      return
    }
    if (closing) reply.shouldKeepAlive = false
    if (tls?.hsts !== undefined) reply.setHeader('strict-transport-security', tls.hsts)
    const url = raw.url!
    if (!url.startsWith('/')) raw.url = pathOf(url)
    if (!raw.url!.startsWith(prefix)) {
      if (hasBody(raw)) reply.once('finish', () => readLeftover(raw, routes.leftoverTime))
      const served = setting.addresses && addressOf(setting.addresses, withoutQuery(raw.url!))
      if (served && raw.headers.expect !== undefined && raw.method !== 'POST') reply.shouldKeepAlive = false
      if (served) served(raw, reply).catch((error: unknown) => fault(error, raw, reply))
      else rest(raw, reply)
      return
    }
    try {
      routes.dispatch(raw, reply, log)
    } catch (error) {
      fault(error, raw, reply)
    }
  }

  function fault(error: unknown, raw: IncomingMessage, reply: ServerResponse): void {
    log.error({ err: error, path: withoutQuery(raw.url!) }, 'a fault in the engine while a request was taken')
    if (reply.headersSent) reply.destroy()
    else writeProblem(reply, problemReply(500, 'A fault in the engine', { code: 'engine.fault' }))
  }

  let other: (raw: IncomingMessage, reply: ServerResponse) => void = () => {}
  const app = fastify({
    logger: false,
    exposeHeadRoutes: true,
    clientErrorHandler: refuseMalformed,
    frameworkErrors: (_error, _request, reply) => sendProblem(reply, MALFORMED),
    serverFactory: (handler) => {
      other = handler
      const options = {
        maxHeaderSize: setting.limits.header,
        requireHostHeader: false,
        headersTimeout: HEADERS_TIMEOUT,
        requestTimeout: 0,
        keepAliveTimeout: KEEP_ALIVE,
        connectionsCheckingInterval: HEADERS_TIMEOUT / 3,
      }
      const take = (raw: IncomingMessage, reply: ServerResponse) => enter(raw, reply, handler)
      const server = tls ? tls.createServer(options, take) : createHttpServer(options, take)
      server.on('checkContinue', (raw: IncomingMessage, reply: ServerResponse) =>
        enter(raw, reply, unasked(handler)),
      )
      server.on('checkExpectation', (raw: IncomingMessage, reply: ServerResponse) =>
        refuse(raw, reply, UNKNOWN_EXPECTATION),
      )
      return server
    },
  })
  addRoutes(app, setting.health)

  return {
    async listen(begin) {
      early = []
      const url = await listenOn(app, listen, 'listen', tls && 'https')
      begin?.(url)
      const waited = early
      early = undefined
      for (const serve of waited) serve()
      return url
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
  ignoreBodies(app)
  addProbes(app, () => health().ready)
  app.setNotFoundHandler((_request, reply) =>
    sendProblem(reply, problemReply(404, 'There is nothing at this address; flows are served under /http/')),
  )
  app.setErrorHandler((_error, _request, reply) => sendProblem(reply, MALFORMED))
}

function addressOf(addresses: Addresses, path: string) {
  return addresses.get(path) ?? addresses.get(path.slice(0, path.lastIndexOf('/') + 1))
}

/** Of a request line with a whole URL, as proxies send it. */
function pathOf(url: string): string {
  const at = url.indexOf('/', url.indexOf('://') + 3)
  return url.includes('://') && at !== -1 ? url.slice(at) : '/'
}
