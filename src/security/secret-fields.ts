import type { TSchema } from '@sinclair/typebox'
import type { Path } from '../core/document.ts'

interface Node {
  readonly 'x-is'?: string
  readonly properties?: Readonly<Record<string, Node>>
  readonly patternProperties?: unknown
  /** Of one or a list of them. */
  readonly item?: Node
}

/** Where the secret texts of a kind's options stand in a value: the written one, or the decoded one. */
export function secretFields(schema: TSchema, value: unknown): Path[] {
  return pathsOf('secret', schema as Node, value, [])
}

/** Where a kind's options name other credentials. */
export function credentialFields(schema: TSchema, value: unknown): Path[] {
  return pathsOf('credential', schema as Node, value, [])
}

type What = 'secret' | 'credential'

/** Of each map of keys: those in which something of the kind stands, however deep. Schemas do not change. */
const holding: Readonly<Record<What, WeakMap<Node, readonly (readonly [name: string, child: Node])[]>>> = {
  secret: new WeakMap(),
  credential: new WeakMap(),
}

function holdersOf(what: What, node: Node): readonly (readonly [name: string, child: Node])[] {
  let holders = holding[what].get(node)
  if (!holders) {
    holders = Object.entries(node.properties ?? {}).filter(([, child]) => holds(what, child))
    holding[what].set(node, holders)
  }
  return holders
}

function holds(what: What, node: Node): boolean {
  if (node['x-is'] === what) return true
  return node.item ? holds(what, node.item) : holdersOf(what, node).length > 0
}

function pathsOf(what: What, node: Node, value: unknown, path: Path): Path[] {
  if (node['x-is'] === what) return [path]
  if (node.item)
    return Array.isArray(value)
      ? value.flatMap((entry, index) => pathsOf(what, node.item!, entry, [...path, index]))
      : pathsOf(what, node.item, value, path)
  return holdersOf(what, node).flatMap(([name, child]) =>
    pathsOf(what, child, memberOf(value, name), [...path, name]),
  )
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
}

/** Whether a text brought in at this path is taken for a secret: in secret fields, and in maps of free names (headers, parameters). */
export function mayHoldSecret(schema: TSchema, path: Path): boolean {
  let node = schema as Node
  for (const part of path) {
    if (node.patternProperties !== undefined) return true
    const child = typeof part === 'number' && node.item ? node.item : node.properties?.[part]
    if (child === undefined) return false
    node = child
  }
  return node['x-is'] === 'secret' || node.item?.['x-is'] === 'secret'
}
