import type { Clock } from '../core/world.ts'

const WINDOW = 60_000
/** Who is counted at most: those that may go on, and those that have to wait. */
const MOST = 10_000

/**
 * Failures of the last minute, by who failed. Those that may go on push each other out when they are too many; those that
 * have to wait never are, and where there are too many of them nobody new may try.
 */
export class FailureCount {
  readonly #clock: Clock
  readonly #allowed: number
  readonly #most: number
  /** Ticks of the last failures, the oldest first; who failed last is last. */
  readonly #going = new Map<string, readonly number[]>()
  readonly #waiting = new Map<string, readonly number[]>()
  /** Ticks when the first of those that wait may go on, once they are too many. */
  #fullUntil = -Infinity

  /** @param allowed failures within a minute after which nothing further is tried */
  constructor(clock: Clock, allowed: number, most = MOST) {
    this.#clock = clock
    this.#allowed = allowed
    this.#most = most
  }

  add(who: string): void {
    this.#put(who, [...this.#recent(who), this.#clock.ticks()].slice(-this.#allowed))
  }

  /** What was counted last was none. */
  takeBack(who: string): void {
    this.#put(who, this.#recent(who).slice(0, -1))
  }

  /** Whole s until the next try; 0: at once. */
  pauseOf(who: string): number {
    const recent = this.#recent(who)
    if (recent.length >= this.#allowed) return this.#secondsTo(recent[0]! + WINDOW)
    if (recent.length > 0 || !this.#isFull()) return 0
    return this.#secondsTo(this.#fullUntil)
  }

  #put(who: string, failures: readonly number[]): void {
    this.#going.delete(who)
    this.#waiting.delete(who)
    if (failures.length === 0) return
    if (failures.length >= this.#allowed) {
      this.#waiting.set(who, failures)
      return
    }
    this.#going.set(who, failures)
    if (this.#going.size > this.#most) this.#going.delete(this.#going.keys().next().value!)
  }

  #isFull(): boolean {
    if (this.#waiting.size < this.#most) return false
    const now = this.#clock.ticks()
    if (now < this.#fullUntil) return true
    this.#fullUntil = Infinity
    for (const [who, [first]] of this.#waiting)
      if (first! + WINDOW <= now) this.#waiting.delete(who)
      else this.#fullUntil = Math.min(this.#fullUntil, first! + WINDOW)
    return this.#waiting.size >= this.#most
  }

  #recent(who: string): readonly number[] {
    const failures = this.#waiting.get(who) ?? this.#going.get(who)
    if (failures === undefined) return []
    const since = this.#clock.ticks() - WINDOW
    return failures.filter((at) => at > since)
  }

  #secondsTo(ticks: number): number {
    return Math.max(1, Math.ceil((ticks - this.#clock.ticks()) / 1000))
  }
}
