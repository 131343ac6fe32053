import type { Clock } from '../core/world.ts'

/** So many time-outs and crashes of one script within so many ms pause it for so many ms. */
const COUNT = 3
const WITHIN = 60_000
const PAUSE = 30_000

/** Pauses a script that keeps hanging or crashing, and lets one message through from time to time to see. */
export class Breaker {
  private readonly clock: Clock
  private times: number[] = []
  private until = -1
  private probing = false

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Whether a message may go to the script. After the pause the first one that asks is the probe. */
  admit(): boolean {
    if (this.until < 0) return true
    if (this.probing || this.clock.ticks() < this.until) return false
    this.probing = true
    return true
  }

  /** ms until the next one may try. */
  get pause(): number {
    return Math.max(0, this.until - this.clock.ticks())
  }

  get open(): boolean {
    return this.until >= 0
  }

  succeeded(): void {
    if (this.until < 0) return
    this.until = -1
    this.probing = false
    this.times = []
  }

  /** The probe has ended without telling anything: it was called off, or could not be run. The next message tries. */
  undecided(): void {
    this.probing = false
  }

  /** It hung or crashed. True when that opens the breaker. */
  broke(): boolean {
    const now = this.clock.ticks()
    if (this.until >= 0) {
      this.probing = false
      this.until = now + PAUSE
      return false
    }
    this.times = [...this.times.filter((time) => time > now - WITHIN), now]
    if (this.times.length < COUNT) return false
    this.until = now + PAUSE
    this.probing = false
    return true
  }
}
