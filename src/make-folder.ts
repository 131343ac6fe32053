import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes a folder, and those above it, where it is not there; gives the first one that it made. Node's own `recursive` never ends on
 * a file system that takes no folders, as /proc.
 * @param folder absolute
 */
export async function makeFolder(folder: string, mode = 0o777): Promise<string | undefined> {
  if (await isFolder(folder)) return undefined
  const above = dirname(folder)
  const made = above === folder ? undefined : await makeFolder(above, mode)
  try {
    await mkdir(folder, mode)
  } catch (error) {
    // Another process may have been quicker.
    if (!(await isFolder(folder))) throw error
  }
  return made ?? folder
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true
}

/** In a few words why something could not be written. */
export function sayUnwritable(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  return (code !== undefined && WORDS[code]) || String(code ?? error)
}

const WORDS: Readonly<Record<string, string>> = {
  EEXIST: 'a file of this name is there',
  ENOTDIR: 'a file stands where a folder is needed',
  EACCES: 'no right to write there',
  EPERM: 'no right to write there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  ENAMETOOLONG: 'the name is too long',
}
