import { mayCall, sayRule, type AccessRule, type Caller } from '../core/access.ts'
import type { Denial, RouteRequest } from '../core/services.ts'
import { API_KEY_HEADER, apiKeyHash } from './api-key.ts'
import { readAuthorization, type Carried } from './authorization-header.ts'
import type { Clients } from './clients.ts'
import type { IssuerTokens } from './issuers/issuer-tokens.ts'
import type { RefusalLog } from './refusal-log.ts'
import type { SecretCheck } from './secret-check.ts'
import type { JudgeBody, SignedCalls } from './signatures/signed-calls.ts'
import { REALM } from './token-service.ts'
import type { Tokens } from './tokens.ts'

export interface GateSetting {
  readonly clients: Clients
  readonly tokens: Tokens
  readonly issuers: IssuerTokens
  readonly signed: SignedCalls
  /** Of this engine. */
  readonly issuer: () => string
  readonly secrets: SecretCheck
  readonly refusals: RefusalLog
  newId(): string
}

const BEARER = `Bearer realm="${REALM}"`
const CHALLENGE = ['www-authenticate', BEARER, 'www-authenticate', `Basic realm="${REALM}", charset="UTF-8"`]

/** Refuses a request. @param why for the log */
export type Deny = (what: 'signature' | 'unavailable', why: string) => undefined

/** Judges who calls an endpoint, by the headers alone. */
export class Gate {
  readonly #setting: GateSetting

  constructor(setting: GateSetting) {
    this.#setting = setting
  }

  /** The caller, at once where it is known; undefined: it was refused, and has its answer. */
  admit(
    rule: AccessRule,
    flow: string,
    request: RouteRequest,
  ): Caller | undefined | Promise<Caller | undefined> {
    const { secrets } = this.#setting
    const deny = (denial: Omit<Denial, 'id'>, why: string) => this.#deny(request, flow, denial, why)
    const { raw, query } = request
    if (query.includes('access_token') && new URLSearchParams(query).has('access_token'))
      return deny(badRequest, 'the token stands in the address (access_token)')
    const carried = readAuthorization(raw)
    const key = raw.headers[API_KEY_HEADER]
    if (key !== undefined && this.#setting.clients.haveApiKeys)
      return carried.scheme === 'none'
        ? this.#admitKey(rule, flow, request, String(key))
        : deny(badRequest, `it carries both an authorization and ${API_KEY_HEADER}`)
    if (carried.scheme === 'none') return deny(nothing, 'it carries no authorization')
    if (carried.scheme === 'unreadable') return deny(carried.ambiguous ? badRequest : nothing, carried.why)
    if (carried.scheme === 'bearer') return this.#admitToken(rule, flow, request, carried.token)
    return whenKnown(secrets.check(carried.readings, raw.socket.remoteAddress ?? ''), (verdict) => {
      if (verdict.fits) {
        const { callerId, roles } = verdict.client
        return this.#compare(rule, flow, request, callerId, roles)
      }
      const { why, retryAfter } = verdict
      const of = `client ${sayId(carried)}: ${why}`
      return retryAfter === undefined ? deny(wrongSecret, of) : deny(tooMany(retryAfter), of)
    })
  }

  /** For endpoints that take signed requests only. */
  admitSigned(key: string, flow: string, request: RouteRequest): JudgeBody | undefined {
    return this.#setting.signed.admit(key, request, (what, why) =>
      this.#deny(request, flow, what === 'signature' ? wrongSignature : notNow(60), why),
    )
  }

