import type { Logger } from '../core/services.ts'
import type { Clock } from '../core/world.ts'
import { networkOf } from '../net/ip-address.ts'

/** Lines within `WINDOW`, of one network and of all: a flood must neither fill the disk nor drown what others need to know. */
const LINES_OF_ONE = 60
const LINES = 600
const WINDOW = 60_000

/** Tells the engine's log why requests were refused. */
export class RefusalLog {
  readonly #log: Logger
  readonly #clock: Clock
  #since = -Infinity
  /** Lines of this minute, of all and by network. */
  #lines = 0
  readonly #linesOf = new Map<string, number>()
  #leftOut = 0

  constructor(log: Logger, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  tell(fields: { readonly address: string; readonly [field: string]: unknown }, text: string): void {
    const now = this.#clock.ticks()
    if (now - this.#since >= WINDOW) this.#begin(now)
    const network = networkOf(fields.address)
    const lines = this.#linesOf.get(network) ?? 0
    if (lines >= LINES_OF_ONE || this.#lines >= LINES) {
      this.#leftOut++
      this.#log.debug(fields, text)
      return
    }
    this.#lines++
    this.#linesOf.set(network, lines + 1)
    this.#log.warn(fields, text)
  }

  #begin(now: number): void {
    const more = this.#leftOut
    if (more > 0) {
      const addresses = [...this.#linesOf].flatMap(([network, lines]) =>
        lines >= LINES_OF_ONE ? network : [],
      )
      this.#log.warn(
        { more, addresses: addresses.slice(0, 10) },
        `${more} more requests were refused within a minute; they are left out here (their reasons are told at the level debug)`,
      )
    }
    this.#since = now
    this.#lines = 0
    this.#linesOf.clear()
    this.#leftOut = 0
  }
}
