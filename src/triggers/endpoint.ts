import { defineTrigger, type Deployment } from '../core/kinds.ts'
import { inWords, sizeInWords } from '../core/plain-words.ts'
import { parsePath } from '../core/route.ts'
import { Choice, Keys, OneOrMore, Optional, Size, Text, Value } from '../core/schema.ts'
import { describe } from '../core/shape-values.ts'
import { EndpointCall, type Endpoint } from './endpoint-call.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const
const MEDIA_TYPE = /^[!#$%&'*+.^_`|~0-9a-z-]+\/([!#$%&'*+.^_`|~0-9a-z-]+|\*)$/i

export const endpoint = defineTrigger({
  name: 'endpoint',
  summary:
    'Starts the flow with each HTTP request to an address of the engine, and replies with the message at its end.',
  description:
    'The address is the path after `/http`. The reply is the message as it is after the last step: its body, content type and headers, with status 200, or 204 when the body is empty, unless a `respond` step says otherwise. A failure answers with problem+json (RFC 9457). Only the content type enters the message; the other headers of the caller are in `trigger.headers`. A GET endpoint answers HEAD, and every endpoint OPTIONS.',
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
    access: Optional(Value({ description: 'Who may call: `public` is everybody.', examples: ['public'] })),
    body: Optional(
      Keys(
        {
          limit: Optional(
            Size({
              description: 'Largest body that is taken; the setting limits.body when left out.',
              examples: ['1MB'],
            }),
          ),
          contentTypes: Optional(
            OneOrMore(Text({ description: 'A media type, or `type/*`.' }), {
              description: 'The content types that are taken; every one when left out.',
              examples: ['application/json'],
            }),
          ),
        },
        { description: 'What is taken as the body of a request.' },
      ),
    ),
  }),
  examples: [
    {
      title: 'Take an order and say what it costs',
      yaml: 'steps:\n  - endpoint: { path: /orders, access: public }\n  - set:\n      body: { id: "${body.id}", total: "${body.qty * body.price}" }\n',
    },
    {
      title: 'A parameter in the path',
      yaml: 'steps:\n  - endpoint: { path: "/orders/{id}", method: GET, access: public }\n  - set: { body: { id: "${trigger.params.id}" } }\n',
    },
  ],
  concurrency: () => ({ running: 100, waiting: 1000 }),
  explain({ path, method = ['POST'], access, body }, { flow, limits }) {
    const role = roleOf(access)
    return {
      text: `with each ${inWords([...new Set(method)], 'or')} request to /http${path}`,
      details: [
        access === 'public'
          ? 'Everybody who reaches the engine may call (access: public).'
          : role === undefined
            ? 'Who may call is not said (access).'
            : `Who may call: callers with ${role}.`,
        `A body of up to ${sizeInWords(body?.limit ?? limits.body)} is taken${body?.contentTypes ? `, as ${inWords(body.contentTypes, 'or')}` : ''}.`,
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
  prepare({ path, method = ['POST'], access, body }, deployment) {
    checkPath(path, deployment)
    checkAccess(access, deployment)
    const types = body?.contentTypes && contentTypes(body.contentTypes, deployment)
    const methods = [...new Set(method)]
    const { flow, services, world } = deployment
    let unserve: (() => void) | undefined
    return {
      summary: `${methods.join(', ')} ${path}`,
      route: { methods, path, access: 'public' },
      start(host) {
        const served: Endpoint = {
          host,
          limit: body?.limit ?? services.limits.body,
          types,
          cancels: flow.onDisconnect === 'cancel',
          clock: world.clock,
          log: services.log,
        }
        unserve = services.routes.serve({ path, methods }, host.flow, (request) =>
          new EndpointCall(served, request).take(),
        )
      },
      stop() {
        unserve?.()
        return Promise.resolve()
      },
    }
  },
})

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

function checkAccess(access: unknown, deployment: Deployment): void {
  if (access === 'public') return
  const hint =
    'Write `access: public` where everybody who reaches the engine may call. Roles come with a later version; until then, a flow that needs them is not served.'
  if (access === undefined)
    deployment.problem({
      code: 'endpoint/access',
      message: 'the endpoint does not say who may call it (`access`)',
      hint,
    })
  else
    deployment.problem({
      code: 'endpoint/access',
      message: `"access" is ${roleOf(access) ?? describe(access)}; in this version only "public" is there`,
      hint,
      at: ['access'],
    })
}

function roleOf(access: unknown): string | undefined {
  const role = (access as { role?: unknown } | null)?.role
  return typeof role === 'string' ? `the role "${role}"` : undefined
}

function contentTypes(types: readonly string[], deployment: Deployment): Endpoint['types'] {
  for (const [index, type] of types.entries())
    if (!MEDIA_TYPE.test(type))
      deployment.problem({
        code: 'endpoint/content-type',
        message: `"${type}" is not a content type`,
        hint: 'Write it without parameters: "application/json", "text/*".',
        at: ['body', 'contentTypes', index],
      })
  const exact = new Set(types.map((type) => type.toLowerCase()))
  const families = [...exact].filter((type) => type.endsWith('/*')).map((type) => type.slice(0, -1))
  return {
    names: types.join(', '),
    takes(contentType) {
      const end = contentType.indexOf(';')
      const essence = (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
      return exact.has(essence) || families.some((family) => essence.startsWith(family))
    },
  }
}
