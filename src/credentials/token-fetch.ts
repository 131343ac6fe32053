import type { Cancellation } from '../core/context.ts'
import type { Logger } from '../core/services.ts'
import { pause, type World } from '../core/world.ts'
import { askForToken, type FetchedToken, type TokenExchangeSettings } from './token-exchange.ts'
import type { TokenFailure } from './token-failure.ts'
import type { TokenCounts } from './token-state.ts'
import type { TokenRequestSettings } from './token-request.ts'

export interface TokenFetchSettings extends TokenExchangeSettings {
  /** One for each secret, the one that is in force first. */
  readonly requests: readonly TokenRequestSettings[]
  readonly retry: RetrySettings
  /** Words of the scope that were asked for. */
  readonly scopes: readonly string[]
}

export interface RetrySettings {
  /** The first one counts. */
  readonly attempts: number
  /** ms before the second attempt. */
  readonly delay: number
  /** Of each further wait. */
  readonly factor: number
}

/**
 * Asks the token service: more than once where that may help, with the other secret where the first one is refused,
 * and tells each attempt to the log.
 */
export class TokenFetcher {
  readonly #settings: TokenFetchSettings
  readonly #world: World
  readonly #log: Logger
  readonly counts: TokenCounts = { requests: 0, failures: 0 }
  /** Of the request whose secret was taken last. */
  #preferred = 0

  constructor(settings: TokenFetchSettings, setting: { readonly world: World; readonly log: Logger }) {
    this.#settings = settings
    this.#world = setting.world
    this.#log = setting.log
  }

  /** Index of the request whose secret works, as far as is known. */
  get preferred(): number {
    return this.#preferred
  }

  /** Number of the secret that works, from 1; undefined where there is only one. */
  get secretInUse(): number | undefined {
    return this.#settings.requests.length > 1 ? this.#preferred + 1 : undefined
  }

  /** Rejects only when it is called off. */
  async fetch(until: Cancellation): Promise<FetchedToken | TokenFailure> {
    const { requests } = this.#settings
    const first = await this.#fetchWith(this.#preferred, until)
    if (first.kind === 'token' || !first.refusesClient || requests.length === 1) return first
    for (const [index] of requests.entries()) {
      if (index === this.#preferred) continue
      const other = await this.#fetchWith(index, until)
      if (other.kind === 'token') this.tookSecret(index)
      if (other.kind === 'token' || !other.refusesClient) return other
    }
    return { ...first, message: `${first.message}, with each of its ${requests.length} secrets` }
  }

  /** From now on this secret is sent first. @param index from 0 */
  tookSecret(index: number): void {
    if (index === this.#preferred) return
    this.#log.warn(
      { credential: this.#settings.name, refused: this.#preferred + 1, works: index + 1 },
      `clientSecret: secret ${this.#preferred + 1} of the list is refused, secret ${index + 1} works and is used from now on`,
    )
    this.#preferred = index
  }

  async #fetchWith(index: number, until: Cancellation): Promise<FetchedToken | TokenFailure> {
    const { requests, retry } = this.#settings
    const { clock } = this.#world
    for (let attempt = 1; ; attempt++) {
      const outcome = await askForToken(requests[index]!, this.#settings, this.#world, until)
      if (outcome.kind === 'token') {
        this.tell(outcome, attempt)
        return outcome
      }
      const wait =
        outcome.retryAfter ?? retry.delay * retry.factor ** (attempt - 1) * (0.5 + this.#world.random() / 2)
      const again =
        !outcome.rejected &&
        !outcome.final &&
        attempt < retry.attempts &&
        clock.ticks() + wait < until.deadline
      this.tell(outcome, attempt, again ? wait : undefined)
      if (!again)
        return attempt === 1 ? outcome : { ...outcome, message: `${outcome.message} (${attempt} attempts)` }
      await pause(clock, wait, until)
    }
  }

  /** Counts a request, and tells it to the log. @param wait ms until it is tried again */
  tell(outcome: FetchedToken | TokenFailure, attempt: number, wait?: number): void {
    this.counts.requests++
    if (outcome.kind !== 'token') this.counts.failures++
    if (outcome.kind === 'token') this.#tellToken(outcome, attempt)
    else this.#warn(outcome, attempt, wait)
  }

  #tellToken({ status, lifetime, scope }: FetchedToken, attempt: number): void {
    const { name, scopes } = this.#settings
    const seconds = `${Math.round(lifetime / 1000)}s`
    this.#log.info({ credential: name, attempt, status, lifetime: seconds }, 'token obtained')
    const lacking = lackingScopes(scopes, scope)
    if (lacking.length > 0)
      this.#log.warn(
        { credential: name, granted: scope, lacking: lacking.join(' ') },
        'the token service granted less scope than was asked for',
      )
  }

  /** @param wait ms until it is tried again */
  #warn({ code, message, details }: TokenFailure, attempt: number, wait: number | undefined): void {
    this.#log.warn(
      {
        credential: this.#settings.name,
        attempt,
        ...(details.receiver?.status !== undefined && { status: details.receiver.status }),
        code,
        reason: message,
        ...(wait !== undefined && { again: `in ${Math.round(wait)} ms` }),
      },
      wait === undefined ? 'token request failed' : 'token request failed; it is tried again',
    )
  }
}

/** The words that were asked for and not granted; none where the answer does not tell the scope. */
export function lackingScopes(asked: readonly string[], granted: string | undefined): string[] {
  if (granted === undefined) return []
  const words = new Set(granted.split(/[\s,]+/))
  return asked.filter((word) => !words.has(word))
}
