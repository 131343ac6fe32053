import type { Clock, Timer } from '../../src/core/world.ts'

/** A clock that moves when told to, also backwards. Timers fire in order, inside `advance`. */
export class ManualClock implements Clock {
  private wall: number
  private elapsed = 0
  private timers: { at: number; action: () => void }[] = []

  constructor(start: number | string = '2026-11-21T12:00:00Z') {
    this.wall = new Date(start).getTime()
  }

  now(): number {
    return this.wall
  }

  ticks(): number {
    return this.elapsed
  }

  after(ms: number, action: () => void): Timer {
    const entry = { at: this.elapsed + ms, action }
    this.timers.push(entry)
    return {
      cancel: () => {
        this.timers = this.timers.filter((timer) => timer !== entry)
      },
    }
  }

  get pending(): number {
    return this.timers.length
  }

  /** Moves both times on, firing what is due; lets promises settle after each timer. */
  async advance(ms: number): Promise<void> {
    const target = this.elapsed + ms
    for (;;) {
      const next = this.timers.toSorted((a, b) => a.at - b.at)[0]
      if (!next || next.at > target) break
      this.timers = this.timers.filter((timer) => timer !== next)
      this.wall += Math.max(0, next.at - this.elapsed)
      this.elapsed = Math.max(this.elapsed, next.at)
      next.action()
      await settle()
    }
    this.wall += target - this.elapsed
    this.elapsed = target
    await settle()
  }

  /** The wall clock jumps; monotonic time and timers do not. */
  jump(ms: number): void {
    this.wall += ms
  }
}

/** Lets every promise that can go on without I/O go on. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
