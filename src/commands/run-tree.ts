import { sayDuration } from '../core/duration.ts'
import type { RunFailure } from '../core/failure.ts'
import type { RunDetail, StepProgress, StepRecord } from '../store/rows.ts'
import type { CommandIo } from './command.ts'
import { paint, type Paint } from './paint.ts'
import { bytes, localTime, oneLine, printable, shorten } from './plain-text.ts'
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
  readonly more?: (failure: RunFailure) => readonly string[]
}

const MARKS: Record<StepRecord['outcome'], string> = { done: '✓', ended: '✓', failed: '✗', skipped: '○' }
/** A body as `trace` kept it is shown up to this length; the whole is in `--json`. */
const BODY_SHOWN = 2000

/** One run as people read it: what it was, and its steps as a tree with timings, log lines and attachments. */
export function printRun(run: RunDetail, io: Pick<CommandIo, 'color' | 'columns'>): string {
  const head: string[] = []
  printHead(run, paint(io.color), head)
  return `${[...head, '', ...printRunSteps(run, io)].join('\n')}\n`
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

function printHead(run: RunDetail, color: Paint, out: string[]): void {
  const took = run.duration === undefined ? 'unknown' : sayDuration(run.duration)
  const rows: [string, string | undefined][] = [
    ['flow', `${run.flow}${run.version === '' ? '' : ` (version ${run.version})`}`],
    ['trigger', run.trigger],
    ['started', localTime(run.startedAt)],
    ['duration', run.status === 'PROCESSING' ? 'goes on' : took],
    ['progress', run.progress && progressOf(run.progress)],
    ['correlation', run.correlationId === run.id ? undefined : run.correlationId],
    ['caller', run.caller],
    ['credentials', run.credentials.join(', ') || undefined],
    ['hosts', run.hosts.join(', ') || undefined],
    ...Object.entries(run.searchable),
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  out.push(`${color.bold(run.id)}  ${paintStatus(run.status, color)}`)
  for (const [name, value] of rows)
    if (value !== undefined) out.push(`${color.dim(oneLine(name).padEnd(width))}  ${oneLine(value)}`)
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

function stepLine(step: StepRecord, guide: string, { run, color, idWidth }: Printing): string {
  const place = run.file === undefined || step.line === undefined ? '' : `${run.file}:${step.line}`
  const id = oneLine(step.id).padEnd(Math.max(0, idWidth - guide.length - 2))
  const what = `${step.kind.padEnd(8)}  ${color.dim(oneLine(place))}`
  if (step.outcome === 'skipped') return color.dim(`${guide}${MARKS.skipped} ${id}  skipped   `) + what
  const took = sayDuration(step.duration).padStart(8)
  const mark = MARKS[step.outcome]
  const painted = step.outcome === 'failed' ? color.red(`${mark} ${id}`) : `${color.green(mark)} ${id}`
  const at = color.dim(`  +${sayDuration(step.start)}`)
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
      const { name, contentType, size } = note.of
      out.push(
        `${start}attachment "${oneLine(name)}"  ${color.dim(`${oneLine(contentType)}, ${bytes(size)}`)}`,
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
  for (const line of failures.more?.(failure) ?? []) out.push(`${color.dim(guide)}${line}`)
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
