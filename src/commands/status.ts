import type { EngineHealth, EngineStatus, FlowState } from '../core/control.ts'
import { sayDuration } from '../core/duration.ts'
import { connectControl } from '../server/control-client.ts'
import { MessageLogReader } from '../store/reading.ts'
import type { RunSummary } from '../store/rows.ts'
import { StoreError } from '../store/store-error.ts'
import { realClock } from '../world.ts'
import { Stop, type CommandDefinition, type CommandIo } from './command.ts'
import { paint, table, type Paint } from './paint.ts'
import { localTime, oneLine } from './plain-text.ts'
import { dataOption, logCommandFor, settingsFor } from './project-setting.ts'
import { shortId } from './run-list.ts'
import { sayCount, sayFailure, some } from './run-words.ts'
import { wrap } from './wrap.ts'

/** Failed runs that are shown, of the last day. */
const FAILURES = 5
const DAY = 24 * 60 * 60 * 1000
/** Flows with runs that are named. */
const BUSY = 5
/** Columns beyond which lines are hard to read, and below which a second column makes no sense. */
const WIDEST = 100
const LEAST = 20

export const statusCommand: CommandDefinition = {
  name: 'status',
  summary: 'Shows how the running engine is: what runs, what is not well and why, what failed last.',
  options: [dataOption, { flags: '--json', description: 'as JSON' }],
  examples: ['sluice status', 'sluice status --json'],
  details: `Not well is a flow that does not run, or not as its file says; a credential with which requests fail, or
will soon; a message log that the disk refuses. Failed runs are shown and change nothing of that.
Exit code: 0 all is well, 1 something is not, 2 wrong usage, 3 no engine runs, or a fault.`,
  async run(io, _args, options) {
    const { data } = await settingsFor(io, options)
    const engine = await connectControl(data)
    if (!engine) throw new Stop(3, `no engine runs on the data folder "${data}"; start it with: sluice start`)
    const [status, flows, health] = await Promise.all([engine.status(), engine.flows(), engine.health()])
    if (!health)
      throw new Stop(
        3,
        `the engine that runs is of version ${status.version}, which does not tell; restart it`,
      )
    const failed = lastFailures(data)
    if (options['json']) io.stdout(`${JSON.stringify(toJson(status, health, flows, failed), undefined, 2)}\n`)
    else io.stdout(printStatus({ status, health, flows, failed, log: await logCommandFor(data, io) }, io))
    return health.status === 'up' ? 0 : 1
  },
}

export interface StatusFacts {
  readonly status: EngineStatus
  readonly health: EngineHealth
  readonly flows: readonly FlowState[]
  /** Newest first. */
  readonly failed: readonly RunSummary[]
  /** How the message log of this engine is read. */
  readonly log: string
}

function lastFailures(data: string): readonly RunSummary[] {
  using reader = new MessageLogReader(data)
  try {
    return reader.runs({ statuses: ['FAILED'], since: realClock.now() - DAY, limit: FAILURES })
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    throw new Stop(3, error.hint === undefined ? error.message : `${error.message}\n${error.hint}`)
  }
}

function toJson(
  { pid, listen, management, dataFolder }: EngineStatus,
  health: EngineHealth,
  flows: readonly FlowState[],
  failed: readonly RunSummary[],
) {
  return {
    ...health,
    pid,
    listen: listen ?? null,
    management: management ?? null,
    dataFolder,
    flows: {
      ...health.flows,
      all: flows.map(({ name, state, running, waiting }) => ({ name, state, running, waiting })),
    },
    lastFailures: failed.map(({ id, flow, startedAt, failure }) => ({ id, flow, startedAt, failure })),
  }
}

/** What a person wants to know of an engine that runs. */
export function printStatus(facts: StatusFacts, io: Pick<CommandIo, 'color' | 'columns'>): string {
  const { status, health, log, failed } = facts
  const color = paint(io.color)
  const up = `for ${sayDuration(health.uptimeSeconds * 1000)}, process ${status.pid}`
  return [
    `${color.bold('Sluice')} ${status.version}: ${toned(health.status, color)}, ${up}\n\n`,
    rows(summaryOf(facts), color.dim, io),
    ...notWell(health, color, io),
    ...(failed.length === 0
      ? []
      : [
          `\n${color.bold('Failed in the last 24 h')}\n`,
          rows(
            failed.map((run) => [
              `${localTime(run.startedAt).slice(5, 19)}  ${shortId(run.id)}`,
              oneLine(`${run.flow}: ${run.failure ? sayFailure(run.failure) : ''}`),
            ]),
            String,
            io,
          ),
          color.dim(`More: ${log} --status FAILED; one of them: ${log} ${shortId(failed[0]!.id)}\n`),
        ]),
  ].join('')
}

