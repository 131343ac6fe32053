import type { ProblemReport } from '../core/kinds.ts'
import { didYouMean } from '../core/problem.ts'
import { isTokenType, TOKEN_TYPES } from './token-type.ts'
import { checkAssertion } from './assertion-check.ts'
import type { AssertionOptions } from './assertion-options.ts'
import { checkPasted } from './pasted.ts'
import {
  GRANT_NAMES,
  formatOfGrant,
  insteadOf,
  isAssertionGrant,
  readGrantType,
  type GrantKind,
} from './grants.ts'
import type { OAuth2Options } from './oauth2-options.ts'
import type { AssertionFormat } from './saml-options.ts'

type Reporter = (report: ProblemReport) => void
type GrantField =
  | 'username'
  | 'password'
  | 'refreshToken'
  | 'assertion'
  | 'subjectToken'
  | 'actorToken'
  | 'requestedTokenType'

interface Rule {
  /** Where it is wanted. */
  readonly needed: readonly GrantKind[]
  /** Where it may be, too. */
  readonly taken?: readonly GrantKind[]
  /** Where it is for, in words. */
  readonly grant: string
  readonly example: string
  /** Of single grants. */
  readonly examples?: Partial<Record<GrantKind, string>>
}

const RULES: Readonly<Record<GrantField, Rule>> = {
  username: { needed: ['password'], grant: 'password', example: 'username: SLUICE_USER' },
  password: { needed: ['password'], grant: 'password', example: 'password: ${env:NAME}' },
  refreshToken: {
    needed: ['refresh_token'],
    grant: 'refresh_token',
    example: 'refreshToken: ${env:NAME}',
  },
  assertion: {
    needed: ['jwt-bearer', 'saml2-bearer'],
    grant: 'jwt-bearer or saml2-bearer',
    example: 'assertion: { key: "${file:keys/client.pem}" }, or { fromCredential: NAME }',
    examples: {
      'saml2-bearer':
        'assertion: { key: "${file:keys/client.pem}", subject: USER, audience: NAME }, or { fromCredential: NAME }',
    },
  },
  subjectToken: {
    needed: ['token-exchange'],
    grant: 'token-exchange',
    example: 'subjectToken: { fromCredential: NAME }',
  },
  actorToken: { needed: [], taken: ['token-exchange'], grant: 'token-exchange', example: '' },
  requestedTokenType: { needed: [], taken: ['token-exchange'], grant: 'token-exchange', example: '' },
}
/** Services' own: what they want is theirs to say. */
const OPEN: readonly GrantKind[] = ['none', 'other']
/** Services' own that look like a slip of the pen: WeChat's, Zoom's, FedEx's. */
const LIKE_OTHERS = ['client_credential', 'account_credentials', 'csp_credentials', 'client_pc_credentials']

/** What is wrong with the grant, and with the fields that belong to single grants. */
export function checkGrant(options: OAuth2Options, problem: Reporter): void {
  const { grantType = 'client_credentials' } = options
  if (!checkGrantType(grantType, problem)) return
  const { kind } = readGrantType(grantType)
  for (const field of Object.keys(RULES) as GrantField[]) checkField(field, kind, grantType, options, problem)
  if (kind === 'password' && options.username)
    checkPasted('username', options.username, ['username'], problem)
  checkProofs(options, problem)
  for (const field of ['password', 'refreshToken'] as const) {
    const secret = options[field]
    if (secret) checkPasted(field, secret.reveal(), [field], problem)
  }
}

