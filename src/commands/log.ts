import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseDuration } from '../core/duration.ts'
import { didYouMean } from '../core/problem.ts'
import type { RunStatus } from '../core/stores.ts'
import { MessageLogReader, type RunFilter } from '../store/reading.ts'
import { STATUSES } from '../store/records.ts'
import { StoreError } from '../store/store-error.ts'
import { realClock } from '../world.ts'
import { Stop, UsageError, type CommandDefinition, type CommandIo } from './command.ts'
import { bytes } from './plain-text.ts'
import { dataOption, settingsFor } from './project-setting.ts'
import { printEvent, printRuns } from './run-list.ts'
import { printRun } from './run-tree.ts'

const FILTERS = ['flow', 'status', 'since', 'until', 'text', 'correlation', 'header'] as const
type Texts = (typeof FILTERS)[number] | 'limit' | 'attachment' | 'output'
type Options = { readonly [name in Texts]?: string } & { readonly follow?: boolean; readonly json?: boolean }

/** Nothing sets the others yet; they are taken all the same. */
const OFFERED = STATUSES.filter((status) => status !== 'RETRY' && status !== 'DISCARDED')
const LISTED = 20
const EARLIER = 5

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
    { flags: '--flow <name>', description: 'runs of this flow' },
    { flags: '--status <status>', description: `runs with this status: ${OFFERED.join(', ')}` },
    {
      flags: '--since <time>',
      description: 'runs that started within 1h, 30m, 2d, ... or since 2026-11-21T08:00',
    },
    { flags: '--until <time>', description: 'runs that started before' },
    { flags: '--text <text>', description: 'runs with this text in a log line or in their failure' },
    { flags: '--correlation <id>', description: 'runs with this correlation id' },
    { flags: '--header <name=value>', description: 'runs with this value of a searchable header' },
    {
      flags: '--limit <number>',
      description: `so many runs (default: ${LISTED}; with --follow ${EARLIER} from before)`,
    },
    { flags: '--attachment <name>', description: 'the content of this attachment of the run' },
    { flags: '--output <file>', description: 'write the attachment into this file' },
    { flags: '--json', description: 'as JSON; with --follow a line each' },
    dataOption,
  ],
  examples: [
    'sluice log',
    'sluice log --status FAILED --since 1h',
    'sluice log 8f2a4c6e1b3d',
    'sluice log 8f2a4c6e1b3d --attachment order.json --output order.json',
    'sluice log --follow --flow orders',
  ],
  async run(io, [run], given) {
    const options: Options = given
    check(run, options)
    const { data } = await settingsFor(io, given)
    using reader = new MessageLogReader(data)
    try {
      if (run === undefined)
        return await (options.follow ? follow(reader, io, options) : list(reader, io, options))
      const id = idOf(run, reader)
      if (options.attachment !== undefined) return await attachment(id, reader, io, options)
      if (options.follow) await follow(reader, io, options, id)
      const detail = reader.run(id)!
      io.stdout(options.json ? json(detail) : printRun(detail, io))
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
  const unfit = FILTERS.slice(2).find((name) => options[name] !== undefined)
  if (options.follow && unfit !== undefined)
    throw new UsageError(`--follow goes with --flow and --status, not with --${unfit}`)
}

function list(reader: MessageLogReader, io: CommandIo, options: Options): number {
  const filter = filterOf(options)
  const runs = reader.runs(filter)
  if (options.json) io.stdout(json(runs))
  else if (runs.length > 0) {
    io.stdout(printRuns(runs.toReversed(), io))
    if (runs.length === filter.limit && options.limit === undefined)
      io.stderr(`(the last ${filter.limit}; --limit shows more)\n`)
  } else io.stdout(`${noRuns(reader, filter)}\n`)
  return 0
}

function noRuns(reader: MessageLogReader, filter: RunFilter): string {
  const flows = reader.flows()
  if (flows.length === 0)
    return 'no runs yet: `sluice start` starts the engine, `sluice run FLOW` runs a flow once'
  if (filter.flow !== undefined && !flows.includes(filter.flow)) {
    const near = didYouMean(filter.flow, flows)
    return `no runs of a flow "${filter.flow}"${near === '' ? `; flows with runs: ${flows.join(', ')}` : near}`
  }
  return 'no runs match'
}

async function follow(
  reader: MessageLogReader,
  io: CommandIo,
  options: Options,
  run?: string,
): Promise<number> {
  const filter = filterOf(options, EARLIER)
  const setting = {
    earlier: filter.limit,
    ...(filter.flow === undefined ? {} : { flow: filter.flow }),
    ...(filter.status === undefined ? {} : { status: filter.status }),
    ...(run === undefined ? {} : { run }),
  }
  const alive = setInterval(() => {}, 2 ** 30)
  try {
    for await (const event of reader.follow(setting, realClock, io.signal)) {
      if (run !== undefined && event.kind === 'run') continue
      io.stdout(options.json ? `${JSON.stringify(event)}\n` : printEvent(event, io))
    }
  } finally {
    clearInterval(alive)
  }
  return 0
}

async function attachment(
  id: string,
  reader: MessageLogReader,
  io: CommandIo,
  options: Options,
): Promise<number> {
  const name = options.attachment!
  const found = reader.attachment(id, name)
  if (!found) {
    const names = [...new Set(reader.run(id)!.attachments.map((entry) => entry.name))]
    const there =
      names.length === 0 ? 'it has none' : `it has: ${names.map((entry) => `"${entry}"`).join(', ')}`
    throw new Stop(1, `the run has no attachment "${name}"; ${there}`)
  }
  const { output } = options
  if (output !== undefined) {
    const file = resolve(io.projectFolder, output)
    await writeFile(file, found.content, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
      throw new Stop(
        1,
        error.code === 'EEXIST'
          ? `"${output}" is there already; remove it, or choose another name`
          : `"${output}" cannot be written (${error.code})`,
      )
    })
    io.stderr(`wrote ${bytes(found.size)} to "${output}"\n`)
    return 0
  }
  const text = textOf(found.content)
  if (text === undefined)
    throw new Stop(
      1,
      `the attachment "${name}" is no text (${found.contentType}, ${bytes(found.size)}); write it into a file with --output FILE`,
    )
  if (options.json) io.stdout(json({ ...found, content: text }))
  else io.stdout(text.endsWith('\n') || !io.color ? text : `${text}\n`)
  return 0
}

