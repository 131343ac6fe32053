import { isRole, ROLE_HINT } from '../../core/access.ts'
import { readDocument, type Document, type Path, type Target } from '../../core/document.ts'
import type { ProblemCode } from '../../core/problem-codes.ts'
import { hasErrors, type Place, type Problem } from '../../core/problem.ts'
import { checkShape } from '../../core/shape.ts'
import type { CredentialFile } from '../../security/credential-file.ts'
import { describeReference } from '../../security/unset-warnings.ts'
import { resolveReferences, type ReferenceSources } from '../../security/references.ts'
import { readUrl } from '../../security/url.ts'
import { fileProblem, nameOf } from '../../security/material-name.ts'
import {
  issuerSchema,
  USUAL_ALGORITHMS,
  USUAL_CLIENT_CLAIMS,
  USUAL_ROLE_CLAIMS,
  type IssuerOptions,
} from './issuer-options.ts'

/** A token service of somebody else, as its file says. */
export interface Issuer {
  readonly name: string
  readonly file: string
  /** What its tokens say, character by character. */
  readonly issuer: string
  readonly jwksUri: URL | undefined
  readonly discovery: URL
  readonly audience: readonly string[]
  readonly audienceFromRoles: boolean
  /** Undefined: everybody's tokens are taken. */
  readonly clients: readonly string[] | undefined
  readonly algorithms: string[]
  readonly tokenType: string | undefined
  readonly roleClaims: readonly string[]
  readonly rolePrefix: string | undefined
  readonly roles: readonly string[]
  readonly clientClaims: readonly string[]
  readonly requiredClaims: readonly (readonly [path: string, values: readonly unknown[]])[]
  readonly checkCertificate: boolean
  readonly enabled: boolean
}

export interface ReadIssuer {
  readonly value?: Issuer
  readonly problems: readonly Problem[]
  /** Where its issuer is written, for others that have the same. */
  readonly place: Place
}

/** Reads one file. Never throws for what is written in it. */
export function readIssuer({ file, text }: CredentialFile, sources: ReferenceSources): ReadIssuer {
  const name = nameOf(file)
  const read = readDocument(file, text)
  const problems = [...fileProblem(file, 'an issuer'), ...read.problems]
  const start: Place = { file, line: 1, column: 1 }
  if (!read.document) return { problems, place: start }
  const { document, unset, ...resolved } = resolveReferences(read.document, sources)
  problems.push(
    ...resolved.problems,
    ...unset.map(({ reference, why, place }) => ({
      code: 'credential/unset' as const,
      severity: 'error' as const,
      message: `${describeReference(reference)} ${why}; the issuer "${name}" needs it`,
      hint: 'Set it, or write the value: nothing of an issuer is secret.',
      ...place,
    })),
  )
  if (unset.length > 0) return { problems, place: start }
  const { value, problems: found } = checkShape(issuerSchema, document, { subject: 'an issuer' })
  problems.push(...found)
  if (hasErrors(problems)) return { problems, place: start }
  const options = value as IssuerOptions
  const place = document.place(['issuer'])
  const checked = check(options, document, problems)
  if (hasErrors(problems)) return { problems, place }
  return { problems, place, value: { name, file, ...checked!, ...settingsOf(options) } }
}

function settingsOf(options: IssuerOptions): Omit<Issuer, 'name' | 'file' | 'jwksUri' | 'discovery'> {
  return {
    issuer: options.issuer,
    audience: options.audience ?? [],
    audienceFromRoles: options.audienceFromRoles ?? false,
    clients: options.clients,
    algorithms: [...new Set(options.algorithms ?? USUAL_ALGORITHMS)],
    tokenType: options.tokenType,
    roleClaims: options.roleClaims ?? USUAL_ROLE_CLAIMS,
    rolePrefix: options.rolePrefix,
    roles: options.roles ?? [],
    clientClaims: options.clientClaim ?? USUAL_CLIENT_CLAIMS,
    requiredClaims: Object.entries(options.requiredClaims ?? {}).map(([path, wanted]) => [
      path,
      Array.isArray(wanted) ? wanted : [wanted],
    ]),
    checkCertificate: options.checkCertificate ?? true,
    enabled: options.enabled ?? true,
  }
}

function check(
  options: IssuerOptions,
  document: Document,
  problems: Problem[],
): Pick<Issuer, 'jwksUri' | 'discovery'> | undefined {
  const report = (code: ProblemCode, message: string, hint: string, path: Path, target?: Target) =>
    problems.push({ code, severity: 'error', message, hint, ...document.place(path, target) })
  const url = (key: 'issuer' | 'jwksUri' | 'discovery', text: string): URL | undefined => {
    const read = readUrl(text)
    if (read instanceof URL) return read
    const { message, hint = 'Expected is https://host/path.', offset, length } = read
    report('issuer/url', `"${key}" ${message}`, hint, [key], { offset, length })
    return undefined
  }
  const { issuer, audience, clients, roles = [], requiredClaims = {} } = options
  if (audience === undefined && clients === undefined)
    report(
      'issuer/audience',
      'neither "audience" nor "clients" says which tokens of the issuer are for this engine',
      'Write the audience (`aud`) that tokens for this engine have; a token for another application must not be taken here.',
      [],
    )
  if (options.audienceFromRoles === true && options.rolePrefix === undefined)
    report(
      'issuer/audience',
      '"audienceFromRoles" needs a "rolePrefix" that tells whose roles they are',
      'For XSUAA it is the xsappname with a dot: `rolePrefix: flows!t42.`.',
      ['audienceFromRoles'],
    )
  for (const [index, role] of roles.entries())
    if (!isRole(role)) report('issuer/role', `"${role}" is no role`, ROLE_HINT, ['roles', index])
  for (const [claim, wanted] of Object.entries(requiredClaims)) {
    const values: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted]
    const plain = values.every((value) => ['string', 'number', 'boolean'].includes(typeof value))
    if (values.length > 0 && plain) continue
    report(
      'issuer/claim',
      `what the claim "${claim}" has to say is no text, number, true or false, nor a list of them`,
      'Write the value: `tid: 5f0c1c2e-...`.',
      ['requiredClaims', claim],
    )
  }
  const own = url('issuer', issuer)
  const jwksUri = options.jwksUri === undefined ? undefined : url('jwksUri', options.jwksUri)
  const discovery =
    options.discovery === undefined
      ? own && new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
      : url('discovery', options.discovery)
  return discovery && { jwksUri, discovery }
}
