import type { Clock } from '../core/world.ts'

/** Waits, one after the other, that end at once when it is switched off. */
export class Alarm {
  off = false
  private readonly clock: Clock
  private ring: (() => void) | undefined

  constructor(clock: Clock) {
    this.clock = clock
  }

  wait(ms: number): Promise<void> {
    if (this.off) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = this.clock.after(ms, () => this.ring?.())
      this.ring = () => {
        this.ring = undefined
        timer.cancel()
        resolve()
      }
    })
  }

  switchOff(): void {
    this.off = true
    this.ring?.()
  }
}
