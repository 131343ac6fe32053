import { AUDIT_EVENTS } from '../core/audit.ts'
import { didYouMean } from '../core/problem.ts'
import { sleep } from '../core/world.ts'
import type { AuditFilter, AuditRecord } from '../store/audit-reading.ts'
import { MessageLogReader } from '../store/reading.ts'
import { StoreError } from '../store/store-error.ts'
import { realClock } from '../world.ts'
import { Stop, UsageError, type CommandDefinition, type CommandIo } from './command.ts'
import { limitOf, listOf, timeOf } from './log-filter.ts'
import { paint } from './paint.ts'
import { localTime, oneLine } from './plain-text.ts'
import { dataOption, settingsFor } from './project-setting.ts'
import { sayCount } from './run-words.ts'
import { wrap } from './wrap.ts'

interface Options {
  readonly since?: string
  readonly until?: string
  readonly who?: readonly string[]
  readonly what?: readonly string[]
  readonly object?: readonly string[]
  readonly outcome?: readonly string[]
  readonly limit?: string
  readonly follow?: boolean
  readonly json?: boolean
}

const LISTED = 50
const EARLIER = 5
/** ms between two looks of `--follow`. */
const LOOK_EVERY = 500
const AT_ONCE = 1000
const OUTCOMES = ['done', 'refused', 'failed']

export const auditCommand: CommandDefinition = {
  name: 'audit',
  summary:
    'Shows the audit log: who changed clients, roles and secrets, got tokens, started or cancelled runs.',
  options: [
    {
      flags: '--since <time>',
      description: 'entries of the last 1h, 30m, 2d, ... or since 2026-11-21T08:00',
    },
    { flags: '--until <time>', description: 'entries from before' },
    {
      flags: '--who <name>',
      description: "entries of this one; * stands for any text: '*_shop'",
      repeatable: true,
    },
    {
      flags: '--what <event>',
      description: "entries of this event: role.granted, 'token.*'",
      repeatable: true,
    },
    {
      flags: '--object <name>',
      description: 'entries about this client, flow, credential or run',
      repeatable: true,
    },
    {
      flags: '--outcome <word>',
      description: 'entries that ended so: done, refused or failed',
      repeatable: true,
    },
    {
      flags: '--limit <number>',
      description: `so many entries (default: ${LISTED}; with --follow ${EARLIER} from before)`,
    },
    { flags: '--follow', description: 'go on with what comes from now on, until Ctrl-C' },
    {
      flags: '--json',
      description: 'as JSON, an object a line; the newest first, with --follow the newest last',
    },
    dataOption,
  ],
  examples: [
    'sluice audit',
    'sluice audit --since 1d --what token.refused',
    "sluice audit --object shop --what 'role.*'",
  ],
  details: `Events: ${Object.keys(AUDIT_EVENTS).join(', ')}.
Who is a caller's id, "local user" with where (socket: the command line of a running engine; terminal: where it was started), \
"a signal" for SIGHUP, "a file" where files of the project were changed in another way, or "the engine". Tokens are counted by the minute: x12 stands for \
twelve like this one. Entries are kept for the setting messageLog.auditDays (365).`,
  async run(io, _args, given) {
    const options: Options = given
    const filter = filterOf(options)
    const { data } = await settingsFor(io, given)
    using reader = new MessageLogReader(data)
    try {
      return options.follow ? await follow(reader, filter, io, options) : list(reader, filter, io, options)
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      throw new Stop(3, error.hint === undefined ? error.message : `${error.message}\n${error.hint}`)
    }
  },
}

