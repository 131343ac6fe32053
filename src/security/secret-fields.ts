import type { TSchema } from '@sinclair/typebox'
import type { Path } from '../core/document.ts'

interface Node {
  readonly 'x-is'?: string
  readonly properties?: Readonly<Record<string, Node>>
  readonly patternProperties?: unknown
}

/** Where the secret texts of a kind's options stand. */
export function secretFields(schema: TSchema): Path[] {
  return pathsOf(schema as Node, [])
}

function pathsOf(node: Node, path: Path): Path[] {
  if (node['x-is'] === 'secret') return [path]
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => pathsOf(child, [...path, name]))
}

/** Whether a text brought in at this path is taken for a secret: in secret fields, and in maps of free names (headers, parameters). */
export function mayHoldSecret(schema: TSchema, path: Path): boolean {
  let node = schema as Node
  for (const part of path) {
    if (node.patternProperties !== undefined) return true
    const child = node.properties?.[part]
    if (child === undefined) return false
    node = child
  }
  return node['x-is'] === 'secret'
}
