import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { ProblemCode } from '../core/problem-codes.ts'
import type { Problem } from '../core/problem.ts'

/** Files that are open at the same time. */
const READ_AT_ONCE = 64

export interface FlowFile {
  /** Relative to the project folder: as shown to people. */
  readonly file: string
  /** Relative to the folder of the flows. */
  readonly path: string
  readonly text: string
}

/**
 * All YAML files of a folder and its subfolders, in order, without tests and hidden ones. Symbolic links are
 * followed where they stay inside of the folder.
 */
export async function findFiles(
  folder: string,
  projectFolder: string,
): Promise<{ files: FlowFile[]; problems: Problem[] }> {
  const problems: Problem[] = []
  const files: FlowFile[] = []
  const shown = (path: string) => relative(projectFolder, path).split(sep).join('/') || '.'
  const report = (
    path: string,
    code: ProblemCode,
    message: string,
    severity: Problem['severity'] = 'error',
  ) => problems.push({ code, severity, message, file: shown(path), line: 1, column: 1 })
  const root = await realpath(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') report(folder, 'flow/no-folder', 'there is no such folder', 'warning')
    else report(folder, 'flow/unreadable', `the folder cannot be read (${error.code})`)
  })
  if (root === undefined) return { files, problems }

  const found: { path: string; real: string }[] = []
  const walk = async (at: string, realAt: string, open: ReadonlySet<string>): Promise<void> => {
    const entries = await readdir(realAt, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      report(at, 'flow/unreadable', `the folder cannot be read (${error.code})`)
      return []
    })
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const { name } = entry
      if (name.startsWith('.')) continue
      const path = join(at, name)
      const isFlow = /\.ya?ml$/.test(name) && !/\.test\.ya?ml$/.test(name)
      const real = entry.isSymbolicLink() ? await realpath(path).catch(() => undefined) : join(realAt, name)
      if (real === undefined) {
        if (isFlow) report(path, 'flow/unreadable', 'the link leads nowhere')
        continue
      }
      if (real !== root && !real.startsWith(root + sep)) {
        report(
          path,
          'flow/outside',
          'the link leads out of the folder of the flows; it is not followed',
          'warning',
        )
        continue
      }
      const kind = entry.isSymbolicLink() ? await stat(real) : entry
      if (kind.isDirectory()) {
        if (!open.has(real)) await walk(path, real, new Set([...open, real]))
      } else if (isFlow && kind.isFile()) found.push({ path, real })
    }
  }
  await walk(folder, root, new Set([root]))
  for (let at = 0; at < found.length; at += READ_AT_ONCE) {
    const read = found.slice(at, at + READ_AT_ONCE).map(async ({ path, real }) => {
      const text = await readText(real, (message) => report(path, 'flow/unreadable', message))
      return { file: shown(path), path: relative(folder, path).split(sep).join('/'), text }
    })
    for (const { text, ...file } of await Promise.all(read))
      if (text !== undefined) files.push({ ...file, text })
  }
  return { files, problems }
}

async function readText(path: string, report: (message: string) => void): Promise<string | undefined> {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(path))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    report(
      code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
        ? 'the file is no UTF-8 text'
        : `the file cannot be read (${code})`,
    )
    return undefined
  }
}
