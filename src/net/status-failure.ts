import { Failure } from '../core/failure.ts'
import type { ReceiverAnswer } from '../core/http.ts'
import { locationOf } from './redirect.ts'
import { parseRetryAfter } from './retry-after.ts'
import { lacksScope, missingScope } from './verdict.ts'

const HINTS: Readonly<Record<number, string>> = {
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
    hint: hintFor(status, headers, credential) + later,
    ...(wait !== undefined && { retryAfter: wait }),
  })
}

function hintFor(status: number, headers: ReceiverAnswer['headers'], credential: string | undefined): string {
  const known = HINTS[status]
  if (known !== undefined) return known
  if (status === 401)
    return credential === undefined
      ? 'The receiver wants to know who calls: name a credential, `credential: <name>`.'
      : `A redirect led to this host, where the credential "${credential}" does not go along. Use the final URL in the flow; its host must be one of the credential's \`allowedHosts\`.`
  if (status === 403) return forbidden(headers, credential)
  if (status === 429) return 'Too many requests: send fewer at once, or later.'
  if (status >= 500) return 'The receiver failed; try again later, or ask its operator.'
  return 'The receiver does not take the request as it is: check `url`, `query`, `headers` and `body` of the step.'
}

/** The token, if there is one, was taken: it is a matter of roles. */
function forbidden(headers: ReceiverAnswer['headers'], credential: string | undefined): string {
  if (headers['x-csrf-token']?.toLowerCase() === 'required')
    return 'The receiver wants the header `x-csrf-token` with a token that it gave, and the cookies that came with it: fetch both with a GET before (`headers: { x-csrf-token: fetch }`).'
  if (credential === undefined)
    return 'The receiver forbids this. It may want to know who calls: name a credential, `credential: <name>`.'
  return lacksScope(headers)
    ? `The receiver says that a scope is missing${missingScope(headers)}: give the client of the credential "${credential}" the scope or role, and check its \`scope\`, if it has one.`
    : `The receiver forbids this: check the roles and scopes of the client that the credential "${credential}" stands for.`
}

/** The receiver sends the client elsewhere, and the flow does not say that it may go. */
export function unfollowedRedirect(method: string, { status, url, headers }: ReceiverAnswer): Failure {
  const { host } = new URL(url)
  const target = locationOf(headers, url)?.host
  const to = target === undefined || target === host ? '' : ` to "${target}"`
  const alone = to === '' ? '' : ' (a credential does not go along to another host)'
  return new Failure('receiver.redirect', `${method} "${host}" answered ${status}, a redirect${to}`, {
    receiver: { status, host },
    hint: `Call the final URL, or follow it with \`followRedirects: true\`${alone}; \`acceptStatus: [${status}]\` takes the answer as it is.`,
  })
}
