import type { IncomingHttpHeaders } from 'node:http'
import { parse as parseQuery } from 'node:querystring'
import { CERTIFICATE_HEADERS, type Caller } from '../core/access.ts'
import { Body } from '../core/body.ts'
import type { TriggerInfo } from '../core/context.ts'
import { CSRF_HEADER, CSRF_TOKEN, fetchesCsrfToken } from '../core/csrf.ts'
import { Failure } from '../core/failure.ts'
import { NO_SNIFFING, WITHHELD_HEADERS } from '../core/header.ts'
import type { RunRequest, RunResult, TriggerHost } from '../core/kinds.ts'
import { Message } from '../core/message.ts'
import type { Logger, RouteRequest } from '../core/services.ts'
import type { Clock } from '../core/world.ts'
import type { BodySchema } from './body-schema.ts'
import { collectBody, IncomingBody, tooLarge } from './endpoint-body.ts'
import type { BodyPlace, GatheredBodies } from './gathered-bodies.ts'

/** Bodies up to so many bytes are in memory before the run begins, so that most runs never wait. */
const SMALL = 64 * 1024
const CORRELATION_ID = /^[\x21-\x7e]{1,128}$/
/** @see https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/
/** A caller's credentials do not enter a flow, nor what anybody may have written of them. */
const SECRET_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'client-cert-chain',
  ...CERTIFICATE_HEADERS,
])
/** The same where the engine has judged who calls. */
const SECRET_OF_CALLERS: ReadonlySet<string> = new Set([...SECRET_HEADERS, 'x-api-key'])
/** Methods of requests that have to have a body where there is a schema. */
const BODIED: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])
const NOTHING = Buffer.alloc(0)
/** Flat. */
const TOKEN_GIVEN = [...[CSRF_HEADER, CSRF_TOKEN], ...['cache-control', 'no-store'], ...NO_SNIFFING]

/** An endpoint as deployed. */
export interface Endpoint {
  readonly host: TriggerHost
  /** Bytes. */
  readonly limit: number
  /** Whether a content type is taken, and how to name those that are. Undefined: every one. */
  readonly types: { takes(contentType: string): boolean; readonly names: string } | undefined
  /** What a body has to fit. */
  readonly schema: BodySchema | undefined
  /** ms that a body may take to arrive. */
  readonly bodyTime: number
  /** Bytes of a body that is read into memory. */
  readonly memory: number
  /** Whether the reply may set cookies. */
  readonly setsCookies: boolean
  /** Whether a run ends when its caller goes away. */
  readonly cancels: boolean
  /** Bodies over `SMALL` that are being read before their runs. */
  readonly gathered: GatheredBodies
  readonly clock: Clock
  readonly log: Logger
}

/** What expressions see as `trigger`; put together when first asked for. */
class EndpointInfo implements TriggerInfo {
  readonly kind = 'endpoint'
  private readonly request: RouteRequest
  private readonly caller: Caller | undefined
  private made: Readonly<Record<string, unknown>> | undefined

  constructor(request: RouteRequest, caller: Caller | undefined) {
    this.request = request
    this.caller = caller
  }

  get data(): Readonly<Record<string, unknown>> {
    return (this.made ??= {
      method: this.request.raw.method,
      path: this.request.path,
      params: { ...this.request.params },
      query: { ...parseQuery(this.request.query, '&', '=', { maxKeys: 0 }) },
      headers: openHeaders(this.request.raw.headers, this.caller ? SECRET_OF_CALLERS : SECRET_HEADERS),
      caller: { id: this.caller?.id ?? null, roles: [...(this.caller?.roles ?? [])] },
    })
  }
}

function openHeaders(headers: IncomingHttpHeaders, secret: ReadonlySet<string>): Record<string, unknown> {
  const open: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(headers)) if (!secret.has(name)) open[name] = value
  return open
}

