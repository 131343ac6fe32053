import { FAILURES, type Failure } from '../core/failure.ts'
import { NO_SNIFFING } from '../core/header.ts'

/** Failures whose message is about the caller's own request, or was written for the caller by the integrator. */
const TOLD: ReadonlySet<string> = new Set([
  'body.invalid',
  'body.schema',
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
  const reply = problemReply(failure.reply, failure.title, {
    ...(told && failure.message !== '' ? { detail: redact(failure.message) } : {}),
    code: redact(failure.code),
    ...(failure.part && {
      errors: [{ pointer: redact(failure.part.pointer), detail: redact(failure.part.detail) }],
    }),
    ...(run === undefined ? {} : { run }),
  })
  if (failure.code === 'request.rate' && failure.retryAfter !== undefined)
    reply.headers.push('retry-after', String(Math.ceil(failure.retryAfter / 1000)))
  return reply
}

/**
 * A problem that is no failure of a flow: no such address, a malformed request.
 * @param more headers, flat: name, value
 */
export function problemReply(
  status: number,
  title: string,
  members: Readonly<Record<string, unknown>> = {},
  more: readonly string[] = status === 503 ? ['retry-after', '1'] : [],
): ProblemReply {
  const body = Buffer.from(`${JSON.stringify({ title, status, ...members })}\n`)
  const headers = [
    ...['content-type', 'application/problem+json'],
    ...['cache-control', 'no-store'],
    ...NO_SNIFFING,
    ...more,
  ]
  return { status, headers, body }
}
