import { mayCall, sayRule, type AccessRule, type Caller, type Scheme } from '../core/access.ts'
import type { Denial, JudgedRequest, RouteRequest } from '../core/services.ts'
import type { Clock } from '../core/world.ts'
import { networkOf } from '../net/ip-address.ts'
import { API_KEY_HEADER, apiKeyHash } from './api-key.ts'
import { countOf, readAuthorization, type Carried } from './authorization-header.ts'
import type { PresentedCertificates } from './certificates/presented.ts'
import type { Clients } from './clients.ts'
import type { FailureCount } from './failure-count.ts'
import type { IssuerTokens } from './issuers/issuer-tokens.ts'
import type { RefusalLog } from './refusal-log.ts'
import type { SecretCheck } from './secret-check.ts'
import type { JudgeBody, SignedCalls } from './signatures/signed-calls.ts'
import { REALM } from './token-service.ts'
import type { Tokens } from './tokens.ts'

export interface GateSetting {
  readonly clients: Clients
  /** Of wrong API keys, by network. */
  readonly wrongKeys: FailureCount
  readonly certificates: PresentedCertificates
  readonly clock: Clock
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
const BASIC = `Basic realm="${REALM}", charset="UTF-8"`
const CHALLENGE = ['www-authenticate', BEARER, 'www-authenticate', BASIC]
/** What a header says the caller shows. */
const WAYS: Readonly<Record<Carried['scheme'], Scheme | undefined>> = {
  none: undefined,
  unreadable: undefined,
  bearer: 'oauth2',
  basic: 'basic',
}

/** What a query has to have for a parameter `access_token`, which may be written with escapes. */
const MAY_NAME_TOKEN = /%|access_token/

/** Refuses a request. @param why for the log */
export type Deny = (what: 'signature' | 'unavailable', why: string) => undefined

/** Judges who calls, by the headers alone. */
export class Gate {
  readonly #setting: GateSetting

  constructor(setting: GateSetting) {
    this.#setting = setting
  }

  /** The caller, at once where it is known; undefined: it was refused, and has its answer. */
  admit(
    rule: AccessRule,
    flow: string | undefined,
    request: JudgedRequest,
  ): Caller | undefined | Promise<Caller | undefined> {
    const { secrets } = this.#setting
    const deny = (denial: Omit<Denial, 'id'>, why: string) => this.#deny(request, flow, denial, why)
    const { raw, query } = request
    if (MAY_NAME_TOKEN.test(query) && new URLSearchParams(query).has('access_token'))
      return deny(badRequest, 'the token stands in the address (access_token)')
    const carried = readAuthorization(raw)
    const key = raw.headers[API_KEY_HEADER]
    const way = key !== undefined && this.#setting.clients.haveApiKeys ? 'apiKey' : WAYS[carried.scheme]
    if (way === 'apiKey' && carried.scheme !== 'none')
      return deny(badRequest, `it carries both an authorization and ${API_KEY_HEADER}`)
    if (way === 'apiKey' && countOf(raw, API_KEY_HEADER) > 1)
      return deny(badRequest, `it has more than one header ${API_KEY_HEADER}`)
    if (way !== undefined && rule.schemes?.includes(way) === false)
      return deny(notTaken(rule), `it comes with ${way}; taken here: ${rule.schemes.join(', ')}`)
    if (way === 'apiKey') return this.#admitKey(rule, flow, request, String(key))
    if (carried.scheme === 'none') return this.#admitCertificate(rule, flow, request)
    if (carried.scheme === 'unreadable')
      return deny(carried.ambiguous ? badRequest : nothing(rule), carried.why)
    if (carried.scheme === 'bearer') return this.#admitToken(rule, flow, request, carried.token)
    return whenKnown(secrets.check(carried.claim, request.address), (verdict) => {
      if (verdict.fits) {
        const { callerId, roles } = verdict.client
        return this.#compare(rule, flow, request, callerId, roles)
      }
      const { why, retryAfter } = verdict
      const of = `client ${sayId(carried)}: ${why}`
      return retryAfter === undefined ? deny(wrongSecret(rule), of) : deny(tooMany(retryAfter), of)
    })
  }

  /** For endpoints that take signed requests only. */
  admitSigned(key: string, flow: string, request: RouteRequest): JudgeBody | undefined {
    return this.#setting.signed.admit(key, request, (what, why) =>
      this.#deny(request, flow, what === 'signature' ? wrongSignature : notNow(60), why),
    )
  }

