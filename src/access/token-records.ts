import type { Logger } from '../core/services.ts'
import type { Clock, Timer } from '../core/world.ts'
import { LONGEST_LIFETIME } from './client-options.ts'
import { readPrivate, writePrivate } from './private-file.ts'

/** What is known of a token that says nothing itself. */
export interface OpaqueToken {
  readonly clientId: string
  readonly generation: string
  readonly roles: readonly string[]
  /** It was asked for fewer roles than the client has. */
  readonly narrowed: boolean
  /** Only with this certificate it may be used: its SHA-256, hex. */
  readonly boundTo?: string | undefined
  /** Epoch ms. */
  readonly issuedAt: number
  /** Epoch ms; null: until the client's next token. */
  readonly expiresAt: number | null
}

interface Content {
  readonly opaque: readonly (readonly [hash: string, token: OpaqueToken])[]
  readonly revoked: readonly (readonly [jti: string, expiresAt: number])[]
  readonly ended: readonly (readonly [clientId: string, at: number])[]
}

/** Live opaque tokens of one client; the oldest ends when there is one more. */
const MOST_OF_A_CLIENT = 1000
/** ms within which tokens that were handed out are written together. */
const BEHIND = 200

/** What the engine must remember of tokens: opaque ones by their hash, JWTs that were revoked, and clients whose tokens have all ended. */
export class TokenRecords {
  readonly #file: string
  readonly #clock: Clock
  readonly #log: Logger
  readonly #opaque = new Map<string, OpaqueToken>()
  /** Hashes by client id, the oldest first. */
  readonly #byClient = new Map<string, Set<string>>()
  /** By client id, the hash of the one that has no end. */
  readonly #lasting = new Map<string, string>()
  readonly #revoked = new Map<string, number>()
  /** By client id, when all its tokens ended: epoch ms. */
  readonly #ended = new Map<string, number>()
  #timer: Timer | undefined
  #writing: Promise<void> = Promise.resolve()

  private constructor(file: string, clock: Clock, log: Logger) {
    this.#file = file
    this.#clock = clock
    this.#log = log
  }

  /** @throws Error `SLUICE_ACCESS` */
  static async open(file: string, clock: Clock, log: Logger): Promise<TokenRecords> {
    const records = new TokenRecords(file, clock, log)
    const { opaque = [], revoked = [], ended = [] } = ((await readPrivate(file)) ?? {}) as Partial<Content>
    for (const [hash, token] of opaque) records.#put(hash, token)
    for (const [jti, expiresAt] of revoked) records.#revoked.set(jti, expiresAt)
    for (const [clientId, at] of ended) records.#ended.set(clientId, at)
    return records
  }

  /** Keeps a token. */
  add(hash: string, token: OpaqueToken): void {
    const others = [...(this.#byClient.get(token.clientId) ?? [])]
    this.#put(hash, token)
    if (others.length >= MOST_OF_A_CLIENT) {
      for (const other of others) if (this.#hasEnded(this.#opaque.get(other))) this.#drop(other)
      const left = this.#byClient.get(token.clientId)!
      if (left.size > MOST_OF_A_CLIENT) this.#drop(left.values().next().value!)
    }
    this.#writeBehind()
  }

  /** Ends the token that was good until the client asks for the next one, which it does now. */
  endLasting(clientId: string): void {
    const hash = this.#lasting.get(clientId)
    if (hash === undefined) return
    this.#drop(hash)
    this.#writeBehind()
  }

  find(hash: string): OpaqueToken | undefined {
    return this.#opaque.get(hash)
  }

  isRevoked(jti: string): boolean {
    return this.#revoked.has(jti)
  }

  /** Ends all tokens that clients have now: they stay ended when the clients are back. */
  endAllOf(clientIds: readonly string[]): void {
    if (clientIds.length === 0) return
    for (const clientId of clientIds) {
      this.#ended.set(clientId, this.#clock.now())
      for (const hash of [...(this.#byClient.get(clientId) ?? [])]) this.#drop(hash)
    }
    this.#flushLoudly('which tokens have ended could not be kept; they are good again after a restart')
  }

  /** When all tokens of a client ended the last time, epoch ms; undefined: not as long as tokens live. */
  endOf(clientId: string): number | undefined {
    return this.#ended.get(clientId)
  }

  /** On disk when it resolves. */
  async end(hash: string): Promise<void> {
    this.#drop(hash)
    await this.flush()
  }

  /** On disk when it resolves. @param expiresAt epoch ms */
  async revoke(jti: string, expiresAt: number): Promise<void> {
    this.#revoked.set(jti, expiresAt)
    await this.flush()
  }

  /** All that is known now is on disk when it resolves. */
  flush(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#writing = this.#writing.catch(() => {}).then(() => this.#write())
    return this.#writing
  }

  /** Writes what was not written yet. */
  async close(): Promise<void> {
    if (this.#timer) await this.flush()
    else await this.#writing.catch(() => {})
  }

  #put(hash: string, token: OpaqueToken): void {
    this.#opaque.set(hash, token)
    if (token.expiresAt === null) this.#lasting.set(token.clientId, hash)
    const own = this.#byClient.get(token.clientId)
    if (own) own.add(hash)
    else this.#byClient.set(token.clientId, new Set([hash]))
  }

  #drop(hash: string): void {
    const token = this.#opaque.get(hash)
    if (!token) return
    this.#opaque.delete(hash)
    if (token.expiresAt === null) this.#lasting.delete(token.clientId)
    const own = this.#byClient.get(token.clientId)
    own?.delete(hash)
    if (own?.size === 0) this.#byClient.delete(token.clientId)
  }

  #hasEnded(token: OpaqueToken | undefined): boolean {
    return token !== undefined && token.expiresAt !== null && token.expiresAt <= this.#clock.now()
  }

  #writeBehind(): void {
    this.#timer ??= this.#clock.after(BEHIND, () =>
      this.#flushLoudly('tokens could not be kept; they end with this process'),
    )
  }

  #flushLoudly(trouble: string): void {
    this.flush().catch((error: Error) => this.#log.error({ err: error }, trouble))
  }

  async #write(): Promise<void> {
    const now = this.#clock.now()
    for (const [hash, token] of this.#opaque) if (this.#hasEnded(token)) this.#drop(hash)
    for (const [jti, expiresAt] of this.#revoked) if (expiresAt <= now) this.#revoked.delete(jti)
    for (const [clientId, at] of this.#ended) if (at + LONGEST_LIFETIME <= now) this.#ended.delete(clientId)
    const content: Content = {
      opaque: [...this.#opaque],
      revoked: [...this.#revoked],
      ended: [...this.#ended],
    }
    await writePrivate(this.#file, content)
  }
}
