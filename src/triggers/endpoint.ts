import { DEFAULT_ROLE, type AccessRule, type Caller } from '../core/access.ts'
import { defineTrigger, type Deployment, type PreparedTrigger } from '../core/kinds.ts'
import { Failure } from '../core/failure.ts'
import { sayDuration } from '../core/duration.ts'
import { inWords, sizeInWords } from '../core/plain-words.ts'
import { parsePath } from '../core/route.ts'
import { Choice, Duration, Flag, Keys, OneOrMore, Optional, Size, Text, Value } from '../core/schema.ts'
import { checkSignature, readAccess, sayAccess } from './endpoint-access.ts'
import type { RouteHandler, Services } from '../core/services.ts'
import { takeCall, type Endpoint } from './endpoint-call.ts'
import { signed, SIGNED_LIMIT } from './endpoint-signed.ts'
import { corsOption, rateLimitOption, readCors, readRateLimit } from './endpoint-door.ts'
import { networkOf } from '../net/ip-address.ts'
import { CallRate } from './endpoint-rate.ts'
import { JSON_TYPES, readEndpointSchema, type EndpointSchema } from './endpoint-schema.ts'
import { gatheredBodiesOf } from './gathered-bodies.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const
const MEDIA_TYPE = /^[!#$%&'*+.^_`|~0-9a-z-]+\/([!#$%&'*+.^_`|~0-9a-z-]+|\*)$/i

export const endpoint = defineTrigger({
  name: 'endpoint',
  summary:
    'Starts the flow with each HTTP request to an address of the engine, and replies with the message at its end.',
  description:
    'The address is the path after `/http`. The reply is the message as it is after the last step: its body, content type and headers, with status 200, or 204 when the body is empty, unless a `respond` step says otherwise. A failure answers with problem+json (RFC 9457). Only the content type enters the message; the other headers of the caller are in `trigger.headers`. A GET endpoint answers HEAD, and every endpoint OPTIONS. `X-CSRF-Token: Fetch` with GET or HEAD is answered without a run, wherever callers do not sign.',
  timeout: 60_000,
  options: Keys({
    path: Text({
      description: 'The path under `/http`; `{name}` stands for one segment, `*` at the end for the rest.',
      examples: ['/orders', '/orders/{id}', '/files/*'],
    }),
    method: Optional(
      OneOrMore(Choice(METHODS, { description: 'A method.' }), {
        description: 'The method that is taken, or a list of them.',
        default: 'POST',
      }),
    ),
    access: Optional(
      Value({
        description:
          'Who may call: `public` is everybody; `{ role: NAME }` are clients with this role; of a list, or of `{ roles: [...] }`, one role is enough, and all are needed with `all: true`; `scheme` beside them says how they show who they are: `oauth2` (a token), `basic`, `apiKey`, `certificate`, or a list of these; `{ signature: NAME }` is whoever signs the body with this signing key.',
        default: { role: DEFAULT_ROLE },
        examples: [
          'public',
          { role: 'orders.write' },
          ['orders.read', 'orders.write'],
          { role: 'orders.write', scheme: ['certificate', 'oauth2'] },
          { signature: 'github' },
        ],
      }),
    ),
    body: Optional(
      Keys(
        {
          limit: Optional(
            Size({
              description: 'Largest body that is taken; the setting limits.body when left out.',
              examples: ['1MB'],
            }),
          ),
          time: Optional(
            Duration({
              description:
                'How long a body may take to arrive, all in all; the setting limits.bodyTime when left out. After it the answer is 408.',
              examples: ['1h'],
              minimum: 1000,
            }),
          ),
          contentTypes: Optional(
            OneOrMore(Text({ description: 'A media type, or `type/*`.' }), {
              description: 'The content types that are taken; every one when left out.',
              examples: ['application/json'],
            }),
          ),
          schema: Optional(
            Value({
              description:
                'What a body has to fit: a JSON Schema (draft 2020-12, or 7 where `$schema` says so), or the name of a file of the project that holds one. Bodies are JSON then, and what does not fit is answered 400 before the flow runs. `format` is a note, and patterns are RE2.',
              examples: ['schemas/order.json', { type: 'object', required: ['id'] }],
            }),
          ),
        },
        { description: 'What is taken as the body of a request.' },
      ),
    ),
    setCookie: Optional(
      Flag({
        description:
          'Whether the reply may set cookies: the header `set-cookie` of the message, several on a line each. Else it is left out, whoever put it there.',
        default: false,
      }),
    ),
    rateLimit: rateLimitOption,
    cors: corsOption,
  }),
  examples: [
    {
      title: 'Take an order and say what it costs',
      yaml: 'steps:\n  - endpoint: { path: /orders, access: public }\n  - set:\n      body: { id: "${body.id}", total: "${body.qty * body.price}" }\n',
    },
    {
      title: 'Only for clients with a role',
      yaml: 'steps:\n  - endpoint: { path: /stock, access: { role: stock.write } }\n  - log: "${trigger.caller.id} sends stock"\n',
    },
    {
      title: 'Take only what fits a JSON Schema',
      yaml: 'steps:\n  - endpoint:\n      path: /orders\n      body:\n        schema:\n          type: object\n          required: [id, qty]\n          properties:\n            id: { type: string, maxLength: 20 }\n            qty: { type: integer, minimum: 1 }\n  - log: order ${body.id}\n',
    },
    {
      title: 'A parameter in the path',
      yaml: 'steps:\n  - endpoint: { path: "/orders/{id}", method: GET, access: public }\n  - set: { body: { id: "${trigger.params.id}" } }\n',
    },
  ],
  concurrency: () => ({ running: 100, waiting: 1000 }),
  explain({ path, method = ['POST'], access, body, rateLimit, cors }, { flow, limits }) {
    return {
      text: `with each ${inWords([...new Set(method)], 'or')} request to /http${path}`,
      details: [
        sayAccess(readAccess(access, () => {})),
        `A body of up to ${sizeInWords(body?.limit ?? limits.body)} is taken${body?.contentTypes ? `, as ${inWords(body.contentTypes, 'or')}` : ''}.`,
        ...(body?.schema === undefined
          ? []
          : [
              `The body has to fit a JSON Schema${typeof body.schema === 'string' ? ` (${body.schema})` : ''}; what does not is answered 400, and the flow does not run.`,
            ]),
        ...(rateLimit
          ? [
              `One ${(rateLimit.by ?? (access === 'public' ? 'address' : 'caller')) === 'caller' ? 'client' : 'address'} may call ${rateLimit.rate} times in ${sayDuration(rateLimit.per ?? 1000)}; what comes more often is answered 429.`,
            ]
          : []),
        ...(cors ? [`Pages of ${inWords(cors.origins, 'and')} may call from browsers.`] : []),
        flow.onDisconnect === 'cancel'
          ? 'When the caller has gone, the run is cancelled.'
          : 'When the caller has gone, the run goes on.',
      ],
      outcome: {
        success:
          'the message as it is after the last step: body, content type and headers, with status 200 (204 when empty)',
        failure:
          "problem+json (RFC 9457) with the run's id and the kind of failure: status 502 when a receiver or a credential failed, 504 after a time-out, 400 for an invalid body, 503 when there is no room, what a `fail` step says, else 500",
      },
    }
  },
  prepare(options, deployment) {
    const { schema, contentTypes } = options.body ?? {}
    if (schema === undefined) return prepared(options, undefined, deployment)
    return readEndpointSchema(schema, contentTypes, deployment).then((read) =>
      prepared(options, read, deployment),
    )
  },
})

interface Options {
  readonly path: string
  readonly method?: readonly string[]
  readonly access?: unknown
  readonly body?: {
    readonly limit?: number
    readonly time?: number
    readonly contentTypes?: readonly string[]
    readonly schema?: unknown
  }
  readonly setCookie?: boolean
  readonly rateLimit?: { rate: number; per?: number; by?: 'caller' | 'address' }
  readonly cors?: Parameters<typeof readCors>[0]
}

function prepared(
  { path, method = ['POST'], access, body, setCookie: setsCookies = false, rateLimit, cors: pages }: Options,
  schema: EndpointSchema | undefined,
  deployment: Deployment,
): PreparedTrigger {
  checkPath(path, deployment)
  const rule = readAccess(access, (report) => deployment.problem(report))
  checkSignature(rule, deployment)
  const isSigned = rule !== 'public' && 'signature' in rule
  const named = body?.contentTypes ?? (schema && JSON_TYPES)
  const types = named && contentTypes(named, deployment)
  const limit = readRateLimit(rateLimit, rule, deployment)
  const cors = readCors(pages, deployment)
  const methods = [...new Set(method)]
  const { flow, services, world } = deployment
  let unserve: (() => void) | undefined
  return {
    summary: `${methods.join(', ')} ${path}`,
    route: {
      methods,
      path,
      access: rule,
      ...(named && { contentTypes: named }),
      ...(schema && { schema: schema.schema }),
      ...(limit && { limited: true }),
    },
    start(host) {
      const served: Endpoint = {
        host,
        limit: body?.limit ?? Math.min(services.limits.body, isSigned ? SIGNED_LIMIT : Infinity),
        bodyTime: body?.time ?? services.limits.bodyTime,
        memory: services.limits.body,
        setsCookies,
        types,
        schema,
        gathered: gatheredBodiesOf(services.routes),
        cancels: flow.onDisconnect === 'cancel',
        clock: world.clock,
        log: services.log,
      }
      const rate = limit && new CallRate(limit, world.clock)
      const take: RouteHandler = (request) => takeCall(served, request, undefined)
      const open =
        rule === 'public'
          ? take
          : 'signature' in rule
            ? signed(rule.signature, served, services)
            : closed(rule, served, services, rate)
      // Who signed is known only after the body was read: signed requests are counted by address.
      const handler = rate && (isSigned || rate.by === 'address') ? limited(rate, open) : open
      unserve = services.routes.serve(
        { path, methods, ...(cors && { cors }), ...(!isSigned && { givesCsrfToken: true }) },
        host.flow,
        handler,
      )
    },
    stop() {
      unserve?.()
      return Promise.resolve()
    },
  }
}

function checkPath(path: string, deployment: Deployment): void {
  const parsed = parsePath(path)
  if (!('message' in parsed)) return checkColons(path, deployment)
  deployment.problem({
    code: 'endpoint/path',
    message: parsed.message,
    hint: 'A path looks like "/orders", "/orders/{id}" or "/files/*".',
    at: ['path'],
    offset: parsed.offset,
    length: parsed.length,
  })
}

/** `/orders/:id`, as other servers write parameters. */
function checkColons(path: string, deployment: Deployment): void {
  for (const { 0: text, index } of path.matchAll(/(?<=\/):[A-Za-z_]\w*(?=\/|$)/g))
    deployment.problem({
      code: 'endpoint/path',
      severity: 'warning',
      message: `"${text}" is a text of the path and no parameter`,
      hint: `Write {${text.slice(1)}} for a parameter, or %3A for a colon that is meant.`,
      at: ['path'],
      offset: index,
      length: text.length,
    })
}

/** Lets in addresses that do not call too often; nobody's secret is looked at before that. */
function limited(rate: CallRate, open: RouteHandler): RouteHandler {
  return (request) => {
    const refused = rate.take(networkOf(request.address))
    if (refused) request.refuse(refused)
    else open(request)
  }
}

/** Lets in who may call; the body is not touched before that. */
function closed(
  rule: AccessRule,
  served: Endpoint,
  { access, log }: Services,
  rate: CallRate | undefined,
): RouteHandler {
  return (request) => {
    const enter = (caller: Caller | undefined) => {
      if (!caller || request.raw.destroyed) return
      const refused = rate?.by === 'caller' ? rate.take(caller.id) : undefined
      if (refused) request.refuse(refused)
      else takeCall(served, request, caller)
    }
    const caller = access.admit(rule, served.host.flow, request)
    if (!(caller instanceof Promise)) enter(caller)
    else
      caller.then(enter).catch((error: unknown) => {
        log.error({ err: error, flow: served.host.flow }, 'a fault in the engine while a request was taken')
        request.refuse(Failure.from(error))
      })
  }
}

function contentTypes(types: readonly string[], deployment: Deployment): Endpoint['types'] {
  for (const [index, type] of types.entries())
    if (!MEDIA_TYPE.test(type) && !JSON_TYPES.includes(type))
      deployment.problem({
        code: 'endpoint/content-type',
        message: `"${type}" is not a content type`,
        hint: 'Write it without parameters: "application/json", "text/*".',
        at: ['body', 'contentTypes', index],
      })
  const exact = new Set(types.map((type) => type.toLowerCase()))
  const families = [...exact].filter((type) => type.endsWith('/*')).map((type) => type.slice(0, -1))
  const json = exact.has(JSON_TYPES[1]!)
  return {
    names: types.join(', '),
    takes(contentType) {
      const end = contentType.indexOf(';')
      const essence = (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
      return (
        exact.has(essence) ||
        (json && essence.endsWith('+json')) ||
        families.some((family) => essence.startsWith(family))
      )
    },
  }
}