type Row = readonly [name: string, text: string]

function summaryOf({ status, health, flows, log }: StatusFacts): Row[] {
  const { backlog, lost } = health.messageLog
  const states = ['running', 'stopped', 'broken', 'disabled'] as const
  const counts = states
    .map((state) => [state, flows.filter((flow) => flow.state === state).length] as const)
    .filter(([state, count]) => count > 0 || state === 'running')
  const { total, notWell } = health.credentials
  return [
    ['endpoints', status.listen ?? 'none'],
    ['management', status.management ?? 'off'],
    ['flows', counts.map(([state, count]) => `${sayCount(count)} ${state}`).join(', ')],
    [
      'runs',
      `${sayCount(health.runs.running)} running, ${sayCount(health.runs.waiting)} waiting${busy(flows)}`,
    ],
    [
      'credentials',
      `${sayCount(total)}${notWell.length === 0 ? '' : `, ${sayCount(notWell.length)} not well`}`,
    ],
    [
      'message log',
      `${backlog === 0 ? 'all is on disk' : `${some(backlog, 'record')} to be written`}${lost === 0 ? '' : `, ${some(lost, 'record')} lost`} (${log})`,
    ],
    ['data', status.dataFolder],
  ]
}

/** `: orders 3 + 12 waiting, sync 1` */
function busy(flows: readonly FlowState[]): string {
  const all = flows
    .filter(({ running, waiting }) => running + waiting > 0)
    .toSorted((a, b) => b.running + b.waiting - a.running - a.waiting)
  if (all.length === 0) return ''
  const named = all
    .slice(0, BUSY)
    .map(({ name, running, waiting }) => `${name} ${running}${waiting === 0 ? '' : ` + ${waiting} waiting`}`)
  return `: ${named.join(', ')}${all.length > BUSY ? `, and ${all.length - BUSY} more` : ''}`
}

function notWell(health: EngineHealth, color: Paint, io: Pick<CommandIo, 'columns'>): string[] {
  const { flows, credentials, messageLog, notReady } = health
  const told = new Set(flows.notWell.map(({ name }) => `the flow "${name}" does not run`))
  const found: Row[] = [
    ...flows.notWell.map(({ name, state, reason }): Row => [
      `flow ${oneLine(name)}`,
      state === 'running' ? oneLine(reason) : oneLine(`${state}: ${reason}`),
    ]),
    ...credentials.notWell.map(({ name, status, reason, flows }): Row => [
      `credential ${oneLine(name)}`,
      oneLine(`${status}: ${reason}${flows.length === 0 ? '' : ` (used by ${flows.join(', ')})`}`),
    ]),
    ...(messageLog.trouble === undefined ? [] : [['message log', oneLine(messageLog.trouble)] as const]),
    ...notReady
      .filter((reason) => reason !== messageLog.trouble && !told.has(reason))
      .map((reason): Row => ['engine', oneLine(reason)]),
  ]
  if (found.length === 0) return []
  const ways = [
    ...(flows.notWell.length === 0 ? [] : ['sluice check', 'sluice flow show NAME']),
    ...(credentials.notWell.length === 0 ? [] : ['sluice credential show NAME']),
  ]
  return [
    `\n${color.bold('Not well')}\n`,
    rows(found, color.red, io),
    ...(ways.length === 0 ? [] : [color.dim(`What to do: ${ways.join(', ')}\n`)]),
  ]
}

/** Two columns, the second one wrapped. */
function rows(all: readonly Row[], tone: (text: string) => string, { columns }: Pick<CommandIo, 'columns'>) {
  const label = Math.max(...all.map(([name]) => name.length))
  const width = Math.max(LEAST, Math.min(columns, WIDEST) - label - 4)
  return table(
    all.flatMap(([name, text]) =>
      wrap(text, width).map((line, at) => [`  ${tone((at === 0 ? name : '').padEnd(label))}`, line]),
    ),
  )
}

function toned(status: EngineHealth['status'], color: Paint): string {
  if (status === 'up') return color.green('up')
  return status === 'degraded' ? color.yellow('up, but not well') : color.red('not ready')
}
