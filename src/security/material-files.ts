import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { normalize, relative, sep } from 'node:path'
import type { Problem } from '../core/problem.ts'
import type { CredentialFile } from './credential-file.ts'

/** Code of the problem that something is there and cannot be read. */
export const UNREADABLE = 'credential/unreadable'

/** Files that are open at the same time. */
const READ_AT_ONCE = 64

/** What is in the folder of the security material, by absolute path. */
export interface MaterialFolder {
  /** `*.yaml` and `*.yml`, in order. */
  readonly files: readonly string[]
  /** The folder itself and those in it. */
  readonly folders: readonly string[]
  /** Symbolic links; what they lead to may be replaced. */
  readonly links: readonly string[]
  /** Folders that are there and cannot be read, with the code of the error. */
  readonly unreadable: readonly { readonly path: string; readonly code: string }[]
}

/** Looks through the folder and its subfolders; hidden ones are left out, links are followed. It may not be there. */
export async function findMaterial(folder: string): Promise<MaterialFolder> {
  const files: string[] = []
  const folders: string[] = []
  const links: string[] = []
  const unreadable: { path: string; code: string }[] = []

  const walk = async (at: string, open: readonly string[]): Promise<void> => {
    const real = await realpath(at).catch(() => at)
    if (open.includes(real)) return
    const entries = await readdir(at, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') unreadable.push({ path: at, code: error.code ?? 'unknown error' })
      return undefined
    })
    if (!entries) return
    folders.push(at)
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith('.')) continue
      const path = at.endsWith(sep) ? at + entry.name : at + sep + entry.name
      if (entry.isSymbolicLink()) links.push(path)
      const kind = entry.isSymbolicLink() ? await stat(path).catch(() => entry) : entry
      if (kind.isDirectory()) await walk(path, [...open, real])
      else if (/\.ya?ml$/.test(entry.name) && (kind.isFile() || kind.isSymbolicLink())) files.push(path)
    }
  }
  await walk(normalize(folder), [])
  return { files: files.toSorted(), folders, links, unreadable }
}

export interface ReadMaterial {
  readonly files: readonly CredentialFile[]
  /** Of folders that cannot be read: what is in them is not known. */
  readonly problems: readonly Problem[]
}

/**
 * Reads the security material; files are shown relative to the project folder. All paths are absolute.
 * @param secrets a file that is no credential, wherever it is
 */
export async function readMaterial(
  folder: string,
  projectFolder: string,
  secrets?: string,
): Promise<ReadMaterial> {
  const inside = projectFolder + sep
  const shown = (path: string) => {
    const from = path.startsWith(inside) ? path.slice(inside.length) : relative(projectFolder, path)
    return (sep === '/' ? from : from.split(sep).join('/')) || '.'
  }
  const found = await findMaterial(folder)
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const readOne = async (path: string): Promise<CredentialFile[]> => {
    try {
      return [{ file: shown(path), text: utf8.decode(await readFile(path)) }]
    } catch (error) {
      const { code = 'unknown error' } = error as NodeJS.ErrnoException
      const isGone = code === 'ENOENT' && !found.links.includes(path)
      return isGone ? [] : [{ file: shown(path), text: '', unreadable: unreadable(shown(path), code) }]
    }
  }
  const paths = found.files.filter((path) => path !== secrets)
  const files: CredentialFile[] = []
  for (let at = 0; at < paths.length; at += READ_AT_ONCE)
    files.push(...(await Promise.all(paths.slice(at, at + READ_AT_ONCE).map(readOne))).flat())
  return {
    files,
    problems: found.unreadable.map(({ path, code }) => unreadable(shown(path), code)),
  }
}

function unreadable(file: string, code: string): Problem {
  return { code: UNREADABLE, severity: 'error', ...whyUnreadable(code), file, line: 1, column: 1 }
}

function whyUnreadable(code: string): { message: string; hint: string } {
  if (code === 'ENOENT')
    return { message: 'the link leads nowhere', hint: 'Remove it, or make it lead to a file.' }
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
    return { message: 'the file is no UTF-8 text', hint: 'Save it as UTF-8.' }
  return { message: `it cannot be read (${code})`, hint: 'Make it readable for the user of the engine.' }
}
