import { sayDuration } from '../core/duration.ts'
import { Failure, type FailureCode, type FailureDetails } from '../core/failure.ts'
import { isAssertionGrant, readGrantType } from './grants.ts'
import type { TokenRequestSettings } from './token-request.ts'
import type { TokenRejection } from './token-response.ts'
import type { ServiceWords } from './service-words.ts'

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
  /** The service does not take this client id with this secret; another secret may do. */
  readonly refusesClient: boolean
  /** There is no use in asking again at once. */
  readonly final?: true
  /** A token is kept that cannot be read. */
  readonly locked?: true
  /** ms */
  readonly retryAfter?: number
  /** What the service said, where it answered; no secret in it. */
  readonly said?: ServiceWords & { readonly status: number }
}

/** How the token was asked for. */
type Sent = Pick<
  TokenRequestSettings,
  'clientAuthentication' | 'basicEncoding' | 'contentType' | 'grantTypeIn' | 'grantType' | 'scope'
>

/** What a rejected token request means for people. */
export function describeRejection(
  name: string,
  host: string,
  sent: Sent,
  rejection: TokenRejection,
): TokenFailure {
  const { status, error, description, why, flaw } = rejection
  const summary = error === undefined ? String(status) : `${status} ${error}`
  const words = description === undefined ? summary : `${summary} (${description})`
  const common = {
    kind: 'failure' as const,
    summary,
    rejected: why !== 'busy',
    refusesClient: why === 'refused' && (status === 401 || status === 403 || CLIENT_ERRORS.has(error ?? '')),
    said: {
      status,
      ...(error !== undefined && { error }),
      ...(description !== undefined && { description }),
    },
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
    refusesClient: false,
  })
  if (failure.code === 'receiver.timeout')
    return tell(
      'credential.timeout',
      `the token service of credential "${name}" took too long: ${failure.message}`,
      'Look whether the service is up; connectTimeout and readTimeout of the credential say how long is waited.',
      false,
    )
  if (failure.code === 'egress.denied')
    return tell(
      'egress.denied',
      `the token service of credential "${name}" is not asked: ${failure.message}`,
      failure.hint,
      true,
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

/** Another credential had no token to give: it is no failure of this one, and is looked at again soon. */
export function describeBorrowing(name: string, failure: Failure): TokenFailure {
  const { hint, receiver } = failure
  return {
    kind: 'failure',
    code: failure.code as FailureCode,
    message: `credential "${name}" needs the token of another one: ${failure.message}`,
    details: { ...(hint !== undefined && { hint }), ...(receiver && { receiver }), cause: failure },
    summary: failure.title,
    rejected: false,
    refusesClient: false,
    final: true,
  }
}

/** A newer token is kept, and cannot be read: nothing was asked. It is looked at again soon. */
export function describeLocked(failure: Failure): TokenFailure {
  const { message, hint } = failure
  return {
    kind: 'failure',
    code: 'credential.kept',
    message,
    details: { ...(hint !== undefined && { hint }), cause: failure },
    summary: message,
    rejected: false,
    refusesClient: false,
    final: true,
    locked: true,
  }
}

/** A refused refresh token, where an earlier answer was lost. @param at epoch ms */
export function explainUnanswered(failure: TokenFailure, at: number): TokenFailure {
  if (!failure.rejected) return failure
  const { hint: usual, ...details } = failure.details
  const lost = `A request with this refresh token, sent at ${new Date(at).toISOString()}, got no answer here: the service may have given a new one then, which was lost on the way. Then let the user log in once more, and put the new refresh token where the old one came from.`
  const hint = failure.said?.error === 'invalid_grant' || usual === undefined ? lost : `${lost} ${usual}`
  return { ...failure, details: { ...details, hint } }
}

/** A remembered failure, anew: each run marks its own. @param wait ms until the service is asked again */
export function rememberedFailure(name: string, failure: TokenFailure, wait: number): Failure {
  const { hint, ...details } = failure.details
  const again = `The service is asked again in ${sayDuration(wait)} at the earliest, or at once when the credential is changed or tested: sluice credential test ${name}.`
  return new Failure(failure.code, failure.message, {
    ...details,
    hint: hint === undefined ? again : `${hint} ${again}`,
  })
}

/** This version of the credential is no longer in force. */
export function goneFailure(name: string): Failure {
  return new Failure('credential.missing', `credential "${name}" was changed or removed just now`, {
    hint: 'Send the message again.',
  })
}

/** The one who waits has no more time. */
export function impatientFailure(name: string): Failure {
  return new Failure('credential.timeout', `the token of credential "${name}" did not come in time`, {
    hint: 'Look whether the token service is slow (sluice credential show), or give the step and the flow more time.',
  })
}

const CLIENT_ERRORS: ReadonlySet<string> = new Set(['invalid_client', 'unauthorized_client'])

const HINT_FOR_SCOPE =
  'Check scope: the client must be granted each of its words, written exactly so, in the admin console.'

/** Glewlwyd says `scope_invalid`. */
const BY_ERROR: Record<string, string> = { invalid_scope: HINT_FOR_SCOPE, scope_invalid: HINT_FOR_SCOPE }

function hintForClient({ clientAuthentication, basicEncoding }: Sent): string {
  if (clientAuthentication === 'privateKeyJwt')
    return 'Verify clientId, and look at the service which key and which clientAssertion it wants: the public key (or certificate) registered there, keyId or x5t, algorithm, and audience (the address of the token service, tokenUrl, or the one of the issuer). The clocks of both sides have to agree.'
  if (clientAuthentication === 'bearer')
    return 'Look at the service which key and which clientAssertion it wants as the bearer: key, algorithm and keyId, issuer, subject and audience, and the longest lifetime that it takes. The clocks of both sides have to agree: backdate: 60s helps where its clock is behind.'
  if (clientAuthentication === 'certificate')
    return 'Verify clientId, and look at the service which certificate it knows for this client: subject and issuer, or thumbprint; sluice credential show tells the one that is sent. Many services take client certificates at an address of their own only (mtls..., ...cert...): check tokenServiceUrl.'
  const others = {
    header: `body, or basicEncoding: ${basicEncoding === 'raw' ? 'form' : 'raw'}`,
    body: 'header',
    query: 'header or body',
    clientSecretJwt: 'header or body',
    none: 'header or body, with a secret',
  }[clientAuthentication]
  const audience =
    clientAuthentication === 'clientSecretJwt'
      ? ' Look whether clientAssertion has the audience that the service wants.'
      : ''
  return `Verify clientId and clientSecret, look whether the variable or file they come from is set correctly, and generate a new secret in the admin console if needed. Some services want clientAuthentication: ${others}.${audience}`
}

function hintForRequest({ clientAuthentication, contentType, grantTypeIn, scope }: Sent): string {
  const others = [
    clientAuthentication === 'body' ? 'clientAuthentication: header' : 'clientAuthentication: body',
    typeof scope === 'object'
      ? undefined
      : contentType === 'application/json'
        ? 'contentType: application/x-www-form-urlencoded'
        : 'contentType: application/json',
    grantTypeIn === 'query' ? 'grantTypeIn: body' : 'grantTypeIn: query',
  ].filter((other) => other !== undefined)
  return `Check contentType, clientAuthentication, scope and parameters of the credential; the words of the service say which field is wrong. Some services want ${others.join(', or ')}.`
}

/** @see https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
function hintForWhatWasGranted({ grantType }: Sent): string {
  const { kind } = readGrantType(grantType)
  if (kind === 'password')
    return 'Verify username and password: whether the password has expired, the user is locked, or has to confirm logins with a second factor.'
  if (kind === 'refresh_token')
    return 'The refresh token has expired, was revoked, or was used by another program. Let the user log in once more, and put the new refresh token where the old one came from.'
  if (kind === 'jwt-bearer')
    return 'The service does not take the assertion. Look at the service which key it knows (keyId, algorithm) and which issuer, subject and audience it wants, whether the user has agreed to this client, and whether the clocks agree.'
  if (kind === 'saml2-bearer')
    return 'The service does not take the SAML assertion. Look at the service which certificate is registered there (it must be the one of the key), whether it knows the subject as a user who may use this client, and which issuer, audience and recipient it wants; SAP SuccessFactors wants companyId as company_id (parameters.body) and the attribute api_key. The clocks have to agree. Some services read base64 only: encoding: base64.'
  if (kind === 'token-exchange')
    return 'The service does not take the subject or actor token. Look at its type, whether the service trusts who issued it, and whether it was made for this audience.'
  return 'The service does not take what it was given for the grant; its words say why.'
}

function hintForGrant({ contentType, grantTypeIn }: Sent): string {
  const form =
    contentType === 'application/json' ? ' Some services read a form only: leave contentType out.' : ''
  const body = grantTypeIn === 'query' ? ' Many services read it in the body only: grantTypeIn: body.' : ''
  return `The service did not find a grant type that it knows. Check tokenServiceUrl, contentType and grantTypeIn.${form}${body}`
}

/** Some services say no more than this to a wrong secret, a wrong password, or a scope that is missing. */
function hintForForbidden(sent: Sent): string {
  const granted = shows(sent) ? ` ${hintForWhatWasGranted(sent)}` : ''
  const client = onlyAssertion(sent) ? '' : ` ${hintForClient(sent)}`
  return `Edit the client in the admin console of the service and add the missing scope; some services mean a wrong secret by this, too.${granted}${client}`
}

/** Something beside the client itself is shown, which may be what is wrong. */
function shows({ grantType }: Sent): boolean {
  const { kind } = readGrantType(grantType)
  return kind === 'password' || kind === 'refresh_token' || isAssertionGrant(kind)
}

/** The client shows nothing else. */
function onlyAssertion({ grantType, clientAuthentication }: Sent): boolean {
  return clientAuthentication === 'none' && isAssertionGrant(readGrantType(grantType).kind)
}

function hintFor({ status, error, why }: TokenRejection, sent: Sent): string {
  if (error === 'invalid_client') return hintForClient(sent)
  if (error === 'unauthorized_client')
    return `Allow the grant ${sent.grantType ?? 'that is wanted'} for this client in the admin console of the service.`
  if (error === 'invalid_grant') return hintForWhatWasGranted(sent)
  if (error === 'unsupported_grant_type') return hintForGrant(sent)
  const known = error !== undefined && Object.hasOwn(BY_ERROR, error) ? BY_ERROR[error] : undefined
  if (known !== undefined) return known
  if (status >= 300 && status < 400)
    return 'Write the address where the service ends up into tokenServiceUrl.'
  if (status === 401) return onlyAssertion(sent) ? hintForWhatWasGranted(sent) : hintForClient(sent)
  if (status === 403) return hintForForbidden(sent)
  if (status === 404 || status === 405)
    return 'Check tokenServiceUrl: there is no token service at this address.'
  if (status === 429)
    return 'The service got too many token requests. Sluice keeps its tokens: look which other program uses the same client.'
  if (why === 'busy') return 'Look whether the token service is up; Sluice asks again by itself.'
  if (status === 415 || status === 406)
    return `The service does not read ${sent.contentType === 'none' ? 'an empty body' : sent.contentType}: try another contentType.`
  if (why === 'unusable')
    return 'Check tokenServiceUrl, contentType and clientAuthentication against the description of the service; where its answer has another form, `response` of the credential says where the token is.'
  return error === undefined && shows(sent)
    ? `${hintForWhatWasGranted(sent)} ${hintForRequest(sent)}`
    : hintForRequest(sent)
}
