import { DEFAULT_ROLE, isRole, ROLE_HINT } from '../core/access.ts'
import { readDocument, type Document, type Path, type Target } from '../core/document.ts'
import type { ProblemCode } from '../core/problem-codes.ts'
import { hasErrors, type Place, type Problem } from '../core/problem.ts'
import { checkShape } from '../core/shape.ts'
import type { CredentialFile } from '../security/credential-file.ts'
import { fileProblem, nameOf } from '../security/material-name.ts'
import { isApiKeyHash } from './api-key.ts'
import { generationsOf } from './client-generation.ts'
import { MAX_KEYS, readClientKey, type ClientKey } from './client-keys.ts'
import { readCertificateRules } from './certificates/certificate-options.ts'
import type { CertificateRule } from './certificates/known-certificates.ts'
import { clientSchema, MAX_SECRETS, type ClientOptions } from './client-options.ts'
import { readPlainClient } from './plain-client.ts'
import { readSecretHash, type SecretHash } from './secret-hash.ts'

/** A system that may call, as its file says. */
export interface Client {
  readonly name: string
  readonly file: string
  readonly clientId: string
  /** What flows and logs see. */
  readonly callerId: string
  readonly description: string | undefined
  /** None: it has an API key only. */
  readonly hashes: readonly SecretHash[]
  /** Hashes, as they are written. */
  readonly apiKeys: readonly string[]
  /** What it signs assertions with. */
  readonly keys: readonly ClientKey[]
  readonly certificates: readonly CertificateRule[]
  readonly roles: readonly string[]
  /** ms, or until it asks for the next one. */
  readonly tokenLifetime: number | 'untilNext'
  readonly enabled: boolean
  /** Another one where it was made anew under the same id: tokens of the one before are not its own. */
  readonly generation: string
  /** Those of which its tokens may be. */
  readonly generations: readonly string[]
}

export interface ReadClient {
  readonly client?: Client
  readonly problems: readonly Problem[]
  /** Where its id is written, for others that have the same. */
  readonly idPlace: () => Place
}

const HOUR = 3_600_000
/** What goes into Basic, forms and headers without being changed on the way. */
const CLIENT_ID = /^[A-Za-z0-9][A-Za-z0-9_.@!|-]{0,149}$/

/** Reads one file. Never throws for what is written in it. */
export function readClient({ file, text }: CredentialFile): ReadClient {
  const name = nameOf(file)
  const problems = fileProblem(file, 'a client', 'its client')
  const { document, options } = readPlainClient({ file, text }) ?? readYaml({ file, text }, problems)
  if (!document || hasErrors(problems)) return { problems, idPlace: () => ({ file, line: 1, column: 1 }) }
  const clientId = options.clientId ?? name
  const hashes = check(options, clientId, document, problems)
  const keys = checkKeys(options, document, problems)
  const generations = generationsOf(hashes, keys)
  const certificates = readCertificateRules(options.certificates, (code, message, hint, path) =>
    problems.push({ code, severity: 'error', message, hint, ...document.place(path) }),
  )
  const idPlace = () => document.place(options.clientId === undefined ? [] : ['clientId'])
  if (hasErrors(problems)) return { problems, idPlace }
  return {
    problems,
    idPlace,
    client: {
      name,
      file,
      clientId,
      callerId: `oauth_client_${clientId}`,
      description: options.description,
      hashes,
      apiKeys: options.apiKeyHash ?? [],
      keys,
      certificates,
      roles: options.roles ?? [DEFAULT_ROLE],
      tokenLifetime: options.tokenLifetime ?? HOUR,
      enabled: options.enabled ?? true,
      generation: generations.at(-1)!,
      generations,
    },
  }
}

function readYaml(
  { file, text }: CredentialFile,
  problems: Problem[],
): { document: Document; options: ClientOptions } | { document?: undefined; options?: undefined } {
  const { document, problems: mistakes } = readDocument(file, text)
  problems.push(...mistakes)
  if (!document) return {}
  const { value, problems: found } = checkShape(clientSchema, document, { subject: 'a client' })
  problems.push(...found)
  return { document, options: value as ClientOptions }
}

