import {
  apiError,
  basicOf,
  contentType,
  count,
  isObject,
  json,
  jsonObject,
  oauthError,
  onlyMethod,
  onlyOptions,
  type Call,
  type Reply,
  type Service,
} from './http.ts'
import { isReply, type TokenBook } from './tokens.ts'

const API = '/learning/odatav4/public/'
const PAGE = 100
const SCOPE = ['userId', 'companyId', 'userType', 'resourceType'] as const
const TOPICS = [
  'Safety at work',
  'Data protection',
  'First aid',
  'Negotiation',
  'Forklift driving',
  'Public speaking',
]

/** What may be learned: 250 items, every eighth of them no longer offered. */
const items = Array.from({ length: 250 }, (_, i) => ({
  itemID: `COURSE-${String(i + 1).padStart(3, '0')}`,
  itemType: 'COURSE',
  title: `${TOPICS[i % TOPICS.length]}, part ${Math.floor(i / TOPICS.length) + 1}`,
  active: i % 8 !== 7,
  hours: 2 + (i % 5),
  price: 120 + ((i * 35) % 400),
  currency: 'EUR',
}))

/**
 * In the manner of SuccessFactors Learning: a token for a JSON request with Basic authentication and a JSON object as
 * scope, and the items as OData, page by page.
 */
export function createLearning(tokens: TokenBook): Service {
  return {
    handle(call) {
      const { pathname } = call.url
      if (pathname === '/learning/oauth-api/rest/v1/token') return tokenFor(call, tokens)
      if (!pathname.startsWith(API)) return undefined
      const token = tokens.check(call)
      if (isReply(token)) return token
      if (token.subject['userType'] !== 'admin' && pathname.startsWith(`${API}admin/`))
        return apiError(403, 'forbidden', 'a token of the userType "user" does not reach admin/')
      if (pathname === `${API}admin/Items`) return list(call)
      const id = /^\/admin\/Items\/([^/]+)$/.exec(pathname.slice(API.length - 1))?.[1]
      return id === undefined ? undefined : one(call, id)
    },
  }
}

function tokenFor(call: Call, tokens: TokenBook): Reply {
  const early = tokens.receive(call) ?? onlyMethod(call, 'POST')
  if (early) return early
  if (contentType(call) !== 'application/json')
    return oauthError(
      400,
      'invalid_request',
      `the content type must be application/json, found "${contentType(call)}"`,
    )
  const request = jsonObject(call)
  if (!request) return oauthError(400, 'invalid_request', 'the body is no JSON object')
  const basic = basicOf(call)
  if (!basic)
    return oauthError(401, 'invalid_client', 'the client id and secret must come as Basic authentication', {
      'www-authenticate': 'Basic realm="learning"',
    })
  const client = tokens.authenticate(basic.id, basic.secret)
  if (isReply(client)) return client
  const { grant_type: grant, scope } = request
  if (grant === undefined) return oauthError(400, 'invalid_request', 'grant_type is missing')
  if (grant !== 'client_credentials')
    return oauthError(400, 'unsupported_grant_type', 'grant_type must be client_credentials')
  if (!isObject(scope))
    return oauthError(400, 'invalid_scope', `scope must be a JSON object with ${SCOPE.join(', ')}`)
  for (const name of SCOPE)
    if (typeof scope[name] !== 'string' || scope[name] === '')
      return oauthError(400, 'invalid_scope', `scope has no ${name}`)
  const asked = scope as Record<(typeof SCOPE)[number], string>
  if (asked.companyId !== client.id)
    return oauthError(400, 'invalid_scope', 'companyId of the scope is not the company of this client')
  if (asked.userType !== 'admin' && asked.userType !== 'user')
    return oauthError(400, 'invalid_scope', 'userType of the scope must be admin or user')
  if (asked.resourceType !== 'learning_public_api')
    return oauthError(400, 'invalid_scope', 'resourceType of the scope must be learning_public_api')
  return tokens.issue(client, [], { userId: asked.userId, userType: asked.userType })
}

function list(call: Call): Reply {
  const wrong = onlyMethod(call, 'GET') ?? onlyOptions(call, ['$top', '$skip', '$count'])
  if (wrong) return wrong
  const top = count(call, '$top', items.length)
  const skip = count(call, '$skip', 0)
  if (typeof top !== 'number') return top
  if (typeof skip !== 'number') return skip
  const page = items.slice(skip, skip + Math.min(top, PAGE))
  const left = Math.min(top, items.length - skip) - page.length
  const next = new URL(call.url)
  next.searchParams.set('$skip', String(skip + page.length))
  if (call.url.searchParams.has('$top')) next.searchParams.set('$top', String(left))
  return json({
    '@odata.context': `${call.url.origin}${API}admin/$metadata#Items`,
    ...(call.url.searchParams.get('$count') === 'true' ? { '@odata.count': items.length } : {}),
    value: page,
    ...(left > 0 && page.length > 0 ? { '@odata.nextLink': next.href } : {}),
  })
}

function one(call: Call, encoded: string): Reply {
  const wrong = onlyMethod(call, 'GET') ?? onlyOptions(call, [])
  if (wrong) return wrong
  const item = items.find(({ itemID }) => itemID === encoded)
  return item ? json(item) : apiError(404, 'not_found', 'there is no item with this id')
}
