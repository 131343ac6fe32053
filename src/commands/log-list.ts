import { didYouMean } from '../core/problem.ts'
import { globPattern } from '../core/run-filter.ts'
import type { MessageLogReader } from '../store/reading.ts'
import type { RunSummary } from '../store/rows.ts'
import type { RunFilter } from '../store/run-conditions.ts'
import { realClock } from '../world.ts'
import type { CommandIo } from './command.ts'
import { asGiven, givenFilters, type FilterName, type FilterOptions } from './log-filter.ts'
import { scanning } from './log-scan.ts'
import { localTime, printable } from './plain-text.ts'
import { printRuns, shortId } from './run-list.ts'
import { sayCount } from './run-words.ts'

export interface ListSetting {
  readonly reader: MessageLogReader
  readonly io: CommandIo
  readonly options: FilterOptions & { readonly json?: boolean }
  readonly filter: RunFilter
  /** How `sluice log` is called for this data folder. */
  readonly command: () => Promise<string>
}

/** The runs that fit, the newest last; as JSON the newest first, as they are found. */
export async function listRuns(setting: ListSetting): Promise<number> {
  const { reader, io, options, filter } = setting
  const { limit } = filter
  const runs: RunSummary[] = []
  let count = 0
  let last: RunSummary | undefined
  let reached = 0
  for await (const slice of scanning(reader.search({ ...filter, limit: limit + 1 }), io)) {
    reached = slice.reached
    for (const run of slice.found) {
      if (count++ === limit) break
      last = run
      if (options.json) io.stdout(`${JSON.stringify(run)}\n`)
      else runs.push(run)
    }
  }
  if (runs.length > 0) io.stdout(printRuns(runs.toReversed(), io))
  if (io.signal.aborted) {
    io.stderr(`stopped at the runs of ${localTime(reached).slice(0, 19)}: earlier ones were not looked at\n`)
    return 1
  }
  if (count > limit) io.stderr(`(the last ${limit}; earlier ones: ${await nextPage(setting, last)})\n`)
  if (count === 0) io[options.json ? 'stderr' : 'stdout'](`${nothingFound(setting)}\n`)
  return 0
}

/** The command that shows the runs before these. */
async function nextPage({ command, options }: ListSetting, last: RunSummary | undefined): Promise<string> {
  const given = givenFilters(options).map((name) => asGiven(name, options))
  return [
    await command(),
    ...given,
    ...(options.limit === undefined || last === undefined ? [] : [`--limit ${options.limit}`]),
    ...(options.json ? ['--json'] : []),
    ...(last === undefined ? [] : [`--before ${shortId(last.id)}`]),
  ].join(' ')
}

/** Why there is nothing, and what to leave out so that there is something. */
export function nothingFound({ reader, io, options, filter }: Omit<ListSetting, 'command'>): string {
  const flows = reader.flows()
  if (flows.length === 0)
    return 'no runs yet: `sluice start` starts the engine, `sluice run FLOW` runs a flow once'
  const unknown = unknownFlow(filter.flows ?? [], flows)
  if (unknown !== undefined) return unknown
  const given = givenFilters(options)
  const said = given.map((name) => printable(asGiven(name, options)))
  if (given.length === 0) return filter.before === undefined ? 'no runs' : 'no earlier runs'
  const { found, whole } = withoutOne(given, filter, reader, io.signal)
  const head = `no runs match ${said.join(' ')}`
  if (found.length === 0)
    return given.length === 1 || !whole
      ? `${head}; \`sluice log\` lists all runs`
      : `${head}\nleaving out one of them is not enough; \`sluice log\` lists all runs`
  return [
    head,
    ...found.map(
      ([name, run]) =>
        `without ${printable(asGiven(name, options))}: the last one ${localTime(run.startedAt).slice(0, 19)}, ${run.flow}, ${run.status}`,
    ),
  ].join('\n')
}

/** Where none of the names is that of a flow with runs. */
function unknownFlow(wanted: readonly string[], flows: readonly string[]): string | undefined {
  if (wanted.length === 0 || wanted.some((glob) => flows.some((flow) => globPattern(glob).test(flow))))
    return undefined
  const [first] = wanted
  const near = wanted.length === 1 ? didYouMean(first!, flows) : ''
  const shown = flows.slice(0, SHOWN_FLOWS)
  const more = flows.length > shown.length ? `, and ${sayCount(flows.length - shown.length)} more` : ''
  return `no runs of a flow ${wanted.map((flow) => `"${printable(flow)}"`).join(' or ')}${near === '' ? `; flows with runs: ${shown.join(', ')}${more}` : near}`
}

const SHOWN_FLOWS = 20
/** ms that finding out what to leave out may take. */
const SEARCH_FOR = 1500

/** The last run that fits all filters but one, by that one; not `whole`: the time was up. */
function withoutOne(
  given: readonly FilterName[],
  filter: RunFilter,
  reader: MessageLogReader,
  signal: AbortSignal,
): { found: [FilterName, RunSummary][]; whole: boolean } {
  const until = realClock.ticks() + SEARCH_FOR
  const found: [FilterName, RunSummary][] = []
  for (const name of given) {
    const { [name]: _left, ...others } = filter
    for (const slice of reader.search({ ...others, limit: 1 })) {
      if (slice.found.length > 0) found.push([name, slice.found[0]!])
      if (realClock.ticks() > until || signal.aborted) return { found, whole: false }
    }
  }
  return { found, whole: true }
}