/** What is signed for the grant, and what is exchanged. */
function checkProofs(options: OAuth2Options, problem: Reporter): void {
  for (const field of ['assertion', 'subjectToken', 'actorToken'] as const) {
    const given = options[field]
    if (!given) continue
    checkAssertion(
      given,
      [field],
      field === 'assertion' ? formatOf(options) : 'taken',
      problem,
      options.issuer,
    )
    const { key, issuer, subject }: AssertionOptions = given
    if (key && field === 'assertion' && formatOf(options) === 'saml2' && !subject)
      problem({
        code: 'credential/missing-field',
        message: '"assertion" has no "subject"; a SAML assertion is for somebody',
        hint: 'Add subject: the user (or technical user) that the token shall be for, as the service knows it.',
        at: ['assertion'],
        on: 'key',
      })
    if (key && !issuer && !options.clientId)
      problem({
        code: 'credential/missing-field',
        message: `"${field}" has no "issuer", and there is no "clientId" that could stand for it`,
        hint: 'Add issuer: who signs, as the service knows it.',
        at: [field],
        on: 'key',
      })
  }
  checkFormat(options, problem)
  const types = [
    [options.subjectToken?.type, ['subjectToken', 'type']],
    [options.actorToken?.type, ['actorToken', 'type']],
    [options.requestedTokenType, ['requestedTokenType']],
  ] as const
  for (const [type, at] of types)
    if (type !== undefined && !isTokenType(type))
      problem({
        code: 'credential/token-type',
        message: `"${type}" is no type of token${didYouMean(type, TOKEN_TYPES)}`,
        hint: `It is ${TOKEN_TYPES.join(', ')}, or a URN that the service knows.`,
        at: [...at],
      })
}

function formatOf({ assertion, grantType }: OAuth2Options): AssertionFormat {
  return assertion?.format ?? formatOfGrant(grantType)
}

/** These grants say themselves what their assertion is written in; those of services do not. */
function checkFormat(options: OAuth2Options, problem: Reporter): void {
  const { assertion, grantType } = options
  const given = assertion?.format
  if (given === undefined || given === formatOfGrant(grantType)) return
  const { kind } = readGrantType(grantType)
  if (isAssertionGrant(kind))
    problem({
      code: 'credential/assertion',
      message: `"assertion.format" is ${given}, and the grant is ${kind}`,
      hint: `Take it out, or write grantType: ${given}-bearer.`,
      at: ['assertion', 'format'],
    })
}

function checkField(
  field: GrantField,
  kind: GrantKind,
  grantType: string,
  options: OAuth2Options,
  problem: Reporter,
): void {
  const { needed, taken = [], grant, example, examples = {} } = RULES[field]
  const isThere = options[field] !== undefined && options[field] !== ''
  if (needed.includes(kind)) {
    if (!isThere)
      problem({
        code: 'credential/missing-field',
        message: `"${field}" is missing; the grant ${grantType} needs it`,
        hint: `Add ${examples[kind] ?? example}.`,
        at: options[field] === undefined ? ['grantType'] : [field],
      })
  } else if (isThere && !taken.includes(kind) && !OPEN.includes(kind))
    problem({
      code: 'credential/unused-field',
      message: `"${field}" has no place in the grant ${grantType}`,
      hint: `Write grantType: ${grant}, or take ${field} out.`,
      at: [field],
      on: 'key',
    })
}

/** False: what stands there cannot be a grant. */
function checkGrantType(grantType: string, problem: Reporter): boolean {
  const report = (message: string, hint: string, severity: 'error' | 'warning' = 'error') =>
    problem({ code: 'credential/grant-type', severity, message, hint, at: ['grantType'] })
  const instead = insteadOf(grantType)
  if (instead !== undefined) {
    report(`the grant "${grantType}" needs a person at a browser; flows run without one`, instead)
    return false
  }
  if (!/^[\x21-\x7e]{1,200}$/.test(grantType)) {
    report(
      grantType === '' ? '"grantType" is empty' : '"grantType" is not one word of at most 200 characters',
      'Leave it out for client_credentials; none means that no grant_type is sent.',
    )
    return false
  }
  const isOwn = readGrantType(grantType).kind === 'other' && !LIKE_OTHERS.includes(grantType)
  const meant = isOwn ? didYouMean(grantType, GRANT_NAMES) : ''
  if (meant !== '')
    report(
      `"${grantType}" is sent as it is; it looks like a slip of the pen${meant}`,
      'A grant of the service itself may be called anything; check how it is written.',
      'warning',
    )
  return true
}
