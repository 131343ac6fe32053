import { createHmac, randomBytes } from 'node:crypto'
import { readDocument, type Document, type Path } from '../../core/document.ts'
import type { ProblemReport } from '../../core/kinds.ts'
import { hasErrors, type Problem } from '../../core/problem.ts'
import type { Secret } from '../../core/secret.ts'
import { checkShape } from '../../core/shape.ts'
import type { CredentialFile } from '../../security/credential-file.ts'
import { describeReference } from '../../security/unset-warnings.ts'
import { hideInsertions } from '../../security/insertions.ts'
import { resolveReferences, type ReferenceSources } from '../../security/references.ts'
import { secretFields } from '../../security/secret-fields.ts'
import { guardSecret, literalSecrets } from '../../security/secret-texts.ts'
import { fileProblem, nameOf } from '../../security/material-name.ts'
import type { ReadNamed } from '../named-files.ts'
import { partsOf, type Signing } from './signature.ts'
import { MAX_SECRETS, signingKeySchema, type SigningKeyOptions } from './signing-key-options.ts'

/** How a sender signs, as its file says. */
export interface SigningKey {
  readonly name: string
  readonly file: string
  /** None where a reference has no value: then no request is taken. */
  readonly secrets: readonly Secret[]
  readonly signing: Signing
  /** The same for the same content, references included; no secret can be told from it. */
  readonly fingerprint: string
}

export interface SigningKeySetting {
  /** Secrets in clear are warnings only. */
  readonly dev: boolean
  /** Keeps a secret out of what people see. */
  hide(secret: string): void
}

const HEADER = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const SCHEMES = {
  github: { header: 'x-hub-signature-256', prefix: 'sha256=', timestamp: undefined, signs: '{body}' },
  stripe: { header: 'stripe-signature', prefix: 'v1=', timestamp: 'stripe', signs: '{timestamp}.{body}' },
  slack: {
    header: 'x-slack-signature',
    prefix: 'v0=',
    timestamp: { header: 'x-slack-request-timestamp' },
    signs: 'v0:{timestamp}:{body}',
  },
} as const

const fingerprintKey = randomBytes(32)

/** Reads one file. Never throws for what is written in it. */
export function readSigningKey(
  { file, text }: CredentialFile,
  sources: ReferenceSources,
  { dev, hide }: SigningKeySetting,
): ReadNamed<SigningKey> {
  const read = readDocument(file, text)
  const problems: Problem[] = [...fileProblem(file, 'a signing key'), ...read.problems]
  const place = { file, line: 1, column: 1 }
  if (!read.document) return { problems, place }
  const { document, insertions, ...resolved } = resolveReferences(read.document, sources)
  for (const { value } of insertions) hide(value)
  const found: Problem[] = []
  const shape = checkShape(signingKeySchema, document, { subject: 'a signing key' })
  found.push(...shape.problems)
  const report = ({ at = [], severity = 'error', code, message, hint }: ProblemReport) =>
    found.push({ code, severity, message, ...(hint !== undefined && { hint }), ...document.place(at) })
  if (!hasErrors(found)) {
    for (const path of secretFields(signingKeySchema, shape.value))
      guardSecret(shape.value, path, document, report)
    check(shape.value as SigningKeyOptions, report)
  }
  problems.push(
    ...resolved.problems,
    ...resolved.unset.map(({ reference, why, place: at }) => ({
      code: 'credential/unset' as const,
      severity: 'warning' as const,
      message: `${describeReference(reference)} ${why}; the signing key "${nameOf(file)}" needs it`,
      hint: 'Until it is there, no request to its endpoints is taken.',
      ...at,
    })),
    ...literalSecrets(read.document, secretFields(signingKeySchema, read.document.value), dev),
    ...found.map((one) => hideInsertions(one, insertions)),
  )
  const { files } = resolved
  if (hasErrors(problems)) return { problems, place, files }
  const options = shape.value as SigningKeyOptions
  const secrets = resolved.unset.length > 0 ? [] : options.secret
  for (const secret of secrets) hide(secret.reveal())
  return {
    problems,
    place,
    files,
    value: {
      name: nameOf(file),
      file,
      secrets,
      signing: signingOf(options),
      fingerprint: fingerprintOf(document),
    },
  }
}

function check(options: SigningKeyOptions, report: (problem: ProblemReport) => void): void {
  const { scheme, header, timestamp, signs, secret } = options
  const own = ['header', 'algorithm', 'encoding', 'prefix', 'timestamp', 'signs'] as const
  const problem = (message: string, hint: string, at: Path) =>
    report({ code: 'signature/scheme', message, hint, at })
  if (secret.length > MAX_SECRETS)
    problem(
      `there are ${secret.length} secrets; ${MAX_SECRETS} are possible at once`,
      'Take those away that nobody uses any more.',
      ['secret'],
    )
  for (const key of own)
    if (scheme !== undefined && options[key] !== undefined)
      problem(`"${key}" is fixed by \`scheme: ${scheme}\``, 'Take one of the two away.', [key])
  if (scheme === undefined && header === undefined)
    problem(
      'neither "scheme" nor "header" says where the signature stands',
      'Write `scheme: github`, stripe or slack, or the name of the header.',
      [],
    )
  for (const [key, name] of [
    ['header', header],
    ['timestamp', timestamp],
  ] as const)
    if (name !== undefined && !HEADER.test(name))
      problem(`"${name}" is no name of a header`, 'A header is named like X-Signature.', [key])
  if (signs === undefined) return
  if (!signs.includes('{body}'))
    problem(
      'the body is not signed: "signs" has no {body}',
      'What is not signed may be changed on the way.',
      ['signs'],
    )
  if (signs.includes('{timestamp}') !== (timestamp !== undefined))
    problem(
      'a time that is not signed says nothing: {timestamp} in "signs" and "timestamp" go together',
      'Name the header in `timestamp`, and where it stands in `signs`.',
      ['signs'],
    )
}

function signingOf(options: SigningKeyOptions): Signing {
  const { scheme, algorithm = 'sha256', encoding = 'hex', prefix = '', tolerance = 300_000 } = options
  if (scheme !== undefined) {
    const known = SCHEMES[scheme]
    return { algorithm: 'sha256', encoding: 'hex', tolerance, ...known, signs: partsOf(known.signs) }
  }
  const { header, timestamp, signs = timestamp === undefined ? '{body}' : '{timestamp}.{body}' } = options
  return {
    header: header!.toLowerCase(),
    algorithm,
    encoding,
    prefix,
    tolerance,
    timestamp: timestamp === undefined ? undefined : { header: timestamp.toLowerCase() },
    signs: partsOf(signs),
  }
}

function fingerprintOf({ value }: Document): string {
  return createHmac('sha256', fingerprintKey).update(JSON.stringify(value)).digest('base64')
}
