import type { Logger } from '../core/services.ts'
import type { Clock, Timer } from '../core/world.ts'
import type { LoadedCredential } from './loaded-credential.ts'
import { isOverdue, sayOverdue } from './rotation.ts'

/** ms */
const DAY = 24 * 60 * 60_000

/** Warns in the log of each secret that is older than its `rotateAfter`: as soon as it is seen, and once a day. */
export class RotationReminder {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #loaded: () => Iterable<LoadedCredential>
  /** What was said since the last round. */
  readonly #said = new Set<string>()
  #next: Timer | undefined

  constructor(clock: Clock, log: Logger, loaded: () => Iterable<LoadedCredential>) {
    this.#clock = clock
    this.#log = log
    this.#loaded = loaded
  }

  start(): void {
    this.#said.clear()
    this.#next = this.#clock.after(DAY, () => this.start())
    this.look()
  }

  /** Something was loaded; what was said today is not said again. Nothing happens before the start. */
  look(): void {
    if (this.#next === undefined) return
    const now = this.#clock.now()
    for (const { name, rotation } of this.#loaded()) {
      const key = `${name} ${rotation?.secretSince}`
      if (rotation === undefined || !isOverdue(rotation, now) || this.#said.has(key)) continue
      this.#said.add(key)
      this.#log.warn({ credential: name }, `the secret of credential "${name}" ${sayOverdue(rotation, now)}`)
    }
  }

  stop(): void {
    this.#next?.cancel()
    this.#next = undefined
  }
}
