import { TOKEN_PATH } from './access/token-service.ts'
import { MANAGEMENT_ROLES, ruleOf } from './core/management-role.ts'
import { PROBLEM } from './reference/openapi-answers.ts'
import { examplesOf } from './reference/openapi-schema.ts'
import { operations } from './server/api/index.ts'
import type { Operation } from './server/api/operation.ts'
import { version } from './version.ts'

/** The management API as OpenAPI 3.1. @param issuer where its clients get tokens */
export function apiDocument(url: string, issuer: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const one of operations) (paths[one.path] ??= {})[one.method.toLowerCase()] = described(one)
  return {
    openapi: '3.1.1',
    info: {
      title: 'Management API',
      description:
        'What may be seen and done of an engine. Each role may do what the one before it may: sluice.viewer, sluice.operator, sluice.admin. No answer holds a secret or a token.',
      version,
    },
    servers: [{ url: `${url}/api` }],
    paths,
    components: {
      schemas: { Problem: PROBLEM },
      securitySchemes: {
        oauth2: {
          type: 'oauth2',
          description:
            'A token of this engine, for a client that has the role; or one of another issuer that it trusts.',
          flows: {
            clientCredentials: {
              tokenUrl: issuer.replace(/\/$/, '') + TOKEN_PATH,
              scopes: Object.fromEntries(MANAGEMENT_ROLES.map((role) => [role, `The role ${role}.`])),
            },
          },
        },
        basic: { type: 'http', scheme: 'basic', description: 'Id and secret of a client.' },
      },
    },
  }
}

function described({
  id,
  tag,
  summary,
  description,
  role,
  params,
  query,
  body,
  conflict,
  result,
  bytes,
}: Operation): object {
  const parameters = [...parametersOf(params, 'path'), ...parametersOf(query, 'query')]
  const done = result
    ? { 200: { description: 'Done.', content: { 'application/json': { schema: result } } } }
    : bytes
      ? { 200: { description: 'The content.', content: { '*/*': {} } } }
      : { 204: { description: 'Done.' } }
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: requestBody(body) }),
    responses: {
      ...done,
      400: problem('The request is not as it should be.'),
      401: problem('No authorization, or one that is not good.'),
      403: problem('The caller lacks the role, or a page of another site asks.'),
      ...(params && { 404: problem('There is no such thing.') }),
      ...(body && {
        413: problem('The body is too large.'),
        415: problem('The body is not application/json.'),
      }),
      ...(conflict !== undefined && { 409: problem(conflict) }),
      421: problem('It was called by a name that is not its own.'),
      429: problem('Too many wrong secrets.'),
      503: problem('Too many requests at once, or the message log cannot be read.'),
    },
    security: ['oauth2', 'basic'].flatMap((scheme) => ruleOf(role).roles.map((one) => ({ [scheme]: [one] }))),
  }
}

function requestBody(schema: object): object {
  const examples = examplesOf(schema)
  return { required: true, content: { 'application/json': { schema, ...(examples && { examples }) } } }
}

function parametersOf(schema: Operation['params'], place: 'path' | 'query'): object[] {
  const required = new Set(schema?.required ?? [])
  return Object.entries(schema?.properties ?? {}).map(([name, property]) => ({
    name,
    in: place,
    required: required.has(name),
    ...(property.description !== undefined && { description: property.description }),
    schema: property,
  }))
}

function problem(description: string): object {
  return {
    description,
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  }
}
