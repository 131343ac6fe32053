import {
  apiError,
  basicOf,
  contentType,
  count,
  json,
  oauthError,
  onlyMethod,
  onlyOptions,
  type Call,
  type Reply,
  type Service,
} from './http.ts'
import { isReply, type TokenBook } from './tokens.ts'

/** Of the Basic header; the client itself is in the body. */
export const JAM_USER = 'tokenserviceuser'

const groups = ['Sales', 'Safety', 'Apprentices', 'Works council', 'Ghent', 'Canteen'].map((Name, i) => ({
  Id: `group-${i + 1}`,
  Name,
  MembersCount: 12 * (i + 1),
  IsActive: i !== 5,
}))

/**
 * In the manner of SAP Jam and of a service on BTP Neo, as destinations describe them. Jam: a user of the token service in the
 * header, the client in the body, a header on every call. Neo: everything in the URL and the header, an empty body.
 */
export function createJam(jam: TokenBook, neo: TokenBook, userPassword: string): Service {
  return {
    handle(call) {
      switch (call.url.pathname) {
        case '/jam/api/v1/auth/token':
          return jamToken(call, jam, userPassword)
        case '/jam/OData/OData.svc/Groups':
          return groupsFor(call, jam)
        case '/neo/oauth2/apitoken/v1':
          return neoToken(call, neo)
        case '/neo/desired-service-path/subscriptions':
          return subscriptions(call, neo)
        default:
          return undefined
      }
    },
  }
}

function jamToken(call: Call, tokens: TokenBook, userPassword: string): Reply {
  const early = tokens.receive(call) ?? onlyMethod(call, 'POST')
  if (early) return early
  if (contentType(call) !== 'application/x-www-form-urlencoded')
    return oauthError(400, 'invalid_request', 'the content type must be application/x-www-form-urlencoded')
  const basic = basicOf(call)
  if (basic?.id !== JAM_USER || basic.secret !== userPassword)
    return oauthError(401, 'invalid_client', 'the user of the token service or its password is wrong', {
      'www-authenticate': 'Basic realm="jam"',
    })
  const form = new URLSearchParams(call.body.toString('utf8'))
  if (form.get('grant_type') !== 'client_credentials')
    return oauthError(400, 'unsupported_grant_type', 'grant_type must be client_credentials')
  const client = tokens.authenticate(form.get('client_id') ?? '', form.get('client_secret') ?? '')
  return isReply(client) ? client : tokens.issue(client)
}

function groupsFor(call: Call, tokens: TokenBook): Reply {
  const token = tokens.check(call)
  if (isReply(token)) return token
  const wrong = onlyMethod(call, 'GET') ?? onlyOptions(call, ['$top', '$format'])
  if (wrong) return wrong
  if (call.headers['x-jam-client'] === undefined)
    return apiError(
      400,
      'missing_header',
      'the header x-jam-client is missing; it names the program that calls',
    )
  if (call.url.searchParams.get('$format') !== 'json')
    return apiError(400, 'invalid_query', '"$format" must be json; there is no other format here')
  const top = count(call, '$top', 100)
  return typeof top === 'number' ? json({ d: { results: groups.slice(0, top) } }) : top
}

function neoToken(call: Call, tokens: TokenBook): Reply {
  const early = tokens.receive(call) ?? onlyMethod(call, 'POST')
  if (early) return early
  if (call.url.searchParams.get('grant_type') !== 'client_credentials')
    return oauthError(400, 'invalid_request', 'grant_type=client_credentials is missing in the URL')
  const form = new URLSearchParams(call.body.toString('utf8'))
  if (form.has('grant_type') || form.has('client_secret'))
    return oauthError(
      400,
      'invalid_request',
      'the client authenticates in the header only, the grant is in the URL',
    )
  const basic = basicOf(call)
  const client = tokens.authenticate(basic?.id ?? '', basic?.secret ?? '')
  return isReply(client) ? client : tokens.issue(client)
}

function subscriptions(call: Call, tokens: TokenBook): Reply {
  const token = tokens.check(call)
  if (isReply(token)) return token
  return onlyMethod(call, 'GET') ?? json({ subscriptions: ['learning', 'jam'] })
}
