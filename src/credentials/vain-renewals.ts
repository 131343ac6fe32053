import type { KeptToken } from './kept-token.ts'

/** ms between two renewals where the token of the first was refused like the one before; doubles up to the longest. */
const FIRST_PAUSE = 1000
const LONGEST_PAUSE = 60_000

/** Renewals after a refusal, one after another, whose token was refused as well: the next one waits longer each time. */
export class VainRenewals {
  #count = 0
  /** Monotonic ms; until then a token that was refused while in doubt is kept. */
  #until = -Infinity

  /** The token was refused: whether it is kept all the same, because the last renewals brought nothing. @param now monotonic ms */
  keeps(token: KeptToken, now: number): boolean {
    if (!token.refused) {
      token.refused = true
      this.#until = token.askedTicks + Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#count++)
    }
    return now < this.#until
  }

  /** ms until the next renewal. @param now monotonic ms */
  wait(now: number): number {
    return this.#until - now
  }

  forget(): void {
    this.#count = 0
    this.#until = -Infinity
  }
}
