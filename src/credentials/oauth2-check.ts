import { isHeaderName, isHeaderValue } from '../core/header.ts'
import { toText } from '../core/json.ts'
import type { CredentialOrigin, ProblemReport } from '../core/kinds.ts'
import { checkClient } from './oauth2-client-check.ts'
import { checkGrant } from './oauth2-grant-check.ts'
import { BEARER, clientAuthenticationOf, isJwt, type OAuth2Options } from './oauth2-options.ts'
import { checkTokenService } from './oauth2-service-check.ts'
import { checkTokenRequest } from './oauth2-request-check.ts'
import { checkPlacement } from './placed-secret.ts'
import { checkAnswerExpression } from './answer-expression.ts'
import { findScopeMistake } from './oauth2-scope.ts'
import { USUAL_NAMES } from './token-request.ts'

type Reporter = (report: ProblemReport) => void

const MOST_PARAMETERS = 20
const OWN_HEADERS: Record<string, string> = {
  authorization: 'clientAuthentication',
  'content-type': 'contentType',
  'content-length': 'the engine',
  'transfer-encoding': 'the engine',
  'accept-encoding': 'the engine',
  connection: 'the engine',
  host: 'tokenServiceUrl',
}

/** What the schema cannot say about an oauth2 credential. */
export function checkOAuth2(
  options: OAuth2Options,
  problem: Reporter,
  { imported, onPremise }: CredentialOrigin,
): void {
  checkTokenService(options, onPremise, problem)
  checkGrant(options, problem)
  checkClient(options, problem)
  checkShapeOfRequest(options, problem)
  checkTokenRequest(options, problem)
  checkPlacement(options.tokenIn, BEARER, problem)
  const type = options.contentType ?? 'application/x-www-form-urlencoded'
  const mistake = findScopeMistake(options.scope, type)
  if (mistake) {
    const { item, ...about } = mistake
    problem({ code: 'credential/scope', ...about, at: item === undefined ? ['scope'] : ['scope', item] })
  }
  if (options.scopeSeparator !== undefined && !/^[ ,+;|]$/.test(options.scopeSeparator))
    problem({
      code: 'credential/scope',
      message: '"scopeSeparator" is not one of the characters that part the words of a scope',
      hint: 'It may be a space, ",", "+", ";" or "|".',
      at: ['scopeSeparator'],
    })
  for (const place of ['body', 'query', 'headers'] as const)
    checkParameters(options, place, imported ? Infinity : MOST_PARAMETERS, problem)
  for (const field of ['token', 'expiresIn', 'expiresAt', 'success'] as const) {
    const text = options.response?.[field]
    if (text !== undefined) checkAnswerExpression(text, ['response', field], problem)
  }
  if (options.invalidateWhen !== undefined)
    checkAnswerExpression(options.invalidateWhen, ['invalidateWhen'], problem)
}

function checkShapeOfRequest(options: OAuth2Options, problem: Reporter): void {
  if (options.contentType !== 'none') return
  const report = (at: string, message: string, hint: string) =>
    problem({ code: 'credential/content-type', message, hint, at: [at] })
  if (options.grantTypeIn === 'body')
    report(
      'grantTypeIn',
      '"grantTypeIn" is body, but contentType none sends no body',
      'Write grantTypeIn: query.',
    )
  if (clientAuthenticationOf(options) === 'body')
    report(
      'clientAuthentication',
      '"clientAuthentication" is body, but contentType none sends no body',
      'Write clientAuthentication: header, or choose another contentType.',
    )
  if (Object.keys(options.parameters?.body ?? {}).length > 0)
    problem({
      code: 'credential/content-type',
      message: '"parameters" has a "body", but contentType none sends no body',
      hint: 'Put them under "query", or choose another contentType.',
      at: ['parameters', 'body'],
      on: 'key',
    })
}

function checkParameters(
  options: OAuth2Options,
  place: 'body' | 'query' | 'headers',
  most: number,
  problem: Reporter,
): void {
  const parameters = Object.entries(options.parameters?.[place] ?? {})
  if (parameters.length > most)
    problem({
      code: 'credential/parameter',
      message: `"${place}" has ${parameters.length} parameters; at most ${most} are allowed`,
      hint: 'Take out what the service does not need.',
      at: ['parameters', place],
      on: 'key',
    })
  for (const [name, value] of parameters) {
    const mistake = place === 'headers' ? headerMistake(name, value) : fieldMistake(options, place, name)
    if (mistake)
      problem({ code: 'credential/parameter', ...mistake, at: ['parameters', place, name], on: 'key' })
  }
}

function fieldMistake(
  options: OAuth2Options,
  place: 'body' | 'query',
  name: string,
): { message: string; hint: string } | undefined {
  if (name === 'grant_type')
    return place === 'body'
      ? { message: '"grant_type" is sent already', hint: 'Take it out; grantTypeIn says where it goes.' }
      : { message: '"grant_type" has a field of its own', hint: 'Write grantTypeIn: query.' }
  if (name === 'client_assertion' || name === 'client_assertion_type')
    return {
      message: `"${name}" is sent already, where clientAuthentication says so`,
      hint: 'Write clientAuthentication: privateKeyJwt, and clientAssertion.',
    }
  if (name === 'client_secret')
    return {
      message: '"client_secret" has a field of its own',
      hint: 'Write clientSecret, and clientAuthentication: body.',
    }
  const owner = ownerOf(name, options)
  if (owner !== undefined)
    return { message: `"${name}" is sent already`, hint: `Take it out here; "${owner}" is sent.` }
  if (name === 'scope' && options.scope !== undefined)
    return { message: '"scope" is sent already', hint: 'Take it out here, or leave the field "scope" out.' }
  const how = clientAuthenticationOf(options)
  const sendsId =
    how === 'body' || ((how === 'none' || how === 'certificate' || isJwt(how)) && options.clientId)
  const { sendClientId = how !== 'bearer' } = options.clientAssertion ?? {}
  if (place === 'body' && name === 'client_id' && sendsId && sendClientId)
    return { message: '"client_id" is sent already', hint: 'Take it out; "clientId" is sent.' }
  return undefined
}

/** The field that a parameter of this name comes from. */
function ownerOf(name: string, { parameterNames, ...options }: OAuth2Options): string | undefined {
  const names = { ...USUAL_NAMES, ...parameterNames }
  const own = {
    username: names.username,
    password: names.password,
    refreshToken: names.refreshToken,
    assertion: 'assertion',
    subjectToken: 'subject_token',
    actorToken: 'actor_token',
    requestedTokenType: 'requested_token_type',
  } as const
  return (Object.keys(own) as (keyof typeof own)[]).find(
    (field) => own[field] === name && options[field] !== undefined,
  )
}

function headerMistake(name: string, value: unknown): { message: string; hint: string } | undefined {
  const owner = Object.hasOwn(OWN_HEADERS, name.toLowerCase()) ? OWN_HEADERS[name.toLowerCase()] : undefined
  if (owner !== undefined)
    return { message: `the header "${name}" is set by ${owner}`, hint: 'Take it out here.' }
  if (!isHeaderName(name))
    return {
      message: `"${name}" cannot be the name of a header`,
      hint: 'Letters, digits and hyphens are fine; no spaces, colons or quotes.',
    }
  if (!isHeaderValue(toText(value)))
    return {
      message: `the value of the header "${name}" holds a line end or another character that headers cannot have`,
      hint: 'Headers are one line of Latin characters.',
    }
  return undefined
}
