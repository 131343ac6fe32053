import { wantsRole, type AccessRule, type EndpointAccess, type Scheme } from '../core/access.ts'
import type { PreparedTrigger } from '../core/kinds.ts'
import { parsePath, routeKey } from '../core/route.ts'
import { answersOf, PROBLEM } from './openapi-answers.ts'
import { componentOf, examplesOf } from './openapi-schema.ts'

/** An endpoint as it is described to callers. */
export interface DescribedEndpoint {
  readonly flow: string
  readonly description: string | undefined
  readonly route: NonNullable<PreparedTrigger['route']>
  /** Statuses that `respond` steps of the flow name. */
  readonly replies: readonly number[]
}

export interface DescribedEngine {
  /** Where callers reach it, without a slash at the end. */
  readonly url: string
  /** Path of the token service. */
  readonly tokenPath: string
  /** Another text when the endpoints are others. */
  readonly version: string
}

/** Names of flows have no such sign. */
const OF_METHOD = '.'
const WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/** The endpoints of an engine as OpenAPI 3.1. @see https://spec.openapis.org/oas/v3.1.1.html */
export function openApiDocument(engine: DescribedEngine, endpoints: readonly DescribedEndpoint[]): object {
  const paths = new Map<string, { path: string; item: Record<string, unknown> }>()
  const schemas: Record<string, object> = { Problem: PROBLEM }
  for (const endpoint of endpoints) {
    const { route, flow } = endpoint
    const key = routeKey(route.path)
    const described = pathOf(route.path)
    const { path, item } = paths.get(key) ?? { path: described.path, item: {} }
    paths.set(key, { path, item })
    const parameters = pathOf(route.path, path).parameters
    const schema = route.schema && addSchema(schemas, flow, route.schema)
    for (const method of route.methods)
      item[method.toLowerCase()] = operation(endpoint, method, parameters, schema)
  }
  const rules = endpoints.map(({ route }) => route.access)
  const roles = new Set(rules.flatMap((access) => (wantsRole(access) ? access.roles : [])))
  const ways = new Set(rules.flatMap((access) => (wantsRole(access) ? schemesOf(access) : [])))
  const schemes = {
    ...securitySchemes(engine.url + engine.tokenPath, roles, ways),
    ...(rules.some((access) => access !== 'public' && !wantsRole(access)) && SIGNATURE),
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Endpoints',
      description: 'What this engine takes from outside. Failures are answered with problem+json (RFC 9457).',
      version: engine.version,
    },
    servers: [{ url: `${engine.url}/http` }],
    paths: Object.fromEntries([...paths.values()].map(({ path, item }) => [path, item])),
    components: {
      schemas,
      ...(Object.keys(schemes).length > 0 && { securitySchemes: schemes }),
    },
  }
}

interface BodySchema {
  readonly reference: string
  readonly examples: ReturnType<typeof examplesOf>
}

function operation(
  endpoint: DescribedEndpoint,
  method: string,
  parameters: readonly object[],
  schema: BodySchema | undefined,
): object {
  const { flow, description, route } = endpoint
  const takesBody = WITH_BODY.has(method)
  return {
    operationId: route.methods.length === 1 ? flow : flow + OF_METHOD + method.toLowerCase(),
    summary: description?.split('\n')[0] ?? `The flow ${flow}`,
    ...(description?.includes('\n') && { description }),
    ...(parameters.length > 0 && { parameters }),
    ...(takesBody && { requestBody: requestBody(route.contentTypes, schema, method) }),
    responses: answersOf(endpoint, takesBody),
    security: securityOf(route.access),
  }
}

function requestBody(
  types: readonly string[] = ['*/*'],
  schema: BodySchema | undefined,
  method: string,
): object {
  const media = schema && {
    schema: { $ref: schema.reference },
    ...(schema.examples && { examples: schema.examples }),
  }
  return {
    ...(schema && method !== 'DELETE' && { required: true }),
    content: Object.fromEntries(types.map((type) => [type, media ?? {}])),
  }
}

function addSchema(schemas: Record<string, object>, flow: string, schema: object): BodySchema {
  const name = flow.replaceAll('/', '.')
  schemas[name] = componentOf(schema, name)
  return { reference: `#/components/schemas/${name}`, examples: examplesOf(schema) }
}

/** OpenAPI has no word for it; how exactly is agreed with the sender. */
const SIGNATURE = {
  signature: {
    type: 'http',
    scheme: 'signature',
    description: 'The body is signed with a key that both sides know.',
  },
}

/** Roles stand with every way to show who one is. @see https://spec.openapis.org/oas/v3.1.1.html#security-requirement-object */
function securityOf(access: EndpointAccess): readonly object[] {
  if (access === 'public') return []
  if (!wantsRole(access)) return [{ signature: [] }]
  const { roles, all } = access
  const sets = all ? [roles] : roles.map((role) => [role])
  return schemesOf(access).flatMap((scheme) => sets.map((set) => ({ [scheme]: set })))
}

/** Those that are named; else those that every client may have. */
function schemesOf({ schemes = ['oauth2', 'basic'] }: AccessRule): readonly Scheme[] {
  return schemes
}

function securitySchemes(tokenUrl: string, roles: ReadonlySet<string>, ways: ReadonlySet<Scheme>): object {
  const all: Readonly<Record<Scheme, object>> = {
    oauth2: {
      type: 'oauth2',
      description: 'A token of this engine, for a client that has the role.',
      flows: {
        clientCredentials: {
          tokenUrl,
          scopes: Object.fromEntries([...roles].toSorted().map((role) => [role, `The role ${role}.`])),
        },
      },
    },
    basic: { type: 'http', scheme: 'basic', description: 'Id and secret of a client.' },
    apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'The API key of a client.' },
    certificate: { type: 'mutualTLS', description: 'The certificate of a client.' },
  }
  return Object.fromEntries(Object.entries(all).filter(([name]) => ways.has(name as Scheme)))
}

/**
 * A path as OpenAPI writes it, which has no `*`: the rest is a parameter, too.
 * @param named where the same path was written before: parameters get those names
 */
function pathOf(path: string, named?: string): { path: string; parameters: readonly object[] } {
  const segments = parsePath(path)
  if ('message' in segments) throw new Error(segments.message)
  const own = segments.flatMap((segment) => ('parameter' in segment ? [segment.parameter] : []))
  let rest = 'rest'
  while (own.includes(rest)) rest += '_'
  const described = path.replace(/\*$/, () => `{${rest}}`)
  const names = [...(named ?? described).matchAll(/\{(\w+)\}/g)].map(([, name]) => name!)
  const parameters = names.map((name, index) => ({
    name,
    in: 'path',
    required: true,
    ...(index === own.length && { description: 'The rest of the path; it may hold slashes.' }),
    schema: { type: 'string' },
  }))
  return { path: described, parameters }
}
