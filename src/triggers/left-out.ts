import type { Logger } from '../core/services.ts'

/** Ticks that were due and not run. Of several in a row the first is told at once and the rest when a tick runs again. */
export class LeftOut {
  private readonly flow: string
  private readonly log: Logger
  private ticks = 0

  constructor(flow: string, log: Logger) {
    this.flow = flow
    this.log = log
  }

  /** @param level of the first one; the others are told at debug */
  add(scheduledAt: number, level: 'info' | 'warn', text: string): void {
    const about = { flow: this.flow, scheduledAt: new Date(scheduledAt).toISOString() }
    this.log[this.ticks === 0 ? level : 'debug'](about, text)
    this.ticks++
  }

  /** A tick runs. */
  end(): void {
    if (this.ticks > 1)
      this.log.info(
        { flow: this.flow, ticks: this.ticks },
        `the timer runs again; ${this.ticks} ticks in a row were not run`,
      )
    this.ticks = 0
  }
}
