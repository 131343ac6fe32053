import { readFile, stat } from 'node:fs/promises'
import type { Problem } from '../core/problem.ts'
import { Secret } from '../core/secret.ts'
import { recipientOf } from './secret-cipher.ts'

/** Holds the keys themselves; several with white space between them. */
export const KEY_VARIABLE = 'SLUICE_SECRET_KEY'

/** In the data folder, where no other place is named. */
export const KEY_FILE = 'age.key'

/** A key that opens secrets. */
export interface SecretKey {
  readonly identity: Secret
  /** What is public of it. */
  readonly recipient: string
  /** `SLUICE_SECRET_KEY`, or the file as shown. */
  readonly from: string
}

export interface KeySources {
  /** The real one, and what `.env` adds. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Absolute; it may not be there. */
  readonly keyFile: string
  /** The same, as shown to people. */
  readonly shownKeyFile: string
}

export interface FoundKeys {
  /** Those of the environment first. */
  readonly keys: readonly SecretKey[]
  /** They have no line: none of a key file is ever shown. */
  readonly problems: readonly Problem[]
}

/** All keys of the environment and of the key file. */
export async function findKeys({ environment, keyFile, shownKeyFile }: KeySources): Promise<FoundKeys> {
  const problems: Problem[] = []
  const report = (source: string, severity: Problem['severity'], message: string, hint: string) =>
    problems.push({ code: 'secret/key', severity, message, hint, file: source, line: 0, column: 0 })
  const variable = environment[KEY_VARIABLE]
  const given = variable
    ? await keysOf(variable, KEY_VARIABLE, (message) =>
        report(`environment variable ${KEY_VARIABLE}`, 'error', message, FORM),
      )
    : []
  const read = await readKeyFile(keyFile)
  if ('code' in read) {
    if (read.code !== 'ENOENT')
      report(
        shownKeyFile,
        'error',
        `the key cannot be read (${read.code})`,
        'Make it readable for the user of the engine.',
      )
    return { keys: given, problems }
  }
  if (read.open)
    report(
      shownKeyFile,
      'warning',
      'others on this machine can read the key of the secrets',
      `chmod 600 ${shownKeyFile} (for a mounted secret of Kubernetes: defaultMode: 0400).`,
    )
  const own = await keysOf(read.text, shownKeyFile, (message) => report(shownKeyFile, 'error', message, FORM))
  return { keys: [...given, ...own], problems }
}

const FORM = 'A key is one line, AGE-SECRET-KEY-1...; `sluice secret key` tells what is found.'

async function keysOf(text: string, from: string, complain: (message: string) => void): Promise<SecretKey[]> {
  const words = text.split(/\r?\n/).flatMap((line) => line.replace(/#.*/, '').split(/[\s,]+/))
  const identities = [...new Set(words.filter((word) => word !== ''))]
  const keys: SecretKey[] = []
  for (const [index, identity] of identities.entries()) {
    const recipient = await recipientOf(identity)
    if (recipient !== undefined) keys.push({ identity: new Secret(identity), recipient, from })
    else complain(identities.length === 1 ? 'this is no key' : `entry ${index + 1} of it is no key`)
  }
  if (identities.length === 0) complain('there is no key in it')
  return keys
}

/** As age-keygen writes a key. @param now epoch ms */
export async function printKey(identity: string, now: number): Promise<string> {
  const created = new Date(now).toISOString().replace(/\.\d+/, '')
  return `# created: ${created}\n# public key: ${await recipientOf(identity)}\n${identity}\n`
}

/** Whether others can read it is not known on Windows. */
async function readKeyFile(path: string): Promise<{ text: string; open: boolean } | { code: string }> {
  try {
    const text = await readFile(path, 'utf8')
    const { mode, uid } = await stat(path)
    // One that somebody else put there for us, as Kubernetes does, is ours by its group.
    const foreign = uid === process.getuid?.() ? 0o077 : 0o027
    return { text, open: process.platform !== 'win32' && (mode & foreign) !== 0 }
  } catch (error) {
    return { code: (error as NodeJS.ErrnoException).code ?? 'unknown error' }
  }
}
