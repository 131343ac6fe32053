/** What the token service said, as it came. */
export interface TokenAnswer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export interface IssuedToken {
  readonly kind: 'token'
  readonly token: string
  /** ms from before the request was sent. */
  readonly lifetime: number
  /** As granted, where the answer says it. */
  readonly scope: string | undefined
}

/** Why there is no token. */
export interface TokenRejection {
  readonly kind: 'rejection'
  /** `refused`: the client is not let in; `busy`: it may work later; `unusable`: an answer that no token can be taken from. */
  readonly why: 'refused' | 'busy' | 'unusable'
  readonly status: number
  /** OAuth error code, printable, at most 64 characters. */
  readonly error?: string
  /** Printable, at most 300 characters; secrets are not yet taken out. */
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
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5
 */
export function judgeTokenAnswer(
  answer: TokenAnswer,
  defaults: LifetimeDefaults,
): IssuedToken | TokenRejection {
  const { status, headers } = answer
  if (status >= 300 && status < 400)
    return reject(answer, 'unusable', { flaw: 'redirected; redirects of a token service are not followed' })
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== '' && encoding !== 'identity')
    return reject(answer, reasonOf(status), { flaw: 'sent a compressed answer, which was not asked for' })

  const content = parseObject(answer.body)
  const said = content ? errorOf(content) : {}
  const token = content && own(content, 'access_token')
  if (status !== 200 && status !== 201) {
    const busy = BUSY.has(status) || status >= 500 || said.error === 'temporarily_unavailable'
    return reject(answer, busy ? 'busy' : reasonOf(status), said)
  }
  if (content === undefined) return reject(answer, 'unusable', { flaw: flawOf(answer) })
  if (said.error !== undefined && (token === undefined || token === null || token === ''))
    return reject(answer, said.error === 'temporarily_unavailable' ? 'busy' : 'refused', said)
  if (typeof token !== 'string' || token === '')
    return reject(answer, 'unusable', { flaw: 'answered without a text "access_token"' })
  if (!TOKEN.test(token))
    return reject(answer, 'unusable', {
      flaw:
        token.length > 65536
          ? 'sent a token of more than 64 KB'
          : 'sent a token with characters that cannot stand in a header',
    })
  const known = lifetimeOf(own(content, 'expires_in')) ?? lifetimeOfJwt(token)
  return {
    kind: 'token',
    token,
    lifetime: Math.min(known ?? defaults.lifetime, defaults.maxLifetime),
    scope: scopeOf(own(content, 'scope')),
  }
}

function reject(
  answer: TokenAnswer,
  why: TokenRejection['why'],
  more: { error?: string; description?: string; flaw?: string },
): TokenRejection {
  return { kind: 'rejection', why, status: answer.status, ...more }
}

function reasonOf(status: number): TokenRejection['why'] {
  if (BUSY.has(status) || status >= 500) return 'busy'
  return status >= 400 ? 'refused' : 'unusable'
}

function flawOf(answer: TokenAnswer): string {
  if (answer.body.length === 0) return 'sent an empty answer'
  const type = clean(answer.headers['content-type']?.split(';')[0], 60)
  return type === undefined || /\bjson$/i.test(type)
    ? 'sent an answer that is no JSON object'
    : `sent "${type}" that is no JSON object`
}

function parseObject(body: Buffer): object | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8').replace(/^\ufeff/, ''))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Own members only: `__proto__` in an answer is a name like any other. */
function own(content: object, name: string): unknown {
  return Object.hasOwn(content, name) ? (content as Record<string, unknown>)[name] : undefined
}

function errorOf(content: object): { error?: string; description?: string } {
  const error = clean(own(content, 'error'), 64)
  const description = clean(own(content, 'error_description'), 300)
  return {
    ...(error !== undefined && { error }),
    ...(description !== undefined && { description }),
  }
}

/** One printable ASCII line. */
function clean(value: unknown, length: number): string | undefined {
  if (typeof value !== 'string') return undefined
  const text = value
    .replace(/[^\x20-\x7e]+/g, ' ')
    .replace(/ {2,}/g, ' ')
    .trim()
  if (text === '') return undefined
  return text.length > length ? `${text.slice(0, length - 3)}...` : text
}

/** Seconds as a number or as text, to ms. 0, negative or not finite means that the service does not say. */
function lifetimeOf(value: unknown): number | undefined {
  const seconds =
    typeof value === 'number'
      ? value
      : typeof value === 'string' && /^\s*\d{1,15}(\.\d+)?\s*$/.test(value)
        ? Number(value)
        : NaN
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined
}

/** `exp - iat`, which no clock but the service's own takes part in. */
function lifetimeOfJwt(token: string): number | undefined {
  const claims = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(token)?.[1]
  const content = claims === undefined ? undefined : parseObject(Buffer.from(claims, 'base64url'))
  if (content === undefined) return undefined
  const [end, start] = [own(content, 'exp'), own(content, 'iat')]
  return typeof end === 'number' && typeof start === 'number' ? lifetimeOf(end - start) : undefined
}

function scopeOf(value: unknown): string | undefined {
  if (Array.isArray(value)) return scopeOf(value.filter((item) => typeof item === 'string').join(' '))
  return clean(value, 4096)
}
