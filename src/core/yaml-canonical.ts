import { isDeepStrictEqual } from 'node:util'
import {
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  Lexer,
  visit,
  type Document,
  type Node,
} from 'yaml'
import { readDocument } from './document.ts'
import type { Problem } from './problem.ts'
import { parse } from './yaml-text.ts'
import { meaningOf, writtenOf, type Written } from './yaml-written.ts'

/** Columns up to which a map or list stays on its line. */
const WIDTH = 100
/** Flow maps are opened from the outside; no deeper nesting is read. */
const MOST_ROUNDS = 300

/** Puts keys into their order; it only moves pairs within their maps. */
export type Reorder = (root: Node) => void

export type Canonical = { readonly text: string } | { readonly problems: readonly Problem[] }

/**
 * The canonical form of a YAML text: 2 spaces, quotes only where they are needed, one blank line at most. Comments
 * stay, and so does the data, which is compared. A text with mistakes is not touched.
 */
export function canonicalYaml(file: string, text: string, reorder: Reorder = () => {}): Canonical {
  const { document, problems } = readDocument(file, text)
  if (!document || problems.length > 0) return { problems }
  const clean = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n')
  for (const [unquotes, moves] of [
    [true, true],
    [false, true],
    [false, false],
  ] as const) {
    const made = formatted(clean, moves ? reorder : () => {}, unquotes)
    if (made === text) return { text }
    if (made !== undefined && isSame(file, text, made, moves ? reorder : () => {})) return { text: made }
  }
  return {
    problems: [
      {
        code: 'fmt/refused',
        severity: 'error',
        message: 'the file cannot be written anew without losing something of it; it was left as it is',
        hint: 'A comment in an unusual place may be the reason: put it on a line of its own, above what it is about.',
        file,
        line: 1,
        column: 1,
      },
    ],
  }
}

/** Formats until nothing changes any more. Undefined: that does not come to an end. */
function formatted(text: string, reorder: Reorder, unquotes: boolean): string | undefined {
  let current = text
  for (let round = 0; round < 4; round++) {
    const next = format(current, reorder, unquotes)
    if (next === current || next === undefined) return next
    current = next
  }
  return undefined
}

function format(text: string, reorder: Reorder, unquotes: boolean): string | undefined {
  const document = parse(text)
  if (document.errors.length > 0 || !document.contents) return undefined
  if (!hasAnchors(document)) reorder(document.contents)
  keepBeside(document, text)
  tidyBlanks(document)
  let made = print(document, text, unquotes)
  for (let round = 0; round < MOST_ROUNDS && openLong(document, parse(made), made); round++)
    made = print(document, text, unquotes)
  return made
}

function hasAnchors(document: Document): boolean {
  let found = false
  visit(document, { Node: (_, node) => void (found ||= isAlias(node) || node.anchor !== undefined) })
  return found
}

