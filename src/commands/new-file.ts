import { rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { hasErrors, type Problem } from '../core/problem.ts'
import { printProblems } from '../flow/print.ts'
import { makeFolder, sayUnwritable } from '../make-folder.ts'
import { Stop, type CommandIo } from './command.ts'
import { appSettingFor, settingOptions } from './project-setting.ts'
import { waiting } from './waiting.ts'

/** Folders of the project, as for `sluice check`. */
export const folderOptions = settingOptions.filter(({ flags }) => /^--(flows|security-material) /.test(flags))

/** Where a file of the project goes, as people call it: from the project folder on. */
export function shownPath(io: CommandIo, file: string): string {
  return relative(io.projectFolder, file).split(sep).join('/')
}

/** Refuses a file that is there already, under either ending. @param path absolute, without its ending */
export async function refuseExisting(io: CommandIo, path: string): Promise<void> {
  for (const file of [`${path}.yaml`, `${path}.yml`])
    if (await stat(file).catch(() => undefined))
      throw new Stop(1, `"${shownPath(io, file)}" is there already; choose another name, or remove it`)
}

/** Problems that are told in another way. */
const TOLD = ['credential/unset']

/**
 * Writes a new file of the project and checks it among the others; where it has mistakes they are printed and it is taken away again.
 * @param path absolute, without its ending
 * @param schema by which editors help in it
 * @param body what follows the line that names the schema
 * @param isExpected a problem that the one who writes tells in another way
 */
export async function writeChecked(
  io: CommandIo,
  options: Record<string, unknown>,
  path: string,
  schema: 'flow' | 'credential',
  body: string,
  isExpected: (problem: Problem) => boolean = () => false,
): Promise<string> {
  const text = (await schemaLine(io, path, schema)) + body
  const file = `${path}.yaml`
  const shown = shownPath(io, file)
  if (io.signal.aborted) throw new Stop(130, 'interrupted; nothing was written')
  const takeAway = await writeNew(file, text, shown)
  const { problems } = await waiting(io, 'reading the other files', checkAll(io, options)).catch(
    async (error: unknown) => {
      await takeAway()
      throw error
    },
  )
  const own = problems.filter(
    (problem) =>
      !TOLD.includes(problem.code) &&
      !isExpected(problem) &&
      (problem.file === shown || problem.related?.some((place) => place.file === shown)),
  )
  if (own.length > 0)
    io.stderr(
      printProblems(own, (name) => (name === shown ? text : undefined), {
        color: io.colorErrors,
        columns: io.columns,
      }),
    )
  if (!hasErrors(own)) return shown
  await takeAway()
  throw new Stop(1, `"${shown}" was not written: it would have had these mistakes`)
}

/** Gives what takes the file away again, with the folders that were made for it. */
async function writeNew(file: string, text: string, shown: string): Promise<() => Promise<void>> {
  let made: string | undefined
  const takeAway = () => rm(made ?? file, { recursive: true, force: true })
  try {
    made = await makeFolder(dirname(file))
    await writeFile(file, text, { flag: 'wx' })
    return takeAway
  } catch (error) {
    if (made !== undefined || (error as NodeJS.ErrnoException).code !== 'EEXIST')
      await takeAway().catch(() => {})
    throw new Stop(1, `"${shown}" cannot be written: ${sayUnwritable(error)}`)
  }
}

async function checkAll(io: CommandIo, options: Record<string, unknown>) {
  const setting = await appSettingFor(io, { logLevel: 'error', ...options })
  return (await import('../app.ts')).checkProject(setting)
}

/** Where a project has the schemas for editors: its own Sluice, or that it is. */
const SCHEMAS = ['node_modules/sluice/docs/reference', 'docs/reference']

/** The first line of a file, by which editors know its schema; empty where the project has none. @param path absolute */
async function schemaLine(io: CommandIo, path: string, schema: 'flow' | 'credential'): Promise<string> {
  for (const folder of SCHEMAS) {
    const file = join(io.projectFolder, folder, `${schema}.schema.json`)
    if (!(await stat(file).catch(() => undefined))) continue
    const from = relative(dirname(path), file).split(sep).join('/')
    return `# yaml-language-server: $schema=${from}\n`
  }
  return ''
}

/** What was done, and what to type next. @param about lines between the two */
export function told(
  shown: string,
  next: readonly (readonly [command: string, about: string])[],
  about = '',
): string {
  const width = Math.max(...next.map(([command]) => command.length))
  const lines = next.map(([command, about]) => `  ${command.padEnd(width)}  # ${about}\n`)
  return `wrote ${shown}\n${about && `\n${about}`}\nNext:\n${lines.join('')}`
}

/** @param folder absolute; the name may have subfolders */
export function pathOf(folder: string, name: string): string {
  return join(folder, ...name.split('/'))
}
