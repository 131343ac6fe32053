import { Secret } from '../core/secret.ts'

/** A token of Vault, and how long it is good. */
export interface Lease {
  readonly token: Secret
  /** ms that were granted; Infinity: it does not end. */
  readonly duration: number
  readonly renewable: boolean
}

/** What a login or a renewal grants; undefined: it grants nothing. */
export function leaseIn(body: unknown): Lease | undefined {
  const auth = (body as { auth?: Record<string, unknown> | null } | null | undefined)?.auth
  const token = auth?.['client_token']
  if (typeof token !== 'string' || token === '') return undefined
  return { token: new Secret(token), ...timesOf(auth!['lease_duration'], auth!['renewable']) }
}

/** What a token says of itself. */
export function leaseOf(token: Secret, body: unknown): Lease {
  const data = (body as { data?: Record<string, unknown> | null } | null | undefined)?.data
  return { token, ...timesOf(data?.['ttl'], data?.['renewable']) }
}

/** @param seconds 0: without an end */
function timesOf(seconds: unknown, renewable: unknown): Pick<Lease, 'duration' | 'renewable'> {
  const ends = typeof seconds === 'number' && seconds > 0
  return { duration: ends ? seconds * 1000 : Infinity, renewable: renewable === true }
}
