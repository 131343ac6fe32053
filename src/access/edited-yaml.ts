import {
  isMap,
  isNode,
  isSeq,
  parseDocument,
  type Document,
  type Node,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'

const WRITTEN = { lineWidth: 0, flowCollectionPadding: false } as const

/** The same text with other values at the root; undefined takes one away. Comments and what did not change stay. */
export function editedYaml(text: string, changes: Readonly<Record<string, unknown>>): string {
  const document = parseDocument(text)
  const root = document.contents as YAMLMap
  for (const [key, value] of Object.entries(changes)) put(document, root, key, value)
  return document.toString(WRITTEN)
}

function put(document: Document, map: YAMLMap, key: string, value: unknown): void {
  if (value === undefined) {
    map.delete(key)
    return
  }
  const before = map.get(key, true) as unknown
  if (isSeq(before) && Array.isArray(value) && keepItems(document, before, value)) return
  if (isMap(before) && typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [name, one] of Object.entries(value)) put(document, before, name, one)
    return
  }
  const made = document.createNode(value, { flow: isShort(value) }) as Node
  if (isNode(before)) {
    made.comment = before.comment ?? null
    made.commentBefore = before.commentBefore ?? null
  }
  map.set(key, made)
}

/** Takes items away and adds new ones at the end. False: that is not all that is different. */
function keepItems(document: Document, list: YAMLSeq, value: readonly unknown[]): boolean {
  const wanted = value.map((one) => JSON.stringify(one))
  const kept = list.items.filter((item) => wanted.includes(textOf(item, document)))
  if (!kept.every((item, at) => textOf(item, document) === wanted[at])) return false
  list.items = [...kept, ...value.slice(kept.length).map((one) => document.createNode(one))]
  return true
}

function textOf(item: unknown, document: Document): string {
  return JSON.stringify(isNode(item) ? item.toJS(document) : item)
}

/** A list of words stands on one line; hashes are long. */
function isShort(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string' && !one.startsWith('$'))
}
