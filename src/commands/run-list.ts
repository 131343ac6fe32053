import { sayDuration } from '../core/duration.ts'
import type { RunStatus } from '../core/stores.ts'
import type { LogEvent } from '../store/following.ts'
import type { RunSummary } from '../store/rows.ts'
import type { CommandIo } from './command.ts'
import type { Followed } from './log-follow.ts'
import { paint, table, type Paint } from './paint.ts'
import { localTime, oneLine, shorten } from './plain-text.ts'
import { sayFailure, sayProgress, some } from './run-words.ts'

/** Characters at the end of an id that lists show; ids begin alike, because they begin with the time. */
const SHORT_ID = 12
/** Columns beside a run in which a note is cut; where there are less, notes stand below their runs. */
const LEAST_NOTE = 40

export function shortId(id: string): string {
  return id.slice(-SHORT_ID)
}

/** Runs as a table, the newest last, with how far they came and why they failed. */
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
  const head = ['STARTED', 'STATUS', 'FLOW', 'DURATION', 'TRIGGER', 'RUN']
  const widths = [head, ...rows].reduce(
    (most, row) => most.map((width, i) => Math.max(width, row[i]!.length)),
    [0, 0, 0, 0, 0, 0],
  )
  const notes = runs.map(noteOf)
  const longest = notes.reduce((width, note) => Math.max(width, note.length), 0)
  const left = io.columns - widths.reduce((sum, width) => sum + width + 2, 0)
  const beside = longest > 0 && (longest <= left || left >= LEAST_NOTE)
  const [first, ...lines] = table([
    [...head, ...(beside ? [noteHead(runs)] : [])].map(color.dim),
    ...rows.map(([started, , ...rest], i) => [
      started!,
      paintStatus(runs[i]!.status, color),
      ...rest,
      ...(beside ? [shorten(notes[i]!, left)] : []),
    ]),
  ]).split('\n')
  const below = (note: string): string =>
    beside || note === '' ? '' : `  ${shorten(note, Math.max(LEAST_NOTE, io.columns - 2))}\n`
  return `${first}\n${notes.map((note, i) => `${lines[i]}\n${below(note)}`).join('')}`
}

/** One line of `--follow`. */
export function printFollowed(event: Followed, io: Pick<CommandIo, 'color'>): string {
  if (event.kind !== 'omitted') return printEvent(event, io)
  const { dim } = paint(io.color)
  return `${dim(`(${some(event.count, 'event')} left out: they came faster than they could be shown; sluice log has them)`)}\n`
}

function printEvent(event: LogEvent, io: Pick<CommandIo, 'color'>): string {
  const color = paint(io.color)
  if (event.kind === 'line') {
    const { line, flow } = event
    const level = paintLevel(line.level, color)
    const where = oneLine(line.step === '' ? (flow ?? '') : `${flow ?? '?'}/${line.step}`)
    const fields = line.fields === undefined ? '' : ` ${color.dim(oneLine(JSON.stringify(line.fields)))}`
    return `${localTime(line.at)}  ${color.dim(shortId(line.run))}  ${level}  ${where}  ${oneLine(line.text)}${fields}\n`
  }
  const { run } = event
  const { progress, failure } = run
  const status = `${color.dim(shortId(run.id))}  ${paintStatus(run.status, color)}`
  if (event.kind === 'progress')
    return `${localTime(event.at)}  ${status}  ${oneLine(`${run.flow}/${progress!.step}`)}  ${sayProgress(progress!)}\n`
  const at = run.duration === undefined ? run.startedAt : run.startedAt + run.duration
  const took = run.duration === undefined ? '' : `  ${duration(run.duration)}`
  const came = progress === undefined ? '' : `  ${sayProgress(progress)}`
  const why = failure === undefined ? '' : `  ${color.red(sayFailure(failure))}`
  return `${localTime(at)}  ${status}  ${oneLine(run.flow)}${took}${came}${why}\n`
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

function noteOf({ progress, failure }: RunSummary): string {
  const came = progress === undefined ? [] : [sayProgress(progress)]
  const why = failure === undefined ? [] : [sayFailure(failure)]
  return [...came, ...why].join('; ')
}

function noteHead(runs: readonly RunSummary[]): string {
  const came = runs.some(({ progress }) => progress !== undefined) ? ['PROGRESS'] : []
  const why = runs.some(({ failure }) => failure !== undefined) ? ['FAILURE'] : []
  return [...came, ...why].join(', ')
}

function duration(ms: number | undefined): string {
  return ms === undefined ? '-' : sayDuration(ms)
}
