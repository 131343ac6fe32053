import type { Secret } from '../core/secret.ts'
import type { Clock } from '../core/world.ts'
import type { TokenGrant } from './token-grant.ts'

/** A token that is handed out, or was until a receiver refused it. */
export interface KeptToken extends TokenTimes {
  readonly text: string
  readonly grant: TokenGrant
  readonly scope: string | undefined
  /** Words of the scope that were asked for and not granted. */
  readonly lacking: readonly string[]
  /** It was got with this one. */
  readonly secret: Secret | undefined
  /** ms */
  readonly lifetime: number
  /** Monotonic ms. */
  readonly askedTicks: number
  /** Epoch ms. */
  readonly askedAt: number
  /** @param ms that it is still good for: whoever echoes it may write it into a log so long */
  readonly forget: (ms: number) => void
  /** It took the place of a refused one, and no receiver is known to have taken it. */
  doubtful: boolean
  /** A receiver refused it while it was doubtful. */
  refused: boolean
}

/** ms before the end of a token. */
export interface TokenTimes {
  /** From then on callers wait for a new one; `Infinity`: at once, because its secret was replaced. */
  readonly margin: number
  /** So long before the margin it is renewed in the background. */
  readonly lead: number
  /** Within it the token is not handed out at all. */
  readonly last: number
}

/**
 * @param lifetime ms
 * @param refreshBefore ms
 * @param chance 0 to 1: engines that share a client do not renew all at once
 */
export function tokenTimes(lifetime: number, refreshBefore: number, chance: number): TokenTimes {
  return {
    margin: Math.min(refreshBefore, lifetime / 2),
    lead: Math.min(refreshBefore / 2, lifetime / 4) * chance,
    last: Math.min(5000, lifetime / 10),
  }
}

/** ms that a token has left; by the monotonic and by the wall clock, whichever says less: either may have stood still. */
export function timeLeft(token: KeptToken, clock: Clock): number {
  return token.lifetime - Math.max(clock.ticks() - token.askedTicks, clock.now() - token.askedAt)
}
