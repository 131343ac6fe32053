import { Failure } from '../core/failure.ts'
import { SHORTEST_SECRET } from '../security/redaction.ts'
import type { AnswerExpression, AnswerView } from './answer-expression.ts'
import { cleanText, errorOf, type Hide, type ServiceWords } from './service-words.ts'

/** What the token service said, as it came. */
export interface TokenAnswer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** Epoch ms when it was asked for. */
  readonly askedAt: number
}

/** Where in an answer things are, where that is not where RFC 6749 puts them. */
export interface AnswerReading {
  readonly format: 'json' | 'form' | 'text'
  readonly token?: AnswerExpression
  readonly expiresIn?: AnswerExpression
  readonly expiresAt?: AnswerExpression
  /** Of numbers for the expiry; left out: seconds, and of a point in time what its size says. */
  readonly unit?: 's' | 'ms'
  readonly success?: AnswerExpression<boolean>
}

export const USUAL_READING: AnswerReading = { format: 'json' }

export interface IssuedToken {
  readonly kind: 'token'
  readonly token: string
  /** ms from before the request was sent. */
  readonly lifetime: number
  /** The service told the lifetime. */
  readonly told: boolean
  /** As granted, where the answer says it. */
  readonly scope: string | undefined
  /** Where the answer has one that can be sent. */
  readonly refreshToken: string | undefined
  /** `token_type` of the answer, printable; it decides nothing. */
  readonly type: string | undefined
}

/** Why there is no token. */
export interface TokenRejection {
  readonly kind: 'rejection'
  /** `refused`: the client is not let in; `busy`: it may work later; `unusable`: an answer that no token can be taken from. */
  readonly why: 'refused' | 'busy' | 'unusable'
  readonly status: number
  /** OAuth error code, printable, at most 64 characters. */
  readonly error?: string
  /** Printable, at most 300 characters. */
  readonly description?: string
  /** Of an unusable answer: what is wrong with it, as the end of a sentence. */
  readonly flaw?: string
  /** ms */
  readonly retryAfter?: number
}

export interface LifetimeDefaults {
  /** ms, where the answer says nothing. */
  readonly lifetime: number
  /** ms */
  readonly maxLifetime: number
}

const TOKEN = /^[\x21-\x7e]{1,65536}$/
const BUSY = new Set([408, 425, 429])

/**
 * Judges the answer of a token service: a token, or why not. Never throws.
 * @param hide takes secrets out of what is told of the answer; the answer's own tokens are not told either
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5
 */
export function judgeTokenAnswer(
  answer: TokenAnswer,
  defaults: LifetimeDefaults,
  reading: AnswerReading,
  hide: Hide,
): IssuedToken | TokenRejection {
  const { status, headers } = answer
  if (status >= 300 && status < 400)
    return reject(answer, 'unusable', { flaw: 'redirected; redirects of a token service are not followed' })
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== '' && encoding !== 'identity')
    return reject(answer, reasonOf(status), { flaw: 'sent a compressed answer, which was not asked for' })

  const content = contentOf(answer.body, reading.format)
  const told = content ?? parseObject(answer.body)
  const guarded = hidingTokens(told, hide)
  const said = errorOf(told, status >= 400 || reading.success !== undefined, guarded)
  const beside = content === undefined && tokenBeside(answer, reading)
  if (status !== 200 && status !== 201 && !(status === 204 && beside)) {
    const busy = BUSY.has(status) || status >= 500 || said.error === 'temporarily_unavailable'
    return reject(answer, busy ? 'busy' : reasonOf(status), said)
  }
  if (content === undefined && !beside)
    return reject(answer, 'unusable', { flaw: flawOf(answer, reading.format, guarded) })
  try {
    return judgeContent(answer, { status, headers, body: content ?? {} }, said, defaults, reading, guarded)
  } catch (thrown) {
    return reject(answer, 'unusable', {
      flaw: `sent an answer that the credential cannot read, ${Failure.from(thrown).message}`,
    })
  }
}

/** A token in a header: what the body is does not matter then, nor that there is none. */
function tokenBeside({ status, headers }: TokenAnswer, reading: AnswerReading): boolean {
  try {
    return typeof reading.token?.({ status, headers, body: {} }) === 'string'
  } catch {
    return false
  }
}

function judgeContent(
  answer: TokenAnswer,
  view: AnswerView,
  said: ServiceWords,
  defaults: LifetimeDefaults,
  reading: AnswerReading,
  hide: Hide,
): IssuedToken | TokenRejection {
  const refused = () => reject(answer, said.error === 'temporarily_unavailable' ? 'busy' : 'refused', said)
  if (reading.success?.(view) === false) return refused()
  const token = reading.token ? reading.token(view) : usual(view.body, 'access_token')
  const isEmpty = token === undefined || token === null || token === ''
  const isRefused = reading.success === undefined && isError(usual(view.body, 'error'))
  if (said.error !== undefined && (isEmpty || isRefused)) return refused()
  if (typeof token !== 'string' || token === '')
    return reject(answer, 'unusable', {
      ...said,
      flaw: reading.token
        ? 'answered without a text where "response.token" looks for the token'
        : 'answered without a text "access_token"',
    })
  if (!TOKEN.test(token))
    return reject(answer, 'unusable', {
      flaw:
        token.length > 65536
          ? 'sent a token of more than 64 KB'
          : 'sent a token with characters that cannot stand in a header',
    })
  const known = toldLifetime(answer, view, reading) ?? lifetimeOfJwt(token)
  return {
    kind: 'token',
    token,
    lifetime: Math.min(known ?? defaults.lifetime, defaults.maxLifetime),
    told: known !== undefined,
    scope: scopeOf(usual(view.body, 'scope'), hide),
    refreshToken: sendable(usual(view.body, 'refresh_token')),
    type: cleanText(usual(view.body, 'token_type'), 64, hide),
  }
}

