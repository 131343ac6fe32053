import type { ASTNode } from '@marcbachmann/cel-js'
import {
  extentOf,
  MAX_ITERATIONS,
  type Compilation,
  type Compiled,
  type Evaluate,
  type Frame,
} from './compilation.ts'
import { GROUPS } from './functions.ts'
import { truth } from './operators.ts'
import type { Site } from './site.ts'
import { isMap } from './values.ts'

/** `list.map(x, value)` and its kin; the number of arguments has been checked. */
export function compileMacro(
  name: string,
  node: ASTNode,
  listNode: ASTNode,
  args: readonly ASTNode[],
  compilation: Compilation,
): Compiled {
  const list = compilation.compile(listNode)
  const [variableNode, ...insideNodes] = args
  const variable = variableNode!.args as string
  if (compilation.knows(variable) || GROUPS.has(variable)) {
    compilation.mistake(
      'expression/hidden-variable',
      `the iteration variable "${variable}" hides ${
        compilation.scope.includes(variable) ? 'the one outside' : `"${variable}"`
      }`,
      extentOf(variableNode!),
      'Give it a name of its own.',
    )
  }
  const slot = compilation.scope.push(variable) - 1
  const inside = insideNodes.map((part) => compilation.compile(part))
  compilation.scope.pop()
  compilation.iterates = true
  const site = compilation.site(name, node, [listNode, ...insideNodes], ['.'])
  const run = evaluateMacro(name, list.run, slot, inside, site)
  const free = new Set(inside.flatMap((part) => [...part.free]))
  free.delete(variable)
  return compilation.combined(run, [list, { free }])
}

function evaluateMacro(
  name: string,
  list: Evaluate,
  slot: number,
  inside: readonly Compiled[],
  site: Site,
): Evaluate {
  const first = inside[0]!.run
  const second = inside[1]?.run
  switch (name) {
    case 'filter':
      return (m, c, f) => {
        const kept: unknown[] = []
        for (const element of elementsOf(list(m, c, f), site)) {
          goRound(f, slot, element, site)
          if (truth(first(m, c, f), site, 1)) kept.push(element)
        }
        return kept
      }
    case 'exists':
      return (m, c, f) => {
        for (const element of elementsOf(list(m, c, f), site)) {
          goRound(f, slot, element, site)
          if (truth(first(m, c, f), site, 1)) return true
        }
        return false
      }
    case 'all':
      return (m, c, f) => {
        for (const element of elementsOf(list(m, c, f), site)) {
          goRound(f, slot, element, site)
          if (!truth(first(m, c, f), site, 1)) return false
        }
        return true
      }
    case 'exists_one':
      return (m, c, f) => {
        let count = 0
        for (const element of elementsOf(list(m, c, f), site)) {
          goRound(f, slot, element, site)
          if (truth(first(m, c, f), site, 1)) count++
        }
        return count === 1
      }
    default:
      return (m, c, f) => {
        const results: unknown[] = []
        for (const element of elementsOf(list(m, c, f), site)) {
          goRound(f, slot, element, site)
          if (second === undefined) results.push(site.storable(first(m, c, f), 1))
          else if (truth(first(m, c, f), site, 1)) results.push(site.storable(second(m, c, f), 2))
        }
        return results
      }
  }
}

function goRound(frame: Frame, slot: number, element: unknown, site: Site): void {
  if (++frame.iterations > MAX_ITERATIONS) {
    site.fail(
      `the expression goes round more than ${MAX_ITERATIONS.toLocaleString('en')} times`,
      'Split the list with forEach, or use a script.',
    )
  }
  frame.slots[slot] = element
}

/** The elements of a list, the keys of a map. */
function elementsOf(value: unknown, site: Site): readonly unknown[] {
  if (Array.isArray(value)) return value
  if (isMap(value)) return Object.keys(value)
  return site.unfit('list or a map', value, 0, 'For one value there is [x].')
}
