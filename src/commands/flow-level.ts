import { LONGEST_LEVEL, type FlowLevel } from '../core/control.ts'
import { parseDuration } from '../core/duration.ts'
import type { LogLevel } from '../core/flow.ts'
import { didYouMean } from '../core/problem.ts'
import { connectControl } from '../server/control-client.ts'
import { Stop, UsageError, type CommandDefinition } from './command.ts'
import { localTime, oneLine } from './plain-text.ts'
import { dataOption, settingsFor } from './project-setting.ts'

const LEVELS: readonly LogLevel[] = ['none', 'info', 'debug', 'trace']
const HALF_AN_HOUR = 30 * 60 * 1000

export const flowLevelCommand: CommandDefinition = {
  name: 'flow level',
  summary: 'Sets for a while how much the message log keeps of a flow that runs.',
  arguments: [
    { name: 'flow', description: 'name of the flow' },
    {
      name: 'level',
      optional: true,
      description: `${LEVELS.join(', ')}; left out: the present one is shown`,
    },
  ],
  options: [
    {
      flags: '--for <duration>',
      description: 'how long: 30m, 2h, at most 24h (default: 30m for debug and trace, else 24h)',
    },
    { flags: '--reset', description: "back to the flow's own level now" },
    dataOption,
    { flags: '--json', description: 'as JSON' },
  ],
  examples: [
    'sluice flow level orders trace',
    'sluice flow level orders debug --for 2h',
    'sluice flow level orders --reset',
  ],
  details: `none keeps the record of a run only, info its log lines and attachments, debug also headers and properties after each
step, trace payloads, too (64 KB of each): whoever may read the message log reads them. It takes effect at once, also for
runs that go on, and ends by itself; a reload of the flow leaves it in force, a new start of the engine does not. For
good, write "logLevel" into the flow. Exit code: 0 done, 1 no engine or no such flow, 2 wrong usage, 3 a fault.`,
  async run(io, [flow, word], options) {
    const reset = options['reset'] === true
    const level = levelOf(word)
    const duration = durationOf(options['for'] as string | undefined, level)
    if (reset && level !== undefined) throw new UsageError('--reset goes without a level')
    const { data } = await settingsFor(io, options)
    const engine = await connectControl(data)
    if (!engine)
      throw new Stop(1, 'no engine runs on this data folder; "logLevel" in the flow says how it begins')
    const now =
      reset || level !== undefined
        ? await engine.setLevel(flow!, level === undefined ? { duration: 0 } : { level, duration })
        : present(await engine.flows(), flow!)
    if (!now) {
      const names = (await engine.flows()).map(({ name }) => name)
      throw new Stop(1, `there is no flow "${flow}"${didYouMean(flow!, names)}`)
    }
    io.stdout(options['json'] ? `${JSON.stringify(now)}\n` : `${told(now)}\n`)
    return 0
  },
}

/** `trace until 2026-11-21 14:30, then info`, or only the level. */
export function sayLevel({ level, own, until }: Omit<FlowLevel, 'flow'>): string {
  return until === undefined ? level : `${level} until ${localTime(until).slice(0, 16)}, then ${own}`
}

function told(now: FlowLevel): string {
  const line = `${oneLine(now.flow)}: log level ${sayLevel(now)}`
  return now.until !== undefined && now.level === 'trace'
    ? `${line}\npayloads are kept in the message log meanwhile`
    : line
}

function present(
  flows: readonly {
    name: string
    logLevel: LogLevel
    ownLogLevel: LogLevel
    logLevelUntil: number | undefined
  }[],
  name: string,
): FlowLevel | undefined {
  const found = flows.find((entry) => entry.name === name)
  return found && { flow: name, level: found.logLevel, own: found.ownLogLevel, until: found.logLevelUntil }
}

function levelOf(word: string | undefined): LogLevel | undefined {
  if (word === undefined) return undefined
  const level = LEVELS.find((known) => known === word.toLowerCase())
  if (level) return level
  const near = didYouMean(word.toLowerCase(), LEVELS)
  throw new UsageError(
    `there is no log level "${word}"${near === '' ? `; there are ${LEVELS.join(', ')}` : near}`,
  )
}

function durationOf(text: string | undefined, level: LogLevel | undefined): number {
  if (text === undefined) return level === 'debug' || level === 'trace' ? HALF_AN_HOUR : LONGEST_LEVEL
  if (level === undefined)
    throw new UsageError('--for goes with a level: sluice flow level FLOW LEVEL --for 30m')
  const duration = parseDuration(text)
  if (duration === undefined || duration === 0)
    throw new UsageError(`--for wants a duration like 30m or 2h; got "${text}"`)
  if (duration > LONGEST_LEVEL)
    throw new UsageError(`--for is at most 24h: for good, write "logLevel" into the flow`)
  return duration
}