/** Takes a request of somebody who may call: one that asks for a CSRF token gets it, every other one becomes a run. */
export function takeCall(endpoint: Endpoint, request: RouteRequest, caller: Caller | undefined): void {
  if (fetchesCsrfToken(request.raw)) request.answer(200, [...TOKEN_GIVEN], NOTHING)
  else new EndpointCall(endpoint, request, caller).take()
}

/** One request to an endpoint: becomes a message, then a run, then a reply. */
export class EndpointCall implements RunRequest {
  message!: Message
  readonly trigger: TriggerInfo
  readonly correlationId?: string
  readonly traceparent?: string
  readonly caller?: string
  readonly onStart?: (cancel: (reason: Failure) => void) => void
  private readonly endpoint: Endpoint
  private readonly request: RouteRequest
  private incoming: IncomingBody | undefined
  /** What the run began with: the only body that may still be encoded, as its caller has encoded it. */
  private received: Body | undefined

  /** @param caller undefined where everybody may call */
  constructor(endpoint: Endpoint, request: RouteRequest, caller: Caller | undefined) {
    this.endpoint = endpoint
    this.request = request
    this.trigger = new EndpointInfo(request, caller)
    if (caller) this.caller = caller.id
    const { headers } = request.raw
    const correlationId = headers['x-correlation-id']
    if (typeof correlationId === 'string' && CORRELATION_ID.test(correlationId))
      this.correlationId = correlationId
    const { traceparent } = headers
    if (typeof traceparent === 'string' && TRACEPARENT.test(traceparent)) this.traceparent = traceparent
    if (endpoint.cancels) this.onStart = cancelOnClose(request)
  }

  /** Looks at the headers, gets a small body, and begins the run. */
  take(): void {
    const { endpoint, request } = this
    const { headers } = request.raw
    const type = headers['content-type']
    const length = lengthOf(headers)
    let refused: Failure | undefined
    if (length === 0 && !wantsBody(endpoint, request)) this.run(Body.empty(type))
    else if ((refused = headFailure(endpoint, request))) request.refuse(refused)
    else if (length > 0 && length <= SMALL)
      collectBody(request, length, endpoint, (bytes) => {
        if (Buffer.isBuffer(bytes)) this.judge(Body.ofBytes(bytes, type))
        else request.refuse(bytes)
      })
    else if (endpoint.schema) void this.gather(length)
    else this.run(this.streamOf(length))
  }

  /** Begins the run with a body that was read already. */
  takeRead(bytes: Buffer): void {
    const type = this.request.raw.headers['content-type']
    if (bytes.length > 0) this.judge(Body.ofBytes(bytes, type))
    else if (wantsBody(this.endpoint, this.request)) this.judge(Body.empty(type))
    else this.run(Body.empty(type))
  }

  /** Runs what fits the schema. */
  private judge(body: Body): void {
    const misfit = this.endpoint.schema?.check(body)
    if (misfit) this.request.refuse(misfit)
    else this.run(body)
  }

  /** @param length bytes; -1: it does not say */
  private streamOf(length: number, place?: BodyPlace): Body {
    this.incoming = new IncomingBody(this.request, this.endpoint, place)
    return Body.ofStream(
      this.incoming,
      this.request.raw.headers['content-type'],
      length < 0 ? undefined : length,
    )
  }

  /** Reads a large body before the run, because it has to be judged, where there is room for it. */
  private async gather(length: number): Promise<void> {
    const { endpoint, request } = this
    const place = endpoint.gathered.place(length)
    if (place instanceof Failure) {
      request.refuse(place)
      return
    }
    const body = this.streamOf(length, place)
    try {
      await body.load(Math.min(endpoint.limit, endpoint.memory))
    } catch (error) {
      request.refuse(Failure.from(error))
      return
    } finally {
      place.leave()
    }
    this.judge(body)
  }

  private run(body: Body): void {
    this.received = body
    this.message = new Message(body)
    const result = this.endpoint.host.process(this)
    if (result instanceof Promise) void result.then(this.answer)
    else this.answer(result)
  }

