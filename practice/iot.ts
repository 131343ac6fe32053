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

const things = ['pump-1', 'pump-2', 'kiln-1', 'press-1'].map((id) => ({ id, unit: '°C', site: 'Ghent' }))
const INTERVAL = 10_000
const MOST = 500

/** In the manner of SAP Leonardo IoT: Basic, a form without a scope, and what things measured. */
export function createIot(tokens: TokenBook, now: () => number): Service {
  return {
    handle(call) {
      const { pathname } = call.url
      if (pathname === '/iot/oauth/token') return tokenFor(call, tokens)
      if (pathname !== '/iot/things' && pathname !== '/iot/measurements') return undefined
      const token = tokens.check(call)
      if (isReply(token)) return token
      const wrongMethod = onlyMethod(call, 'GET')
      if (wrongMethod) return wrongMethod
      return pathname === '/iot/things'
        ? (onlyOptions(call, []) ?? json({ value: things }))
        : measured(call, now())
    },
  }
}

function tokenFor(call: Call, tokens: TokenBook): Reply {
  const early = tokens.receive(call) ?? onlyMethod(call, 'POST')
  if (early) return early
  if (contentType(call) !== 'application/x-www-form-urlencoded')
    return oauthError(400, 'invalid_request', 'the content type must be application/x-www-form-urlencoded')
  const basic = basicOf(call)
  if (!basic)
    return oauthError(401, 'invalid_client', 'the client id and secret must come as Basic authentication', {
      'www-authenticate': 'Basic realm="iot"',
    })
  const client = tokens.authenticate(basic.id, basic.secret)
  if (isReply(client)) return client
  const form = new URLSearchParams(call.body.toString('utf8'))
  if (form.get('grant_type') !== 'client_credentials')
    return form.has('grant_type')
      ? oauthError(400, 'unsupported_grant_type', 'grant_type must be client_credentials')
      : oauthError(400, 'invalid_request', 'grant_type is missing')
  if (form.has('scope'))
    return oauthError(400, 'invalid_scope', 'this service has no scopes; leave scope out')
  return tokens.issue(client)
}

/** The newest first: a temperature every ten seconds, the same for the same moment. */
function measured(call: Call, now: number): Reply {
  const wrong = onlyOptions(call, ['thingId', '$top'])
  if (wrong) return wrong
  const top = count(call, '$top', 100)
  if (typeof top !== 'number') return top
  const asked = call.url.searchParams.get('thingId')
  const chosen = things.filter(({ id }) => asked === null || id === asked)
  if (chosen.length === 0) return apiError(404, 'not_found', 'there is no thing with this id')
  const last = Math.floor(now / INTERVAL)
  const value = Array.from({ length: Math.min(top, MOST) }, (_, i) => {
    const thing = chosen[i % chosen.length]!
    const moment = last - Math.floor(i / chosen.length)
    const wave = Math.sin(moment / 30 + things.indexOf(thing))
    return {
      thingId: thing.id,
      time: new Date(moment * INTERVAL).toISOString(),
      temperature: Math.round((60 + 12 * wave) * 10) / 10,
      unit: thing.unit,
    }
  })
  return json({ value })
}
