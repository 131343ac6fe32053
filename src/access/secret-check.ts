import { createHmac, randomBytes } from 'node:crypto'
import type { Clock } from '../core/world.ts'
import { networkOf } from '../net/ip-address.ts'
import type { Client } from './client-file.ts'
import type { FailedAttempts } from './failed-attempts.ts'
import { fitsSecret, NOBODY } from './secret-hash.ts'

/** ms that a secret which fitted is remembered. */
const REMEMBERED = 60_000
/** Secrets that are remembered at most. */
const MOST = 10_000
/** Secrets that are tried at once at most, of all and of one network: each costs 16 MB and the time of a core. */
const AT_ONCE = 64
const AT_ONCE_OF_ONE = 16

export type SecretVerdict =
  | { readonly fits: true; readonly client: Client }
  /** Why, for the log. */
  | { readonly fits: false; readonly why: string; readonly retryAfter?: undefined }
  /** s after which it may be tried again. */
  | { readonly fits: false; readonly why: string; readonly retryAfter: number }

/** What a client says of itself. */
export interface Claim {
  readonly clientId: string
  /** One, or the ways to read it: Basic is form-encoded by some clients, and not by others. */
  readonly secrets: readonly string[]
}

interface Try {
  readonly secret: string
  readonly mark: string
}

export interface SecretCheckSetting {
  readonly clock: Clock
  readonly attempts: FailedAttempts
  ofId(clientId: string): Client | undefined
}

/**
 * Whether a secret is that of a client. What fitted is remembered for a minute by an HMAC, so that the cost of a try does
 * not bound how many tokens there are; an unknown client costs the same as a wrong secret.
 */
export class SecretCheck {
  readonly #setting: SecretCheckSetting
  readonly #key = randomBytes(32)
  /** Until when (ticks), by HMAC of id, hashes and secret. */
  readonly #remembered = new Map<string, number>()
  readonly #trying = new Map<string, Promise<boolean>>()
  /** How many requests wait for a try of their own, by network. */
  readonly #tryingOf = new Map<string, number>()

  constructor(setting: SecretCheckSetting) {
    this.#setting = setting
  }

  /** At once where the secret is remembered. @param address where the request comes from */
  check({ clientId, secrets }: Claim, address: string): SecretVerdict | Promise<SecretVerdict> {
    const client = this.#setting.ofId(clientId)
    const tries = secrets.map((secret) => ({ secret, mark: this.#markOf(clientId, client, secret) }))
    if (tries.some(({ mark }) => this.#isRemembered(mark))) return this.#judge(client, true)
    const { attempts } = this.#setting
    const network = networkOf(address)
    const pause = attempts.pauseOf(network, clientId)
    if (pause)
      return { fits: false, retryAfter: pause.retryAfter, why: `too many wrong secrets ${pause.whose}` }
    if (tries.every(({ mark }) => this.#trying.has(mark)))
      return this.#tryAll(client, tries).then((fits) => this.#judge(client, fits))
    const going = this.#tryingOf.get(network) ?? 0
    if (going >= AT_ONCE_OF_ONE || this.#trying.size >= AT_ONCE)
      return { fits: false, retryAfter: 1, why: 'too many secrets are tried at once' }
    // Counted before it is tried: many guesses at once are many.
    attempts.add(network, clientId)
    this.#tryingOf.set(network, going + 1)
    return this.#tryAll(client, tries)
      .then((fits) => {
        if (fits) attempts.takeBack(network, clientId)
        return this.#judge(client, fits)
      })
      .finally(() => this.#leave(network))
  }

  #leave(network: string): void {
    const left = this.#tryingOf.get(network)! - 1
    if (left === 0) this.#tryingOf.delete(network)
    else this.#tryingOf.set(network, left)
  }

  async #tryAll(client: Client | undefined, tries: readonly Try[]): Promise<boolean> {
    for (const { mark, secret } of tries) if (await this.#try(mark, client, secret)) return true
    return false
  }

  #judge(client: Client | undefined, secretFits: boolean): SecretVerdict {
    if (!client) return { fits: false, why: 'there is no such client' }
    if (!secretFits) return { fits: false, why: `the secret is not that of client "${client.name}"` }
    if (!client.enabled) return { fits: false, why: `client "${client.name}" is disabled` }
    return { fits: true, client }
  }

  /** Requests with the same secret share one try. */
  #try(mark: string, client: Client | undefined, secret: string): Promise<boolean> {
    const going = this.#trying.get(mark)
    if (going) return going
    const trying = fitsSecret(secret, client?.hashes.length ? client.hashes : NOBODY)
      .then((fits) => {
        if (client === undefined || !fits) return false
        if (this.#remembered.size >= MOST) this.#remembered.delete(this.#remembered.keys().next().value!)
        this.#remembered.set(mark, this.#setting.clock.ticks() + REMEMBERED)
        return true
      })
      .finally(() => this.#trying.delete(mark))
    this.#trying.set(mark, trying)
    return trying
  }

  #isRemembered(mark: string): boolean {
    const until = this.#remembered.get(mark)
    if (until === undefined) return false
    if (until > this.#setting.clock.ticks()) return true
    this.#remembered.delete(mark)
    return false
  }

  /** Another one as soon as the client has other hashes. */
  #markOf(clientId: string, client: Client | undefined, secret: string): string {
    const hashes = client?.hashes.map(({ text }) => text) ?? []
    return createHmac('sha256', this.#key)
      .update(JSON.stringify([clientId, hashes, secret]))
      .digest('base64')
  }
}
