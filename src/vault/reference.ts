import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'

/** What `apps/shop#password` says. */
export interface VaultReference {
  /** Below the mount, without `data/`. */
  readonly path: string
  readonly field: string
}

export const FORM = '${vault:path/of/secret#field}'
const MOST = 512

/** A text: what is wrong with it. */
export function readReference(name: string): VaultReference | string {
  const [path = '', field, ...more] = name.split('#')
  if (field === undefined) return 'names no field'
  if (field === '' || more.length > 0) return 'wants one "#" with the name of a field behind it'
  if (name.length > MOST) return `is longer than ${MOST} characters`
  if (/[\u0000-\u001f\u007f]/.test(name)) return 'has a control character in it'
  if (path.split('/').some((part) => part === '' || part === '.' || part === '..'))
    return 'has an empty part or dots in its path'
  return { path, field }
}

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
