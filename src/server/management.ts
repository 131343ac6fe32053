import { createServer } from 'node:http'
import { fastify, type FastifyReply } from 'fastify'
import type { EngineHealth } from '../core/control.ts'
import type { Logger } from '../core/services.ts'
import { listenOn, type Address } from './listening.ts'
import type { OwnTls } from './own-tls.ts'
import { addProbes, ignoreBodies } from './probes.ts'
import { problemReply } from './problem-json.ts'
import { MALFORMED, refuseMalformed, sendProblem } from './refusals.ts'

/** ms for a whole request, and that an unused connection is kept. */
const OPTIONS = { requestTimeout: 10_000, keepAliveTimeout: 65_000 }

export interface ManagementSetting {
  readonly listen: Address
  /** Left out: it speaks plain HTTP. */
  readonly tls?: OwnTls | undefined
  readonly health: () => EngineHealth
  /** Text for Prometheus. */
  readonly metrics: () => Promise<string>
  /** Of that text. */
  readonly contentType: string
  /** The endpoints as OpenAPI, JSON. */
  readonly openApi: () => string
  /** Takes live secrets out of a text. */
  readonly redact: (text: string) => string
  readonly log: Logger
}

export interface ManagementServer {
  /** Resolves to the URL. @throws Error with `code` `SLUICE_LISTEN` */
  listen(): Promise<string>
  close(): Promise<void>
}

/** The listener for those who watch over an engine: metrics and health, to read only, without secrets. */
export function createManagementServer(setting: ManagementSetting): ManagementServer {
  const { health, tls, log } = setting
  const hide = (_key: string, value: unknown) => (typeof value === 'string' ? setting.redact(value) : value)
  const app = fastify({
    logger: false,
    exposeHeadRoutes: true,
    forceCloseConnections: true,
    clientErrorHandler: refuseMalformed,
    frameworkErrors: (_error, _request, reply) => sendProblem(reply, MALFORMED),
    serverFactory: (handler) => (tls ? tls.createServer(OPTIONS, handler) : createServer(OPTIONS, handler)),
  })
  ignoreBodies(app)
  addProbes(app, () => health().status !== 'down')
  app.get('/health', (_request, reply) => {
    const state = health()
    void unkept(reply)
      .code(state.status === 'down' ? 503 : 200)
      .type('application/json; charset=utf-8')
      .send(`${JSON.stringify(state, hide, 2)}\n`)
  })
  app.get('/metrics', async (_request, reply) => {
    const text = await setting.metrics()
    return unkept(reply).header('content-type', setting.contentType).send(text)
  })
  app.get('/openapi.json', (_request, reply) => {
    void unkept(reply).type('application/json').send(setting.openApi())
  })
  app.setNotFoundHandler((_request, reply) =>
    sendProblem(
      reply,
      problemReply(
        404,
        'There is nothing at this address; GET /metrics, /openapi.json, /health, /health/live, /health/ready',
      ),
    ),
  )
  app.setErrorHandler((error, _request, reply) => {
    if ((error as { statusCode?: number }).statusCode === 400) return sendProblem(reply, MALFORMED)
    log.error({ err: error }, 'a fault in the engine while metrics or health were asked for')
    sendProblem(reply, problemReply(500, 'A fault in the engine', { code: 'engine.fault' }))
  })
  return {
    listen: () => listenOn(app, setting.listen, 'management', tls && 'https'),
    close: async () => {
      await app.close()
    },
  }
}

function unkept(reply: FastifyReply): FastifyReply {
  return reply.header('cache-control', 'no-store')
}
