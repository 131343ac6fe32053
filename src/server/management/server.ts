import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { fastify, type FastifyInstance, type FastifyReply } from 'fastify'
import type { Audit } from '../../core/audit.ts'
import type { EngineHealth } from '../../core/control.ts'
import type { Html } from '../../core/html.ts'
import type { ManagementRole } from '../../core/management-role.ts'
import type { Access, Logger } from '../../core/services.ts'
import { operations } from '../api/index.ts'
import type { ManagedEngine } from '../api/managed-engine.ts'
import { addApi, API_PREFIX } from '../api/routes.ts'
import { listenOn, type Address } from '../listening.ts'
import type { OwnTls } from '../own-tls.ts'
import { addProbes, ignoreBodies } from '../probes.ts'
import { problemReply } from '../problem-json.ts'
import { MALFORMED, refuseMalformed, refuseOtherMethods, sendProblem } from '../refusals.ts'
import { unkept } from '../unkept.ts'
import { cookieOf, type DevSession } from './dev-session.ts'
import { Door } from './door.ts'

/** ms for a whole request, and that an unused connection is kept. */
const OPTIONS = { requestTimeout: 30_000, keepAliveTimeout: 65_000 }
/** Characters of a name in a path, encoded. */
const LONGEST_NAME = 2000

export interface ManagementSetting {
  readonly listen: Address
  /** Left out: it speaks plain HTTP. */
  readonly tls?: OwnTls | undefined
  /** Where a request comes from. */
  readonly addressOf: (raw: IncomingMessage) => string
  readonly access: Pick<Access, 'admit'>
  /** Names under which it may be called, beside addresses and `localhost`. */
  readonly hosts: readonly string[]
  /** Whether everybody may read metrics and health. */
  readonly openMetrics: boolean
  /** There under `--dev`. */
  readonly session: DevSession | undefined
  readonly engine: ManagedEngine
  readonly audit: Audit
  readonly health: () => EngineHealth
  /** Text for Prometheus. */
  readonly metrics: () => Promise<string>
  /** Of that text. */
  readonly contentType: string
  /** What there is to read about it. */
  readonly documents: ManagementDocuments
  /** Bytes of the largest message that is read into memory. */
  readonly bodyLimit: number
  /** Takes live secrets out of a text. */
  readonly redact: (text: string) => string
  readonly log: Logger
}

/** Descriptions: JSON (OpenAPI), and the same as a page. */
export interface ManagementDocuments {
  readonly endpoints: () => string
  readonly endpointsPage: () => Html
  readonly api: () => string
  readonly apiPage: () => Html
}

export interface ManagementServer {
  /** Resolves to the URL. @throws Error with `code` `SLUICE_LISTEN` */
  listen(): Promise<string>
  close(): Promise<void>
}

/** The listener for those who run an engine: the management API, metrics and health, descriptions. Closed, and without secrets. */
export function createManagementServer(setting: ManagementSetting): ManagementServer {
  const { log, redact, engine, tls } = setting
  const door = new Door(setting)
  const app = fastify({
    logger: false,
    exposeHeadRoutes: true,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: LONGEST_NAME },
    clientErrorHandler: refuseMalformed,
    frameworkErrors: (_error, _request, reply) => sendProblem(reply, MALFORMED),
    serverFactory: (handler) => (tls ? tls.createServer(OPTIONS, handler) : createServer(OPTIONS, handler)),
  })
  ignoreBodies(app)
  addProbes(app, () => setting.health().status !== 'down')
  addReading(app, door, setting)
  if (setting.session) addLogin(app, door, setting.session, setting)
  addApi(app, { operations, engine, door, audit: setting.audit, log, redact, bodyLimit: setting.bodyLimit })
  app.setNotFoundHandler((_request, reply) =>
    sendProblem(
      reply,
      problemReply(
        404,
        `There is nothing at this address; GET /openapi and ${API_PREFIX} tell what there is, /metrics, /health, /health/live and /health/ready how it is`,
      ),
    ),
  )
  app.setErrorHandler((error, _request, reply) => {
    if ((error as { statusCode?: number }).statusCode === 400) return sendProblem(reply, MALFORMED)
    log.error({ err: error }, 'a fault in the engine while the management listener was asked')
    sendProblem(reply, problemReply(500, 'A fault in the engine', { code: 'engine.fault' }))
  })
  return {
    listen: () => listenOn(app, setting.listen, 'management', tls && 'https'),
    close: async () => {
      await app.close()
    },
  }
}

