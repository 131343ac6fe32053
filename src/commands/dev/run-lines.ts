import { sayDuration } from '../../core/duration.ts'
import type { RunFailure } from '../../core/failure.ts'
import type { RunProgress, RunStatus } from '../../core/stores.ts'
import type { LiveRun } from '../../run-events.ts'
import type { AttachmentInfo, LineRecord, RunDetail } from '../../store/rows.ts'
import { paint, type Paint } from '../paint.ts'
import { bytes, localTime, oneLine, shorten } from '../plain-text.ts'
import { aboutFailure } from '../run-failure.ts'
import { paintLevel, shortId } from '../run-list.ts'
import { printRunSteps } from '../run-tree.ts'
import { sayCount, sayFailure, sayProgress } from '../run-words.ts'
import type { Counted } from './flood.ts'

export interface LineIo {
  readonly color: boolean
  /** Cells of a line. */
  readonly columns: number
}

/** What stands below a line with a time is indented by so much. */
export const INDENT = ' '.repeat(11)
/** Cells of the name of a flow, so that what follows is aligned. */
const FLOW = 22

/** `12:00:00`, local. */
export function clockTime(at: number): string {
  return localTime(at).slice(11, 19)
}

/** `12:00:00 ✓ orders   3.2 ms  endpoint  8f2a4c6e1b3d` */
export function runHead(run: LiveRun, { color, columns }: LineIo): string {
  const colors = paint(color)
  const at = run.startedAt + run.duration
  const took = run.status === 'PROCESSING' ? 'goes on' : sayDuration(run.duration)
  const [mark, tone] = markOf(run.status, colors)
  const name = shorten(oneLine(run.flow), Math.max(FLOW, columns - 45)).padEnd(FLOW)
  return `${colors.dim(clockTime(at))} ${tone(`${mark} ${name}`)} ${took.padStart(8)}  ${run.trigger.padEnd(8)}  ${colors.dim(shortId(run.id))}\n`
}

/** A run with its steps; below the one that failed why, with the line of the source that it is about. */
export function runTree(run: RunDetail, io: LineIo, source: (file: string) => string | undefined): string {
  const colors = paint(io.color)
  const indent = ' '.repeat(9)
  const about = (failure: RunFailure, columns: number) => aboutFailure(failure, source, colors, columns)
  return printRunSteps(run, { ...io, columns: io.columns - indent.length }, { wrapped: true, more: about })
    .map((line) => `${indent}${line}\n`)
    .join('')
}

/** A line of a run's log below its head. */
export function logLine({ level, text, step, fields }: LineRecord, { color, columns }: LineIo): string {
  const colors = paint(color)
  const data = fields === undefined ? '' : `  ${oneLine(JSON.stringify(fields))}`
  const what = shorten(oneLine(text) + data, Math.max(40, columns - 17))
  return `${INDENT}${paintLevel(level, colors)} ${what}${what.length + step.length + 20 > columns ? '' : colors.dim(`  ${oneLine(step)}`)}\n`
}

/** The same where the run goes on and its head is far above. */
export function liveLine(flow: string, line: LineRecord, { color, columns }: LineIo): string {
  const colors = paint(color)
  const data = line.fields === undefined ? '' : `  ${oneLine(JSON.stringify(line.fields))}`
  const where = oneLine(`${flow}${line.step === '' ? '' : `/${line.step}`}`)
  const text = shorten(oneLine(line.text) + data, Math.max(40, columns - 19 - where.length))
  return `${colors.dim(clockTime(line.at))}   ${paintLevel(line.level, colors)} ${colors.dim(where)}  ${text}\n`
}

export function attachmentLine({ name, size }: AttachmentInfo, { color }: LineIo): string {
  return `${INDENT}${paint(color).dim(`attachment "${oneLine(name)}", ${bytes(size)}`)}\n`
}

/** `12:00:05 ✓ orders ×240 completed, p50 3.1 ms, at most 40 ms` */
export function countedRuns({ last, count, durations }: Counted<LiveRun>, at: number, io: LineIo): string {
  const colors = paint(io.color)
  const sorted = durations.toSorted((a, b) => a - b)
  const half = sayDuration(sorted[Math.floor(sorted.length / 2)]!)
  const [mark, tone] = markOf(last.status, colors)
  const word = last.status.toLowerCase()
  const text = `${oneLine(last.flow)} ×${sayCount(count)} ${word}, p50 ${half}, at most ${sayDuration(sorted.at(-1)!)}`
  return `${colors.dim(clockTime(at))} ${tone(mark)} ${shorten(text, Math.max(40, io.columns - 12))}\n`
}

/** `12:00:05 ✗ orders ×38 failed in step "http": receiver.status: ...` */
export function countedFailures({ last, count }: Counted<RunDetail>, at: number, io: LineIo): string {
  const colors = paint(io.color)
  const { failure, flow, status } = last
  const [mark, tone] = markOf(status, colors)
  const step = failure?.step === undefined ? '' : ` in step "${failure.step}"`
  const why = failure === undefined ? '' : `${step}: ${sayFailure(failure)}`
  const times = count === 1 ? '' : ` ×${sayCount(count)}`
  const text = `${oneLine(flow)}${times} ${status.toLowerCase()}${why}`
  return `${colors.dim(clockTime(at))} ${tone(`${mark} ${shorten(text, Math.max(40, io.columns - 12))}`)}\n`
}

/** `orders  step "items": 1,200 items, 3 failed  12 s` */
export function sayGoing(flow: string, progress: RunProgress | undefined, age: number): string {
  const came = progress === undefined ? '' : `  step "${oneLine(progress.step)}": ${sayProgress(progress)}`
  return `${oneLine(flow)}${came}  ${sayDuration(age)}`
}

export function markOf(status: RunStatus, colors: Paint): [string, (text: string) => string] {
  if (status === 'COMPLETED') return ['✓', colors.green]
  if (status === 'PROCESSING') return ['▶', colors.cyan]
  return status === 'FAILED' ? ['✗', colors.red] : ['⊘', colors.yellow]
}
