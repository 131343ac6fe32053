import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'

/** What a setting refers to. */
export interface SecretText {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Relative files are from here. */
  readonly projectFolder: string
}

const REFERENCE = /^\$\{\s*(env|file)\s*:\s*([^}]*?)\s*\}$/

/** The text that a setting refers to as it is now, or the text itself; `why`: it has none. */
export async function readText(
  text: string,
  { environment, projectFolder }: SecretText,
): Promise<{ readonly value: string } | { readonly why: string }> {
  const [, kind, name] = REFERENCE.exec(text) ?? []
  if (kind === undefined) return { value: text }
  if (kind === 'file') return readSecretFile(resolve(projectFolder, name!), name!)
  const value = Object.hasOwn(environment, name!) ? environment[name!] : undefined
  return value ? { value } : { why: `the environment variable "${name!}" is not set` }
}

/** @param shown its name for people */
export async function readSecretFile(
  file: string,
  shown: string,
): Promise<{ readonly value: string } | { readonly why: string }> {
  try {
    const value = (await readFile(file, 'utf8')).trim()
    return value === '' ? { why: `the file "${shown}" is empty` } : { value }
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException
    return {
      why:
        code === 'ENOENT'
          ? `the file "${shown}" is not there`
          : `the file "${shown}" cannot be read (${code})`,
    }
  }
}

/** Whether a setting that has to be secret is a reference. */
export function isSettingReference(text: string): boolean {
  return /^\$\{\s*(env|file)\s*:\s*[^\s}][^}]*\}$/.test(text)
}

/** The file that a reference names; undefined: it names none. */
export function fileOfReference(text: string, projectFolder: string): string | undefined {
  const [, kind, name] = REFERENCE.exec(text) ?? []
  return kind === 'file' ? resolve(projectFolder, name!) : undefined
}