  private readonly answer = (result: RunResult): void => {
    const { request } = this
    try {
      if (result.failure && result.replied !== true) this.refuse(result.failure, result)
      else this.send(result)
    } catch (error) {
      const failure =
        error instanceof Failure
          ? error
          : new Failure('flow.failed', 'the reply has a header or a status that cannot be sent')
      this.endpoint.log.warn(
        { err: error, flow: this.endpoint.host.flow, run: result.id },
        'the run is over, but its reply could not be sent',
      )
      request.refuse(failure, result.id)
    }
  }

  private send({ id, message }: RunResult): void {
    const { body } = message
    const stream = body.isStream ? body.take() : undefined
    const bytes = stream ? NOTHING : body.bytes()
    const empty = !stream && bytes.length === 0
    const status = message.replyStatus ?? (empty ? 204 : 200)
    const headers: string[] = []
    const bare = empty || status === 204 || status === 304
    if (body.contentType !== undefined && !bare) headers.push('content-type', body.contentType)
    for (const name in message.headers)
      if (!WITHHELD_HEADERS.has(name) && name !== 'x-content-type-options')
        if (name !== 'content-encoding' || body === this.received) headers.push(name, message.headers[name]!)
    const cookies = this.endpoint.setsCookies ? message.headers['set-cookie'] : undefined
    if (cookies !== undefined)
      for (const cookie of cookies.split('\n')) if (cookie !== '') headers.push('set-cookie', cookie)
    headers.push(...NO_SNIFFING, 'sluice-run', id!)
    if (stream !== this.incoming) this.letGo(stream !== undefined)
    else if (stream !== undefined) this.request.proceed()
    try {
      this.request.answer(status, headers, stream ?? bytes, body.length)
    } catch (error) {
      stream?.destroy()
      throw error
    }
  }

  private refuse(failure: Failure, { id, message }: RunResult): void {
    if (message.body.isStream) discard(message.body)
    const told = this.incoming?.errored
    this.letGo(false)
    this.request.refuse(told instanceof Failure ? told : failure, id)
  }

  /** What nobody has read of the request's body is given up, at the end of the reply where that is a stream. */
  private letGo(later: boolean): void {
    const { incoming } = this
    if (incoming === undefined || incoming.destroyed) return
    if (later) this.request.reply.once('close', () => incoming.destroy())
    else incoming.destroy()
  }
}

/** Bytes; -1: it does not say. */
export function lengthOf(headers: IncomingHttpHeaders): number {
  return headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : -1
}

/** There is a schema, and nothing does not fit it. */
function wantsBody({ schema }: Endpoint, { raw }: Pick<RouteRequest, 'raw'>): boolean {
  return schema !== undefined && BODIED.has(raw.method!)
}

/** Why a body is not taken, as far as the headers tell. */
export function headFailure(endpoint: Endpoint, { raw }: RouteRequest): Failure | undefined {
  const { headers } = raw
  const type = headers['content-type']
  const length = lengthOf(headers)
  if (length === 0 && !wantsBody(endpoint, { raw })) return undefined
  if (endpoint.types && !endpoint.types.takes(type ?? '')) return notTaken(type, endpoint)
  return length > endpoint.limit ? tooLarge(endpoint.limit) : undefined
}

/** Frees the connection that a body would have come from. */
function discard(body: Body): void {
  try {
    body.take().destroy()
  } catch {
    // Somebody has taken it: it is theirs to end.
  }
}

function cancelOnClose({ reply }: RouteRequest): NonNullable<RunRequest['onStart']> {
  let cancel: ((reason: Failure) => void) | undefined
  const goneAway = () => {
    if (!reply.writableFinished) cancel?.(new Failure('flow.cancelled', 'the caller went away'))
  }
  reply.once('close', goneAway)
  return (started) => {
    cancel = started
    if (reply.destroyed) goneAway()
  }
}

function notTaken(type: string | undefined, { types }: Endpoint): Failure {
  const found = type === undefined ? 'the request has no content type' : `the content type is "${type}"`
  return new Failure('request.type', `${found}; taken here: ${types!.names}`)
}