/** What says no, whatever stands beside it; codes of other names may mean success, and so does 0. */
function isError(error: unknown): boolean {
  return typeof error === 'string' && !/^\s*0?\s*$/.test(error)
}

function sendable(token: unknown): string | undefined {
  return typeof token === 'string' && TOKEN.test(token) ? token : undefined
}

function reject(
  answer: TokenAnswer,
  why: TokenRejection['why'],
  more: ServiceWords & { readonly flaw?: string },
): TokenRejection {
  return { kind: 'rejection', why, status: answer.status, ...more }
}

function reasonOf(status: number): TokenRejection['why'] {
  if (BUSY.has(status) || status >= 500) return 'busy'
  return status >= 400 ? 'refused' : 'unusable'
}

const WANTED = { json: 'is no JSON object', form: 'is no form', text: 'is no text' }

function flawOf(answer: TokenAnswer, format: AnswerReading['format'], hide: Hide): string {
  if (answer.body.length === 0) return 'sent an empty answer'
  const type = cleanText(answer.headers['content-type']?.split(';')[0], 60, hide)
  return type === undefined || (format === 'json' && /\bjson$/i.test(type))
    ? `sent an answer that ${WANTED[format]}`
    : `sent "${type}" that ${WANTED[format]}`
}

const TOKENS = ['access_token', 'id_token', 'refresh_token']

/** A token of an answer that is no good is not known as a secret, and must not be told all the same. */
function hidingTokens(content: object | string | undefined, hide: Hide): Hide {
  if (typeof content !== 'object') return hide
  const tokens = TOKENS.map((name) => usual(content, name)).filter(
    (token): token is string => typeof token === 'string' && token.length >= SHORTEST_SECRET,
  )
  return (text) => hide(tokens.reduce((rest, token) => rest.replaceAll(token, '[secret]'), text))
}

/** What expressions see as `body`; undefined where it is not of the format. */
function contentOf(body: Buffer, format: AnswerReading['format']): object | string | undefined {
  if (format === 'json') return parseObject(body)
  const text = body
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trim()
  if (text === '') return undefined
  if (format === 'text') return text
  return text.includes('=') ? Object.fromEntries(new URLSearchParams(text)) : undefined
}

/** Undefined: it is no JSON object. */
export function parseObject(body: Buffer): object | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8').replace(/^\ufeff/, ''))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Where RFC 6749 puts a thing; a text is the token itself. Own members only: `__proto__` is a name like any other. */
function usual(body: unknown, name: string): unknown {
  if (typeof body === 'string') return name === 'access_token' ? body : undefined
  return Object.hasOwn(body as object, name) ? (body as Record<string, unknown>)[name] : undefined
}

/** ms, where the answer tells. */
function toldLifetime(answer: TokenAnswer, view: AnswerView, reading: AnswerReading): number | undefined {
  const { expiresIn, expiresAt, unit } = reading
  const told = expiresIn ? expiresIn(view) : usual(view.body, 'expires_in')
  const lifetime = lifetimeOf(told, unit === 'ms' ? 1 : 1000)
  if (lifetime !== undefined || !expiresAt) return lifetime
  const end = momentOf(expiresAt(view), unit)
  if (end === undefined) return undefined
  const said = Date.parse(answer.headers['date'] ?? '')
  const left = end - (Number.isNaN(said) ? answer.askedAt : said)
  return left > 0 ? left : undefined
}

const NUMERIC = /^\s*\d{1,15}(\.\d+)?\s*$/

function numberOf(value: unknown): number {
  if (typeof value === 'number') return value
  return typeof value === 'string' && NUMERIC.test(value) ? Number(value) : NaN
}

/** A number, also as text, to ms. 0, negative or not finite means that the service does not say. */
function lifetimeOf(value: unknown, unit: number): number | undefined {
  const ms = numberOf(value) * unit
  return Number.isFinite(ms) && ms > 0 ? ms : undefined
}

/** Beyond it a number of an epoch counts ms: seconds reach it in the year 5138. */
const LAST_IN_SECONDS = 1e11
const WITHOUT_ZONE = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?$/

/** Epoch ms of a date and time, or of an epoch in s or ms. What has no zone is in UTC. */
function momentOf(value: unknown, unit: 's' | 'ms' | undefined): number | undefined {
  const number = numberOf(value)
  if (Number.isFinite(number)) {
    const inMs = unit === 'ms' || (unit === undefined && number > LAST_IN_SECONDS)
    return inMs ? number : number * 1000
  }
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  const moment = Date.parse(WITHOUT_ZONE.test(text) ? `${text.replace(' ', 'T')}Z` : text)
  return Number.isNaN(moment) ? undefined : moment
}

/** `exp - iat`, which no clock but the service's own takes part in. */
function lifetimeOfJwt(token: string): number | undefined {
  const claims = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(token)?.[1]
  const content = claims === undefined ? undefined : parseObject(Buffer.from(claims, 'base64url'))
  if (content === undefined) return undefined
  const [end, start] = [usual(content, 'exp'), usual(content, 'iat')]
  return typeof end === 'number' && typeof start === 'number' ? lifetimeOf(end - start, 1000) : undefined
}

function scopeOf(value: unknown, hide: Hide): string | undefined {
  if (Array.isArray(value)) return scopeOf(value.filter((item) => typeof item === 'string').join(' '), hide)
  return cleanText(value, 4096, hide)
}
