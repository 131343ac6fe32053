import type { Clock } from '../core/world.ts'
import type { LoadedCredential } from './loaded-credential.ts'

/** ms that a file has to stay away: a slow checkout takes some away for a moment. */
const AWAY = 5000

/** A credential whose file is gone: nobody gets it any more. What it holds is given back at its service once the file has stayed away. */
export class Leaving {
  readonly #credential: LoadedCredential
  readonly #end: () => void

  /** @param isThere whether there is a file of this name again, if only one with mistakes */
  constructor(credential: LoadedCredential, clock: Clock, isThere: () => boolean) {
    this.#credential = credential
    credential.leave()
    const timer = clock.after(AWAY, () => (isThere() ? credential.stop() : credential.remove()))
    this.#end = () => timer.cancel()
  }

  /** The one that takes its place goes on with what it holds, and nothing is given back. */
  moveTo(next: LoadedCredential): void {
    this.#end()
    next.inherit(this.#credential)
    this.#credential.stop()
  }

  /** The engine ends, and does not know whether the file comes back. */
  stop(): void {
    this.#end()
    this.#credential.stop()
  }
}
