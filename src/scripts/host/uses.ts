import { ancestor } from 'acorn-walk'
import type { AnyNode, Identifier } from 'acorn'
import { EXTRAS, type Uses } from '../protocol.ts'
import type { Parsed } from './source.ts'

const ALL = { body: true, headers: true, properties: true }

const TOUCHES: Record<string, keyof typeof ALL> = {
  body: 'body',
  getBody: 'body',
  setBody: 'body',
  headers: 'headers',
  getHeaders: 'headers',
  setHeaders: 'headers',
  getHeader: 'headers',
  setHeader: 'headers',
  properties: 'properties',
  getProperties: 'properties',
  setProperties: 'properties',
  getProperty: 'properties',
  setProperty: 'properties',
}

/** What of a message a script can look at: in doubt, all of it. */
export function findUses({ tree, tokens, text }: Parsed, form: 'body' | 'module'): Uses {
  const words = new Set(tokens.map((token) => text.slice(token.start, token.end)))
  const extras = EXTRAS.filter((name) => new RegExp(`\\b${name}\\b`).test(text))
  if (form === 'module' || words.has('arguments') || escapes(tree)) return { ...ALL, extras }
  const seen = { body: false, headers: false, properties: false }
  for (const word of words) {
    const part = TOUCHES[word.replace(/^["'`]|["'`]$/g, '')]
    if (part) seen[part] = true
  }
  return { ...seen, extras }
}

/** Whether `message` is used otherwise than as `message.name`. */
function escapes(tree: AnyNode): boolean {
  let found = false
  const look = (node: Identifier, ancestors: readonly AnyNode[]) => {
    if (node.name !== 'message') return
    const parent = ancestors.at(-2)
    const plain = parent?.type === 'MemberExpression' && parent.object === node && !parent.computed
    const returned = parent?.type === 'ReturnStatement'
    const declared = parent?.type === 'MemberExpression' && parent.property === node
    if (!plain && !returned && !declared) found = true
  }
  ancestor(tree, {
    Identifier: (node, _, ancestors) => look(node, ancestors),
    Pattern: (node, _, ancestors) => {
      if (node.type === 'Identifier') look(node, ancestors)
    },
  })
  return found
}
