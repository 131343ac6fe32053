import type { IncomingMessage } from 'node:http'
import { Ajv } from 'ajv'
import type { FastifyError, FastifyInstance, FastifyReply, FastifySchemaValidationError } from 'fastify'
import type { Actor, Audit } from '../../core/audit.ts'
import type { Logger } from '../../core/services.ts'
import type { Door } from '../management/door.ts'
import { problemReply } from '../problem-json.ts'
import { refuseOtherMethods, sendProblem } from '../refusals.ts'
import { unkept } from '../unkept.ts'
import type { ManagedEngine } from './managed-engine.ts'
import { ApiRefusal, Bytes, DONE, type Operation } from './operation.ts'
import { Thing } from './schemas.ts'

export interface ApiSetting {
  readonly operations: readonly Operation[]
  readonly engine: ManagedEngine
  readonly door: Door
  readonly audit: Pick<Audit, 'count'>
  readonly log: Logger
  /** Takes live secrets out of a text. */
  readonly redact: (text: string) => string
  /** Bytes of the largest message that is read into memory. */
  readonly bodyLimit: number
}

export const API_PREFIX = '/api'
/** Bytes of a request that holds no message. */
const SMALL = 64 * 1024

/** Serves the operations below `/api`, as problem+json where they fail. */
export function addApi(app: FastifyInstance, setting: ApiSetting): void {
  const { operations, engine, door, audit, redact } = setting
  const actors = new WeakMap<IncomingMessage, Actor>()
  /** The write of one who lacks the role. */
  const tellRefusal = ({ event, role }: Operation, params: unknown, actor: Actor) => {
    if (event === undefined) return
    const [object] = Object.values(params as Readonly<Record<string, string>>)
    audit.count({ ...actor, what: event, object, outcome: 'refused', detail: `it needs the role ${role}` })
  }
  const hide = (_key: string, value: unknown) => (typeof value === 'string' ? redact(value) : value)
  void app.register(
    async (api) => {
      api.removeAllContentTypeParsers()
      const parse = api.getDefaultJsonParser('error', 'error')
      api.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) =>
        body === ''
          ? done(null, undefined)
          : parse(request, body, (error, value) =>
              error ? done(new ApiRefusal(400, 'request.invalid', notJson(body))) : done(null, value),
            ),
      )
      api.addContentTypeParser('*', ({ headers }, _payload, done) =>
        headers['content-length'] === '0' ? done(null, undefined) : done(new NoJson()),
      )
      const strict = validator({})
      const lenient = validator({ coerceTypes: 'array' })
      api.setValidatorCompiler<object>(({ schema, httpPart }) =>
        (httpPart === 'body' ? strict : lenient).compile(schema),
      )
      api.setErrorHandler((error: FastifyError, _request, reply) => fail(error, reply, setting))
      for (const [path, all] of Map.groupBy(operations, ({ path }) => patternOf(path)))
        refuseOtherMethods(
          api,
          path,
          all.map(({ method }) => method),
        )
      for (const one of operations)
        api.route({
          method: one.method,
          url: patternOf(one.path),
          bodyLimit: one.takesMessage ? SMALL + Math.ceil((setting.bodyLimit * 4) / 3) : SMALL,
          schema: {
            querystring: one.query ?? Thing({}),
            ...(one.params && { params: one.params }),
            ...(one.body && { body: one.body }),
          },
          async onRequest({ raw, params }, reply) {
            const actor = await door.admit(one.role, raw, reply.raw, (actor) =>
              tellRefusal(one, params, actor),
            )
            if (actor) actors.set(raw, actor)
            else reply.hijack()
          },
          handler: async (request, reply) => {
            if (!one.body && request.body !== undefined)
              throw new ApiRefusal(400, 'request.invalid', 'this address takes no body')
            const result = await one.handle({
              params: request.params as never,
              query: request.query as never,
              body: request.body,
              engine,
              actor: actors.get(request.raw)!,
              gone: goneOf(reply),
            })
            return answer(reply, result, hide)
          },
        })
    },
    { prefix: API_PREFIX },
  )
}

/** A body of another type. */
class NoJson extends Error {
  readonly statusCode = 415
}

/** `/flows/{flow}` as the router writes it. */
function patternOf(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1')
}

