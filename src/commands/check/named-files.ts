import { stat } from 'node:fs/promises'
import { relative, resolve, sep } from 'node:path'
import { SETTINGS_FILE } from '../../config.ts'
import type { Problem } from '../../core/problem.ts'
import type { ProjectFlow } from '../../project.ts'
import { UsageError, type CommandIo } from '../command.ts'

/** A file or folder that was named on the command line. */
export interface NamedFile {
  /** As it was typed. */
  readonly given: string
  /** As problems show it: relative to the project folder. */
  readonly file: string
  readonly isFolder: boolean
}

/** @throws UsageError where one is not there */
export function findNamed(
  given: readonly string[],
  { workingFolder, projectFolder }: CommandIo,
): Promise<NamedFile[]> {
  return Promise.all(
    given.map(async (text) => {
      const path = resolve(workingFolder, text)
      const found = await stat(path).catch((error: NodeJS.ErrnoException) => error)
      if (found instanceof Error)
        throw new UsageError(
          found.code === 'ENOENT' ? `there is no file "${text}"` : `cannot read "${text}" (${found.code})`,
        )
      return {
        given: text,
        file: relative(projectFolder, path).split(sep).join('/'),
        isFolder: found.isDirectory(),
      }
    }),
  )
}

export interface Concerned {
  readonly problems: readonly Problem[]
  /** How many files that are part of the project were named. */
  readonly files: number
  /** What was named and is no part of the project. */
  readonly strange: readonly string[]
}

/**
 * The problems that have to do with files: they stand in them, point to them, or are those of a flow in them (in its
 * script). What has no file, such as a variable of the environment, concerns every check.
 * @param known files that were read
 */
export function concerning(
  named: readonly NamedFile[],
  problems: readonly Problem[],
  flows: readonly ProjectFlow[],
  known: ReadonlySet<string>,
  projectFolder: string,
): Concerned {
  const covers = (file: string) =>
    named.some(
      (one) => one.file === file || (one.isFolder && (one.file === '' || file.startsWith(`${one.file}/`))),
    )
  const ofFlows = new Set(
    flows.filter(({ file }) => covers(file)).flatMap((flow) => flow.problems.map(keyOf)),
  )
  const shown = problems.filter(
    (problem) =>
      problem.line === 0 ||
      covers(problem.file) ||
      problem.related?.some(({ file }) => covers(file)) ||
      ofFlows.has(keyOf(problem)),
  )
  const scripts = flows.flatMap(({ files }) =>
    [...files.keys()].map((path) => relative(projectFolder, path).split(sep).join('/')),
  )
  const all = new Set([...known, ...scripts, ...problems.map(({ file }) => file), SETTINGS_FILE, '.env'])
  const strange = named.filter(
    ({ file, isFolder }) =>
      !all.has(file) && !(isFolder && (file === '' || [...all].some((one) => one.startsWith(`${file}/`)))),
  )
  const files = [...all].filter((file) => covers(file) && known.has(file)).length
  return { problems: shown, files, strange: strange.map(({ given }) => given) }
}

function keyOf({ file, line, column, code, message }: Problem): string {
  return `${file}:${line}:${column}:${code}:${message}`
}
