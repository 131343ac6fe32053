import { paint } from '../paint.ts'
import { oneLine, printable } from '../plain-text.ts'
import { clockTime } from './run-lines.ts'

/** Told in other words by the line itself, or of no use to a person. */
const LEFT_OUT: ReadonlySet<string> = new Set(['level', 'time', 'msg', 'hint', 'err', 'flow', 'credential'])

/** A line of the engine's log (JSON) as people read it beside runs. What is no such line stays as it is. */
export function printEngineLine(line: string, io: { readonly color: boolean }): string {
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
  const tail = fields.length === 0 ? '' : `  ${color.dim(oneLine(fields.join(' ')))}`
  const text = tone(oneLine(String(msg)))
  const stack = (err as { stack?: unknown } | undefined)?.stack
  return [
    `${color.dim(clockTime(Number(time)))} ${tone(mark)} ${text}${tail}`,
    ...(hint === undefined ? [] : [`           ${oneLine(String(hint))}`]),
    ...(stack === undefined
      ? []
      : printable(String(stack))
          .split('\n')
          .map((part) => `           ${color.dim(part)}`)),
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