/** The content where it is text that a terminal can show. */
function textOf(content: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content)
    return /[\0-\x08\x0e-\x1f\x7f]/.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

function idOf(text: string, reader: MessageLogReader): string {
  const [id, ...others] = reader.find(text)
  if (id === undefined) {
    const none = reader.flows().length === 0
    throw new Stop(
      1,
      none
        ? `there is no run "${text}"; no runs yet`
        : `there is no run "${text}"; \`sluice log\` lists them`,
    )
  }
  if (others.length > 0)
    throw new Stop(
      1,
      `"${text}" is the beginning or end of several runs; give more of the id:\n${[id, ...others].map((entry) => `  ${entry}`).join('\n')}`,
    )
  return id
}

function filterOf(options: Options, limit = LISTED): RunFilter {
  const given = {
    flow: options.flow,
    status: statusOf(options.status),
    since: timeOf('--since', options.since),
    until: timeOf('--until', options.until),
    text: options.text,
    correlationId: options.correlation,
    header: headerOf(options.header),
  }
  const set = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...(Object.fromEntries(set) as Omit<RunFilter, 'limit'>), limit: limitOf(options.limit) ?? limit }
}

function statusOf(text: string | undefined): RunStatus | undefined {
  if (text === undefined) return undefined
  const status = STATUSES.find((known) => known === text.toUpperCase())
  if (status) return status
  const near = didYouMean(text.toUpperCase(), OFFERED)
  throw new UsageError(
    `there is no status "${text}"${near === '' ? `; there are ${OFFERED.join(', ')}` : near}`,
  )
}

function timeOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const ago = parseDuration(text)
  if (ago !== undefined) return realClock.now() - ago
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text.length === 10 ? `${text}T00:00` : text) : NaN
  if (Number.isNaN(at))
    throw new UsageError(`${option} wants a time like 1h, 30m or 2026-11-21T08:00; got "${text}"`)
  return at
}

function headerOf(text: string | undefined): readonly [string, string] | undefined {
  if (text === undefined) return undefined
  const at = text.indexOf('=')
  if (at < 1) throw new UsageError(`--header wants name=value; got "${text}"`)
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()]
}

function limitOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new UsageError(`--limit wants a number of runs; got "${text}"`)
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}
