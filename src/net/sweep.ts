import type { Clock, Timer } from '../core/world.ts'

/** ms between two looks at what is pending: how late a time-out may be. */
const PERIOD = 50

/** Something that waits and may have waited too long. */
export interface Waiting {
  /** Its place in the sweep. */
  slot: number
  /** @param now monotonic ms */
  check(now: number): void
}

/**
 * One timer for all that waits: nothing is armed and cleared per request. It runs only while something waits.
 * An array, not a `Set`: a long-lived set that many entries pass through keeps dead ones alive (its old tables
 * point to them) until the next full garbage collection.
 */
export class Sweep {
  readonly clock: Clock
  private readonly waiting: Waiting[] = []
  private timer: Timer | undefined

  constructor(clock: Clock) {
    this.clock = clock
  }

  add(entry: Waiting): void {
    entry.slot = this.waiting.push(entry) - 1
    this.timer ??= this.clock.after(PERIOD, this.look)
  }

  delete(entry: Waiting): void {
    const last = this.waiting.pop()!
    if (last === entry) return
    this.waiting[entry.slot] = last
    last.slot = entry.slot
  }

  /** From the end on: an entry that is deleted meanwhile is replaced by one that was looked at already. */
  private readonly look = (): void => {
    this.timer = undefined
    if (this.waiting.length === 0) return
    const now = this.clock.ticks()
    for (let i = this.waiting.length - 1; i >= 0; i--) this.waiting[i]?.check(now)
    if (this.waiting.length > 0) this.timer ??= this.clock.after(PERIOD, this.look)
  }
}

const sweeps = new WeakMap<Clock, Sweep>()

/** The sweep of this clock. */
export function sweepOf(clock: Clock): Sweep {
  let sweep = sweeps.get(clock)
  if (!sweep) sweeps.set(clock, (sweep = new Sweep(clock)))
  return sweep
}
