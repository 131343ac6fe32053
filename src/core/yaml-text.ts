import { isMap, isScalar, isSeq, parseDocument, visit, type Document, type Node, type YAMLError } from 'yaml'
import type { ProblemCode } from './problem-codes.ts'

/** Offsets in the file's text. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** A mistake in the YAML itself. */
export interface TextMistake extends Range {
  readonly code: ProblemCode
  readonly message: string
  readonly hint?: string
  readonly related?: Range & { readonly message: string }
}

export interface ParsedYaml {
  /** Undefined where the text cannot be told apart any more. */
  readonly root: Node | undefined
  readonly mistakes: readonly TextMistake[]
  /** Where the text had to be covered to be able to read on: the values there are not known. */
  readonly masked: readonly Range[]
}

/** What a mistake is, and what to cover so that the rest can be read. Nothing to cover: the rest cannot be read. */
export interface Verdict {
  readonly mistake?: TextMistake
  /** `x`: the value there is not known; ` `: it is only left out; nothing: read on as it is. */
  readonly cover?: Range & { readonly by: 'x' | ' ' | '' }
  /** The whole text to read on with, of the same length. */
  readonly text?: string
}

export type Judge = (error: YAMLError, text: string, document: Document) => Verdict

export const CURLY_HINT = 'Write straight quotes: " or \'.'
const MAX_ROUNDS = 50

/**
 * Parses a text and gathers its mistakes. A mistake that keeps to its own value is covered, and the text parsed
 * again, so that one mistake gives one problem and the others are found in the same run.
 */
export function parseYaml(text: string, judge: Judge): ParsedYaml {
  const mistakes: TextMistake[] = []
  const masked: Range[] = []
  const passed = new Set<string>()
  let current = text
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const document = parse(current)
    const error = [...document.errors, ...document.warnings]
      .filter((candidate) => !passed.has(signature(candidate)))
      .toSorted((a, b) => a.pos[0] - b.pos[0])[0]
    if (!error) return { ...rootOf(document, mistakes), masked }
    const { mistake, cover, text: mended } = judge(error, current, document)
    const last = cover === undefined && mended === undefined
    if (mistake && !(last && mistakes.some((other) => sameLine(text, other, mistake)))) mistakes.push(mistake)
    if (last) return { root: undefined, mistakes, masked }
    if (mended !== undefined) current = mended
    if (!cover) continue
    if (cover.by === '') passed.add(signature(error))
    else current = covered(current, cover)
    if (cover.by === 'x') masked.push(cover)
  }
  return { root: undefined, mistakes, masked }
}

/** What is wrong on a line with a mistake, and cannot be told apart from it, follows from it. */
function sameLine(text: string, a: Range, b: Range): boolean {
  return lineBefore(text, a.start).length - a.start === lineBefore(text, b.start).length - b.start
}

/** As everything of ours is parsed; what is wrong is in its errors. */
export function parse(text: string): Document {
  return parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    stringKeys: true,
    uniqueKeys: false,
    prettyErrors: false,
    keepSourceTokens: true,
    logLevel: 'error',
  })
}

function rootOf(document: Document, mistakes: TextMistake[]): Pick<ParsedYaml, 'root' | 'mistakes'> {
  const root: Node | null = document.contents
  if (root !== null && !(isScalar(root) && root.value === null)) {
    keepScalarTokens(root)
    return { root, mistakes }
  }
  const empty: TextMistake = { code: 'yaml/empty', message: 'the file is empty', start: 0, end: 0 }
  return { root: undefined, mistakes: mistakes.length > 0 ? mistakes : [empty] }
}

/** The tokens of maps and lists hold all of the text's; those of scalars are enough to find places in them. */
function keepScalarTokens(node: unknown): void {
  if (isMap(node)) {
    delete node.srcToken
    for (const pair of node.items) {
      delete pair.srcToken
      keepScalarTokens(pair.key)
      keepScalarTokens(pair.value)
    }
  } else if (isSeq(node)) {
    delete node.srcToken
    for (const item of node.items) keepScalarTokens(item)
  }
}

