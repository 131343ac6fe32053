import { FAILURES, type Failure } from '../core/failure.ts'

/** Failures whose message is about the caller's own request, or was written for the caller by the integrator. */
const TOLD: ReadonlySet<string> = new Set([
  'body.invalid',
  'body.too-large',
  'body.cut-off',
  'request.type',
  'flow.failed',
])

export interface ProblemReply {
  readonly status: number
  /** Flat: name, value. */
  readonly headers: string[]
  readonly body: Buffer
}

/**
 * A failure as the caller of an endpoint gets it: title, code and run; the message only where it can hold nothing
 * of a receiver (mistakes of the request, and what a `fail` step says).
 * @see https://www.rfc-editor.org/rfc/rfc9457
 */
export function failureReply(failure: Failure, redact: (text: string) => string, run?: string): ProblemReply {
  const told = TOLD.has(failure.code) || !Object.hasOwn(FAILURES, failure.code)
  return problemReply(failure.reply, failure.title, {
    ...(told && failure.message !== '' ? { detail: redact(failure.message) } : {}),
    code: redact(failure.code),
    ...(run === undefined ? {} : { run }),
  })
}

/**
 * A problem that is no failure of a flow: no such address, a malformed request.
 * @param more headers, flat: name, value
 */
export function problemReply(
  status: number,
  title: string,
  members: Readonly<Record<string, string>> = {},
  more: readonly string[] = status === 503 ? ['retry-after', '1'] : [],
): ProblemReply {
  const body = Buffer.from(`${JSON.stringify({ title, status, ...members })}\n`)
  return { status, headers: ['content-type', 'application/problem+json', ...more], body }
}
