import { hasErrors } from '../core/problem.ts'
import { loadSettings, type Settings } from '../config.ts'
import { printProblems } from '../flow/print.ts'
import { Stop, type CommandIo } from './command.ts'
import type { AppSetting } from '../app.ts'

/** Flags that name a setting, as the settings call them. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen: 'listen',
  flows: 'flows',
  securityMaterial: 'securityMaterial',
  data: 'data',
  dev: 'dev',
  strict: 'strict',
  logLevel: 'log.level',
  logFormat: 'log.format',
}

export const settingOptions = [
  { flags: '--flows <folder>', description: 'folder of the flows (default: ./flows)' },
  {
    flags: '--security-material <folder>',
    description: 'folder of the credentials (default: ./security-material)',
  },
  { flags: '--data <folder>', description: 'folder of the message log and the state (default: ./data)' },
  { flags: '--dev', description: 'literal secrets are warnings instead of problems' },
] as const

export const parameterOption = {
  flags: '--param <name=value>',
  description: 'value of a parameter; may be given several times',
  repeatable: true,
} as const

/** The settings of the project, or an end with exit code 1 and the problems printed. */
export async function settingsFor(io: CommandIo, options: Record<string, unknown>): Promise<Settings> {
  const flags: Record<string, string> = {}
  for (const [option, setting] of Object.entries(SETTINGS)) {
    const value = options[option]
    if (value !== undefined) flags[setting] = String(value)
  }
  const { settings, problems, text } = await loadSettings(io.projectFolder, io.environment, flags)
  if (problems.length > 0)
    io.stderr(
      printProblems(problems, (file) => (file === 'sluice.yaml' ? text : undefined), {
        color: io.colorErrors,
      }),
    )
  if (hasErrors(problems)) throw new Stop(1)
  return settings
}

export async function appSettingFor(io: CommandIo, options: Record<string, unknown>): Promise<AppSetting> {
  return {
    settings: await settingsFor(io, options),
    environment: io.environment,
    parameters: namedValues(options['param'], '=', '--param', 'name=value'),
    color: io.colorErrors,
    terminal: io.terminal,
    writeLog: io.stderr,
  }
}

/** `--param a=b --param c=d` as a map. */
export function namedValues(
  given: unknown,
  separator: string,
  option: string,
  form: string,
): Record<string, string> {
  const values: Record<string, string> = {}
  for (const text of (given as string[] | undefined) ?? []) {
    const at = text.indexOf(separator)
    if (at < 1) throw new Stop(2, `${option} wants ${form}; got "${text}"`)
    values[text.slice(0, at).trim()] = text.slice(at + 1).trim()
  }
  return values
}
