import { relative, sep } from 'node:path'
import { SETTINGS_FILE } from '../config.ts'
import { hasErrors, inOrder, type Problem } from '../core/problem.ts'
import { printProblems } from '../flow/print.ts'
import { UsageError, type CommandDefinition, type CommandIo } from './command.ts'
import type { CheckReport } from './check/report.ts'
import { appSettingOf, parameterOption, readSettings, settingOptions } from './project-setting.ts'

const FORMATS = ['text', 'json', 'sarif', 'github'] as const
type Format = (typeof FORMATS)[number]

export const checkCommand: CommandDefinition = {
  name: 'check',
  summary: 'Checks all flows and credentials, without starting anything.',
  arguments: [
    {
      name: 'file',
      optional: true,
      several: true,
      description: 'show only what concerns these files or folders; the others are read all the same',
    },
  ],
  options: [
    ...settingOptions,
    parameterOption,
    {
      flags: '--secrets',
      description: 'secrets and other references without a value are errors; Vault is asked',
    },
    {
      flags: '--format <format>',
      description: 'text (default), json, sarif (code scanning) or github (notes in a pull request)',
    },
    { flags: '--json', description: 'the same as --format json' },
    { flags: '--explain <code>', description: 'tells what a code of problems means, and checks nothing' },
  ],
  examples: [
    'sluice check',
    'sluice check --secrets',
    'sluice check flows/orders.yaml',
    'sluice check --format sarif > sluice.sarif',
    'sluice check --explain key/unknown',
  ],
  details: 'Exit code: 0 no errors (there may be warnings), 1 errors, 2 wrong usage, 3 a fault.',
  async run(io, args, options) {
    const format = formatOf(options)
    if (options['explain'] !== undefined) {
      const { codeMeant, explain } = await import('./check/explain.ts')
      io.stdout(explain(codeMeant(options['explain'] as string)))
      return 0
    }
    const { findNamed, concerning } = await import('./check/named-files.ts')
    const named = await findNamed(args, io)
    const { settings, problems: ofSettings, text } = await readSettings(io, options)
    const setting = appSettingOf(settings, io, options)
    const { checkProject } = await import('../app.ts')
    const { flows, problems: ofFiles, texts } = await checkProject(setting, options['secrets'] === true)
    const found = inOrder([...ofSettings, ...ofFiles]).map((problem) =>
      options['secrets'] && problem.code === 'credential/unset' ? asError(problem) : problem,
    )
    const known = new Set([...texts.keys(), ...(text === undefined ? [] : [SETTINGS_FILE])])
    const concerned =
      named.length === 0 ? undefined : concerning(named, found, flows, known, io.projectFolder)
    for (const file of concerned?.strange ?? [])
      io.stderr(`sluice: "${file}" is no file of this project's flows and credentials; it is not checked\n`)
    const report: CheckReport = {
      problems: concerned?.problems ?? found,
      checked: { flows: flows.length, ...(concerned && { files: concerned.files }) },
      prefix: prefixOf(io),
    }
    const textOf = (file: string) => (file === SETTINGS_FILE ? text : texts.get(file))
    io.stdout(await print(report, format, { textOf, color: io.color, flows: settings.flows }))
    return hasErrors(report.problems) ? 1 : 0
  },
}

function formatOf(options: Record<string, unknown>): Format {
  const given = options['format'] as string | undefined
  if (given === undefined) return options['json'] ? 'json' : 'text'
  const format = FORMATS.find((name) => name === given)
  if (format === undefined) throw new UsageError(`--format wants ${FORMATS.join(', ')}; got "${given}"`)
  if (options['json'] && format !== 'json')
    throw new UsageError(`--json and --format ${format} exclude each other`)
  return format
}

function asError(problem: Problem): Problem {
  return { ...problem, severity: 'error' }
}

/** Those who show problems in files look from where the command was typed, not from the project folder. */
function prefixOf({ workingFolder, projectFolder }: CommandIo): string {
  const way = relative(workingFolder, projectFolder).split(sep).join('/')
  return way === '' ? '' : `${way}/`
}

interface TextSetting {
  readonly textOf: (file: string) => string | undefined
  readonly color: boolean
  /** Folder of the flows. */
  readonly flows: string
}

async function print(report: CheckReport, format: Format, setting: TextSetting): Promise<string> {
  if (format === 'json') return (await import('./check/json.ts')).toJson(report)
  if (format === 'sarif') return (await import('./check/sarif.ts')).toSarif(report)
  if (report.problems.length === 0) return nothingFound(report, setting.flows)
  if (format === 'github') return (await import('./check/github.ts')).toGithub(report)
  return printProblems(report.problems, setting.textOf, setting)
}

function nothingFound({ checked: { flows, files } }: CheckReport, folder: string): string {
  if (files !== undefined) return `${files} ${files === 1 ? 'file' : 'files'}, no problems\n`
  if (flows === 0) return `no flows in ${folder}\n`
  return `${flows} ${flows === 1 ? 'flow' : 'flows'}, no problems\n`
}