  #admitKey(rule: AccessRule, flow: string, request: RouteRequest, key: string): Caller | undefined {
    const hash = apiKeyHash(key)
    const client = hash === undefined ? undefined : this.#setting.clients.ofApiKey(hash)
    if (!client) return this.#deny(request, flow, wrongKey, `no client has the API key in ${API_KEY_HEADER}`)
    const { name, enabled, callerId, roles } = client
    if (!enabled) return this.#deny(request, flow, wrongKey, `client "${name}" is disabled`)
    return this.#compare(rule, flow, request, callerId, roles)
  }

  #admitToken(
    rule: AccessRule,
    flow: string,
    request: RouteRequest,
    token: string,
  ): Caller | undefined | Promise<Caller | undefined> {
    const { tokens, issuers, issuer } = this.#setting
    const bad = (why: string, retryAfter?: number) =>
      retryAfter === undefined
        ? this.#deny(request, flow, badToken, `the token is not good: ${why}`)
        : this.#deny(request, flow, notNow(retryAfter), `the token cannot be judged: ${why}`)
    const judged = issuers.look(token, issuer())
    if (judged !== undefined)
      return whenKnown(judged, (found) =>
        'why' in found
          ? bad(found.why, found.retryAfter)
          : this.#compare(rule, flow, request, found.caller.id, found.caller.roles),
      )
    return whenKnown(tokens.look(token), (found) => {
      if ('why' in found) return bad(found.why)
      return this.#compare(rule, flow, request, found.client.callerId, found.roles)
    })
  }

  #compare(
    rule: AccessRule,
    flow: string,
    request: RouteRequest,
    id: string,
    roles: readonly string[],
  ): Caller | undefined {
    if (mayCall(rule, roles)) return { id, roles }
    const has = roles.length === 0 ? 'has none' : `has ${roles.map((role) => `"${role}"`).join(', ')}`
    return this.#deny(request, flow, lacking(rule), `${id} needs ${sayRule(rule)}, and ${has}`)
  }

  #deny(request: RouteRequest, flow: string, denial: Omit<Denial, 'id'>, why: string): undefined {
    const id = this.#setting.newId()
    this.#setting.refusals.tell(
      { flow, refusal: id, status: denial.status, address: request.raw.socket.remoteAddress },
      `a call of ${flow.startsWith('/') ? flow : `flow "${flow}"`} was refused: ${why}`,
    )
    request.deny({ ...denial, id })
  }
}

const nothing = denial(401, 'access.missing', 'Authorization is needed', CHALLENGE)
const badRequest = denial(400, 'access.request', 'The authorization of the request cannot be taken', [
  'www-authenticate',
  `${BEARER}, error="invalid_request"`,
])
const badToken = denial(401, 'access.token', 'The token is not good', [
  'www-authenticate',
  `${BEARER}, error="invalid_token"`,
])
const wrongSecret = denial(401, 'access.secret', 'The client id or the secret is wrong', CHALLENGE)

const wrongSignature = denial(401, 'access.signature', 'The signature is not good', [
  'www-authenticate',
  'Signature',
])
const wrongKey = denial(401, 'access.key', 'The API key is not good', CHALLENGE)

function lacking({ roles }: AccessRule) {
  const scope = roles.join(' ')
  return denial(403, 'access.role', 'The caller may not call this address', [
    'www-authenticate',
    `${BEARER}, error="insufficient_scope", scope="${scope}"`,
  ])
}

function tooMany(seconds: number) {
  return denial(429, 'access.attempts', 'Too many attempts failed', ['retry-after', String(seconds)])
}

/** Nobody can say for now whether the token is good: a caller that fetched another one would get no further. */
function notNow(seconds: number) {
  const headers = ['retry-after', String(seconds)]
  return denial(503, 'access.unavailable', 'The authorization cannot be judged now', headers)
}

function denial(status: number, code: string, title: string, headers: readonly string[]) {
  return { status, code, title, headers }
}

function sayId(carried: Carried): string {
  return carried.scheme === 'basic' ? JSON.stringify(carried.readings[0]!.clientId.slice(0, 150)) : ''
}

function whenKnown<T, R>(value: T | Promise<T>, then: (value: T) => R): R | Promise<R> {
  return value instanceof Promise ? value.then(then) : then(value)
}
