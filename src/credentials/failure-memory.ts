import type { Clock } from '../core/world.ts'
import type { TokenFailure } from './token-failure.ts'
import type { LastFailure } from './token-state.ts'

export interface Memory {
  readonly failure: TokenFailure
  /** Monotonic ms. */
  readonly until: number
}

/** ms, of a remembered failure. */
const LONGEST_MEMORY = 5 * 60_000

/** That a renewal failed, and for how long nothing is asked because of it: longer after each failure. */
export class FailureMemory {
  readonly #clock: Clock
  #current: Memory | undefined
  /** One after another. */
  #count = 0
  /** The last one, for people; it stays when it is over. */
  last: LastFailure | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get current(): Memory | undefined {
    return this.#current
  }

  get count(): number {
    return this.#count
  }

  get mayAsk(): boolean {
    return this.#current === undefined || this.#clock.ticks() >= this.#current.until
  }

  keep(failure: TokenFailure): Memory {
    const wait = failure.retryAfter ?? (failure.rejected ? 30_000 : 1000) * 2 ** Math.min(6, this.#count)
    this.#count++
    this.last = { summary: failure.summary, hint: failure.details.hint, at: this.#clock.now() }
    return (this.#current = { failure, until: this.#clock.ticks() + Math.min(LONGEST_MEMORY, wait) })
  }

  forget(): void {
    this.#current = undefined
    this.#count = 0
  }
}
