import { createHmac, randomBytes } from 'node:crypto'
import type { Clock } from '../core/world.ts'
import type { Client } from './client-file.ts'
import type { FailureCount } from './failure-count.ts'
import { fitsSecret, NOBODY } from './secret-hash.ts'

/** ms that a secret which fitted is remembered. */
const REMEMBERED = 60_000
/** Secrets that are remembered, and tried at once, at most. */
const MOST = 10_000
const AT_ONCE = 64

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
  readonly failures: FailureCount
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

  constructor(setting: SecretCheckSetting) {
    this.#setting = setting
  }

  /** At once where the secret is remembered. @param address where the request comes from */
  check({ clientId, secrets }: Claim, address: string): SecretVerdict | Promise<SecretVerdict> {
    const client = this.#setting.ofId(clientId)
    const tries = secrets.map((secret) => ({ secret, mark: this.#markOf(clientId, client, secret) }))
    if (tries.some(({ mark }) => this.#isRemembered(mark))) return this.#judge(client, true)
    const who = `${address} ${clientId}`
    const retryAfter = this.#setting.failures.pauseOf(who)
    if (retryAfter > 0)
      return { fits: false, retryAfter, why: 'too many wrong secrets of this client from this address' }
    const isOther = tries.some(({ mark }) => !this.#trying.has(mark))
    if (isOther && this.#trying.size >= AT_ONCE)
      return { fits: false, retryAfter: 1, why: 'too many secrets are tried at once' }
    // Counted before it is tried: many guesses at once are many.
    if (isOther) this.#setting.failures.add(who)
    return this.#tryAll(client, tries, () => {
      if (isOther) this.#setting.failures.takeBack(who)
    })
  }

  async #tryAll(
    client: Client | undefined,
    tries: readonly Try[],
    fitted: () => void,
  ): Promise<SecretVerdict> {
    for (const { mark, secret } of tries)
      if (await this.#try(mark, client, secret)) {
        fitted()
        return this.#judge(client, true)
      }
    return this.#judge(client, false)
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