function signature(error: YAMLError): string {
  return `${error.code}:${error.pos[0]}`
}

function covered(text: string, { start, end, by }: Range & { by: string }): string {
  return text.slice(0, start) + by.repeat(end - start) + text.slice(end)
}

/** The opening quote of the text that the parser could not find the end of. */
export function openingQuote(document: Document, end: number): number | undefined {
  let start: number | undefined
  visit(document, {
    Scalar(_, node) {
      const quoted = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE'
      if (quoted && node.range && node.range[1] >= end - 1 && node.range[0] < end) start = node.range[0]
    },
  })
  return start
}

/** Curly quotes as word processors put them, around the whole text. */
export function inCurlyQuotes(text: string): boolean {
  return /^[“”„‘’][^“”„‘’]*[“”‘’"']$/.test(text)
}

/** Offset behind the value that begins at `start`, on its line: before a comment, or what ends it in a flow map or list. */
export function valueEnd(text: string, start: number, inFlow = standsInFlow(text, start)): number {
  let depth = 0
  let quote = ''
  let i = start
  for (; i < text.length && text[i] !== '\n' && text[i] !== '\r'; i++) {
    const c = text[i]!
    if (quote !== '') quote = c === quote ? '' : quote
    else if (depth > 0 && (c === '"' || c === "'")) quote = c
    else if (c === '{' || c === '[' || c === '(') depth++
    else if (inFlow && depth === 0 && (c === ',' || c === '}' || c === ']')) break
    else if (c === '}' || c === ']' || c === ')') depth = Math.max(0, depth - 1)
    else if (c === '#' && /\s/.test(text[i - 1] ?? '')) break
  }
  while (i > start && (text[i - 1] === ' ' || text[i - 1] === '\t')) i--
  return i
}

/** Offset of the value, on its line, that `at` is in. */
export function valueStart(text: string, at: number): number {
  let i = at
  for (; i > 0 && text[i - 1] !== '\n'; i--) {
    const c = text[i - 1]!
    if (
      c === ',' ||
      c === '[' ||
      (c === '{' && text[i - 2] !== '$' && text[i - 2] !== '{' && text[i] !== '{')
    )
      break
    if ((c === ':' || c === '-') && text[i] === ' ' && (c === ':' || /^\s*$/.test(lineBefore(text, i - 1))))
      break
  }
  while (text[i] === ' ') i++
  return i
}

/** The key before a value on the same line: `cron` of `- timer: { cron: * * * * * }`. */
export function keyBefore(text: string, start: number): string | undefined {
  return /([\w$.-]+):[ \t]+$/.exec(lineBefore(text, start))?.[1]
}

/** The value as it is to be written: in quotes, after its key where one is on the line. */
export function inQuotes(text: string, { start, end }: Range): string {
  const written = text.slice(start, end)
  const quoted = /["\\]/.test(written) ? `'${written.replaceAll("'", "''")}'` : `"${written}"`
  const key = keyBefore(text, start)
  return key === undefined ? quoted : `${key}: ${quoted}`
}

export function lineBefore(text: string, at: number): string {
  return text.slice(text.lastIndexOf('\n', at - 1) + 1, at)
}

export function lineAfter(text: string, at: number): string {
  const end = text.indexOf('\n', at)
  return text.slice(at, end === -1 ? text.length : end).replace(/\r$/, '')
}

function standsInFlow(text: string, at: number): boolean {
  const open = lineBefore(text, at)
    .replace(/"(?:[^"\\]|\\.)*"|'[^']*'/g, '')
    .replace(/\$\{[^}]*\}/g, '')
  return (open.match(/[[{]/g)?.length ?? 0) > (open.match(/[\]}]/g)?.length ?? 0)
}
