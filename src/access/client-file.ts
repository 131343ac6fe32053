import { createHash } from 'node:crypto'
import { DEFAULT_ROLE, isRole, ROLE_HINT } from '../core/access.ts'
import { readDocument, type Document, type Path, type Target } from '../core/document.ts'
import type { ProblemCode } from '../core/problem-codes.ts'
import { hasErrors, type Place, type Problem } from '../core/problem.ts'
import { checkShape } from '../core/shape.ts'
import { isCredentialName, type CredentialFile } from '../security/credential-file.ts'
import { clientSchema, MAX_SECRETS, type ClientOptions } from './client-options.ts'
import { readSecretHash, type SecretHash } from './secret-hash.ts'

/** A system that may call, as its file says. */
export interface Client {
  readonly name: string
  readonly file: string
  readonly clientId: string
  /** What flows and logs see. */
  readonly callerId: string
  readonly description: string | undefined
  readonly hashes: readonly SecretHash[]
  readonly roles: readonly string[]
  /** ms, or until it asks for the next one. */
  readonly tokenLifetime: number | 'untilNext'
  readonly enabled: boolean
  /** Another one where it was made anew under the same id: tokens of the one before are not its own. */
  readonly generation: string
}

export interface ReadClient {
  readonly client?: Client
  readonly problems: readonly Problem[]
  /** Where its id is written, for others that have the same. */
  readonly idPlace: Place
}

const HOUR = 3_600_000
/** What goes into Basic, forms and headers without being changed on the way. */
const CLIENT_ID = /^[A-Za-z0-9][A-Za-z0-9_.@!|-]{0,149}$/

/** Whether a file of the security material is that of a client. */
export function isClientFile({ text }: CredentialFile): boolean {
  return /^type:[ \t]*(["']?)client\1[ \t]*(?:#.*)?\r?$/m.test(text)
}

/** Reads one file. Never throws for what is written in it. */
export function readClient({ file, text }: CredentialFile): ReadClient {
  const name = file.replace(/^.*[/\\]/, '').replace(/\.ya?ml$/i, '')
  const read = readDocument(file, text)
  const problems = [...read.problems]
  const start: Place = { file, line: 1, column: 1 }
  if (!isCredentialName(name))
    problems.push({
      code: 'credential/name',
      severity: 'error',
      message: `"${name}" cannot be the name of a client`,
      hint: 'A file is named as its client: a letter, then at most 149 letters, digits, "_", "." and "-".',
      ...start,
    })
  const { document } = read
  if (!document) return { problems, idPlace: start }
  const { value, problems: found } = checkShape(clientSchema, document, { subject: 'a client' })
  problems.push(...found)
  if (hasErrors(problems)) return { problems, idPlace: start }
  const options = value as ClientOptions
  const clientId = options.clientId ?? name
  const hashes = check(options, clientId, document, problems)
  const idPlace = document.place(options.clientId === undefined ? [] : ['clientId'])
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
      roles: options.roles ?? [DEFAULT_ROLE],
      tokenLifetime: options.tokenLifetime ?? HOUR,
      enabled: options.enabled ?? true,
      generation: createHash('sha256').update(hashes[0]!.salt).digest('base64url').slice(0, 12),
    },
  }
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
  const written = options.secretHash
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
      `A secret never stands here itself: sluice client rotate ${document.file.replace(/^.*\/|\.ya?ml$/g, '')} makes one, and its hash.`,
      isList ? ['secretHash', index] : ['secretHash'],
    )
    return []
  })
}
