import { sayDuration } from '../core/duration.ts'
import type { RunDetail, RunLink } from '../store/rows.ts'
import type { CommandIo } from './command.ts'
import { quoted } from './log-filter.ts'
import { paint, table, type Paint } from './paint.ts'
import { bytes, localTime, oneLine, printable, shorten } from './plain-text.ts'
import { paintLevel, paintStatus, shortId } from './run-list.ts'
import { attachmentNames } from './run-steps.ts'
import { sayCount, some } from './run-words.ts'

/** Lines of a failed run that stand at the end once more; with fewer, they are in sight anyway. */
const LAST_LINES = 5
const IN_SIGHT = 10
const ATTACHMENTS = 20

/** Below the steps of a run: its last lines where it failed, its attachments, the runs that it called. */
export function printRunEnd(
  run: RunDetail,
  command: string,
  io: Pick<CommandIo, 'color' | 'columns'>,
): string[] {
  const color = paint(io.color)
  return [
    ...lastLines(run, io.columns, color),
    ...attachments(run, command, color),
    ...called(run, command, color),
  ]
}

/** `orders-validate  8f2a4c6e1b3d  FAILED` */
export function sayLink(link: RunLink | undefined, id: string): string {
  return link ? `${link.flow}  ${shortId(id)}  ${link.status}` : `${shortId(id)} (its record is gone)`
}

function lastLines({ lines, failure }: RunDetail, columns: number, color: Paint): string[] {
  if (failure === undefined || lines.length <= IN_SIGHT) return []
  const shown = lines.slice(-LAST_LINES).map(({ at, level, step, text }) => {
    const start = `${localTime(at).slice(11)}  ${level.padEnd(5)}  ${step === '' ? '' : `${oneLine(step)}: `}`
    const rest = shorten(oneLine(text), Math.max(40, columns - start.length - 2))
    return `  ${start.replace(level.padEnd(5), paintLevel(level, color))}${rest}`
  })
  return ['', color.dim(`the last ${LAST_LINES} of ${some(lines.length, 'line')}`), ...shown]
}

function attachments({ id, attachments: all }: RunDetail, command: string, color: Paint): string[] {
  if (all.length === 0) return []
  const names = attachmentNames(all)
  const rows = all
    .slice(0, ATTACHMENTS)
    .map(({ contentType, size, step }, i) => [
      `  ${oneLine(names[i]!)}`,
      bytes(size),
      oneLine(contentType),
      color.dim(oneLine(step)),
    ])
  const more = all.length - rows.length
  const get = `${command} ${shortId(id)} --attachment ${printable(quoted(names[0]!))}`
  return [
    '',
    color.dim(`${some(all.length, 'attachment')}: ${get}`),
    ...table(rows).trimEnd().split('\n'),
    ...(more === 0 ? [] : [color.dim(`  and ${sayCount(more)} more; --json names them all`)]),
  ]
}

function called({ related }: RunDetail, command: string, color: Paint): string[] {
  if (!related || related.calledCount === 0) return []
  const rows = related.called.map(({ id, flow, status, startedAt, duration }) => [
    `  ${localTime(startedAt).slice(11)}`,
    paintStatus(status, color),
    oneLine(flow),
    duration === undefined ? '-' : sayDuration(duration),
    shortId(id),
  ])
  const more = related.calledCount - rows.length
  return [
    '',
    color.dim(`called ${some(related.calledCount, 'run')}: ${command} RUN`),
    ...table(rows).trimEnd().split('\n'),
    ...(more === 0 ? [] : [color.dim(`  and ${some(more, 'more run')}`)]),
  ]
}
