import { Failure } from './failure.ts'
import type { Retry } from './flow.ts'

/** ms until the step is tried again; undefined where it is not. A receiver's `Retry-After` wins. */
export function waitBefore(
  retry: Retry,
  attempt: number,
  failure: Failure,
  chance: number,
): number | undefined {
  if (attempt >= retry.attempts || !retry.on.some((what) => matches(what, failure))) return undefined
  if (failure.retryAfter !== undefined) return failure.retryAfter
  const wait = Math.min(retry.maxDelay, retry.delay * retry.factor ** (attempt - 1))
  return retry.jitter ? wait * (0.5 + chance / 2) : wait
}

const NETWORK: ReadonlySet<string> = new Set([
  'receiver.unreachable',
  'receiver.broken',
  'credential.unreachable',
])
const TIMEOUT: ReadonlySet<string> = new Set(['receiver.timeout', 'credential.timeout', 'script.timeout'])

/** Whether a failure is one of what `on` names: `network`, `timeout`, `429`, `5xx`, a code, or `receiver.*`. */
export function matches(what: string, { code, receiver }: Failure): boolean {
  if (what === 'network') return NETWORK.has(code)
  if (what === 'timeout') return TIMEOUT.has(code)
  if (what === code) return true
  if (what.endsWith('.*')) return code.startsWith(what.slice(0, -1))
  const status = receiver?.status
  return status !== undefined && (what === String(status) || what === `${Math.floor(status / 100)}xx`)
}

/** The last failure, which says how often it was tried. */
export function afterAttempts(failure: Failure, attempts: number): Failure {
  const { code, message, hint, receiver, reply, place, retryAfter } = failure
  return new Failure(code, `${message} (${attempts} attempts)`, {
    ...(hint !== undefined && { hint }),
    ...(receiver && { receiver }),
    ...(place && { place }),
    ...(retryAfter !== undefined && { retryAfter }),
    reply,
    cause: failure,
  })
}
