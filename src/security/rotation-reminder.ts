import type { Logger } from '../core/services.ts'
import type { Clock, Timer } from '../core/world.ts'
import type { LoadedCredential } from './loaded-credential.ts'
import { sayExpiry } from './client-certificate.ts'
import { isOverdue, sayOverdue } from './rotation.ts'

/** ms */
const DAY = 24 * 60 * 60_000

/** Warns in the log of each secret that is older than its `rotateAfter`, and of each certificate that ends soon: as soon as it is seen, and once a day. */
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
    for (const { name, rotation, certificate } of this.#loaded()) {
      if (rotation !== undefined && isOverdue(rotation, now))
        this.#say(
          name,
          rotation.secretSince,
          `the secret of credential "${name}" ${sayOverdue(rotation, now)}`,
        )
      const expiry = certificate && sayExpiry(certificate, now)
      if (expiry !== undefined)
        this.#say(
          name,
          `${certificate!.subject} ${certificate!.ends}`,
          `the client certificate of credential "${name}" (${certificate!.subject}) ${expiry}`,
        )
    }
  }

  /** @param about what it is said of; the same is said once a day */
  #say(name: string, about: string, text: string): void {
    const key = `${name} ${about}`
    if (this.#said.has(key)) return
    this.#said.add(key)
    this.#log.warn({ credential: name }, text)
  }

  stop(): void {
    this.#next?.cancel()
    this.#next = undefined
  }
}
