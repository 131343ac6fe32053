import type { Clock } from '../core/world.ts'

const WINDOW = 60_000
/** Who is counted at most; beyond that the oldest are forgotten. */
const MOST = 10_000

/** Failures of the last minute, by who failed. */
export class FailureCount {
  readonly #clock: Clock
  readonly #allowed: number
  /** Ticks of the last failures, the oldest first. */
  readonly #failures = new Map<string, number[]>()

  /** @param allowed failures within a minute after which nothing further is tried */
  constructor(clock: Clock, allowed: number) {
    this.#clock = clock
    this.#allowed = allowed
  }

  add(who: string): void {
    const recent = this.#recent(who)
    this.#failures.delete(who)
    this.#failures.set(who, [...recent, this.#clock.ticks()].slice(-this.#allowed))
    if (this.#failures.size > MOST) this.#failures.delete(this.#failures.keys().next().value!)
  }

  /** What was counted last was none. */
  takeBack(who: string): void {
    const failures = this.#failures.get(who)
    failures?.pop()
    if (failures?.length === 0) this.#failures.delete(who)
  }

  /** Whole s until the next try; 0: at once. */
  pauseOf(who: string): number {
    const recent = this.#recent(who)
    if (recent.length < this.#allowed) return 0
    return Math.max(1, Math.ceil((recent[0]! + WINDOW - this.#clock.ticks()) / 1000))
  }

  #recent(who: string): readonly number[] {
    const since = this.#clock.ticks() - WINDOW
    return this.#failures.get(who)?.filter((at) => at > since) ?? []
  }
}
