import { sayDuration } from '../core/duration.ts'
import type { RunFailure } from '../core/failure.ts'
import type { RunDetail, StepProgress, StepRecord } from '../store/rows.ts'
import type { CommandIo } from './command.ts'
import { paint, type Paint } from './paint.ts'
import { bytes, localTime, oneLine, printable, shorten } from './plain-text.ts'
import { quoted } from './log-filter.ts'
import { printRunEnd, sayLink } from './run-end.ts'
import { aboutFailure, type Source } from './run-failure.ts'
import { paintLevel, paintStatus } from './run-list.ts'
import { stepTree, type MoreNode, type Note, type StepNode } from './run-steps.ts'
import { sayCount, sayItem, sayProgress, some } from './run-words.ts'
import { wrap } from './wrap.ts'

interface Printing {
  readonly run: RunDetail
  readonly color: Paint
  readonly columns: number
  readonly out: string[]
  /** Width of guides, mark and id, so that what follows is aligned. */
  readonly idWidth: number
  readonly failures: FailureStyle
}

export interface FailureStyle {
  /** Lines of the message and the hint are broken where they are longer than the terminal is wide. */
  readonly wrapped?: boolean
  /** Further lines about a failure. */
  readonly more?: (failure: RunFailure, columns: number) => readonly string[]
}

export interface RunStyle {
  /** Text of files, for the line that a failure is about. */
  readonly source?: Source
  /** How `sluice log` is called. */
  readonly command?: string
}

const MARKS: Record<StepRecord['outcome'], string> = { done: '✓', ended: '✓', failed: '✗', skipped: '○' }
/** A body as `trace` kept it is shown up to this length; the whole is in `--json`. */
const BODY_SHOWN = 2000

/**
 * One run as people read it: what it was; its steps as a tree with timings, log lines and attachments, below the one
 * that failed why; what else belongs to it.
 */
export function printRun(
  run: RunDetail,
  io: Pick<CommandIo, 'color' | 'columns'>,
  { source = () => undefined, command = 'sluice log' }: RunStyle = {},
): string {
  const color = paint(io.color)
  const head: string[] = []
  printHead(run, color, command, head)
  const more = (failure: RunFailure, columns: number) => aboutFailure(failure, source, color, columns)
  const steps = printRunSteps(run, io, { wrapped: true, more })
  return `${[...head, '', ...steps, ...printRunEnd(run, command, io)].join('\n')}\n`
}

/** Its steps alone, a line each. */
export function printRunSteps(
  run: RunDetail,
  io: Pick<CommandIo, 'color' | 'columns'>,
  failures: FailureStyle = {},
): string[] {
  const color = paint(io.color)
  const tree = stepTree(run)
  const printing: Printing = {
    run,
    color,
    columns: io.columns,
    out: [],
    idWidth: widest(tree.steps, 3),
    failures,
  }
  printNodes(tree.steps, '', printing)
  if (run.steps.length === 0) printing.out.push(color.dim(withoutSteps(run)))
  if (run.omittedSteps > 0)
    printing.out.push(color.dim(`(${some(run.omittedSteps, 'step')} in the middle not recorded)`))
  for (const note of tree.notes) printNote(note, '', printing, true)
  if (tree.failure) printFailure(tree.failure, '', printing)
  return printing.out
}

function withoutSteps({ status, progress }: RunDetail): string {
  if (status === 'PROCESSING') return 'The timings of its steps are recorded when it ends.'
  if (status !== 'ABANDONED') return 'No step ran.'
  return progress === undefined
    ? 'The engine ended before it did; nobody knows how far it came.'
    : `The engine ended before it did, after ${sayProgress(progress)}, and perhaps a few more.`
}

