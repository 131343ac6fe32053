import type { Clock } from '../core/world.ts'

const MINUTE = 60_000
/** Marks that are remembered at most: of all clients, and of one. */
const MOST = 200_000
const MOST_OF_ONE = 100_000

/** What may be used once, as long as it is good. Where there is no room nothing is taken: what is forgotten could be used again. */
export class UsedOnce {
  readonly #clock: Clock
  /** Marks with their owners, by the minute in which they end. */
  readonly #byMinute = new Map<number, Map<string, string>>()
  readonly #counts = new Map<string, number>()
  #size = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @param until epoch ms; within minutes from now */
  use(owner: string, mark: string, until: number): 'new' | 'used' | 'full' {
    this.#forget()
    for (const marks of this.#byMinute.values()) if (marks.has(mark)) return 'used'
    const own = this.#counts.get(owner) ?? 0
    if (this.#size >= MOST || own >= MOST_OF_ONE) return 'full'
    const minute = Math.floor(until / MINUTE)
    const marks = this.#byMinute.get(minute)
    if (marks) marks.set(mark, owner)
    else this.#byMinute.set(minute, new Map([[mark, owner]]))
    this.#counts.set(owner, own + 1)
    this.#size++
    return 'new'
  }

  #forget(): void {
    const now = Math.floor(this.#clock.now() / MINUTE)
    for (const [minute, marks] of this.#byMinute) {
      if (minute >= now) continue
      this.#byMinute.delete(minute)
      this.#size -= marks.size
      for (const owner of marks.values()) {
        const left = this.#counts.get(owner)! - 1
        if (left === 0) this.#counts.delete(owner)
        else this.#counts.set(owner, left)
      }
    }
  }
}
