import { Failure } from '../core/failure.ts'
import type { Clock } from '../core/world.ts'

/** Callers that are told apart; beyond that the one that was quiet the longest is forgotten. */
const MOST = 10_000

export interface RateLimit {
  /** Requests that are taken in `per`, all at once or one after the other. */
  readonly rate: number
  /** ms */
  readonly per: number
  readonly by: 'caller' | 'address'
}

/**
 * How often each caller may call: as many at once as fit into the time, then evenly (GCRA). One number a caller.
 * @see https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
 */
export class CallRate {
  readonly by: RateLimit['by']
  readonly #clock: Clock
  /** ms between two requests of a caller that never pauses. */
  readonly #interval: number
  readonly #per: number
  /** Ticks when a caller has used up nothing any more; who called last is last. */
  readonly #until = new Map<string, number>()

  constructor({ rate, per, by }: RateLimit, clock: Clock) {
    this.by = by
    this.#clock = clock
    this.#per = per
    this.#interval = per / rate
  }

  /** Counts a request. Undefined: it may come in. */
  take(who: string): Failure | undefined {
    const now = this.#clock.ticks()
    const from = Math.max(now, this.#until.get(who) ?? now)
    const wait = from + this.#interval - this.#per - now
    if (wait > 1e-6)
      return new Failure('request.rate', 'this caller calls too often', { retryAfter: Math.ceil(wait) })
    this.#until.delete(who)
    this.#until.set(who, from + this.#interval)
    if (this.#until.size > MOST) this.#until.delete(this.#until.keys().next().value!)
    return undefined
  }
}
