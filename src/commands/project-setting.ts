import { isAbsolute, relative } from 'node:path'
import { loadSettings, SETTINGS_FILE, WRONG_FLAG, type LoadedSettings, type Settings } from '../config.ts'
import { hasErrors } from '../core/problem.ts'
import { printProblems } from '../flow/print.ts'
import { Stop, UsageError, type CommandIo } from './command.ts'
import { shellWord } from './plain-text.ts'
import type { AppSetting } from '../assembly.ts'

/** Flags that name a setting, as the settings call them. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen: 'listen',
  management: 'management',
  flows: 'flows',
  securityMaterial: 'securityMaterial',
  data: 'data',
  dev: 'dev',
  strict: 'strict',
  watch: 'watch',
  logLevel: 'log.level',
  logFormat: 'log.format',
}

export const listenOption = {
  flags: '--listen <address>',
  description: 'host:port of the endpoints (default: 127.0.0.1:8080)',
} as const

export const managementOption = {
  flags: '--management [address]',
  description: 'serve the management API, metrics and health, on 127.0.0.1:9090 or this host:port',
} as const

export const dataOption = {
  flags: '--data <folder>',
  description: 'folder of the message log and the state (default: ./data)',
} as const

export const settingOptions = [
  { flags: '--flows <folder>', description: 'folder of the flows (default: ./flows)' },
  {
    flags: '--security-material <folder>',
    description: 'folder of the credentials (default: ./security-material)',
  },
  dataOption,
  { flags: '--dev', description: 'literal secrets are warnings instead of problems' },
] as const

export const parameterOption = {
  flags: '--param <name=value>',
  description: 'value of a parameter; may be given several times',
  repeatable: true,
} as const

/**
 * The settings of the project with what is wrong with them; the defaults stand in.
 * @throws UsageError where a flag is wrong
 */
export async function readSettings(io: CommandIo, options: Record<string, unknown>): Promise<LoadedSettings> {
  const flags: Record<string, string> = {}
  for (const [option, setting] of Object.entries(SETTINGS)) {
    const value = options[option]
    if (value !== undefined) flags[setting] = String(value)
  }
  const loaded = await loadSettings(io.projectFolder, io.environment, flags)
  const wrong = loaded.problems.filter(({ code }) => code === WRONG_FLAG)
  if (wrong.length > 0)
    throw new UsageError(wrong.map(({ file, message }) => `${file}: ${message}`).join('\n'))
  return loaded
}

/**
 * The settings of the project; or an end with exit code 1 where they have mistakes, which are printed.
 * @param serves the engine is about to take calls: what is only about these is printed, too
 */
export async function settingsFor(
  io: CommandIo,
  options: Record<string, unknown>,
  serves = false,
): Promise<Settings> {
  const { settings, problems: all, text } = await readSettings(io, options)
  const problems = serves ? all : all.filter(({ code }) => code !== 'setting/issuer')
  if (problems.length > 0)
    io.stderr(
      printProblems(problems, (file) => (file === SETTINGS_FILE ? text : undefined), {
        color: io.colorErrors,
        columns: io.columns,
      }),
    )
  if (hasErrors(problems)) throw new Stop(1)
  return settings
}

/** @param serves the engine is about to take calls */
export async function appSettingFor(
  io: CommandIo,
  options: Record<string, unknown>,
  serves = false,
): Promise<AppSetting> {
  return appSettingOf(await settingsFor(io, options, serves), io, options)
}

export function appSettingOf(
  settings: Settings,
  io: CommandIo,
  options: Record<string, unknown>,
): AppSetting {
  return {
    settings,
    environment: io.environment,
    parameters: namedValues(options['param'], '=', '--param', 'name=value'),
    color: io.colorErrors,
    terminal: io.terminal,
    writeLog: io.stderr,
    ...(io.faults && { faults: io.faults }),
  }
}

/** How `sluice log` is called to read this data folder: with `--data` where it would read another one by itself. */
export async function logCommandFor(data: string, io: CommandIo): Promise<string> {
  const { settings } = await loadSettings(io.workingFolder, {}, {})
  if (settings.data === data) return 'sluice log'
  const inside = relative(io.workingFolder, data)
  const folder = inside === '' || /^\.\.(?:[/\\]|$)/.test(inside) || isAbsolute(inside) ? data : inside
  return `sluice log --data ${shellWord(folder)}`
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
    if (at < 1) throw new UsageError(`${option} wants ${form}; got "${text}"`)
    values[text.slice(0, at).trim()] = text.slice(at + 1).trim()
  }
  return values
}
