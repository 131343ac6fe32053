import { sayDuration } from '../core/duration.ts'
import type { RunStatus } from '../core/stores.ts'
import type { LogEvent } from '../store/following.ts'
import type { RunSummary } from '../store/rows.ts'
import type { CommandIo } from './command.ts'
import { paint, table, type Paint } from './paint.ts'
import { localTime, oneLine, shorten } from './plain-text.ts'

/** Characters at the end of an id that lists show; ids begin alike, because they begin with the time. */
const SHORT_ID = 12
/** Columns that are left to a failure at least. */
const LEAST_FAILURE = 20

export function shortId(id: string): string {
  return id.slice(-SHORT_ID)
}

/** Runs as a table, the newest last. */
export function printRuns(runs: readonly RunSummary[], io: Pick<CommandIo, 'color' | 'columns'>): string {
  const color = paint(io.color)
  const rows = runs.map((run) => [
    localTime(run.startedAt),
    run.status,
    oneLine(run.flow),
    duration(run.duration),
    run.trigger,
    shortId(run.id),
  ])
  const head = ['STARTED', 'STATUS', 'FLOW', 'DURATION', 'TRIGGER', 'RUN', 'FAILURE']
  const before = [head, ...rows].reduce(
    (widths, row) => widths.map((width, i) => Math.max(width, row[i]!.length)),
    [0, 0, 0, 0, 0, 0],
  )
  const left = Math.max(LEAST_FAILURE, io.columns - before.reduce((sum, width) => sum + width + 2, 0))
  return table([
    head.map(color.dim),
    ...runs.map((run, i) => [
      rows[i]![0]!,
      paintStatus(run.status, color),
      ...rows[i]!.slice(2),
      run.failure === undefined ? '' : shorten(oneLine(`${run.failure.code}: ${run.failure.message}`), left),
    ]),
  ])
}

/** One line of `--follow`. */
export function printEvent(event: LogEvent, io: Pick<CommandIo, 'color'>): string {
  const color = paint(io.color)
  if (event.kind === 'line') {
    const { line, flow } = event
    const level = paintLevel(line.level, color)
    const where = oneLine(line.step === '' ? (flow ?? '') : `${flow ?? '?'}/${line.step}`)
    const fields = line.fields === undefined ? '' : ` ${color.dim(oneLine(JSON.stringify(line.fields)))}`
    return `${localTime(line.at)}  ${color.dim(shortId(line.run))}  ${level}  ${where}  ${oneLine(line.text)}${fields}\n`
  }
  const { run } = event
  const at = run.duration === undefined ? run.startedAt : run.startedAt + run.duration
  const took = run.duration === undefined ? '' : `  ${duration(run.duration)}`
  const failure =
    run.failure === undefined ? '' : `  ${color.red(oneLine(`${run.failure.code}: ${run.failure.message}`))}`
  return `${localTime(at)}  ${color.dim(shortId(run.id))}  ${paintStatus(run.status, color)}  ${oneLine(run.flow)}${took}${failure}\n`
}

export function paintStatus(status: RunStatus, color: Paint): string {
  if (status === 'COMPLETED') return color.green(status)
  if (status === 'FAILED' || status === 'ABANDONED') return color.red(status)
  return status === 'PROCESSING' ? color.cyan(status) : color.yellow(status)
}

export function paintLevel(level: string, color: Paint): string {
  const text = level.padEnd(5)
  return level === 'error' ? color.red(text) : level === 'warn' ? color.yellow(text) : color.dim(text)
}

function duration(ms: number | undefined): string {
  return ms === undefined ? '-' : sayDuration(ms)
}