function filterOf({ since, until, who, what, object, outcome, limit, follow }: Options): AuditFilter {
  if (follow && until !== undefined)
    throw new UsageError('--follow shows what happens from now on; leave out --until')
  const events = listOf('--what', what)
  for (const event of events ?? []) checkEvent(event)
  const outcomes = listOf('--outcome', outcome)
  for (const word of outcomes ?? [])
    if (!OUTCOMES.includes(word)) throw new UsageError(`--outcome is ${OUTCOMES.join(', ')}; got "${word}"`)
  const filter = {
    since: timeOf('--since', since),
    until: timeOf('--until', until),
    who: listOf('--who', who),
    what: events,
    object: listOf('--object', object),
    outcome: outcomes,
  }
  const fitting = Object.entries(filter).filter(([, value]) => value !== undefined)
  return {
    ...Object.fromEntries(fitting),
    limit: limitOf(limit, 'entries') ?? (!follow ? LISTED : since === undefined ? EARLIER : AT_ONCE),
  }
}

function checkEvent(event: string): void {
  const names = Object.keys(AUDIT_EVENTS)
  if (event.includes('*') || Object.hasOwn(AUDIT_EVENTS, event)) return
  const near = didYouMean(event, names)
  throw new UsageError(
    `there is no event "${event}"${near === '' ? '; sluice audit --help lists them' : near}`,
  )
}

function list(reader: MessageLogReader, filter: AuditFilter, io: CommandIo, { json }: Options): number {
  const { limit } = filter
  const found = reader.audit({ ...filter, limit: limit + 1 })
  const shown = found.slice(0, limit)
  if (json) for (const entry of shown) io.stdout(`${JSON.stringify(entry)}\n`)
  else if (shown.length > 0) io.stdout(printEntries(shown.toReversed(), io))
  if (found.length > limit)
    io.stderr(`(the last ${sayCount(limit)}; more with --limit, earlier ones with --until)\n`)
  if (found.length === 0) io[json ? 'stderr' : 'stdout'](`${nothing(filter)}\n`)
  return 0
}

function nothing(filter: AuditFilter): string {
  return Object.keys(filter).length > 1
    ? 'no entries match; `sluice audit` shows all'
    : 'no entries yet: an engine records them while it runs'
}

async function follow(
  reader: MessageLogReader,
  filter: AuditFilter,
  io: CommandIo,
  { json }: Options,
): Promise<number> {
  const show = (entries: readonly AuditRecord[]) => {
    for (const entry of entries.toReversed())
      io.stdout(json ? `${JSON.stringify(entry)}\n` : printEntries([entry], io))
  }
  let after = reader.newestAudit()
  if (filter.limit > 0) show(reader.audit(filter).filter(({ number }) => number <= after))
  const { since: _, ...fitting } = filter
  while (!io.signal.aborted) {
    const newest = reader.newestAudit()
    if (newest > after) show(reader.audit({ ...fitting, after, limit: AT_ONCE }))
    after = newest
    await sleep(realClock, LOOK_EVERY, io.signal).catch(() => {})
  }
  return 0
}

/** An entry a line, with its details on the next one where there is no room beside it. */
function printEntries(entries: readonly AuditRecord[], io: Pick<CommandIo, 'color' | 'columns'>): string {
  const color = paint(io.color)
  const columns = Math.min(io.columns, 160)
  return entries
    .map((entry) => {
      const { at, what, object, who, address, outcome, count, detail } = entry
      const time = localTime(at).slice(0, 19)
      const subject = object === undefined ? what : `${what} ${oneLine(object)}`
      const often = count > 1 ? ` x${sayCount(count)}` : ''
      const isBad = outcome !== 'done'
      const by = `by ${oneLine(who)}${address === undefined ? '' : ` from ${oneLine(address)}`}`
      const rest = [...(isBad ? [outcome] : []), by, ...(detail === undefined ? [] : [oneLine(detail)])].join(
        '; ',
      )
      const start = `${time}  ${subject}${often}`
      const shown = `${color.dim(time)}  ${isBad ? color.red(subject) : subject}${often}`
      if (start.length + 2 + rest.length <= columns) return `${shown}  ${color.dim(rest)}\n`
      const below = wrap(rest, Math.max(30, columns - INDENT.length)).map(
        (line) => `${INDENT}${color.dim(line)}\n`,
      )
      return `${shown}\n${below.join('')}`
    })
    .join('')
}

const INDENT = '    '
