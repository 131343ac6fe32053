import { isAlias, isMap, isScalar, isSeq, type Alias, type Node, type Scalar, type YAMLMap } from 'yaml'
import { defineOwn } from './json.ts'
import type { ProblemCode } from './problem-codes.ts'
import { CURLY_HINT, inCurlyQuotes, valueEnd, type TextMistake, type Range } from './yaml-text.ts'

/** Nodes that may be seen through aliases, so that a small file cannot stand for endless data. */
const MAX_ALIASED = 10_000
const MAX_DEPTH = 200

export interface Data {
  readonly value: unknown
  readonly mistakes: readonly TextMistake[]
  /** What each alias stands for. */
  readonly targets: ReadonlyMap<Alias, Node>
}

/** The text of a key; undefined for keys that are no texts. Curly quotes around it are left out. */
export function keyText(key: unknown): string | undefined {
  if (!isScalar(key)) return undefined
  const text = String(key.value ?? '')
  return isPlain(key) && inCurlyQuotes(text) ? text.slice(1, -1) : text
}

/** Makes plain data of the nodes. Every key is an own property, `__proto__` too. */
export function readData(root: Node, text: string, masked: readonly Range[]): Data {
  const reader = new Reader(text, masked)
  return { value: reader.read(root, 0), mistakes: reader.mistakes, targets: reader.targets }
}

interface Anchored {
  readonly node: Node
  value: unknown
  size: number
  complete: boolean
}

function isPlain(node: unknown): node is Scalar {
  return isScalar(node) && node.type === 'PLAIN'
}

function isMergeKey(key: unknown): boolean {
  return isPlain(key) && key.value === '<<'
}

class Reader {
  readonly mistakes: TextMistake[] = []
  readonly targets = new Map<Alias, Node>()
  private readonly text: string
  private readonly masked: readonly Range[]
  private readonly anchors = new Map<string, Anchored>()
  /** Nodes read so far, those behind aliases counted again. */
  private size = 0
  private aliased = 0

  constructor(text: string, masked: readonly Range[]) {
    this.text = text
    this.masked = masked
  }

  read(node: Node | null, depth: number): unknown {
    if (depth > MAX_DEPTH) throw new RangeError('nested too deeply')
    this.size++
    if (node === null) return null
    if (isAlias(node)) return this.alias(node)
    const anchor = (node as Scalar).anchor
    if (anchor === undefined) return this.plain(node, depth)
    const entry: Anchored = { node, value: undefined, size: this.size, complete: false }
    this.anchors.set(anchor, entry)
    entry.value = this.plain(node, depth)
    entry.size = this.size - entry.size + 1
    entry.complete = true
    return entry.value
  }

  private plain(node: Node, depth: number): unknown {
    if (isMap(node)) return this.map(node, depth)
    if (isSeq(node)) return node.items.map((item) => this.read(item as Node | null, depth + 1))
    return isScalar(node) ? this.scalar(node) : undefined
  }

  private map(node: YAMLMap, depth: number): unknown {
    const result: Record<string, unknown> = {}
    const first = new Map<string, Node>()
    let merged = false
    for (const pair of node.items) {
      const key = pair.key as Node
      let name = keyText(key)
      if (isMergeKey(key)) {
        this.add(
          key,
          'yaml/merge-key',
          '"<<" is a merge key of YAML 1.1',
          'Write the keys out: YAML 1.2 has no merge keys.',
        )
        merged = true
        continue
      }
      let value = this.read(pair.value as Node | null, depth + 1)
      if (name === undefined) {
        this.add(key, 'yaml/key', 'a key is a text; this one is a list, a map or an alias')
        continue
      }
      const joined =
        node.flow === true && value === null && isPlain(key) ? /^([\w.$-]+):(\S+)$/.exec(name) : null
      if (joined) {
        this.add(key, 'yaml/space', 'after ":" a space is missing', `Write "${joined[1]}: ${joined[2]}"`)
        name = joined[1]!
        value = undefined
      } else if (isPlain(key) && inCurlyQuotes(String(key.value)))
        this.add(key, 'yaml/curly-quotes', `the key "${name}" stands in curly quotes`, CURLY_HINT)
      const earlier = first.get(name)
      if (earlier) {
        const [start, end] = earlier.range!
        this.add(key, 'yaml/duplicate-key', `"${name}" is there twice`, 'Remove one of them.', {
          start,
          end,
          message: 'it is here already',
        })
        continue
      }
      first.set(name, key)
      defineOwn(result, name, value)
    }
    return merged ? undefined : result
  }

  private scalar(node: Scalar): unknown {
    const [start, end] = node.range!
    if (this.masked.some((range) => range.start < end && start < range.end)) return undefined
    const { value } = node
    if (isPlain(node) && typeof value === 'string' && inCurlyQuotes(value)) {
      this.add(node, 'yaml/curly-quotes', 'the text stands in curly quotes', CURLY_HINT)
      return undefined
    }
    return value
  }

  private alias(node: Alias): unknown {
    const target = this.anchors.get(node.source)
    if (!target) {
      const [start] = node.range!
      const end = valueEnd(this.text, start)
      const written = this.text.slice(start, end)
      this.mistakes.push({
        code: 'yaml/alias',
        message: `"*${node.source}" is a YAML alias, and nothing before it is marked "&${node.source}"`,
        hint: `If a text is meant, put it in quotes: "${written}"`,
        start,
        end,
      })
      return undefined
    }
    if (!target.complete) {
      this.add(node, 'yaml/alias', `"*${node.source}" stands inside of what it refers to`)
      return undefined
    }
    this.targets.set(node, target.node)
    this.aliased += target.size
    this.size += target.size
    if (this.aliased <= MAX_ALIASED) return target.value
    if (this.aliased - target.size <= MAX_ALIASED)
      this.add(node, 'yaml/alias', `the aliases of this file stand for more than ${MAX_ALIASED} values`)
    return undefined
  }

  private add(
    node: Node,
    code: ProblemCode,
    message: string,
    hint?: string,
    related?: TextMistake['related'],
  ): void {
    const [start, end] = node.range!
    this.mistakes.push({
      code,
      message,
      ...(hint !== undefined && { hint }),
      start,
      end,
      ...(related && { related }),
    })
  }
}
