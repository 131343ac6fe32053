import type { Scalar } from 'yaml'

/** Where the characters of a scalar, as it was parsed, stand in the file's text. */
export interface Offsets {
  /** Offset in the file of the character at `index`; the end of the text for what lies beyond. */
  startOf(index: number): number
  /** Offset in the file behind the character before `index`. */
  endOf(index: number): number
}

type FlowToken = { type: string; offset: number; source: string }
type BlockToken = FlowToken & { indent: number; props: readonly { source: string }[] }

/** A parsed text beside the places of its UTF-16 units. */
class Trace {
  text = ''
  readonly starts: number[] = []
  readonly ends: number[] = []

  /** Adds text that stands at `start` as it is. */
  copy(text: string, start: number): void {
    for (let i = 0; i < text.length; i++) {
      this.starts.push(start + i)
      this.ends.push(start + i + 1)
    }
    this.text += text
  }

  /** Adds text that is written otherwise from `start` to `end`. */
  replace(text: string, start: number, end: number): void {
    for (let i = 0; i < text.length; i++) {
      this.starts.push(start)
      this.ends.push(end)
    }
    this.text += text
  }
}

/** Follows the YAML rules for folding, indentation and escapes once more, this time keeping the places. */
export function scalarOffsets(node: Scalar): Offsets {
  const token = node.srcToken as FlowToken | BlockToken | undefined
  const [start, end] = node.range ?? [0, 0]
  const trace = token && traceOf(token)
  if (!trace || trace.text !== String(node.source ?? node.value))
    return { startOf: () => start, endOf: () => end }
  const last = trace.text.replace(/\n+$/, '').length
  const behind = last === 0 ? (trace.starts[0] ?? start) : trace.ends[last - 1]!
  return {
    startOf: (index) => trace.starts[index] ?? behind,
    endOf: (index) => (index <= 0 ? start : (trace.ends[index - 1] ?? behind)),
  }
}

function traceOf(token: FlowToken | BlockToken): Trace {
  const trace = new Trace()
  if (token.type === 'block-scalar') block(token as BlockToken, trace)
  else if (token.type === 'double-quoted-scalar') doubleQuoted(token, trace)
  else if (token.type === 'single-quoted-scalar') return singleQuoted(token)
  else unfold(token.source, token.offset, trace)
  return trace
}

/** Plain and single-quoted texts: white space around line ends goes, one line end is a space, n are n - 1. */
function unfold(source: string, base: number, trace: Trace): void {
  const lines = source.split('\n')
  let breaks: number[] = []
  let at = base
  lines.forEach((raw, i) => {
    const last = i === lines.length - 1
    const from = i === 0 ? 0 : /^[ \t]*/.exec(raw)![0].length
    const text = last ? raw.slice(from) : withoutBlankEnd(raw.slice(from).replace(/\r$/, ''))
    if (i > 0 && (text !== '' || last)) {
      if (breaks.length === 1) trace.replace(' ', breaks[0]!, at + from)
      else for (const place of breaks.slice(1)) trace.copy('\n', place)
      breaks = []
    }
    trace.copy(text, at + from)
    at += raw.length + 1
    breaks.push(at - 1)
  })
}

function withoutBlankEnd(text: string): string {
  let end = text.length
  while (end > 0 && (text[end - 1] === ' ' || text[end - 1] === '\t')) end--
  return text.slice(0, end)
}

function singleQuoted(token: FlowToken): Trace {
  const raw = new Trace()
  unfold(token.source.slice(1, -1), token.offset + 1, raw)
  const trace = new Trace()
  for (let i = 0; i < raw.text.length; i++) {
    const escaped = raw.text[i] === "'" && raw.text[i + 1] === "'"
    trace.replace(raw.text[i]!, raw.starts[i]!, raw.ends[escaped ? i + 1 : i]!)
    if (escaped) i++
  }
  return trace
}

const ESCAPES: Readonly<Record<string, string>> = {
  0: '\0',
  a: '\x07',
  b: '\b',
  e: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  N: '\u0085',
  _: '\u00a0',
  L: '\u2028',
  P: '\u2029',
  ' ': ' ',
  '"': '"',
  '/': '/',
  '\\': '\\',
  '\t': '\t',
}

const PIECE =
  /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(\r?\n[ \t]*)|([^]))|(\r?\n(?:[ \t]*\r?\n)*)[ \t]*|([ \t]+)|[^\\\s]+|[^]/gy

