import type { ASTNode } from '@marcbachmann/cel-js'
import { defineOwn, parseJson } from '../core/json.ts'
import { extentOf, type Compilation, type Compiled } from './compilation.ts'
import { nameOf } from './values.ts'

/** Texts, numbers, true, false, null, bytes. */
export function compileLiteral(node: ASTNode & { op: 'value' }, compilation: Compilation): Compiled {
  const value = node.args
  if (typeof value === 'bigint') return compilation.constant(parseJson(value.toString()))
  if (typeof value !== 'object' || value === null) return compilation.constant(value)
  if (value instanceof Uint8Array) return compilation.constant(Buffer.from(value))
  return compilation.constant(parseJson(String(value)))
}

/** `[a, b]` */
export function compileList(node: ASTNode & { op: 'list' }, compilation: Compilation): Compiled {
  const elements = node.args.map((element) => compilation.compile(element))
  const runs = elements.map((element) => element.run)
  const site = compilation.site('[]', node, node.args)
  return compilation.combined((message, context, frame) => {
    const list: unknown[] = []
    for (let i = 0; i < runs.length; i++) list.push(site.storable(runs[i]!(message, context, frame), i))
    return list
  }, elements)
}

/** `{"key": value}` */
export function compileMap(node: ASTNode & { op: 'map' }, compilation: Compilation): Compiled {
  const keys = node.args.map(([key]) => compilation.compile(key))
  const values = node.args.map(([, value]) => compilation.compile(value))
  const broken = mistakenKey(node, keys, compilation)
  if (broken) return broken
  const keySite = compilation.site(
    '{}',
    node,
    node.args.map(([key]) => key),
  )
  const valueSite = compilation.site(
    '{}',
    node,
    node.args.map(([, value]) => value),
  )
  const keyRuns = keys.map((key) => key.run)
  const valueRuns = values.map((value) => value.run)
  return compilation.combined(
    (message, context, frame) => {
      const map: Record<string, unknown> = {}
      for (let i = 0; i < keyRuns.length; i++) {
        const key = keyRuns[i]!(message, context, frame)
        if (typeof key !== 'string') {
          return keySite.fail(
            `a key of a map is a text, not ${nameOf(key)}`,
            'string(x) makes text of a value.',
            i,
          )
        }
        defineOwn(map, key, valueSite.storable(valueRuns[i]!(message, context, frame), i))
      }
      return map
    },
    [...keys, ...values],
  )
}

function mistakenKey(
  node: ASTNode & { op: 'map' },
  keys: readonly Compiled[],
  compilation: Compilation,
): Compiled | undefined {
  const seen = new Set<unknown>()
  let broken: Compiled | undefined
  keys.forEach(({ constant }, i) => {
    if (!constant) return
    const extent = extentOf(node.args[i]![0])
    if (typeof constant.value !== 'string') {
      broken = compilation.mistake(
        'expression/fails',
        `a key of a map is a text, not ${nameOf(constant.value)}`,
        extent,
        'Write it in quotes.',
      )
    } else if (seen.has(constant.value)) {
      broken = compilation.mistake(
        'expression/duplicate-key',
        `the key "${constant.value}" is twice in the map`,
        extent,
      )
    }
    seen.add(constant.value)
  })
  return broken
}