/** A comment beside the key of a map or list stays there; the parser takes it for one above what follows. */
function keepBeside(document: Document, text: string): void {
  visit(document, {
    Pair(_, { key, value }) {
      if (!isScalar(key) || !isCollection(value) || value.flow || !value.commentBefore || !key.range)
        return undefined
      if (!/^[ \t]*:[ \t]*#/.test(text.slice(key.range[1], key.range[1] + 200))) return undefined
      const [beside, ...above] = value.commentBefore.split('\n')
      key.comment = beside!
      value.commentBefore = above.join('\n')
    },
  })
}

/** Two blank lines and more in a row are one; none stands before the first thing of a map, a list or the file. */
function tidyBlanks(document: Document): void {
  const tidy = (about: { commentBefore?: string | null; comment?: string | null }) => {
    if (about.commentBefore) about.commentBefore = about.commentBefore.replace(/\n{3,}/g, '\n\n')
    if (about.comment) about.comment = about.comment.replace(/\n{3,}/g, '\n\n')
  }
  const join = (node: unknown) => {
    if (isNode(node)) node.spaceBefore = false
  }
  tidy(document)
  join(document.contents)
  visit(document, {
    Node: (_, node) => tidy(node),
    Pair: (_, pair) => join(pair.value),
    Collection(_, { items }) {
      join(isPair(items[0]) ? items[0].key : items[0])
    },
  })
}

/** Every scalar and comment is held back while the structure is printed, and put in afterwards as it is written. */
function print(document: Document, text: string, unquotes: boolean): string {
  const held: (Written | string)[] = []
  let mark = 'hold'
  while (text.includes(mark)) mark += 'x'
  const hold = (what: Written | string) => `${mark}${held.push(what) - 1}z`
  const copy = document.clone()
  const pairs: [Node, Node][] = []
  pairNodes(document.contents, copy.contents, pairs)
  const flows = insideFlow(document)
  for (const [node, twin] of pairs) {
    if (!isScalar(node) || !isScalar(twin)) continue
    twin.value = hold(writtenOf(node, flows.has(node), unquotes))
    twin.type = 'PLAIN'
    delete twin.source
    delete twin.format
    delete twin.tag
  }
  const structure = copy.toString({
    indent: 2,
    indentSeq: true,
    lineWidth: 0,
    commentString: (comment) =>
      comment
        .split('\n')
        .map((line) => (line === '' ? '' : `#${hold(line === ' ' ? '' : line.trimEnd())}`))
        .join('\n'),
  })
  return fill(structure.replace(/\[ (?=\S)/g, '[').replace(/(?<=\S) \]/g, ']'), held, mark)
}

function pairNodes(node: Node | null, twin: Node | null, pairs: [Node, Node][]): void {
  if (!node || !twin) return
  pairs.push([node, twin])
  if (!isCollection(node) || !isCollection(twin)) return
  node.items.forEach((item, i) => {
    const other = twin.items[i]
    if (isPair(item) && isPair(other)) {
      pairNodes(item.key as Node | null, other.key as Node | null, pairs)
      pairNodes(item.value as Node | null, other.value as Node | null, pairs)
    } else pairNodes(item as Node, other as Node, pairs)
  })
}

function insideFlow(document: Document): ReadonlySet<Node> {
  const inside = new Set<Node>()
  visit(document, {
    Collection(_, node) {
      if (!node.flow) return undefined
      visit(node, { Scalar: (_key, scalar) => void inside.add(scalar) })
      return visit.SKIP
    },
  })
  return inside
}

function fill(structure: string, held: readonly (Written | string)[], mark: string): string {
  const marks = new RegExp(`${mark}(\\d+)z`, 'g')
  const lines: string[] = []
  let keepsEnd = false
  for (const line of structure.replace(/\n+$/, '').split('\n')) {
    const inner = columnOf(line) + 2
    const indented = (more: string) => (more === '' ? '' : ' '.repeat(inner) + more)
    let current = ''
    let at = 0
    let block: Written | undefined
    for (const found of line.matchAll(marks)) {
      current += line.slice(at, found.index)
      at = found.index + found[0].length
      const what = held[Number(found[1])]!
      if (typeof what === 'string') {
        current += what
        continue
      }
      current = what.first === '' ? current.trimEnd() : current + what.first
      if (what.form === 'block') block = what
      else
        for (const more of what.more) {
          lines.push(current.trimEnd())
          current = indented(more)
        }
    }
    current = (current + line.slice(at)).trimEnd()
    if (current !== '' || keepsEnd || lines.at(-1) !== '') lines.push(current)
    keepsEnd = block?.keepsEnd === true
    for (const more of block?.more ?? []) lines.push(indented(more))
  }
  const text = lines.join('\n')
  return keepsEnd ? `${text}\n` : `${text.replace(/\n+$/, '')}\n`
}

/** The column of the key, or of the last `-`, that a line begins with. */
function columnOf(line: string): number {
  const [begin] = /^ *(?:- +)*/.exec(line)!
  return /: |:$/.test(line.slice(begin.length)) || begin.trim() === '' ? begin.length : begin.lastIndexOf('-')
}

/** Makes block maps and lists of the outermost that do not fit on a line any more. Returns whether there are some. */
function openLong(document: Document, printed: Document, text: string): boolean {
  const pairs: [Node, Node][] = []
  pairNodes(document.contents, printed.contents, pairs)
  let opened = false
  let until = -1
  for (const [node, twin] of pairs) {
    if (!isCollection(node) || !node.flow || node.items.length === 0 || !twin.range) continue
    const [start, end] = twin.range
    if (start < until) continue
    until = end
    const lineStart = text.lastIndexOf('\n', start - 1) + 1
    if (end - lineStart <= WIDTH && !text.slice(start, end).includes('\n')) continue
    node.flow = false
    opened = true
  }
  return opened
}

/** Whether two texts say the same, keys in order apart from what was moved on purpose, with the same comments. */
function isSame(file: string, before: string, after: string, reorder: Reorder): boolean {
  const [one, other] = [readDocument(file, before), readDocument(file, after)]
  if (other.problems.length > 0 || !isDeepStrictEqual(one.document?.value, other.document?.value))
    return false
  const [was, is] = [parse(before), parse(after)]
  if (!hasAnchors(was)) reorder(was.contents as Node)
  return (
    isDeepStrictEqual(structureOf(was.contents), structureOf(is.contents)) &&
    isDeepStrictEqual(commentsIn(before).toSorted(), commentsIn(after).toSorted())
  )
}

function structureOf(node: unknown): unknown {
  if (isMap(node))
    return ['map', ...node.items.map(({ key, value }) => [structureOf(key), structureOf(value)])]
  if (isSeq(node)) return ['list', ...node.items.map(structureOf)]
  return isAlias(node) ? ['alias', node.source] : meaningOf(node)
}

/** The text of every comment. */
export function commentsIn(text: string): string[] {
  const comments: string[] = []
  let scalar = false
  for (const token of new Lexer().lex(text)) {
    if (!scalar && token.startsWith('#')) comments.push(token.trimEnd())
    scalar = token === '\x1f'
  }
  return comments
}