function check(
  options: ClientOptions,
  clientId: string,
  document: Document,
  problems: Problem[],
): SecretHash[] {
  const report = (code: ProblemCode, message: string, hint: string, path: Path, target?: Target) =>
    problems.push({ code, severity: 'error', message, hint, ...document.place(path, target) })
  if (!CLIENT_ID.test(clientId))
    report(
      'client/id',
      `"${clientId}" cannot be the id of a client`,
      'An id is made of letters, digits and "_ . @ ! | -", a letter or digit first, at most 150 of them.',
      ['clientId'],
    )
  for (const [index, role] of (options.roles ?? []).entries())
    if (!isRole(role)) report('client/role', `"${role}" is no role`, ROLE_HINT, ['roles', index])
  const written = options.secretHash ?? []
  checkWays(options, document, report)
  checkApiKeys(options, document, report)
  const isList = Array.isArray((document.value as { secretHash: unknown }).secretHash)
  if (written.length > MAX_SECRETS)
    report(
      'client/secret',
      `the client has ${written.length} secrets; ${MAX_SECRETS} are possible at once`,
      'Take the hashes away that nobody uses any more.',
      ['secretHash'],
    )
  return written.flatMap((text, index) => {
    const hash = readSecretHash(text)
    if (hash) return [hash]
    report(
      'client/secret',
      '"secretHash" holds no hash of a secret',
      `A secret never stands here itself: sluice client rotate ${nameOf(document.file)} makes one, and its hash.`,
      isList ? ['secretHash', index] : ['secretHash'],
    )
    return []
  })
}

type Report = (code: ProblemCode, message: string, hint: string, path: Path, target?: Target) => void

/** A client that shows nothing never gets in. */
function checkWays(
  { secretHash, apiKeyHash, jwks, certificates }: ClientOptions,
  document: Document,
  report: Report,
): void {
  const name = nameOf(document.file)
  const shows = [secretHash, apiKeyHash, jwks].some((one) => one !== undefined)
  if (!shows && (certificates ?? []).length === 0)
    report(
      'client/secret',
      'the client has neither a secret ("secretHash") nor an API key ("apiKeyHash"), a public key ("jwks") or a certificate ("certificates")',
      `sluice client rotate ${name} makes a secret, sluice client api-key ${name} an API key; sluice client public-key and certificate take what the client has.`,
      [],
    )
}

function checkApiKeys({ apiKeyHash }: ClientOptions, document: Document, report: Report): void {
  const name = nameOf(document.file)
  const isList = Array.isArray((document.value as { apiKeyHash?: unknown }).apiKeyHash)
  for (const [index, text] of (apiKeyHash ?? []).entries())
    if (!isApiKeyHash(text))
      report(
        'client/api-key',
        '"apiKeyHash" holds no hash of an API key',
        `An API key never stands here itself: sluice client api-key ${name} makes one, and its hash.`,
        isList ? ['apiKeyHash', index] : ['apiKeyHash'],
      )
  if ((apiKeyHash ?? []).length > MAX_SECRETS)
    report(
      'client/api-key',
      `the client has ${apiKeyHash!.length} API keys; ${MAX_SECRETS} are possible at once`,
      'Take the hashes away that nobody uses any more.',
      ['apiKeyHash'],
    )
}

function checkKeys({ jwks }: ClientOptions, document: Document, problems: Problem[]): ClientKey[] {
  if (!jwks) return []
  const report = (message: string, hint: string, path: Path) =>
    problems.push({ code: 'client/key', severity: 'error', message, hint, ...document.place(path) })
  const path = ['jwks', 'keys']
  const { keys } = jwks
  if (keys.length === 0) report('"jwks" holds no key', 'Give it a key, or take it away.', path)
  if (keys.length > MAX_KEYS)
    report(
      `the client has ${keys.length} public keys; ${MAX_KEYS} are possible at once`,
      'Take the keys away that nobody signs with any more.',
      path,
    )
  return keys.flatMap((key, index) => {
    const read = readClientKey(key)
    if (!('why' in read)) return [read]
    report(`the key ${read.why}`, read.hint, [...path, index])
    return []
  })
}