function doubleQuoted({ source, offset }: FlowToken, trace: Trace): void {
  const text = source.slice(1, -1)
  for (const piece of text.matchAll(PIECE)) {
    const [written, x, u, long, joined, escaped, breaks, blanks] = piece
    const at = offset + 1 + piece.index
    const end = at + written.length
    const code = x ?? u ?? long
    if (code !== undefined) trace.replace(String.fromCodePoint(parseInt(code, 16)), at, end)
    else if (escaped !== undefined) trace.replace(ESCAPES[escaped] ?? written, at, end)
    else if (breaks !== undefined) lineEnds(breaks, at, end, trace)
    else if (
      joined === undefined &&
      !(blanks && /^\r?\n/.test(text.slice(end - offset - 1, end - offset + 1)))
    )
      trace.copy(written, at)
  }
}

function lineEnds(text: string, at: number, end: number, trace: Trace): void {
  const breaks = [...text.matchAll(/\n/g)].map((match) => at + match.index)
  if (breaks.length === 1) trace.replace(' ', at, end)
  else for (const place of breaks.slice(1)) trace.copy('\n', place)
}

interface Line {
  readonly indent: number
  readonly text: string
  /** Offset in the file of the line's begin. */
  readonly at: number
  /** Offset of its `\n`. */
  readonly end: number
}

function block(token: BlockToken, trace: Trace): void {
  const header = token.props[0]!.source
  const chomp = /[-+]/.exec(header)?.[0]
  const given = Number(/\d/.exec(header)?.[0] ?? 0)
  const lines = linesOf(
    token.source,
    token.offset + token.props.reduce((sum, prop) => sum + prop.source.length, 0),
  )
  let end = lines.length
  while (end > 0 && lines[end - 1]!.text === '') end--
  if (end === 0) {
    if (chomp === '+')
      for (const line of lines.slice(0, Math.max(1, lines.length - 1))) trace.copy('\n', line.end)
    return
  }
  let indent = token.indent + given
  let begin = 0
  for (; begin < end && lines[begin]!.text === ''; begin++)
    if (given === 0) indent = Math.max(indent, lines[begin]!.indent)
  if (given === 0) indent = lines[begin]!.indent
  for (let i = lines.length - 1; i >= end; i--) if (lines[i]!.indent > indent) end = i + 1
  for (const line of lines.slice(0, begin)) content(line, indent, trace, '\n')
  if (header.startsWith('>')) folded(lines.slice(begin, end), indent, trace)
  else literal(lines.slice(begin, end), indent, trace)
  if (chomp === '-') return
  trace.copy('\n', lines[end - 1]!.end)
  if (chomp === '+') for (const line of lines.slice(end, -1)) content(line, indent, trace, '\n')
}

function content(line: Line, indent: number, trace: Trace, ending = ''): void {
  const extra = Math.max(0, line.indent - indent)
  trace.copy(' '.repeat(extra) + line.text, line.at + line.indent - extra)
  if (ending !== '') trace.copy(ending, line.end)
}

function literal(lines: readonly Line[], indent: number, trace: Trace): void {
  lines.forEach((line, i) => {
    if (i > 0) trace.copy('\n', lines[i - 1]!.end)
    content(line, indent, trace)
  })
}

/** One line end between lines of text is a space; lines that are indented more keep theirs. */
function folded(lines: readonly Line[], indent: number, trace: Trace): void {
  let separator = ''
  let places: number[] = []
  let wasMore = false
  let before = 0
  const separate = (line: Line) => {
    if (separator === ' ') trace.replace(' ', before, line.at + line.indent)
    else for (const place of places) trace.copy('\n', place)
  }
  for (const line of lines) {
    if (line.indent > indent || line.text.startsWith('\t')) {
      if (separator === ' ') places = [before]
      else if (!wasMore && separator === '\n') places = [...places, before]
      separator = separator === '' ? '' : '\n'
      separate(line)
      content(line, indent, trace)
      wasMore = true
      separator = '\n'
      places = [line.end]
    } else if (line.text === '') {
      if (separator === '\n') trace.copy('\n', places[0]!)
      separator = '\n'
      places = [line.end]
    } else {
      separate(line)
      content(line, indent, trace)
      wasMore = false
      separator = ' '
    }
    before = line.end
  }
}

function linesOf(source: string, base: number): Line[] {
  let at = base
  return source.split('\n').map((raw) => {
    const indent = raw.length - raw.replace(/^ +/, '').length
    const line = { indent, text: raw.slice(indent).replace(/\r$/, ''), at, end: at + raw.length }
    at += raw.length + 1
    return line
  })
}
