import type { Path } from '../core/document.ts'
import { isHeaderName, isHeaderValue } from '../core/header.ts'
import { toText } from '../core/json.ts'
import type { ProblemReport } from '../core/kinds.ts'
import { didYouMean } from '../core/problem.ts'
import type { Secret } from '../core/secret.ts'
import { characterName, readUrl } from '../security/url.ts'
import { BEARER, clientAuthenticationOf, type OAuth2Options } from './oauth2-options.ts'
import { checkTokenRequest } from './oauth2-request-check.ts'
import { checkPlacement } from './placed-secret.ts'
import { checkAnswerExpression } from './answer-expression.ts'
import { findScopeMistake } from './oauth2-scope.ts'

type Reporter = (report: ProblemReport) => void

const MOST_PARAMETERS = 20
const LATER_GRANTS = [
  'password',
  'refresh_token',
  'none',
  'urn:ietf:params:oauth:grant-type:saml2-bearer',
  'urn:ietf:params:oauth:grant-type:jwt-bearer',
  'urn:ietf:params:oauth:grant-type:token-exchange',
]
const PERSON_GRANTS = ['authorization_code', 'implicit', 'urn:ietf:params:oauth:grant-type:device_code']
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
export function checkOAuth2(options: OAuth2Options, problem: Reporter): void {
  checkTokenServiceUrl(options, problem)
  checkGrantType(options, problem)
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
  for (const place of ['body', 'query', 'headers'] as const) checkParameters(options, place, problem)
  for (const field of ['token', 'expiresIn', 'expiresAt', 'success'] as const) {
    const text = options.response?.[field]
    if (text !== undefined) checkAnswerExpression(text, ['response', field], problem)
  }
  if (options.invalidateWhen !== undefined)
    checkAnswerExpression(options.invalidateWhen, ['invalidateWhen'], problem)
}

function checkTokenServiceUrl({ tokenServiceUrl }: OAuth2Options, problem: Reporter): void {
  const url = readUrl(tokenServiceUrl)
  if (!(url instanceof URL)) {
    problem({
      code: 'credential/url',
      ...url,
      message: `"tokenServiceUrl" ${url.message}`,
      at: ['tokenServiceUrl'],
    })
    return
  }
  for (const name of ['client_secret', 'password', 'assertion'])
    if (url.searchParams.has(name))
      problem({
        code: 'credential/url',
        message: `"tokenServiceUrl" holds "${name}" in its query; addresses are written into logs on the way`,
        hint: 'Use clientSecret, with clientAuthentication header or body.',
        at: ['tokenServiceUrl'],
      })
}

function checkGrantType({ grantType }: OAuth2Options, problem: Reporter): void {
  if (grantType === undefined || grantType === 'client_credentials') return
  const about = { code: 'credential/grant-type' as const, at: ['grantType'] }
  if (PERSON_GRANTS.includes(grantType))
    problem({
      ...about,
      message: `the grant "${grantType}" needs a person at a browser; flows run without one`,
      hint: 'Register a client for client_credentials at the service, and leave grantType out.',
    })
  else if (LATER_GRANTS.includes(grantType))
    problem({
      ...about,
      message: `the grant "${grantType}" is not in this version`,
      hint: 'client_credentials works: leave grantType out, if the service offers it.',
    })
  else
    problem({
      ...about,
      message: `"${grantType}" is no grant that is known here${didYouMean(grantType, ['client_credentials'])}`,
      hint: 'Leave grantType out for client_credentials.',
    })
}

function checkClient(options: OAuth2Options, problem: Reporter): void {
  const how = clientAuthenticationOf(options)
  const missing = (field: string) =>
    problem({
      code: 'credential/missing-field',
      message: `"${field}" is missing; clientAuthentication ${how} needs it`,
      hint:
        field === 'clientSecret'
          ? 'Add clientSecret: ${env:NAME}, or write clientAuthentication: none for a client without a secret.'
          : 'Add it.',
      at: [],
    })
  if (how !== 'none') {
    if (!options.clientId) missing('clientId')
    if (options.clientSecret === undefined) missing('clientSecret')
    else checkSecrets(options.clientSecret, problem)
    if (options.clientId) checkPasted('clientId', options.clientId, ['clientId'], problem)
  } else if (options.clientSecret !== undefined)
    problem({
      code: 'credential/unused-field',
      severity: 'warning',
      message: '"clientSecret" is never sent, because clientAuthentication is none',
      hint: 'Write clientAuthentication: header or body, or take the secret out.',
      at: ['clientSecret'],
      on: 'key',
    })
  const colon = options.clientId?.indexOf(':') ?? -1
  if (how === 'header' && options.basicEncoding === 'raw' && colon >= 0)
    problem({
      code: 'credential/client-id',
      message: '"clientId" holds a ":", where a raw Basic header ends the id',
      hint: 'Write basicEncoding: form, or clientAuthentication: body.',
      at: ['clientId'],
      offset: colon,
      length: 1,
    })
}

const MOST_SECRETS = 2

function checkSecrets(secrets: readonly Secret[], problem: Reporter): void {
  const at = (index: number) => (secrets.length === 1 ? ['clientSecret'] : ['clientSecret', index])
  for (const [index, secret] of secrets.entries())
    checkPasted('clientSecret', secret.reveal(), at(index), problem)
  if (secrets.length > MOST_SECRETS)
    problem({
      code: 'credential/secret',
      message: `"clientSecret" is a list of ${secrets.length}; at most ${MOST_SECRETS} are used: the current and the other one`,
      hint: 'Each wrong secret counts at the service like an attack: keep the new one and the one before.',
      at: ['clientSecret'],
    })
}

/** White space around a text and typographic quotes come with copying from pages and mails; the text itself is not told. */
function checkPasted(field: string, text: string, at: Path, problem: Reporter): void {
  const odd = /^\s|\s$|[\u2018-\u201f\u00ab\u00bb\u200b\ufeff]/.exec(text)
  if (!odd) return
  const what = /\s/.test(odd[0])
    ? `${odd.index === 0 ? 'begins' : 'ends'} with white space`
    : `holds ${characterName(odd[0])} (character ${odd.index + 1} of ${text.length})`
  problem({
    code: 'credential/pasted',
    severity: 'warning',
    message: `"${field}" ${what}; it was probably copied with something around it`,
    hint: 'Look at the variable, the file or the text that it comes from. It is sent as it is.',
    at,
  })
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
  problem: Reporter,
): void {
  const parameters = Object.entries(options.parameters?.[place] ?? {})
  if (parameters.length > MOST_PARAMETERS)
    problem({
      code: 'credential/parameter',
      message: `"${place}" has ${parameters.length} parameters; at most ${MOST_PARAMETERS} are allowed`,
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
  if (name === 'client_secret')
    return {
      message: '"client_secret" has a field of its own',
      hint: 'Write clientSecret, and clientAuthentication: body.',
    }
  if (name === 'scope' && options.scope !== undefined)
    return { message: '"scope" is sent already', hint: 'Take it out here, or leave the field "scope" out.' }
  const how = clientAuthenticationOf(options)
  if (place === 'body' && name === 'client_id' && (how === 'body' || (how === 'none' && options.clientId)))
    return { message: '"client_id" is sent already', hint: 'Take it out; "clientId" is sent.' }
  return undefined
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
