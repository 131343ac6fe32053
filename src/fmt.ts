import type { TProperties, TSchema } from '@sinclair/typebox'
import { isMap, isNode, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml'
import { canonicalYaml, type Canonical } from './core/yaml-canonical.ts'
import type { Kinds } from './engine/deployment.ts'
import { flowSchema } from './flow/schema.ts'
import { steps } from './steps/index.ts'
import { triggers } from './triggers/index.ts'

const kinds: Kinds = {
  steps: new Map(steps.map((kind) => [kind.name, kind])),
  triggers: new Map(triggers.map((kind) => [kind.name, kind])),
}

/** Lists of steps, which stand last and among themselves as they were written: the ids of steps depend on it. */
const LISTS = ['steps', 'onError']
const FLOW_KEYS = [...Object.keys(flowSchema.properties).filter((key) => !LISTS.includes(key)), ...LISTS]

/**
 * The canonical form of a file of a project. Of a flow the keys stand in the order of the schema, and the kind of a
 * step comes first; of a credential the type does. What a file is shows in what it holds.
 * @param file as shown in problems
 */
export function canonicalFile(file: string, text: string): Canonical {
  return canonicalYaml(file, text, order)
}

function order(root: Node): void {
  if (!isMap(root)) return
  const isFlow = isSeq(root.get('steps', true))
  sortTop(root, isFlow ? rankInFlow : ({ key }) => (textOf(key) === 'type' ? 0 : 1))
  if (!isFlow) return
  for (const list of LISTS) orderSteps(root.get(list, true))
}

function rankInFlow({ key }: Pair): number {
  const text = textOf(key)
  if (LISTS.includes(text)) return FLOW_KEYS.length
  const at = FLOW_KEYS.indexOf(text)
  return at === -1 ? FLOW_KEYS.length - 1 : at
}

/** What a file begins with stays its beginning; a blank line above a key that was moved up goes. */
function sortTop(map: YAMLMap, rank: (pair: Pair) => number): void {
  const before = map.items
  sort(map, rank)
  if (map.items.every((pair, i) => pair === before[i])) return
  const [was, is] = [before[0]?.key, map.items[0]?.key]
  map.items.forEach((pair, i) => {
    if (isNode(pair.key) && i < before.indexOf(pair)) pair.key.spaceBefore = false
  })
  if (was === is || !isNode(was) || !isNode(is) || !was.commentBefore) return
  is.commentBefore = is.commentBefore ? `${was.commentBefore}\n\n${is.commentBefore}` : was.commentBefore
  was.commentBefore = null
}

function orderSteps(list: unknown): void {
  if (!isSeq(list)) return
  for (const step of list.items) {
    if (!isMap(step)) continue
    const found = step.items.filter(({ key }) => kindOf(key) !== undefined)
    if (found.length !== 1) continue
    sort(step, (pair) => (pair === found[0] ? 0 : 1))
    orderInside(kindOf(found[0]!.key)!.options, found[0]!.value)
  }
}

function kindOf(key: unknown) {
  return kinds.steps.get(textOf(key)) ?? kinds.triggers.get(textOf(key))
}

/** Finds lists of steps where the options of a kind have them. */
function orderInside(schema: TSchema, node: unknown): void {
  if (schema['x-is'] === 'steps') return orderSteps(node)
  if (isSeq(node)) {
    const items = schema['items'] as TSchema | undefined
    if (items) for (const item of node.items) orderInside(items, item)
    return
  }
  if (!isMap(node)) return
  const properties = schema['properties'] as TProperties | undefined
  const [any] = Object.values((schema['patternProperties'] as TProperties | undefined) ?? {})
  for (const { key, value } of node.items) {
    const inner = properties && Object.hasOwn(properties, textOf(key)) ? properties[textOf(key)] : any
    if (inner) orderInside(inner, value)
  }
}

/** Stable. */
function sort(map: YAMLMap, rank: (pair: Pair) => number): void {
  map.items = map.items
    .map((pair, at) => ({ pair, rank: rank(pair), at }))
    .toSorted((a, b) => a.rank - b.rank || a.at - b.at)
    .map(({ pair }) => pair)
}

function textOf(key: unknown): string {
  return isScalar(key) ? String(key.value) : ''
}
