import { paint } from '../paint.ts'
import { oneLine, printable } from '../plain-text.ts'
import { wrap } from '../wrap.ts'
import { clockTime, INDENT, type LineIo } from './run-lines.ts'

/** Told in other words by the line itself, or of no use to a person. */
const LEFT_OUT: ReadonlySet<string> = new Set(['level', 'time', 'msg', 'hint', 'err', 'flow', 'credential'])

/** A line of the engine's log (JSON) as people read it beside runs. What is no such line stays as it is. */
export function printEngineLine(line: string, io: LineIo): string {
  const entry = parsed(line)
  if (!entry) return line
  const color = paint(io.color)
  const { level, time, msg, hint, err } = entry
  const [mark, tone] =
    Number(level) >= 50 ? ['✗', color.red] : Number(level) >= 40 ? ['!', color.yellow] : ['·', color.dim]
  const rest = Object.entries(entry).filter(([name]) => !LEFT_OUT.has(name))
  const fields = rest.map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  const width = Math.max(40, io.columns - INDENT.length)
  const [first, ...more] = wrap(oneLine(String(msg)), width)
  const tail = oneLine(fields.join(' '))
  const fits = more.length === 0 && first!.length + 4 + tail.length <= width
  const stack = (err as { stack?: unknown } | undefined)?.stack
  return [
    `${color.dim(clockTime(Number(time)))} ${tone(`${mark} ${first}`)}${fits && tail !== '' ? `  ${color.dim(tail)}` : ''}`,
    ...more.map((part) => `${INDENT}${tone(part)}`),
    ...(fits || tail === '' ? [] : wrap(tail, width).map((part) => `${INDENT}${color.dim(part)}`)),
    ...(hint === undefined ? [] : wrap(oneLine(String(hint)), width).map((part) => `${INDENT}${part}`)),
    ...(stack === undefined
      ? []
      : printable(String(stack))
          .split('\n')
          .map((part) => `${INDENT}${color.dim(part)}`)),
    '',
  ].join('\n')
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && 'msg' in value ? value : undefined
  } catch {
    return undefined
  }
}
