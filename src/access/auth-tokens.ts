import type { Cancellation } from '../core/context.ts'
import { Failure } from '../core/failure.ts'
import type { FindableDestination, LentPart } from '../core/findable.ts'

/**
 * An entry of `authTokens`.
 * @see https://help.sap.com/docs/connectivity/sap-btp-connectivity-cf/find-destination-response-structure
 */
export interface AuthToken {
  /** Its scheme; `Header` and `Query` for what does not go into the header authorization. */
  readonly type: string
  readonly value: string
  readonly http_header?: { readonly key: string; readonly value: string }
  /** SAP has no name for these. */
  readonly query_parameter?: { readonly key: string; readonly value: string }
  /** s */
  readonly expires_in?: string
  readonly scope?: string
  /** Why there is none. */
  readonly error?: string
}

/** What has to go along with calls; where it cannot be had, that is told in its place. */
export async function authTokensOf(
  found: FindableDestination,
  until: Cancellation,
  tenant: string | undefined,
): Promise<readonly AuthToken[]> {
  try {
    return (await found.lend(until, tenant)).map(tokenOf)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const isMissing = error.code === 'credential.tenant' && tenant === undefined
    const why = isMissing
      ? 'the header X-tenant is missing; tokens of this destination are those of a tenant'
      : error.message
    return [{ type: '', value: '', error: why }]
  }
}

/** What came of it; no token. `more` is another text each time. */
export function sayTokens(tokens: readonly AuthToken[]): { words: string; more?: string } {
  const error = tokens.find((token) => token.error !== undefined)?.error
  if (error !== undefined) return { words: 'found, but there is no token', more: `: ${error}` }
  if (tokens.length === 0) return { words: 'found, there is no token to it' }
  const left = tokens[0]!.expires_in
  const words = 'found, its token was given'
  return left === undefined ? { words } : { words, more: `, good for ${left} s` }
}

function tokenOf({ in: at, name, value, left, scope }: LentPart): AuthToken {
  const text = value.reveal()
  const more = {
    ...(left !== undefined && { expires_in: String(Math.max(0, Math.floor(left / 1000))) }),
    ...(scope !== undefined && { scope }),
  }
  if (at === 'query')
    return { type: 'Query', value: text, query_parameter: { key: name, value: text }, ...more }
  const isUsual = name.toLowerCase() === 'authorization'
  const [, scheme, token] = (isUsual && /^(\S+) +(.+)$/.exec(text)) || []
  const key = isUsual ? 'Authorization' : name
  return { type: scheme ?? 'Header', value: token ?? text, http_header: { key, value: text }, ...more }
}
