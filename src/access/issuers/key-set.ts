import type { JWTVerifyGetKey } from 'jose'
import { createLocalJWKSet } from 'jose/jwks/local'
import { uninterrupted } from '../../core/cancellation.ts'
import { Failure } from '../../core/failure.ts'
import type { Logger } from '../../core/services.ts'
import type { World } from '../../core/world.ts'
import { exchange } from '../../net/client.ts'
import { isSafeScheme } from '../../security/url.ts'
import type { Issuer } from './issuer-file.ts'

/** ms after which keys are asked for again, beside the requests that use the old ones. */
const FRESH = 600_000
/** ms between two looks for a key that is not there. */
const COOLDOWN = 30_000
/** The same while there are no keys at all. */
const COOLDOWN_WITHOUT = 5_000
/** ms that an answer may take. */
const PATIENCE = 5_000
/** Bytes that an answer may have. */
const LARGEST = 512 * 1024

/** The keys cannot be had: whether a token is good is not known. */
export class KeysUnavailable extends Error {
  /** s */
  readonly retryAfter: number

  constructor(why: string, retryAfter: number) {
    super(why)
    this.retryAfter = retryAfter
  }
}

export type KeyWorld = Pick<World, 'clock' | 'dispatcherFor'>

/**
 * The public keys of an issuer. They are asked for when they are first needed, every ten minutes, and once when a token
 * names a key that is not among them; as long as the issuer does not answer, those that were there go on.
 */
export class KeySet {
  /** Another one whenever the keys are other ones. */
  version = 0
  readonly #issuer: Issuer
  readonly #world: KeyWorld
  readonly #log: Logger
  #text = ''
  #find: JWTVerifyGetKey | undefined
  /** Ticks of the last request, and of the last answer that was good. */
  #askedAt = -Infinity
  #gotAt = -Infinity
  #asking: Promise<void> | undefined
  #why = 'they were not asked for yet'

  constructor(issuer: Issuer, world: KeyWorld, log: Logger) {
    this.#issuer = issuer
    this.#world = world
    this.#log = log
  }

  /** Asks for the keys where it is time. */
  warm(): void {
    if (!this.#find) void this.#ask(COOLDOWN_WITHOUT)
    else if (this.#world.clock.ticks() - this.#gotAt >= FRESH) void this.#ask(COOLDOWN)
  }

  /** For `jwtVerify`. @throws KeysUnavailable */
  readonly key: JWTVerifyGetKey = async (header, token) => {
    this.warm()
    if (!this.#find) await this.#asking
    const find = this.#find
    if (!find) throw new KeysUnavailable(this.#why, this.#pause(COOLDOWN_WITHOUT))
    try {
      return await find(header, token)
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_JWKS_NO_MATCHING_KEY') throw error
      await this.#ask(COOLDOWN)
      if (find === this.#find) throw error
      return this.#find!(header, token)
    }
  }

  /** s until the next request is possible. */
  #pause(cooldown: number): number {
    return Math.max(1, Math.ceil((this.#askedAt + cooldown - this.#world.clock.ticks()) / 1000))
  }

  /** One request at a time, and not sooner than `cooldown` ms after the one before. Never rejects. */
  #ask(cooldown: number): Promise<void> {
    if (this.#asking) return this.#asking
    const now = this.#world.clock.ticks()
    if (now - this.#askedAt < cooldown) return Promise.resolve()
    this.#askedAt = now
    this.#asking = this.#fetch()
      .catch((error: Error) => {
        this.#why = error.message
        const { name } = this.#issuer
        this.#log.warn(
          { issuer: name, reason: error.message },
          this.#find
            ? `the keys of issuer "${name}" could not be asked for again; those that were there go on`
            : `the keys of issuer "${name}" cannot be had; its tokens are not taken`,
        )
      })
      .finally(() => (this.#asking = undefined))
    return this.#asking
  }

  async #fetch(): Promise<void> {
    const { jwksUri } = this.#issuer
    const keys = await this.#get(jwksUri ?? (await this.#discover()), 'keys')
    const text = JSON.stringify(keys)
    const find = createLocalJWKSet(keys as unknown as Parameters<typeof createLocalJWKSet>[0])
    this.#gotAt = this.#world.clock.ticks()
    if (this.#find && text === this.#text) return
    this.#find = find
    this.#text = text
    this.version++
  }

  /** @see https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata */
  async #discover(): Promise<URL> {
    const { issuer, discovery } = this.#issuer
    const { issuer: said, jwks_uri: keys } = await this.#get(discovery, 'issuer')
    if (said !== issuer)
      throw new Error(`${discovery.href} tells of another issuer: ${JSON.stringify(said).slice(0, 200)}`)
    const url = typeof keys === 'string' ? URL.parse(keys) : null
    if (url === null || !isSafeScheme(url)) throw new Error(`${discovery.href} names no https "jwks_uri"`)
    return url
  }

  async #get(url: URL, member: string): Promise<Readonly<Record<string, unknown>>> {
    const { clock } = this.#world
    const { status, body } = await exchange(this.#world.dispatcherFor(), clock, {
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'GET',
      headers: ['accept', 'application/json', 'accept-encoding', 'identity', 'user-agent', 'sluice'],
      body: null,
      until: uninterrupted(clock.ticks() + PATIENCE),
      collect: Infinity,
      limit: LARGEST,
    }).catch((error: unknown) => {
      throw new Error(`${url.href}: ${Failure.from(error).message}`)
    })
    if (status !== 200) throw new Error(`${url.href} answered ${status}`)
    const value = parsed((body as Buffer).toString('utf8'))
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, member))
      throw new Error(`${url.href} answered something without "${member}"`)
    return value as Readonly<Record<string, unknown>>
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