function printHead(run: RunDetail, color: Paint, command: string, out: string[]): void {
  const took = run.duration === undefined ? 'unknown' : sayDuration(run.duration)
  const rows: [string, string | undefined][] = [
    ['flow', `${run.flow}${run.version === '' ? '' : ` (version ${run.version})`}`],
    ['trigger', run.trigger],
    ['started', localTime(run.startedAt)],
    ['duration', run.status === 'PROCESSING' ? 'goes on' : took],
    ['progress', run.progress && progressOf(run.progress)],
    ['correlation', correlationOf(run, command)],
    ['caller', run.caller],
    ['called by', run.calledBy === undefined ? undefined : sayLink(run.related?.caller, run.calledBy)],
    ['credentials', run.credentials.join(', ') || undefined],
    ['hosts', run.hosts.join(', ') || undefined],
    ...Object.entries(run.searchable),
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  out.push(`${color.bold(run.id)}  ${paintStatus(run.status, color)}`)
  for (const [name, value] of rows)
    if (value !== undefined) out.push(`${color.dim(oneLine(name).padEnd(width))}  ${oneLine(value)}`)
}

/** Where it is not the run's own id, or others have it. */
function correlationOf({ id, correlationId, related }: RunDetail, command: string): string | undefined {
  const others = related?.correlated ?? 0
  if (others === 0) return correlationId === id ? undefined : correlationId
  const count = others >= 1000 ? `${sayCount(others)} or more other runs` : some(others, 'other run')
  return `${correlationId} (${count}: ${command} --correlation-id ${quoted(correlationId)})`
}

function progressOf(progress: StepProgress): string {
  return `${progress.kind || 'step'} "${progress.step}": ${sayProgress(progress)}`
}

function printNodes(nodes: readonly (StepNode | MoreNode)[], guide: string, printing: Printing): void {
  nodes.forEach((node, i) => {
    const last = i === nodes.length - 1
    const own = guide + (last ? '└─ ' : '├─ ')
    const below = guide + (last ? '   ' : '│  ')
    if (!('step' in node)) {
      const failed = node.failed === 0 ? '' : `, ${sayCount(node.failed)} of them failed`
      printing.out.push(
        printing.color.dim(`${own}… ${some(node.more, 'more round')} of "${node.id}"${failed}`),
      )
      for (const note of node.notes) printNote(note, below, printing, true)
      return
    }
    printing.out.push(stepLine(node.step, own, printing))
    const inner = node.inside.length > 0 ? `${below}│  ` : `${below}   `
    for (const note of node.notes) printNote(note, inner, printing, false)
    if (node.failure) printFailure(node.failure, inner, printing)
    printNodes(node.inside, below, printing)
  })
}

function stepLine(step: StepRecord, guide: string, { run, color, columns, idWidth }: Printing): string {
  const id = oneLine(step.id).padEnd(Math.max(0, idWidth - guide.length - 2))
  const whole = run.file === undefined || step.line === undefined ? '' : oneLine(`${run.file}:${step.line}`)
  const left = columns - guide.length - 2 - id.length - 22 - (step.outcome === 'ended' ? 16 : 0)
  const place = whole.length <= left ? whole : whole.length > 0 && left > 8 ? `…${whole.slice(1 - left)}` : ''
  const what = `${step.kind.padEnd(8)}  ${color.dim(place)}`
  if (step.outcome === 'skipped') return color.dim(`${guide}${MARKS.skipped} ${id}  skipped   `) + what
  const took = sayDuration(step.duration).padStart(8)
  const mark = MARKS[step.outcome]
  const painted = step.outcome === 'failed' ? color.red(`${mark} ${id}`) : `${color.green(mark)} ${id}`
  const start = `  +${sayDuration(step.start)}`
  const at = place.length + start.length <= left ? color.dim(start) : ''
  return `${color.dim(guide)}${painted}  ${took}  ${what}${at}${step.outcome === 'ended' ? color.dim('  ended the flow') : ''}`
}

function printNote(note: Note, guide: string, printing: Printing, withStep: boolean): void {
  const { color, out } = printing
  const step = withStep && note.of.step !== '' ? color.dim(`${oneLine(note.of.step)}: `) : ''
  const start = `${color.dim(guide)}${step}`
  switch (note.kind) {
    case 'line': {
      const { level, text, fields } = note.of
      const [first, ...rest] = printable(text.trimEnd()).split('\n')
      const data = fields === undefined ? '' : `  ${color.dim(oneLine(JSON.stringify(fields)))}`
      out.push(`${start}${paintLevel(level, color)}  ${first}${rest.length === 0 ? data : ''}`)
      for (const line of rest) out.push(`${color.dim(guide)}       ${line}`)
      if (rest.length > 0 && data !== '') out.push(`${color.dim(guide)}     ${data}`)
      return
    }
    case 'attachment': {
      const { contentType, size } = note.of
      out.push(
        `${start}attachment "${oneLine(note.name)}"  ${color.dim(`${oneLine(contentType)}, ${bytes(size)}`)}`,
      )
      return
    }
    case 'snapshot':
      for (const [name, value] of snapshotRows(note.of)) {
        const room = Math.max(40, printing.columns - guide.length - name.length - 2)
        out.push(color.dim(`${guide}${name}  ${shorten(oneLine(value), Math.min(room, BODY_SHOWN))}`))
      }
  }
}

function snapshotRows(snapshot: Extract<Note, { kind: 'snapshot' }>['of']): [string, string][] {
  const filled = (value: unknown): boolean =>
    typeof value !== 'object' || value === null || Object.keys(value).length > 0
  return [
    ...(filled(snapshot.headers) ? [['headers', JSON.stringify(snapshot.headers)] as [string, string]] : []),
    ...(filled(snapshot.properties)
      ? [['properties', JSON.stringify(snapshot.properties)] as [string, string]]
      : []),
    ...(snapshot.body === undefined || snapshot.body === ''
      ? []
      : [['body', snapshot.body] as [string, string]]),
  ]
}

function printFailure(failure: RunFailure, guide: string, { color, columns, out, failures }: Printing): void {
  const tell = (text: string, tone = (line: string): string => line): void => {
    const width = failures.wrapped ? Math.max(40, columns - guide.length - 1) : Infinity
    for (const line of wrap(printable(text), width)) out.push(`${color.dim(guide)}${tone(line)}`)
  }
  tell(`${failure.code}: ${failure.message}`, (line) =>
    line.startsWith(failure.code) ? color.red(failure.code) + line.slice(failure.code.length) : line,
  )
  if (failure.item !== undefined) tell(sayItem(failure.item))
  if (failure.position !== undefined) tell(`at ${failure.position}`)
  if (failure.receiver !== undefined)
    tell(
      `receiver ${failure.receiver.host}${failure.receiver.status === undefined ? '' : ` answered ${failure.receiver.status}`}`,
    )
  if (failure.hint !== undefined) tell(failure.hint)
  for (const line of failures.more?.(failure, columns - guide.length) ?? [])
    out.push(`${color.dim(guide)}${line}`)
}

function widest(nodes: readonly (StepNode | MoreNode)[], indent: number): number {
  return nodes.reduce(
    (width, node) =>
      'step' in node
        ? Math.max(width, indent + 2 + node.step.id.length, widest(node.inside, indent + 3))
        : width,
    0,
  )
}
