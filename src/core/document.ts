import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Alias,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
} from 'yaml'
import type { ProblemCode } from './problem-codes.ts'
import type { Place, Problem } from './problem.ts'
import { scalarOffsets, type Offsets } from './scalar.ts'
import { keyText, readData, type Data } from './yaml-data.ts'
import { judgeYaml } from './yaml-mistakes.ts'
import { parseYaml } from './yaml-text.ts'

/** Keys and indexes from the document's root to a value. */
export type Path = readonly (string | number)[]

export interface Target {
  /** `value` when left out. A path whose last key is not there gives the place of the nearest parent's key. */
  on?: 'key' | 'value'
  /** UTF-16 offset in the text of a scalar as it was parsed (block scalars, escapes and quotes are accounted for). */
  offset?: number
  /** UTF-16 units from the offset on. */
  length?: number
}

/** A YAML text, parsed, that knows where each of its values stands. */
export interface Document {
  /** As shown to people: relative to the project folder. */
  readonly file: string
  readonly text: string
  /** Plain data, before any checking. What is `undefined` in it was reported as a problem already. */
  readonly value: unknown
  place(path: Path, target?: Target): Place
  /** A scalar as it was written, quotes included: `0012`, `1.10`, `"x"`. Undefined for maps and lists. */
  written(path: Path): string | undefined
}

export type ReadDocument = { readonly document?: Document; readonly problems: readonly Problem[] }

/** UTF-16 units that a YAML text may have. */
export const MAX_TEXT = 4 * 1024 * 1024

/**
 * Parses a YAML text (1.2, core schema; no merge keys, aliases limited). The document is there whenever its data can
 * be told apart; what cannot is `undefined` in it and has its problem.
 */
export function readDocument(file: string, text: string): ReadDocument {
  const lines = new Lines(file, text)
  if (text.length > MAX_TEXT)
    return refused(
      lines,
      'yaml/too-large',
      `the file has ${text.length} characters; at most ${MAX_TEXT} are read`,
    )
  try {
    const parsed = parseYaml(text, judgeYaml)
    const mistakes = parsed.mistakes
    const data = parsed.root === undefined ? undefined : readData(parsed.root, text, parsed.masked)
    const problems = [...mistakes, ...(data?.mistakes ?? [])].map(({ start, end, related, ...mistake }) => ({
      severity: 'error' as const,
      ...mistake,
      ...lines.place(start, end),
      ...(related && { related: [{ ...lines.place(related.start, related.end), message: related.message }] }),
    }))
    return data ? { document: new YamlDocument(lines, parsed.root!, data), problems } : { problems }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return refused(lines, 'yaml/too-deep', 'maps and lists are nested too deeply to be read')
  }
}

function refused(lines: Lines, code: ProblemCode, message: string): ReadDocument {
  return { problems: [{ code, severity: 'error', message, ...lines.place(0, 0) }] }
}

/** Offsets in a text as lines and columns. */
class Lines {
  readonly file: string
  readonly text: string
  private readonly counter = new LineCounter()

  constructor(file: string, text: string) {
    this.file = file
    this.text = text
    this.counter.addNewLine(0)
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1))
      this.counter.addNewLine(at + 1)
  }

  place(start: number, end: number): Place {
    const from = this.position(start)
    if (end <= start) return { file: this.file, ...from }
    const to = this.position(end)
    return { file: this.file, ...from, endLine: to.line, endColumn: to.column }
  }

  /** A byte order mark is no column: editors do not show it. */
  private position(offset: number): { line: number; column: number } {
    const { line, col } = this.counter.linePos(offset)
    return { line, column: line === 1 && this.text.startsWith('\uFEFF') ? Math.max(1, col - 1) : col }
  }
}

class YamlDocument implements Document {
  readonly file: string
  readonly text: string
  readonly value: unknown
  private readonly lines: Lines
  private readonly root: Node
  private readonly targets: ReadonlyMap<Alias, Node>
  private readonly offsets = new Map<Node, Offsets>()

  constructor(lines: Lines, root: Node, data: Data) {
    this.file = lines.file
    this.text = lines.text
    this.value = data.value
    this.lines = lines
    this.root = root
    this.targets = data.targets
  }

  place(path: Path, target: Target = {}): Place {
    const found = this.find(path)
    if (!found.complete || target.on === 'key')
      return this.placeOf(found.key ?? this.firstKey(found.node) ?? found.node)
    const node = this.behind(found.node)
    if (target.offset !== undefined && isScalar(node))
      return this.inside(node, target.offset, target.length ?? 0)
    return this.placeOf(isEmpty(found.node) ? (found.key ?? found.node) : found.node)
  }

  written(path: Path): string | undefined {
    const found = this.find(path)
    const node = this.behind(found.node)
    const token = isScalar(node) && found.complete ? node.srcToken : undefined
    return token && 'source' in token ? token.source : undefined
  }

  /** The node at the end of the path, or the last one on the way that is there. */
  private find(path: Path): { node: Node | null; key: Node | undefined; complete: boolean } {
    let node: Node | null = this.root
    let key: Node | undefined
    for (const part of path) {
      const parent: Node | null = this.behind(node)
      if (isMap(parent)) {
        const pair = pairOf(parent, String(part))
        if (!pair) return { node, key, complete: false }
        key = pair.key
        node = pair.value ?? null
      } else if (isSeq(parent)) {
        const item = parent.items[Number(part)] as Node | null | undefined
        if (item === undefined) return { node, key, complete: false }
        node = item
        key = this.firstKey(item)
      } else return { node, key, complete: false }
    }
    return { node, key, complete: true }
  }

  private firstKey(node: Node | null): Node | undefined {
    const map = this.behind(node)
    return isMap(map) ? ((map.items[0]?.key as Node | null | undefined) ?? undefined) : undefined
  }

  private behind(node: Node | null): Node | null {
    return isAlias(node) ? (this.targets.get(node) ?? node) : node
  }

  private placeOf(node: Node | null): Place {
    const [start, end] = node?.range ?? [0, 0]
    return this.lines.place(start, end)
  }

  private inside(node: Scalar, offset: number, length: number): Place {
    let offsets = this.offsets.get(node)
    if (!offsets) this.offsets.set(node, (offsets = scalarOffsets(node)))
    const start = offsets.startOf(offset)
    return this.lines.place(start, length > 0 ? offsets.endOf(offset + length) : start)
  }
}

function pairOf(map: YAMLMap, key: string): Pair<Node, Node | null> | undefined {
  return map.items.find((pair) => keyText(pair.key) === key) as Pair<Node, Node | null> | undefined
}

function isEmpty(node: Node | null): boolean {
  return node === null || (isScalar(node) && node.range !== undefined && node.range![0] === node.range![1])
}
