import { Failure } from '../core/failure.ts'
import type { ReceiverAnswer } from '../core/http.ts'
import { parseRetryAfter } from './retry-after.ts'

const HINTS: Readonly<Record<number, string>> = {
  403: 'The receiver forbids this: check the roles and scopes of the client that the credential stands for.',
  404: 'Check the path of the URL. Where "not found" is a normal answer, add `acceptStatus: [404]` and look at `response.status`.',
  405: 'The receiver does not take this method at this path: check `method` and `url`.',
  406: 'The receiver cannot answer in the wanted form: check the header `accept`.',
  409: 'The thing is in another state than the request expects. Where that is normal, add `acceptStatus: [409]`.',
  410: 'The thing is no longer there. Where that is normal, add `acceptStatus: [410]`.',
  412: 'A condition of the request (`if-match`) does not hold. Where that is normal, add `acceptStatus: [412]`.',
  413: 'The receiver does not take a body of this size.',
  415: 'The receiver does not take this content type: check `contentType`.',
  501: 'The receiver does not know this method: check `method`.',
}

/**
 * The receiver answered with a status that the flow does not take. Nothing of its body is told.
 * @param now epoch ms
 */
export function statusFailure(
  method: string,
  { status, url, headers }: ReceiverAnswer,
  credential: string | undefined,
  now: number,
): Failure {
  const { host } = new URL(url)
  const wait = parseRetryAfter(headers['retry-after'], now)
  const later = wait === undefined ? '' : ` It asks to wait ${Math.ceil(wait / 1000)} s.`
  return new Failure('receiver.status', `${method} "${host}" answered ${status}`, {
    receiver: { status, host },
    hint: hintFor(status, credential) + later,
  })
}

function hintFor(status: number, credential: string | undefined): string {
  const known = HINTS[status]
  if (known !== undefined) return known
  if (status === 401)
    return credential === undefined
      ? 'The receiver wants to know who calls: name a credential, `credential: <name>`.'
      : `The receiver does not take the credential "${credential}".`
  if (status === 429) return 'Too many requests: send fewer at once, or later.'
  if (status >= 500) return 'The receiver failed; try again later, or ask its operator.'
  return 'The receiver does not take the request as it is: check `url`, `query`, `headers` and `body` of the step.'
}

/** The receiver sends the client elsewhere, and the flow does not say that it may go. */
export function unfollowedRedirect(method: string, { status, url, headers }: ReceiverAnswer): Failure {
  const { host } = new URL(url)
  const target = URL.parse(headers['location'] ?? '', url)?.host
  const to = target === undefined || target === host ? '' : ` to "${target}"`
  return new Failure('receiver.redirect', `${method} "${host}" answered ${status}, a redirect${to}`, {
    receiver: { status, host },
    hint: `Call the final URL, or follow it with \`followRedirects: true\`; \`acceptStatus: [${status}]\` takes the answer as it is.`,
  })
}
