import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { clientIdsOf, json, oauthError, type Call, type Reply } from './http.ts'

export interface Client {
  readonly id: string
  readonly secret: string
  /** What it may ask for. */
  readonly scopes: readonly string[]
}

/** A token that was handed out. */
export interface Token {
  readonly client: string
  readonly scopes: readonly string[]
  /** For whom it was asked for; empty for most services. */
  readonly subject: Readonly<Record<string, string>>
  /** Epoch ms. */
  readonly expiresAt: number
}

/** What one client did. */
export interface Counts {
  /** Requests for a token in its name: with the right secret, a wrong one, or none. */
  asked: number
  /** Requests for a token with the right secret. */
  tokenRequests: number
  /** Tokens handed out. */
  tokens: number
  /** Calls of the API with a good token. */
  calls: number
  /** Calls of the API with a token that was refused. */
  refused: number
}

export interface TokenBookSetting {
  /** For `WWW-Authenticate` and the log. */
  readonly realm: string
  readonly clients: readonly Client[]
  /** Seconds that a token lives. */
  readonly lifetime: number
  /** Epoch ms. */
  readonly now: () => number
  readonly log: (line: string) => void
}

/** How the token service fails for a while. */
export interface Outage {
  /** Of each answer. */
  readonly status: number
  /** Requests for a token that are still answered so. */
  readonly times: number
  /** Seconds, for the header of that name. */
  readonly retryAfter?: number
}

/** An expired token is remembered so long, to say that it expired (ms). */
const MEMORY = 60 * 60 * 1000

/** The tokens of one service: handed out to its clients, looked up with every call. */
export class TokenBook {
  /** The API refuses every token, fresh ones too. */
  refusing = false
  /** The token service answers so instead of looking at what it is asked. */
  outage: Outage | undefined = undefined
  readonly #setting: TokenBookSetting
  readonly #clients: Map<string, Client>
  readonly #tokens = new Map<string, Token>()
  readonly #revoked = new Set<string>()
  readonly #counts = new Map<string, Counts>()

  constructor(setting: TokenBookSetting) {
    this.#setting = setting
    this.#clients = new Map(setting.clients.map((client) => [client.id, client]))
  }

  get clients(): readonly string[] {
    return this.#setting.clients.map(({ id }) => id)
  }

  counts(client: string): Counts {
    let counts = this.#counts.get(client)
    if (!counts)
      this.#counts.set(client, (counts = { asked: 0, tokenRequests: 0, tokens: 0, calls: 0, refused: 0 }))
    return counts
  }

  /** Counts a request for a token, whatever is in it; the answer where the service is out of order. */
  receive(call: Call): Reply | undefined {
    for (const id of clientIdsOf(call)) if (this.clients.includes(id)) this.counts(id).asked++
    const { outage } = this
    if (!outage) return undefined
    const { status, times, retryAfter } = outage
    this.outage = times > 1 ? { ...outage, times: times - 1 } : undefined
    this.#setting.log(`${this.#setting.realm}: a token was asked for during an outage: ${status}`)
    return oauthError(
      status,
      status === 503 ? 'temporarily_unavailable' : 'server_error',
      'the token service is out of order',
      retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) },
    )
  }

  /** The client, or the answer for a wrong id or secret; both take the same time. */
  authenticate(id: string, secret: string, scheme: 'Basic' | 'Bearer' = 'Basic'): Client | Reply {
    const client = this.#clients.get(id)
    const same = timingSafeEqual(digest(secret), digest(client?.secret ?? ''))
    if (client && same) {
      this.counts(id).tokenRequests++
      return client
    }
    this.#setting.log(`${this.#setting.realm}: a token was asked for with a wrong client id or secret`)
    return oauthError(
      401,
      'invalid_client',
      'the client id or the client secret is wrong, or the client was deleted',
      {
        'www-authenticate': `${scheme} realm="${this.#setting.realm}"`,
      },
    )
  }

  /** The answer with a new token. */
  issue(
    client: Client,
    scopes: readonly string[] = [],
    subject: Readonly<Record<string, string>> = {},
  ): Reply {
    const { lifetime, now, log, realm } = this.#setting
    this.#forget(now() - MEMORY)
    const token = randomBytes(48).toString('base64url')
    this.#tokens.set(token, { client: client.id, scopes, subject, expiresAt: now() + lifetime * 1000 })
    this.counts(client.id).tokens++
    log(
      `${realm}: a token for ${client.id}${scopes.length === 0 ? '' : ` (${scopes.join(' ')})`}, good for ${lifetime} s`,
    )
    return json(
      {
        access_token: token,
        token_type: 'Bearer',
        expires_in: lifetime,
        ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
      },
      200,
      { 'cache-control': 'no-store', pragma: 'no-cache' },
    )
  }

  /**
   * The token of a call, or the answer that refuses it.
   * @see https://www.rfc-editor.org/rfc/rfc6750#section-3.1
   */
  check(call: Call, scope?: string): Token | Reply {
    const { now, log, realm } = this.#setting
    const text = /^Bearer ([\w.~+/-]+=*)$/i.exec(call.headers.authorization ?? '')?.[1]
    if (text === undefined)
      return oauthError(401, 'invalid_request', 'the call has no bearer token', {
        'www-authenticate': `Bearer realm="${realm}"`,
      })
    const token = this.#tokens.get(text)
    const why = !token
      ? 'the token is not known'
      : this.#revoked.has(text) || this.refusing
        ? 'the token was revoked'
        : now() >= token.expiresAt
          ? 'the token expired'
          : undefined
    if (!token || why !== undefined) {
      if (token) this.counts(token.client).refused++
      log(`${realm}: ${call.method} ${call.url.pathname}: ${why}`)
      return challenge(401, realm, 'invalid_token', why!)
    }
    if (scope !== undefined && !token.scopes.includes(scope)) {
      this.counts(token.client).refused++
      log(`${realm}: ${call.method} ${call.url.pathname}: the token of ${token.client} has no ${scope}`)
      return challenge(403, realm, 'insufficient_scope', `the token has no scope "${scope}"`, scope)
    }
    this.counts(token.client).calls++
    log(`${realm}: ${call.method} ${call.url.pathname} by ${token.client}`)
    return token
  }

  /** Every token that was handed out and is remembered: for tests, which look for them where they must not be. */
  get issued(): readonly string[] {
    return [...this.#tokens.keys()]
  }

  /** The API refuses the tokens handed out so far: of one client, or of all. */
  revoke(client?: string): void {
    for (const [text, token] of this.#tokens)
      if (client === undefined || token.client === client) this.#revoked.add(text)
  }

  /** It gets no more tokens, and those it has are refused. */
  deleteClient(id: string): void {
    this.#clients.delete(id)
    this.revoke(id)
  }

  restoreClient(id: string): void {
    const client = this.#setting.clients.find((known) => known.id === id)
    if (client) this.#clients.set(id, client)
  }

  #forget(before: number): void {
    for (const [text, token] of this.#tokens)
      if (token.expiresAt < before) {
        this.#tokens.delete(text)
        this.#revoked.delete(text)
      }
  }
}

export function isReply(value: object): value is Reply {
  return 'status' in value
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest()
}

function challenge(status: number, realm: string, error: string, description: string, scope?: string): Reply {
  const parts = [`Bearer realm="${realm}"`, `error="${error}"`]
  if (scope !== undefined) parts.push(`scope="${scope}"`)
  return oauthError(status, error, description, { 'www-authenticate': parts.join(', ') })
}
