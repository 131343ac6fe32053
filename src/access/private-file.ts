import { readFile } from 'node:fs/promises'
import { writeWhole } from '../security/whole-file.ts'

/** The JSON of a file that only its owner may read; undefined where there is none. @throws Error where it is damaged or cannot be read */
export async function readPrivate(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw trouble(path, `cannot be read (${error.code})`)
  })
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw trouble(path, 'is damaged: it holds no JSON')
  }
}

/** Replaces the file, all at once and on disk when it resolves; mode 0600. */
export async function writePrivate(path: string, value: unknown): Promise<void> {
  await writeWhole(path, `${JSON.stringify(value)}\n`, 0o600, false).catch((error: NodeJS.ErrnoException) => {
    throw trouble(path, `cannot be written (${error.code})`)
  })
}

export function trouble(path: string, what: string): Error {
  return Object.assign(new Error(`"${path}" ${what}`), { code: 'SLUICE_ACCESS' })
}
