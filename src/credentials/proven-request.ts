import type { Cancellation } from '../core/context.ts'
import { Failure } from '../core/failure.ts'
import { isJwt } from './oauth2-options.ts'
import type { FetchedToken } from './token-exchange.ts'
import { describeBorrowing, type TokenFailure } from './token-failure.ts'
import type { Proven, TokenRequestSettings } from './token-request.ts'

type Outcome = FetchedToken | TokenFailure

/**
 * Asks with what is made anew for this attempt. Where the service refuses what was borrowed from another credential,
 * that one drops its token, and it is asked once more with the next one.
 */
export async function askWithProof(
  wanted: TokenRequestSettings,
  until: Cancellation,
  name: string,
  ask: (proven: Omit<Proven, 'borrowed'>) => Promise<Outcome>,
): Promise<Outcome> {
  const proofs = [
    wanted.grantProof,
    isJwt(wanted.clientAuthentication) ? wanted.clientProof : undefined,
  ].filter((proof) => proof !== undefined)
  if (proofs.length === 0) return ask({ fields: [] })
  const prove = async (): Promise<Proven | TokenFailure> => {
    try {
      const proven: Proven[] = []
      for (const proof of proofs) proven.push(await proof(until, wanted.url))
      const bearer = proven.find((one) => one.bearer)?.bearer
      return {
        fields: proven.flatMap(({ fields }) => fields),
        ...(bearer && { bearer }),
        borrowed: proven.flatMap(({ borrowed }) => borrowed),
      }
    } catch (thrown) {
      if (until.cancelled) throw until.cancelled
      if (!(thrown instanceof Failure)) throw thrown
      return describeBorrowing(name, thrown)
    }
  }
  const first = await prove()
  if ('kind' in first) return first
  const outcome = await ask(first)
  if (!mayBeBorrowed(outcome) || !first.borrowed.map((token) => token.reject()).includes(true)) return outcome
  const second = await prove()
  if ('kind' in second) return second
  if (second.borrowed.every(({ token }, index) => token.equals(first.borrowed[index]!.token))) return outcome
  const again = await ask(second)
  if (again.kind === 'token') for (const token of second.borrowed) token.accepted()
  return again
}

/** What services say of an assertion or a token that they do not take. @see https://www.rfc-editor.org/rfc/rfc8693#section-2.2.2 */
const REFUSALS: ReadonlySet<string> = new Set([
  'invalid_grant',
  'invalid_request',
  'invalid_client',
  'invalid_token',
])

function mayBeBorrowed(outcome: Outcome): boolean {
  if (outcome.kind === 'token' || !outcome.rejected) return false
  return outcome.said?.status === 401 || REFUSALS.has(outcome.said?.error ?? '')
}
