import { credentialTrouble, isNotWell, type CredentialReport } from '../core/control.ts'
import { didYouMean } from '../core/problem.ts'
import { connectControl } from '../server/control-client.ts'
import { Stop, type CommandDefinition, type CommandIo } from './command.ts'
import { paint, table, type Paint } from './paint.ts'
import { localTime, oneLine, shorten } from './plain-text.ts'
import { appSettingFor, settingOptions } from './project-setting.ts'
import { waiting } from './waiting.ts'
import { wrap } from './wrap.ts'

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
      const near = didYouMean(
        name!,
        reports.map((entry) => entry.name),
      )
      throw new Stop(
        1,
        `there is no credential "${name}"${near === '' ? '; `sluice credential list` lists them' : near}`,
      )
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
  if (engine) return engine.credentials()
  const { checkedState } = await import('../app.ts')
  return (await waiting(io, 'reading the files', checkedState(setting))).credentials
}

type Terminal = Pick<CommandIo, 'color' | 'columns'>

/** One line a credential; below them what is wrong with which. */
export function printCredentialList(
  reports: readonly CredentialReport[],
  { color, columns }: Terminal,
): string {
  if (reports.length === 0) return 'there are no credentials yet: `sluice new credential` writes one\n'
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
  const lines = table([
    ['CREDENTIAL', 'TYPE', 'STATE', 'HOSTS', 'FLOWS'].map(colors.dim),
    ...rows.map((row) => [...row.slice(0, 4), shorten(row[4]!, left)]),
  ])
  const troubles = reports.flatMap((report) => {
    const why = credentialTrouble(report)
    return why === undefined ? [] : [[colors.red(oneLine(report.name)), oneLine(why)]]
  })
  if (troubles.length === 0) return lines
  const what = troubles.length === 1 ? oneLine(reports.find(credentialTrouble)!.name) : 'NAME'
  return `${lines}\n${table(troubles)}${colors.dim(`What to do: sluice credential show ${what}`)}\n`
}

/** All that people may know of a credential: how it stands, then what its file says. */
export function printCredential(report: CredentialReport, { color, columns }: Terminal): string {
  const colors = paint(color)
  const state: Fact[] = [
    ['state', report.state.status, (text) => colored(text, colors)],
    ...report.unset.map((reference): Fact => ['not set', reference, colors.red]),
    ...Object.entries(report.state.details).map(([name, value]): Fact => {
      const text = String(value)
      return [name, MOMENT.test(text) ? localTime(Date.parse(text)) : text, toneOf(name, colors)]
    }),
    ...(isNotWell(report.state.status) ? [['try it', `sluice credential test ${report.name}`] as Fact] : []),
    ['used by', report.flows.join(', ') || 'no flow'],
  ]
  const settings: Fact[] = [
    ['file', report.file],
    ['type', report.type],
    ...(report.baseUrl === undefined ? [] : [['baseUrl', report.baseUrl] as Fact]),
    ['hosts', report.hosts.join(', ') || 'none'],
    ...Object.entries(report.settings),
  ]
  const label = Math.max(...[...state, ...settings].map(([name]) => name.length))
  const width = Math.max(20, Math.min(columns, WIDEST) - label - 4)
  const rows = (facts: readonly Fact[]) =>
    facts.flatMap(([name, value, tone = String]) =>
      wrap(oneLine(value), width).map((line, index) => [
        `  ${colors.dim((index === 0 ? name : '').padEnd(label))}`,
        tone(line),
      ]),
    )
  const title = report.description === undefined ? '' : `  ${oneLine(report.description)}`
  return `${colors.bold(report.name)}${title}\n${table(rows(state))}\n${table(rows(settings))}`
}

type Fact = readonly [name: string, value: string, tone?: ((text: string) => string) | undefined]

/** Columns beyond which lines are hard to read. */
const WIDEST = 100
const MOMENT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/

function toneOf(name: string, colors: Paint): ((text: string) => string) | undefined {
  if (name === 'last error') return colors.red
  return name === 'scope not granted' || name === 'in force' ? colors.yellow : undefined
}

function colored(status: string, colors: Paint): string {
  if (isNotWell(status) && status !== 'renewal fails') return colors.red(status)
  return status === 'ready' ? colors.green(status) : colors.yellow(status)
}
