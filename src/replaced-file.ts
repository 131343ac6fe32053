import { randomBytes } from 'node:crypto'
import { chmod, lstat, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Why a file was not replaced, and what to do. */
export interface NotReplaced {
  readonly message: string
  readonly hint: string
}

/** Replaces what a file holds, all at once; its mode stays. A link or a read-only file is left as it is, and told. */
export async function replaceFile(path: string, text: string): Promise<NotReplaced | undefined> {
  const about = await lstat(path)
  if (about.isSymbolicLink())
    return {
      message: 'it is a symbolic link and was not written',
      hint: 'Name the file that it leads to.',
    }
  if ((about.mode & 0o222) === 0)
    return { message: 'it is read-only and was not written', hint: 'Make it writable: chmod u+w.' }
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    await writeFile(temporary, text, { flag: 'wx' })
    await chmod(temporary, about.mode & 0o7777)
    await rename(temporary, path)
    return undefined
  } catch (error) {
    await rm(temporary, { force: true })
    return {
      message: `it cannot be written (${(error as NodeJS.ErrnoException).code})`,
      hint: 'Look at the rights of the file and of its folder, and at the room on the disk.',
    }
  }
}
