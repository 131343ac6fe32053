import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { readEnvironment } from '../security/environment.ts'
import { isSecretName, readSecretFile } from '../security/secret-file.ts'
import { UsageError, type CommandIo } from './command.ts'
import type { Questions } from './questions.ts'

/** Of which secret it is said where it is kept. */
interface Wanted {
  /** Of the credential. */
  readonly name: string
  /** Of the credential's fields, the one that it stands in. */
  readonly field: string
  /** Of the encrypted secrets. Absolute. */
  readonly file: string
}

/** `env:IM_READ_SECRET`: as the flag says it, as a person answers who was asked before, or the usual one. */
export async function secretReference(
  options: Record<string, unknown>,
  { name, field, file }: Wanted,
  questions: Questions | undefined,
): Promise<string> {
  const given = options['secret'] as string | undefined
  if (given !== undefined) {
    const reference = readReference(given)
    if (reference !== undefined) return reference
    throw new UsageError(
      '--secret wants env:NAME, secret:NAME or file:/path: where the secret is kept, never the secret itself',
    )
  }
  const variable = usualReference(name, field)
  if (!questions?.asked) return variable
  return askReference('Where its secret is kept', variable, `secret:${name}`, file, questions)
}

/** A variable by the names of the credential and of the field: `env:IM_READ_SECRET`. */
export function usualReference(name: string, field: string): string {
  const word = field.replace(/^.*?([A-Z]?[a-z]+)$/, '$1')
  return `env:${`${name}_${word}`.replaceAll(/[^A-Za-z0-9]+/g, '_').toUpperCase()}`
}

/**
 * Asks until the answer says where something is kept.
 * @param plain proposed where there are no encrypted secrets
 * @param encrypted proposed where there are some
 * @param file of those, absolute
 */
export async function askReference(
  question: string,
  plain: string,
  encrypted: string,
  file: string,
  questions: Questions,
): Promise<string> {
  const usual = (await textOf(file)) === undefined ? plain : encrypted
  const answer = await questions.ask(
    `${question}: env:NAME, secret:NAME (encrypted) or file:/path`,
    usual,
    (text) => (readReference(text) === undefined ? 'where it is kept, never the secret itself' : undefined),
  )
  return readReference(answer)!
}

/** What is no reference is not repeated anywhere: it may be the secret itself. */
export function readReference(text: string): string | undefined {
  const reference = /^\$\{(.*)\}$/.exec(text)?.[1] ?? text
  if (reference.startsWith('secret:'))
    return isSecretName(reference.slice('secret:'.length)) ? reference : undefined
  return /^(env:[A-Za-z_][A-Za-z0-9_]*|file:[^\s{}]+)$/.test(reference) ? reference : undefined
}

/** What is left to do about the secret: nothing where it is there. @param file of the encrypted secrets, absolute */
export async function secretStep(
  reference: string | undefined,
  file: string,
  io: CommandIo,
): Promise<(readonly [string, string])[]> {
  if (reference === undefined) return []
  const colon = reference.indexOf(':')
  const [kind, where] = [reference.slice(0, colon), reference.slice(colon + 1)]
  if (kind === 'secret') {
    const isThere = readSecretFile('', (await textOf(file)) ?? '').content?.secrets.has(where)
    return isThere ? [] : [[`npx sluice secret set ${where}`, 'asks for the secret, and encrypts it']]
  }
  if (kind === 'file') {
    const there = await stat(resolve(io.projectFolder, where)).catch(() => undefined)
    return there ? [] : [[`put the secret into ${where}`, 'readable for the engine alone']]
  }
  const environment = await readEnvironment(io.projectFolder, io.environment)
  return environment[where] ? [] : [[`add ${where}=... to .env`, 'the secret; or set it in the environment']]
}

function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined)
}
