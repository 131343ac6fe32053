import { sayDuration } from '../core/duration.ts'
import type { RunFilter } from '../store/run-conditions.ts'
import type { MessageLogReader } from '../store/reading.ts'
import type { LogReach, LogSummary } from '../store/summing.ts'
import { STATUSES } from '../store/records.ts'
import { Stop, type CommandIo } from './command.ts'
import { scanning } from './log-scan.ts'
import { paint, table } from './paint.ts'
import { bytes, localTime, oneLine, shorten } from './plain-text.ts'
import { shortId } from './run-list.ts'
import { sayCount, some } from './run-words.ts'

/** What is kept of the message log, by the settings. */
export interface Kept {
  readonly days: number
  /** Bytes. */
  readonly size: number
}

/** Flows and codes that are shown; JSON has all. */
const SHOWN = 40
const SHOWN_CODES = 10
/** Cells for the name of a flow where there is no room for more. */
const LEAST_NAME = 12
const WIDEST = 100

/** Counts the runs that fit. */
export async function summarizeRuns(
  reader: MessageLogReader,
  filter: RunFilter,
  io: CommandIo,
): Promise<LogSummary> {
  const { limit: _, ...rest } = filter
  const summing = reader.summarize(rest)
  for await (const _slice of scanning(summing.slices(), io));
  if (io.signal.aborted) throw new Stop(1, 'stopped before all runs were counted')
  return summing.summary
}

/** What became of the runs, flow by flow; why they failed; how far back the log goes. */
export function printSummary(
  { runs, first, last, flows, failures }: LogSummary,
  reach: LogReach | undefined,
  kept: Kept,
  io: Pick<CommandIo, 'color' | 'columns'>,
): string {
  const color = paint(io.color)
  const columns = Math.min(io.columns, WIDEST)
  const parts = [
    ...(runs === 0
      ? []
      : [
          `${some(runs, 'run')}, ${minute(first!)} to ${minute(last!)}\n`,
          flowTable(flows, columns, color.dim),
        ]),
    ...(failures.length === 0 ? [] : [codeTable(failures, columns, color.dim)]),
    `${sayReach(reach, kept)}\n`,
  ]
  return parts.join('\n')
}

/** `the log goes back to 2026-10-22 08:00 and holds 120 MB; kept are 30 days, at most 1 GB` */
export function sayReach(reach: LogReach | undefined, { days, size }: Kept): string {
  const kept = `kept are ${some(days, 'day')}, at most ${bytes(size)}`
  if (reach?.oldest === undefined) return `the log is empty; ${kept}`
  return `the log goes back to ${minute(reach.oldest)} and holds ${bytes(reach.size)};\n${kept}`
}

function flowTable(flows: LogSummary['flows'], columns: number, dim: (text: string) => string): string {
  const statuses = STATUSES.filter((status) => flows.some((flow) => flow.statuses[status] !== undefined))
  const head = ['FLOW', 'RUNS', ...statuses, 'MEDIAN', '95 %']
  const rows = flows
    .slice(0, SHOWN)
    .map((flow) => [
      oneLine(flow.flow),
      sayCount(flow.runs),
      ...statuses.map((status) =>
        flow.statuses[status] === undefined ? '-' : sayCount(flow.statuses[status]),
      ),
      flow.median === undefined ? '-' : sayDuration(flow.median),
      flow.p95 === undefined ? '-' : sayDuration(flow.p95),
    ])
  const others = head
    .slice(1)
    .reduce((sum, word, i) => sum + 2 + Math.max(word.length, ...rows.map((row) => row[i + 1]!.length)), 0)
  const room = Math.max(LEAST_NAME, columns - others)
  const lines = table([head.map(dim), ...rows.map(([name, ...rest]) => [shorten(name!, room), ...rest])])
  const more = flows.length - rows.length
  return more === 0
    ? lines
    : `${lines}${dim(`and ${some(more, 'more flow')}; --flow or --json shows them`)}\n`
}

function codeTable(failures: LogSummary['failures'], columns: number, dim: (text: string) => string): string {
  const rows = failures
    .slice(0, SHOWN_CODES)
    .map(({ code, runs, run, last, flows }) => [
      oneLine(code),
      sayCount(runs),
      minute(last),
      shortId(run),
      flows.join(', '),
    ])
  const head = ['FAILURE', 'RUNS', 'LAST', 'RUN', 'FLOWS']
  const others = head
    .slice(0, 4)
    .reduce((sum, word, i) => sum + 2 + Math.max(word.length, ...rows.map((row) => row[i]!.length)), 0)
  const room = Math.max(LEAST_NAME, columns - others)
  const lines = table([
    head.map(dim),
    ...rows.map((row) => [...row.slice(0, 4), shorten(oneLine(row[4]!), room)]),
  ])
  const more = failures.length - rows.length
  return more === 0 ? lines : `${lines}${dim(`and ${some(more, 'more code')}; --json shows them`)}\n`
}

function minute(at: number): string {
  return localTime(at).slice(0, 16)
}
