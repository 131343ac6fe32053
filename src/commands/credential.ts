import type { CredentialReport } from '../core/control.ts'
import { didYouMean } from '../core/problem.ts'
import { connectControl } from '../server/control-client.ts'
import { Stop, type CommandDefinition, type CommandIo } from './command.ts'
import { paint, table, type Paint } from './paint.ts'
import { oneLine, shorten } from './plain-text.ts'
import { appSettingFor, settingOptions } from './project-setting.ts'

const options = [{ flags: '--json', description: 'as JSON' }, ...settingOptions]

export const credentialListCommand: CommandDefinition = {
  name: 'credential list',
  summary: 'Lists the credentials: type, state, where they may go, who uses them.',
  options,
  examples: ['sluice credential list'],
  async run(io, _args, given) {
    const reports = await credentialReports(io, given)
    io.stdout(given['json'] ? `${JSON.stringify(reports, undefined, 2)}\n` : printCredentialList(reports, io))
    return 0
  },
}

export const credentialShowCommand: CommandDefinition = {
  name: 'credential show',
  summary:
    'Shows a credential: its settings, the state of its token, its last error and what to do; never a secret.',
  arguments: [{ name: 'credential', description: 'name of the credential' }],
  options,
  examples: ['sluice credential show lms_admin_OAuth2'],
  async run(io, [name], given) {
    const reports = await credentialReports(io, given)
    const report = reports.find((entry) => entry.name === name)
    if (!report) {
      const names = reports.map((entry) => entry.name)
      throw new Stop(1, `there is no credential "${name}"${didYouMean(name!, names)}`)
    }
    io.stdout(given['json'] ? `${JSON.stringify(report, undefined, 2)}\n` : printCredential(report, io))
    return 0
  },
}

/** Of the running engine of this data folder, else of the files. */
async function credentialReports(
  io: CommandIo,
  given: Record<string, unknown>,
): Promise<readonly CredentialReport[]> {
  const setting = await appSettingFor(io, given)
  const engine = await connectControl(setting.settings.data)
  return engine
    ? await engine.credentials()
    : (await (await import('../app.ts')).checkedState(setting)).credentials
}

type Terminal = Pick<CommandIo, 'color' | 'columns'>

/** One line a credential. */
export function printCredentialList(
  reports: readonly CredentialReport[],
  { color, columns }: Terminal,
): string {
  if (reports.length === 0) return 'there are no credentials\n'
  const colors = paint(color)
  const rows = reports.map((report) => [
    oneLine(report.name),
    report.type,
    colored(report.state.status, colors),
    oneLine(report.hosts.join(', ')) || '-',
    oneLine(report.flows.join(', ')) || '-',
  ])
  const used = rows.reduce((most, row) => Math.max(most, row[0]!.length + row[1]!.length + row[3]!.length), 0)
  const left = Math.max(20, columns - used - 24)
  return table([
    ['CREDENTIAL', 'TYPE', 'STATE', 'HOSTS', 'FLOWS'].map(colors.dim),
    ...rows.map((row) => [...row.slice(0, 4), shorten(row[4]!, left)]),
  ])
}

/** All that people may know of a credential. */
export function printCredential(report: CredentialReport, { color }: Pick<Terminal, 'color'>): string {
  const colors = paint(color)
  const facts: [name: string, value: string][] = [
    ['file', report.file],
    ['type', report.type],
    ['state', colored(report.state.status, colors)],
    ...report.unset.map((reference): [string, string] => ['not set', colors.red(oneLine(reference))]),
    ...Object.entries(report.state.details).map(([name, value]): [string, string] => [
      name,
      name === 'last error' ? colors.red(oneLine(String(value))) : oneLine(String(value)),
    ]),
  ]
  const settings: [name: string, value: string][] = [
    ...(report.baseUrl === undefined ? [] : [['baseUrl', report.baseUrl] as [string, string]]),
    ['hosts', report.hosts.join(', ') || 'none'],
    ...Object.entries(report.settings),
    ['used by', report.flows.join(', ') || 'no flow'],
  ]
  const title = report.description === undefined ? '' : `  ${oneLine(report.description)}`
  return `${colors.bold(report.name)}${title}\n${table(
    [...facts, ...settings.map(([name, value]) => [name, oneLine(value)])].map(([name, value]) => [
      `  ${colors.dim(name!)}`,
      value!,
    ]),
  )}`
}

const BAD = new Set(['refused', 'unreachable', 'broken', 'incomplete'])

function colored(status: string, colors: Paint): string {
  if (BAD.has(status)) return colors.red(status)
  return status === 'ready' ? colors.green(status) : colors.yellow(status)
}
