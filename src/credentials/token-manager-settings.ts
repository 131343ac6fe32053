import type { Cancellation } from '../core/context.ts'
import type { CredentialTestStep } from '../core/credential-test.ts'
import type { Revocation } from '../core/kinds.ts'
import type { Secret } from '../core/secret.ts'
import type { FetchedToken } from './token-exchange.ts'
import type { TokenFailure } from './token-failure.ts'
import type { GrantShape } from './token-grant.ts'
import type { TokenCounts } from './token-state.ts'

export interface TokenManagerSettings {
  readonly name: string
  /** The same for settings that get the same token, whatever the secret. */
  readonly key: string
  readonly secrets: readonly Secret[]
  /** The first token is fetched when the engine starts. */
  readonly warm: boolean
  /** ms before the end of a token from which on callers wait for a new one. */
  readonly refreshBefore: number
  /** ms for all attempts of one renewal. */
  readonly patience: number
  /** How a token goes onto a request. */
  place(token: string): GrantShape
  /** Asks the token service. Rejects only when it is called off. */
  fetch(until: Cancellation): Promise<FetchedToken | TokenFailure>
  /** Asks it once for a person. Never rejects. */
  test(until: Cancellation, options: { readonly tryOthers: boolean }): Promise<TokenTest>
  /** Words of the scope that were asked for and are not in the granted one. */
  lacking(granted: string | undefined): readonly string[]
  /** Number of the secret that works, from 1; undefined where there is only one. */
  secretInUse(): number | undefined
  /** Goes up with each request to the token service. */
  readonly counts: TokenCounts
  /** Something of it outlives the process. */
  readonly keepsTokens: boolean
  /** Looks whether what is kept can be read. Left out where nothing is. Never rejects. */
  look?(): Promise<TokenFailure | undefined>
  /** What is kept beyond the end of the engine, for people. */
  stored(): Readonly<Record<string, string>>
  /** The token that is kept beyond the end of the engine, where it was not asked for yet. Never rejects. */
  held?(): Promise<string | undefined>
  /** Tells the token service that this token is no longer wanted. Left out where there is nobody to tell. Never rejects. */
  revoke?(token: string, until: Cancellation): Promise<Revocation>
  /** The token was dropped for a person. */
  dropped?(): void
  /** Further lines of its state, for people. */
  details(): Readonly<Record<string, string>>
  /** It will not ask any more. */
  stopped(): void
}

/** What was asked for a person, and what the settings as they are brought; nothing where it was called off. */
export interface TokenTest {
  readonly steps: readonly CredentialTestStep[]
  readonly outcome: FetchedToken | TokenFailure | undefined
}
