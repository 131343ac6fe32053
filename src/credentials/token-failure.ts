import { Failure, type FailureCode, type FailureDetails } from '../core/failure.ts'
import type { TokenRequestSettings } from './token-request.ts'
import type { TokenRejection } from './token-response.ts'

/** Why a renewal brought no token; kept for a while, so that the same failure can be told again. */
export interface TokenFailure {
  readonly kind: 'failure'
  readonly code: FailureCode
  readonly message: string
  readonly details: FailureDetails
  /** Short, for the state: `401 invalid_client`. */
  readonly summary: string
  /** The service was there and said no; asking again soon would change nothing. */
  readonly rejected: boolean
  /** ms */
  readonly retryAfter?: number
}

/** How id and secret were sent. */
type Sent = Pick<TokenRequestSettings, 'clientAuthentication' | 'basicEncoding'>

/** What a rejected token request means for people. `hide` takes this credential's secret out of the service's words. */
export function describeRejection(
  name: string,
  host: string,
  sent: Sent,
  rejection: TokenRejection,
  hide: (text: string) => string,
): TokenFailure {
  const { status, error, description, why, flaw } = rejection
  const summary = hide([status, error].filter((part) => part !== undefined).join(' '))
  const words = description === undefined ? summary : `${summary} (${hide(description)})`
  const common = {
    kind: 'failure' as const,
    summary,
    rejected: why !== 'busy',
    ...(rejection.retryAfter !== undefined && { retryAfter: rejection.retryAfter }),
  }
  const details = { hint: hintFor(rejection, sent), receiver: { status, host } }
  if (why === 'unusable')
    return {
      ...common,
      code: 'credential.answer',
      message: `the token service of credential "${name}" (${host}) ${flaw ?? 'gave an answer that cannot be used'}: ${status}`,
      details,
    }
  if (why === 'refused' || status === 429)
    return {
      ...common,
      code: 'credential.refused',
      message: `the token service refused credential "${name}": ${words}`,
      details,
    }
  return {
    ...common,
    code: 'credential.unreachable',
    message: `the token service of credential "${name}" (${host}) cannot answer now: ${words}`,
    details,
  }
}

/** What a failed exchange with the token service means for people. */
export function describeBreakdown(name: string, host: string, thrown: unknown): TokenFailure {
  const failure = Failure.from(thrown)
  const tell = (
    code: FailureCode,
    message: string,
    hint: string | undefined,
    rejected: boolean,
  ): TokenFailure => ({
    kind: 'failure',
    code,
    message,
    details: { ...(hint !== undefined && { hint }), receiver: { host }, cause: failure },
    summary: failure.title,
    rejected,
  })
  if (failure.code === 'receiver.timeout')
    return tell(
      'credential.timeout',
      `the token service of credential "${name}" took too long: ${failure.message}`,
      'Look whether the service is up; connectTimeout and readTimeout of the credential say how long is waited.',
      false,
    )
  if (failure.code === 'request.invalid' || failure.code === 'engine.fault')
    return tell(
      'request.invalid',
      `the token request of credential "${name}" could not be built: ${failure.message}`,
      failure.hint,
      true,
    )
  if (failure.code === 'receiver.too-large')
    return tell(
      'credential.answer',
      `the token service of credential "${name}" (${host}) sent more than 1 MB`,
      'Check tokenServiceUrl: this is no answer of a token service.',
      true,
    )
  return tell(
    'credential.unreachable',
    `the token service of credential "${name}" could not be reached: ${failure.message}`,
    failure.hint ?? 'Check tokenServiceUrl, the network and the proxy.',
    false,
  )
}

const BY_ERROR: Record<string, string> = {
  unauthorized_client:
    'Allow the grant client_credentials for this client in the admin console of the service.',
  invalid_scope:
    'Check scope: the client must be granted each of its words, written exactly so, in the admin console.',
  unsupported_grant_type:
    'The service did not find a grant type that it knows. Check tokenServiceUrl, contentType and grantTypeIn.',
}

function hintForClient({ clientAuthentication, basicEncoding }: Sent): string {
  const others = {
    header: `body, or basicEncoding: ${basicEncoding === 'raw' ? 'form' : 'raw'}`,
    body: 'header',
    none: 'header or body, with a secret',
  }[clientAuthentication]
  return `Verify clientId and clientSecret, look whether the variable or file they come from is set correctly, and generate a new secret in the admin console if needed. Some services want clientAuthentication: ${others}.`
}

function hintFor({ status, error, why }: TokenRejection, sent: Sent): string {
  if (error === 'invalid_client') return hintForClient(sent)
  const known = error !== undefined && Object.hasOwn(BY_ERROR, error) ? BY_ERROR[error] : undefined
  if (known !== undefined) return known
  if (status >= 300 && status < 400)
    return 'Write the address where the service ends up into tokenServiceUrl.'
  if (status === 401) return hintForClient(sent)
  if (status === 403)
    return 'Edit the client in the admin console of the service and add the missing scope; some services mean a wrong secret by this, too.'
  if (status === 404 || status === 405)
    return 'Check tokenServiceUrl: there is no token service at this address.'
  if (status === 429)
    return 'The service got too many token requests. Sluice keeps its tokens: look which other program uses the same client.'
  if (why === 'busy') return 'Look whether the token service is up; Sluice asks again by itself.'
  if (why === 'unusable')
    return 'Check tokenServiceUrl, contentType and clientAuthentication against the description of the service.'
  return 'Check contentType, clientAuthentication, scope and parameters of the credential; the words of the service say which field is wrong.'
}
