import { uninterrupted } from './core/cancellation.ts'
import type { CredentialInvalidation } from './core/control.ts'
import type { Authorizer } from './core/kinds.ts'
import type { Clock } from './core/world.ts'

/** ms that a token service may take, for a person who waits. */
const PATIENCE = 60_000

/** Drops what is kept, and tells the token service so, where the credential says how. */
export async function revoke(
  authorizer: Authorizer | undefined,
  clock: Clock,
): Promise<NonNullable<CredentialInvalidation['revocation']>> {
  if (authorizer?.revoke) return authorizer.revoke(uninterrupted(clock.ticks() + PATIENCE))
  authorizer?.invalidate?.()
  return { outcome: 'impossible' }
}
