import { MessageLogReader } from '../store/reading.ts'
import { StoreError } from '../store/store-error.ts'
import { Stop, UsageError, type CommandDefinition, type CommandIo } from './command.ts'
import { showAttachment } from './log-attachment.ts'
import { filterOf, filterOptions, type FilterOptions } from './log-filter.ts'
import { followLog } from './log-follow.ts'
import { listRuns, nothingFound } from './log-list.ts'
import { printSummary, summarizeRuns } from './log-summary.ts'
import { dataOption, logCommandFor, settingsFor } from './project-setting.ts'
import { runIdOf } from './run-id.ts'
import { printFollowed } from './run-list.ts'
import { sourceOf } from './run-failure.ts'
import { printRun } from './run-tree.ts'

type Options = FilterOptions & {
  readonly follow?: boolean
  readonly summary?: boolean
  readonly json?: boolean
  readonly attachment?: string
  readonly output?: string
}

const LISTED = 20
const EARLIER = 5
/** Runs that `--follow --since` shows at the most. */
const SINCE = 1000

export const logCommand: CommandDefinition = {
  name: 'log',
  summary: 'Shows the message log: the last runs, or one run with its steps, lines and attachments.',
  arguments: [
    {
      name: 'run',
      optional: true,
      description: 'id of a run, or enough of its end (as the list shows it) or of its beginning',
    },
  ],
  options: [
    {
      flags: '--follow',
      description: 'go on with what happens from now on, until Ctrl-C; with a run, until it ends',
    },
    ...filterOptions,
    {
      flags: '--limit <number>',
      description: `so many runs (default: ${LISTED}; with --follow ${EARLIER} from before)`,
    },
    { flags: '--before <run>', description: 'runs that started before this one: the next page of a list' },
    { flags: '--summary', description: 'counts by flow and status, durations, and why runs failed' },
    { flags: '--attachment <name>', description: 'the content of this attachment of the run' },
    { flags: '--output <file>', description: 'write the attachment into this file' },
    { flags: '--json', description: 'as JSON, an object a line; of a list the newest run first' },
    dataOption,
  ],
  examples: [
    'sluice log',
    'sluice log --status FAILED,ABANDONED --since 1h',
    "sluice log --flow 'orders/*' --code 'receiver.*' --summary",
    'sluice log 8f2a4c6e1b3d',
    'sluice log 8f2a4c6e1b3d --attachment order.json --output order.json',
    'sluice log --follow --flow orders',
  ],
  details: `Options of several values take them with commas between or are given several times: --status FAILED,ABANDONED.
A run has to fit all options. With --follow, --text shows the lines and failures with that text; with --status,
--code, --credential, --host and --header only runs are shown, and no lines.`,
  async run(io, [run], given) {
    const options: Options = given
    check(run, options)
    const { data, messageLog } = await settingsFor(io, given)
    using reader = new MessageLogReader(data)
    try {
      if (run === undefined) {
        if (options.follow) return await follow(reader, data, io, options)
        if (options.summary) return await summarize(reader, io, options, messageLog)
        const before = options.before === undefined ? {} : { before: runIdOf(options.before, reader) }
        const filter = { ...filterOf(options, LISTED), ...before }
        return await listRuns({ reader, io, options, filter, command: () => logCommandFor(data, io) })
      }
      const id = runIdOf(run, reader)
      if (options.attachment !== undefined)
        return await showAttachment(reader, id, options.attachment, io, options)
      if (options.follow) await follow(reader, data, io, options, id)
      const detail = reader.run(id)!
      io.stdout(
        options.json
          ? `${JSON.stringify(detail)}\n`
          : printRun(detail, io, {
              source: sourceOf(detail, io.projectFolder),
              command: await logCommandFor(data, io),
            }),
      )
      return 0
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      throw new Stop(3, error.hint === undefined ? error.message : `${error.message}\n${error.hint}`)
    }
  },
}

function check(run: string | undefined, options: Options): void {
  if (options.attachment !== undefined && run === undefined)
    throw new UsageError('--attachment needs the id of a run: sluice log RUN --attachment NAME')
  if (options.output !== undefined && options.attachment === undefined)
    throw new UsageError('--output needs --attachment NAME')
  if (options.summary && run !== undefined)
    throw new UsageError('--summary is about many runs; leave out the id of the run')
  if (options.summary && options.follow) throw new UsageError('--summary does not go with --follow')
  for (const name of ['limit', 'before'] as const)
    if (options.summary && options[name] !== undefined)
      throw new UsageError(`--summary counts all runs that fit; leave out --${name}`)
  for (const name of ['until', 'before'] as const)
    if (options.follow && options[name] !== undefined)
      throw new UsageError(`--follow shows what happens from now on; leave out --${name}`)
  if (options.limit === '0' && !options.follow) throw new UsageError('--limit wants at least 1')
}

async function summarize(
  reader: MessageLogReader,
  io: CommandIo,
  options: Options,
  kept: { days: number; size: number },
): Promise<number> {
  const filter = filterOf(options, LISTED)
  const summary = await summarizeRuns(reader, filter, io)
  const reach = reader.reach()
  if (options.json) io.stdout(`${JSON.stringify({ ...summary, log: { ...reach, kept } })}\n`)
  else {
    if (summary.runs === 0) io.stdout(`${nothingFound({ reader, io, options, filter })}\n\n`)
    io.stdout(printSummary(summary, reach, kept, io))
  }
  return 0
}

async function follow(
  reader: MessageLogReader,
  data: string,
  io: CommandIo,
  options: Options,
  run?: string,
): Promise<number> {
  const { limit, since, ...selection } = filterOf(options, options.since === undefined ? EARLIER : SINCE)
  const followed = {
    earlier: limit,
    selection,
    ...(since === undefined ? {} : { since }),
    ...(run === undefined ? {} : { run }),
  }
  const alive = setInterval(() => {}, 2 ** 30)
  try {
    for await (const event of followLog({ reader, data, follow: followed, io })) {
      if (run !== undefined && event.kind === 'run') continue
      io.stdout(options.json ? `${JSON.stringify(event)}\n` : printFollowed(event, io))
    }
  } finally {
    clearInterval(alive)
  }
  return 0
}
