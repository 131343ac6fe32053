import type { Logger } from '../core/services.ts'
import type { Clock } from '../core/world.ts'

/** Lines within `WINDOW`; a flood of refusals must not flood the disk. */
const LINES = 60
const WINDOW = 60_000

/** Tells the engine's log why requests were refused. */
export class RefusalLog {
  readonly #log: Logger
  readonly #clock: Clock
  #since = -Infinity
  #count = 0

  constructor(log: Logger, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  tell(fields: object, text: string): void {
    const now = this.#clock.ticks()
    if (now - this.#since >= WINDOW) {
      const more = this.#count - LINES
      if (more > 0) this.#log.warn({ more }, `${more} more requests were refused within a minute`)
      this.#since = now
      this.#count = 0
    }
    if (++this.#count > LINES) this.#log.debug(fields, text)
    else this.#log.warn(fields, text)
  }
}