/** What is read by one request, by those who may. */
function addReading(app: FastifyInstance, door: Door, setting: ManagementSetting): void {
  const { health, metrics, documents, openMetrics } = setting
  const hide = (_key: string, value: unknown) => (typeof value === 'string' ? setting.redact(value) : value)
  const serve = (
    path: string,
    role: ManagementRole | 'public',
    handler: (reply: FastifyReply) => FastifyReply | Promise<FastifyReply>,
  ) => {
    refuseOtherMethods(app, path, ['GET'])
    return app.get(path, {
      async onRequest({ raw }, reply) {
        if (!(await enter(door, role, raw, reply.raw))) reply.hijack()
      },
      handler: async (_request, reply) => handler(unkept(reply)),
    })
  }
  const watching = openMetrics ? 'public' : 'sluice.viewer'
  serve('/health', watching, (reply) => {
    const state = health()
    return reply
      .code(state.status === 'down' ? 503 : 200)
      .type('application/json; charset=utf-8')
      .send(`${JSON.stringify(state, hide, 2)}\n`)
  })
  serve('/metrics', watching, async (reply) =>
    reply.header('content-type', setting.contentType).send(await metrics()),
  )
  const json = (content: () => string) => (reply: FastifyReply) =>
    reply.type('application/json').send(content())
  const html = (content: () => Html) => (reply: FastifyReply) => {
    const { text, contentSecurityPolicy } = content()
    return reply
      .header('content-security-policy', contentSecurityPolicy)
      .header('referrer-policy', 'no-referrer')
      .type('text/html; charset=utf-8')
      .send(text)
  }
  serve('/openapi.json', 'sluice.viewer', json(documents.endpoints))
  serve('/openapi', 'sluice.viewer', html(documents.endpointsPage))
  serve(`${API_PREFIX}/openapi.json`, 'sluice.viewer', json(documents.api))
  serve(API_PREFIX, 'sluice.viewer', html(documents.apiPage))
}

async function enter(
  door: Door,
  role: ManagementRole | 'public',
  raw: IncomingMessage,
  reply: ServerResponse,
): Promise<boolean> {
  return role === 'public'
    ? door.admitAnybody(raw, reply)
    : (await door.admit(role, raw, reply)) !== undefined
}

/** The link of a development engine: good once. */
function addLogin(
  app: FastifyInstance,
  door: Door,
  session: DevSession,
  { audit, addressOf }: ManagementSetting,
): void {
  app.get('/login', {
    exposeHeadRoute: false,
    async onRequest({ raw }, reply) {
      if (!door.admitAnybody(raw, reply.raw)) reply.hijack()
    },
    handler: async ({ query, raw }, reply) => {
      const { code } = query as { code?: unknown }
      const value = typeof code === 'string' ? session.redeem(code) : undefined
      audit.count({
        who: 'local user (link)',
        address: addressOf(raw),
        what: 'login',
        outcome: value === undefined ? 'refused' : 'done',
      })
      if (value === undefined) {
        sendProblem(
          reply,
          problemReply(401, 'The link is not good', {
            detail:
              'it was used before, or is older than 5 minutes; the engine prints another one when it starts again',
          }),
        )
        return reply
      }
      return unkept(reply)
        .header(
          'set-cookie',
          `${cookieOf(raw.socket.localPort)}=${value}; HttpOnly; SameSite=Strict; Path=/${'encrypted' in raw.socket ? '; Secure' : ''}`,
        )
        .header('referrer-policy', 'no-referrer')
        .redirect('/openapi', 303)
    },
  })
}