  #admitKey(
    rule: AccessRule,
    flow: string | undefined,
    request: JudgedRequest,
    key: string,
  ): Caller | undefined {
    const hash = apiKeyHash(key)
    const client = hash === undefined ? undefined : this.#setting.clients.ofApiKey(hash)
    if (!client) return this.#denyKey(rule, flow, request)
    const { name, enabled, callerId, roles } = client
    if (!enabled) return this.#deny(request, flow, wrongKey(rule), `client "${name}" is disabled`)
    return this.#compare(rule, flow, request, callerId, roles)
  }

  /** Good keys go on from the same address: a caller with a wrong one must not shut the others out. */
  #denyKey(rule: AccessRule, flow: string | undefined, request: JudgedRequest): undefined {
    const { wrongKeys } = this.#setting
    const network = networkOf(request.address)
    const pause = wrongKeys.pauseOf(network)
    if (pause > 0)
      return this.#deny(request, flow, tooMany(pause), 'too many wrong API keys from this address')
    wrongKeys.add(network)
    return this.#deny(request, flow, wrongKey(rule), `no client has the API key in ${API_KEY_HEADER}`)
  }

  /** A certificate tells who calls where nothing else does. */
  #admitCertificate(rule: AccessRule, flow: string | undefined, request: JudgedRequest): Caller | undefined {
    const { certificates, clients, clock } = this.#setting
    const deny = (denial: Omit<Denial, 'id'>, why: string) => this.#deny(request, flow, denial, why)
    const presented = certificates.of(request.raw)
    if (!presented || rule.schemes?.includes('certificate') === false)
      return deny(nothing(rule), 'it carries no authorization')
    if ('why' in presented) return deny(badRequest, presented.why)
    const verdict = clients.certificates.judge(presented, clock.now())
    if ('why' in verdict) return deny(wrongCertificate(rule), verdict.why)
    return this.#compare(rule, flow, request, verdict.client.callerId, verdict.client.roles)
  }

  /**
   * Why a token that is bound to a certificate may not be used by this request; undefined: it may.
   * @param clientId of our own client, whose certificate it has to be still
   */
  #misfit(
    { raw }: JudgedRequest,
    boundTo: string | undefined,
    clientId: string | undefined,
  ): string | undefined {
    if (boundTo === undefined) return undefined
    const { certificates, clients, clock } = this.#setting
    const presented = certificates.of(raw)
    if (!presented) return 'it is bound to a certificate, and none came along'
    if ('why' in presented) return presented.why
    if (presented.fingerprint !== boundTo) return 'it is bound to another certificate'
    if (clientId === undefined) return undefined
    const verdict = clients.certificates.judge(presented, clock.now())
    if ('why' in verdict) return verdict.why
    return verdict.client.clientId === clientId ? undefined : 'its certificate is that of another client now'
  }

  #admitToken(
    rule: AccessRule,
    flow: string | undefined,
    request: JudgedRequest,
    token: string,
  ): Caller | undefined | Promise<Caller | undefined> {
    const { tokens, issuers, issuer } = this.#setting
    const bad = (why: string, retryAfter?: number) =>
      retryAfter === undefined
        ? this.#deny(request, flow, badToken, `the token is not good: ${why}`)
        : this.#deny(request, flow, notNow(retryAfter), `the token cannot be judged: ${why}`)
    const judged = issuers.look(token, issuer())
    if (judged !== undefined)
      return whenKnown(judged, (found) => {
        if ('why' in found) return bad(found.why, found.retryAfter)
        const misfit = this.#misfit(request, found.boundTo, undefined)
        if (misfit !== undefined) return bad(misfit)
        return this.#compare(rule, flow, request, found.caller.id, found.caller.roles)
      })
    return whenKnown(tokens.look(token), (found) => {
      if ('why' in found) return bad(found.why)
      const misfit = this.#misfit(request, found.boundTo, found.clientId)
      if (misfit !== undefined) return bad(misfit)
      return this.#compare(rule, flow, request, found.client.callerId, found.roles)
    })
  }

  #compare(
    rule: AccessRule,
    flow: string | undefined,
    request: JudgedRequest,
    id: string,
    roles: readonly string[],
  ): Caller | undefined {
    if (mayCall(rule, roles)) return { id, roles }
    const has = roles.length === 0 ? 'has none' : `has ${roles.map((role) => `"${role}"`).join(', ')}`
    const refused = { ...lacking(rule), caller: id }
    return this.#deny(request, flow, refused, `${id} needs ${sayRule(rule)}, and ${has}`)
  }

  #deny(
    request: JudgedRequest,
    flow: string | undefined,
    denial: Omit<Denial, 'id'>,
    why: string,
  ): undefined {
    const id = this.#setting.newId()
    const { called = `flow "${flow}"` } = request
    this.#setting.refusals.tell(
      { flow, refusal: id, status: denial.status, address: request.address },
      `a call of ${called} was refused: ${why}`,
    )
    request.deny({ ...denial, id })
  }
}

function nothing({ schemes }: AccessRule) {
  return denial(401, 'access.missing', 'Authorization is needed', challengeOf(schemes))
}

function notTaken({ schemes }: AccessRule) {
  const title = 'This kind of authorization is not taken here'
  return denial(401, 'access.scheme', title, challengeOf(schemes))
}

function wrongSecret({ schemes }: AccessRule) {
  return denial(401, 'access.secret', 'The client id or the secret is wrong', challengeOf(schemes))
}

function wrongKey({ schemes }: AccessRule) {
  return denial(401, 'access.key', 'The API key is not good', challengeOf(schemes))
}

function wrongCertificate({ schemes }: AccessRule) {
  return denial(401, 'access.certificate', 'The certificate is not good', challengeOf(schemes))
}

const CHALLENGES: Readonly<Record<Scheme, string>> = {
  oauth2: BEARER,
  basic: BASIC,
  apiKey: 'ApiKey',
  certificate: 'Certificate',
}

function challengeOf(schemes: readonly Scheme[] | undefined): readonly string[] {
  return schemes?.flatMap((scheme) => ['www-authenticate', CHALLENGES[scheme]]) ?? CHALLENGE
}

const badRequest = denial(400, 'access.request', 'The authorization of the request cannot be taken', [
  'www-authenticate',
  `${BEARER}, error="invalid_request"`,
])
const badToken = denial(401, 'access.token', 'The token is not good', [
  'www-authenticate',
  `${BEARER}, error="invalid_token"`,
])
const wrongSignature = denial(401, 'access.signature', 'The signature is not good', [
  'www-authenticate',
  'Signature',
])

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
  return carried.scheme === 'basic' ? JSON.stringify(carried.claim.clientId.slice(0, 150)) : ''
}

function whenKnown<T, R>(value: T | Promise<T>, then: (value: T) => R): R | Promise<R> {
  return value instanceof Promise ? value.then(then) : then(value)
}