function validator(options: object): Ajv {
  return new Ajv({ strict: false, allErrors: false, useDefaults: false, ...options })
}

function goneOf({ raw: response }: FastifyReply): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort()
  })
  if (response.destroyed) gone.abort()
  return gone.signal
}

function answer(
  reply: FastifyReply,
  result: unknown,
  hide: (key: string, value: unknown) => unknown,
): FastifyReply {
  unkept(reply)
  if (result === undefined) throw new ApiRefusal(404, 'request.not-found', 'there is no such thing')
  if (result === DONE) return reply.code(204).send()
  if (!(result instanceof Bytes))
    return reply.type('application/json').send(`${JSON.stringify(result, hide)}\n`)
  const { content, contentType, name } = result
  return reply
    .header(
      'content-type',
      /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(;[ -~]*)?$/.test(contentType) ? contentType : 'application/octet-stream',
    )
    .header(
      'content-disposition',
      `attachment; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`)}`,
    )
    .header('content-security-policy', "sandbox; default-src 'none'")
    .send(Buffer.from(content))
}

function fail(error: FastifyError, reply: FastifyReply, { log, redact }: ApiSetting): void {
  const { validation, validationContext, statusCode = 500, code } = error
  if (error instanceof ApiRefusal)
    return sendProblem(
      reply,
      problemReply(error.status, TITLES[error.code] ?? TITLES[error.status] ?? 'The request cannot be done', {
        detail: redact(error.message),
        code: error.code,
      }),
    )
  if (validation) {
    const { pointer, detail } = misfit(validation)
    const where = validationContext === 'querystring' ? 'query' : (validationContext ?? 'body')
    return sendProblem(
      reply,
      problemReply(400, 'The request does not fit its schema', {
        detail: redact(`${where}${pointer === '' ? '' : ` "${pointer}"`}: ${detail}`),
        code: 'request.invalid',
        errors: [{ pointer: redact(`#${pointer}`), in: where, detail }],
      }),
    )
  }
  if (code?.startsWith('store.'))
    return sendProblem(
      reply,
      problemReply(503, 'The message log cannot be read now', { detail: redact(error.message), code }),
    )
  if (statusCode < 500)
    return sendProblem(
      reply,
      problemReply(statusCode, TITLES[statusCode] ?? 'The request is malformed', {
        code: 'request.invalid',
      }),
    )
  log.error({ err: error }, 'a fault in the engine while the management API was asked')
  sendProblem(reply, problemReply(500, 'A fault in the engine', { code: 'engine.fault' }))
}

/** By code, where it has one of its own, else by status. */
const TITLES: Readonly<Record<string, string>> = {
  400: 'The request cannot be taken',
  404: 'There is no such thing',
  409: 'It cannot be changed now',
  413: 'The body is too large',
  415: 'Bodies are application/json',
  503: 'Too many requests at once',
  'flow.stopped': 'The flow does not run',
  'request.slow': 'The message log took too long to answer',
}

/** In words that hold one sign of the text at the most. */
function notJson(text: string): string {
  try {
    JSON.parse(text)
    return 'body: it has a key that JavaScript has a meaning for'
  } catch (error) {
    const { message } = error as Error
    const [, position] = /at position (\d+)/.exec(message) ?? []
    const [, sign] = /^Unexpected token '(.+?)',/su.exec(message) ?? []
    const where =
      position !== undefined
        ? `at character ${Number(position) + 1}`
        : sign !== undefined
          ? `at the first ${JSON.stringify(sign)} that is out of place`
          : 'it ends too early'
    return `body: it cannot be read as JSON (${where})`
  }
}

function misfit(errors: readonly FastifySchemaValidationError[]): { pointer: string; detail: string } {
  const { instancePath, keyword, params, message } = errors[0]!
  if (keyword === 'const') {
    const choices = errors.filter((error) => error.keyword === 'const' && error.instancePath === instancePath)
    const words = choices.map((choice) => JSON.stringify(choice.params['allowedValue']))
    return { pointer: instancePath, detail: `must be ${words.join(' or ')}` }
  }
  if (keyword === 'additionalProperties')
    return { pointer: `${instancePath}/${String(params['additionalProperty'])}`, detail: 'is not known here' }
  return { pointer: instancePath, detail: message ?? 'does not fit' }
}
