import { inspect } from 'node:util'
import type { Logger } from './core/services.ts'
import { showable } from './security/showable.ts'
import { withSourcePlaces } from './source-places.ts'

/** What an engine lends to those who tell of its end. */
export interface Guard {
  /** Takes live secrets out of a text. */
  redact(text: string): string
  readonly log: Logger
  /** Resolves when what is written behind is on disk. Left out where nothing is. */
  flush?(): Promise<void>
}

/** ms that the end of the process waits for the disk. */
const PATIENCE = 2000

/** Tells of errors that nobody expected, without a secret in them, as soon as it is known what is one. */
export class Faults {
  #guard: Guard | undefined
  #end: Promise<void> | undefined

  /** From now on there are secrets, and something to be saved. */
  guard(guard: Guard): void {
    this.#guard = guard
  }

  redact(text: string): string {
    return this.#guard === undefined ? text : this.#guard.redact(text)
  }

  /** An error as Node prints it: stack, properties, causes; of bytes only their number. */
  describe(thrown: unknown): string {
    const copy = showable(thrown, (text) => this.redact(withSourcePlaces(text)))
    const limits = { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity, breakLength: 120 }
    return this.redact(typeof copy === 'string' ? copy : inspect(copy, limits))
  }

  /**
   * The process cannot go on: tells why, once, and saves what is written behind. The runs that are open are found
   * ABANDONED at the next start.
   */
  end(thrown: unknown, write: (text: string) => void): Promise<void> {
    return (this.#end ??= this.#tellAndSave(thrown, write))
  }

  async #tellAndSave(thrown: unknown, write: (text: string) => void): Promise<void> {
    const { log, flush } = this.#guard ?? {}
    try {
      write(`sluice: a fault that nobody caught: ${this.describe(thrown)}\n`)
      log?.error({ err: thrown }, 'the engine ends: a fault that nobody caught')
    } catch {
      write('sluice: a fault that nobody caught, and that cannot be shown\n')
    }
    if (flush) await Promise.race([flush(), new Promise((resolve) => setTimeout(resolve, PATIENCE))])
  }
}
