import { sayDuration } from '../core/duration.ts'
import type { CredentialState } from '../core/credential-state.ts'
import type { Clock } from '../core/world.ts'
import { timeLeft, type KeptToken } from './kept-token.ts'
import { ago } from './time-text.ts'

/** What a token manager knows, for people. */
export interface TokenSituation {
  readonly kept: KeptToken | undefined
  readonly renewing: boolean
  /** Renewals that failed, one after another. */
  readonly failures: number
  /** The last failure is one that asking again soon would not change. */
  readonly rejected: boolean
  /** A token is kept that cannot be read. */
  readonly locked: boolean
  readonly uses: number
  readonly renewals: number
  readonly counts: TokenCounts
  /** Number of the secret that works, where there are several: `2 of 2`. */
  readonly secretInUse: string | undefined
  readonly lastFailure: LastFailure | undefined
  /** What is kept beyond the end of the engine. */
  readonly stored: Readonly<Record<string, string>>
  /** ms in which the service is not asked. */
  readonly waiting: number
  /** Further lines. */
  readonly further: Readonly<Record<string, string>>
}

/** Of requests to the token service. */
export interface TokenCounts {
  requests: number
  failures: number
}

export interface LastFailure {
  readonly summary: string
  readonly hint: string | undefined
  /** Epoch ms. */
  readonly at: number
}

/** The state of a credential as `sluice credential show` tells it; no token in it. */
export function describeState(situation: TokenSituation, clock: Clock): CredentialState {
  const { kept, lastFailure, waiting, uses, renewals, counts } = situation
  const left = kept === undefined ? 0 : timeLeft(kept, clock)
  return {
    status: statusOf(situation, kept !== undefined && left > kept.last),
    details: {
      uses,
      renewals,
      ...situation.further,
      ...(situation.secretInUse !== undefined && { 'secret in use': situation.secretInUse }),
      ...(kept !== undefined && {
        obtained: new Date(kept.askedAt).toISOString(),
        age: sayDuration(clock.ticks() - kept.askedTicks),
        lifetime: sayDuration(kept.lifetime),
        expires: left > 0 ? `in ${sayDuration(left)}` : ago(-left),
        ...(kept.scope !== undefined && { 'granted scope': kept.scope }),
        ...(kept.lacking.length > 0 && { 'scope not granted': kept.lacking.join(' ') }),
      }),
      ...situation.stored,
      ...(lastFailure && {
        'last error': lastFailure.summary,
        'last error at': new Date(lastFailure.at).toISOString(),
        ...(lastFailure.hint !== undefined && { 'what to do': lastFailure.hint }),
      }),
      ...(waiting > 0 && { 'asks again': `in ${sayDuration(waiting)}` }),
    },
    token: {
      ...counts,
      renewals,
      uses,
      failing: situation.failures > 0,
      expiresIn: kept === undefined ? undefined : left,
    },
  }
}

/**
 * For a hint; no token in it.
 * @param now monotonic ms
 * @param wait ms in which no other one is asked for
 */
export function describeToken(kept: KeptToken | undefined, now: number, wait: number): string {
  if (kept === undefined) return 'a token was obtained, which has been replaced since'
  const scope = kept.scope === undefined ? '' : ` with scope ${kept.scope}`
  const age = ago(now - kept.askedTicks)
  if (!kept.refused) return `a token was obtained ${age}${scope}`
  const next = wait > 0 ? `; the next one is asked for in ${sayDuration(wait)} at the earliest` : ''
  return `the token was renewed ${age}${scope} and refused again${next}`
}

function statusOf({ renewing, failures, rejected, locked }: TokenSituation, alive: boolean): string {
  if (renewing) return 'renewing'
  if (failures > 0) return alive ? 'renewal fails' : locked ? 'locked' : rejected ? 'refused' : 'unreachable'
  return alive ? 'ready' : 'unused'
}
