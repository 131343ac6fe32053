import type { Document, Path, Target } from '../core/document.ts'
import { defineOwn } from '../core/json.ts'
import type { Place, Problem } from '../core/problem.ts'

interface Entry {
  /** Offsets in the text. */
  readonly key: readonly [start: number, end: number]
  readonly value: readonly [start: number, end: number]
  /** The value stands in the text as it is: no escape, no line that goes on. */
  readonly exact: boolean
}

/**
 * Reads a Java properties text: `key=value`, `key: value`, `#` and `!` comments, `\` escapes, lines that go on after a `\`.
 * @see https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/Properties.html#load(java.io.Reader)
 */
export function readProperties(file: string, text: string): { document: Document; problems: Problem[] } {
  const value: Record<string, string> = {}
  const entries = new Map<string, Entry>()
  const problems: Problem[] = []
  const starts = lineStarts(text)
  const place = ([start, end]: readonly [number, number]): Place => placeOf(file, text, starts, start, end)
  for (const [start, end] of logicalLines(text)) {
    const line = text.slice(start, end)
    const keyEnd = endOfKey(line)
    const behind = /^[ \t\f]*(?:[=:][ \t\f]*)?/.exec(line.slice(keyEnd))![0].length
    const key = unescaped(line.slice(0, keyEnd))
    const raw = line.slice(keyEnd + behind)
    const entry: Entry = {
      key: [start, start + keyEnd],
      value: [start + keyEnd + behind, end],
      exact: !raw.includes('\\'),
    }
    const first = entries.get(key)
    if (first)
      problems.push({
        code: 'destination/duplicate',
        severity: 'error',
        message: `"${key}" is there twice`,
        hint: 'Take one of them out.',
        ...place(entry.key),
        related: [{ ...place(first.key), message: 'the first one' }],
      })
    else entries.set(key, entry)
    defineOwn(value, key, unescaped(raw))
  }
  return {
    document: {
      file,
      text,
      value,
      place(path: Path, target: Target = {}) {
        const entry = entries.get(String(path[0]))
        if (!entry) return place([0, 0])
        if (target.on === 'key') return place(entry.key)
        const [from, to] = entry.value
        if (target.offset === undefined || !entry.exact) return place(from === to ? entry.key : [from, to])
        const at = Math.min(from + target.offset, to)
        return place([at, Math.min(at + (target.length ?? 0), to)])
      },
      written(path: Path) {
        const entry = entries.get(String(path[0]))
        return entry && text.slice(...entry.value)
      },
    },
    problems,
  }
}

function endOfKey(line: string): number {
  let at = 0
  while (at < line.length && !/[\s=:]/.test(line[at]!)) at += line[at] === '\\' ? 2 : 1
  return Math.min(at, line.length)
}

/** Where lines begin and end, without the white space before them, comments and empty lines; those that go on are one. */
function logicalLines(text: string): (readonly [number, number])[] {
  const lines: (readonly [number, number])[] = []
  const pattern = /[^\r\n]*(\r\n|\r|\n|$)/y
  let open: number | undefined
  while (pattern.lastIndex < text.length) {
    const from = pattern.lastIndex
    const [whole, ending] = pattern.exec(text)!
    const line = whole.slice(0, whole.length - ending!.length)
    const blank = /^[ \t\f\ufeff]*/.exec(line)![0].length
    if (open === undefined && /^([#!]|$)/.test(line.slice(blank))) continue
    const goesOn = /(?:^|[^\\])(?:\\\\)*\\$/.test(line) && pattern.lastIndex < text.length
    const start: number = open ?? from + blank
    open = goesOn ? start : undefined
    if (!goesOn) lines.push([start, from + line.length])
  }
  return lines
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }

function unescaped(text: string): string {
  return text
    .replaceAll(/\\(\r\n|\r|\n|$)[ \t\f]*/g, '')
    .replaceAll(/\\(?:u([0-9a-fA-F]{4})|([^]))/g, (_, hex: string | undefined, one: string | undefined) =>
      hex === undefined ? (ESCAPES[one!] ?? one!) : String.fromCharCode(Number.parseInt(hex, 16)),
    )
}

function lineStarts(text: string): number[] {
  const starts = [0]
  for (const { index, 0: ending } of text.matchAll(/\r\n|\r|\n/g)) starts.push(index + ending.length)
  return starts
}

function placeOf(file: string, text: string, starts: readonly number[], start: number, end: number): Place {
  const from = position(text, starts, start)
  if (end <= start) return { file, ...from }
  const to = position(text, starts, end)
  return { file, ...from, endLine: to.line, endColumn: to.column }
}

function position(text: string, starts: readonly number[], offset: number): { line: number; column: number } {
  const line = starts.findLastIndex((start) => start <= offset)
  const mark = line === 0 && text.startsWith('\ufeff') ? 1 : 0
  return { line: line + 1, column: Math.max(1, offset - starts[line]! + 1 - mark) }
}
