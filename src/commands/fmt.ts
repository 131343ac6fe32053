import type { ProblemCode } from '../core/problem-codes.ts'
import { lstat, readFile, stat } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import { SETTINGS_FILE } from '../config.ts'
import type { Problem } from '../core/problem.ts'
import { printProblems } from '../flow/print.ts'
import { findMaterial } from '../security/material-files.ts'
import { UsageError, type CommandDefinition, type CommandIo } from './command.ts'
import { readSettings, settingOptions } from './project-setting.ts'
import { replaceFile } from '../replaced-file.ts'

export const fmtCommand: CommandDefinition = {
  name: 'fmt',
  summary: 'Writes flows, credentials and sluice.yaml in their canonical form; comments and data stay.',
  arguments: [
    {
      name: 'files',
      optional: true,
      several: true,
      description: 'YAML files, or folders of them; flows, credentials and sluice.yaml when left out',
    },
  ],
  options: [
    { flags: '--check', description: 'write nothing; list the files that would change' },
    { flags: '--stdout', description: 'write nothing; print the canonical form' },
    ...settingOptions.filter(({ flags }) => /^--(flows|security-material) /.test(flags)),
  ],
  examples: ['sluice fmt', 'sluice fmt --check', 'sluice fmt flows/orders.yaml'],
  details:
    'The canonical form: 2 spaces; quotes only where they are needed; maps in braces where they fit into 100\ncolumns; one blank line at most; the keys of a flow in the order of its schema, steps last; the kind of a\nstep first. Data and comments are compared before anything is written. A file with YAML mistakes is\nshown and left as it is.\n\nExit code: 0 fine, 1 mistakes, or with --check a file would change, 2 wrong usage, 3 a fault.',
  async run(io, given, options) {
    if (options['check'] && options['stdout']) throw new UsageError('--check and --stdout exclude each other')
    const paths = given.length > 0 ? await pathsOf(given, io) : await projectFiles(io, options)
    const { canonicalFile } = await import('../fmt.ts')
    const problems: Problem[] = []
    const texts = new Map<string, string>()
    const changed: string[] = []
    for (const path of paths) {
      const file = shownFrom(io, path)
      const text = await readYaml(path, file, problems)
      if (text === undefined) continue
      texts.set(file, text)
      const made = canonicalFile(file, text)
      if ('problems' in made) problems.push(...made.problems)
      else if (options['stdout']) io.stdout(made.text)
      else if (made.text !== text) {
        const trouble = options['check'] ? undefined : await replaceFile(path, made.text)
        if (trouble === undefined) changed.push(file)
        else problems.push(problemOf(file, 'fmt/not-written', trouble.message, trouble.hint))
      }
    }
    if (problems.length > 0)
      io.stderr(printProblems(problems, (file) => texts.get(file), { color: io.colorErrors }))
    if (!options['stdout']) io.stdout(report(changed, paths.length, options['check'] === true))
    return problems.length > 0 || (options['check'] && changed.length > 0) ? 1 : 0
  },
}

function report(changed: readonly string[], count: number, checks: boolean): string {
  const files = `${count} ${count === 1 ? 'file' : 'files'}`
  const what = checks ? 'would change' : 'written anew'
  return `${changed.map((file) => `${file}\n`).join('')}${files}, ${changed.length === 0 ? 'none' : changed.length} ${what}\n`
}

async function projectFiles(io: CommandIo, options: Record<string, unknown>): Promise<string[]> {
  const { settings } = await readSettings(io, options)
  const own = join(settings.projectFolder, SETTINGS_FILE)
  const there = await stat(own).catch(() => undefined)
  const found = await Promise.all([settings.flows, settings.securityMaterial].map(findMaterial))
  return [...(there?.isFile() ? [own] : []), ...new Set(found.flatMap(({ files }) => files))]
}

/** @throws UsageError where something is not there */
async function pathsOf(given: readonly string[], io: CommandIo): Promise<string[]> {
  const paths: string[] = []
  for (const name of given) {
    const path = resolve(io.workingFolder, name)
    const kind = await stat(path).catch((error: NodeJS.ErrnoException) => error)
    if (kind instanceof Error) {
      const link = await lstat(path).catch(() => undefined)
      const what = link ? 'the link leads nowhere' : 'there is no such file'
      throw new UsageError(`"${name}": ${kind.code === 'ENOENT' ? what : `it cannot be read (${kind.code})`}`)
    }
    if (kind.isDirectory()) paths.push(...(await findMaterial(path)).files)
    else if (/\.ya?ml$/.test(path)) paths.push(path)
    else throw new UsageError(`"${name}" is no YAML file; names of those end with .yaml or .yml`)
  }
  return [...new Set(paths)]
}

function shownFrom(io: CommandIo, path: string): string {
  const inside = relative(io.projectFolder, path)
  return inside.startsWith('..') ? path : inside.split(sep).join('/')
}

async function readYaml(path: string, file: string, problems: Problem[]): Promise<string | undefined> {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(path))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const text =
      code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'it is no UTF-8 text' : `it cannot be read (${code})`
    problems.push(problemOf(file, 'fmt/unreadable', text))
    return undefined
  }
}

function problemOf(file: string, code: ProblemCode, message: string, hint?: string): Problem {
  return { code, severity: 'error', message, ...(hint !== undefined && { hint }), file, line: 1, column: 1 }
}
