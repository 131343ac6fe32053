import type { ASTNode } from '@marcbachmann/cel-js'
import { didYouMean } from '../core/problem.ts'
import { extentOf, type Compilation, type Compiled } from './compilation.ts'
import { RECORDS, meantVariable, useVariable } from './variables.ts'
import { elementOf, hasMember, isMap, memberOf } from './values.ts'

type Access = ASTNode & { op: '.' | '[]' }

export function isAccess(node: ASTNode): node is Access {
  return node.op === '.' || node.op === '[]'
}

/** The key of `x.y` and `x["y"]`; undefined where it is computed. */
function literalKey(node: Access): string | undefined {
  const key = node.args[1]
  if (typeof key === 'string') return key
  return key.op === 'value' && typeof key.args === 'string' ? key.args : undefined
}

/** Name of the variable that a node is; undefined for anything else, iteration variables included. */
function variableOf(node: ASTNode, compilation: Compilation): string | undefined {
  if (node.op !== 'id' || compilation.scope.includes(node.args)) return undefined
  return compilation.setting.variables.has(node.args) ? node.args : undefined
}

/** Whether a node holds headers, whose names are case-insensitive. */
export function isHeaders(node: ASTNode, compilation: Compilation): boolean {
  const variable = variableOf(node, compilation)
  if (variable !== undefined) return variable === 'headers'
  if (!isAccess(node) || literalKey(node) !== 'headers') return false
  const owner = variableOf(node.args[0], compilation)
  return owner === 'response' || owner === 'trigger'
}

/** Where the key of a member stands. */
function keyExtent(node: Access): { offset: number; length: number } {
  const key = node.args[1]
  return typeof key === 'string' ? { offset: node.pos, length: key.length } : extentOf(key)
}

/** `x.y`, `x["y"]`, `x[y]` */
export function compileMember(node: Access, compilation: Compilation): Compiled {
  const [objectNode] = node.args
  const variable = variableOf(objectNode, compilation)
  const name = literalKey(node)
  if (name === undefined) return computedMember(node, compilation)
  if (variable !== undefined) {
    const known = knownMember(node, variable, name, compilation)
    if (known) return known
  }
  const object = compilation.compile(objectNode)
  warnOfLength(node, variable, compilation)
  const key = isHeaders(objectNode, compilation) ? name.toLowerCase() : name
  const { run } = object
  return compilation.combined(
    (message, context, frame) => memberOf(run(message, context, frame), key),
    [object],
  )
}

/** A member that is read without its variable being made first, or that there cannot be. */
function knownMember(
  node: Access,
  variable: string,
  name: string,
  compilation: Compilation,
): Compiled | undefined {
  const { parameters } = compilation.setting
  if (variable === 'param' && parameters && !parameters.has(name)) {
    return compilation.mistake(
      'expression/unknown-parameter',
      `the flow has no parameter "${name}"${didYouMean(name, parameters)}`,
      keyExtent(node),
      parameters.size === 0
        ? 'Add it under "parameters" at the top of the flow.'
        : `It has ${[...parameters].join(', ')}; they stand under "parameters" at the top of the flow.`,
    )
  }
  const record = Object.hasOwn(RECORDS, variable) ? RECORDS[variable]! : undefined
  if (record && !Object.hasOwn(record, name)) {
    const names = Object.keys(record)
    return compilation.mistake(
      'expression/unknown-member',
      `"${variable}" has no "${name}"${didYouMean(name, names)}`,
      keyExtent(node),
      variable === 'response' && name === 'body'
        ? 'What the receiver answered is the message\'s "body".'
        : `It has ${names.join(', ')}.`,
    )
  }
  if (!record && variable !== 'headers') return undefined
  useVariable(variable, compilation)
  const free = new Set([variable])
  if (record) return compilation.varying(record[name]!, free)
  const header = name.toLowerCase()
  return compilation.varying((message) => message.header(header) ?? null, free)
}

function computedMember(node: Access, compilation: Compilation): Compiled {
  const [objectNode, keyNode] = node.args
  const object = compilation.compile(objectNode)
  const key = compilation.compile(keyNode as ASTNode)
  const fold = isHeaders(objectNode, compilation)
  const parts = [object, key]
  return compilation.combined((message, context, frame) => {
    const value = object.run(message, context, frame)
    const at = key.run(message, context, frame)
    return elementOf(value, fold && typeof at === 'string' ? at.toLowerCase() : at)
  }, parts)
}

const WITH_NAMES = new Set(['headers', 'properties', 'param', 'trigger'])

function warnOfLength(node: Access, variable: string | undefined, compilation: Compilation): void {
  if (node.op !== '.' || node.args[1] !== 'length') return
  if (variable !== undefined && WITH_NAMES.has(variable)) return
  const object = compilation.text.slice(node.start, node.args[0].end)
  compilation.mistake(
    'expression/length',
    '".length" of a text or list is null',
    keyExtent(node),
    `Write size(${object}), or ${object}["length"] for a member of that name.`,
    'warning',
  )
}

/** `has(x.y)`, `has(x["y"])` */
export function compileHas(node: ASTNode, args: readonly ASTNode[], compilation: Compilation): Compiled {
  const [argument] = args
  if (args.length !== 1 || !argument || !isAccess(argument)) {
    args.forEach((arg) => compilation.compile(arg))
    return compilation.mistake(
      'expression/arguments',
      '"has" takes one member: has(x.y) or has(x["y"])',
      extentOf(argument ?? node),
      'Whether a value is not null, x != null tells.',
    )
  }
  const [objectNode, keyNode] = argument.args
  const variable = variableOf(objectNode, compilation)
  const name = literalKey(argument)
  if (variable !== undefined && name !== undefined) {
    const known = knownMember(argument, variable, name, compilation)
    if (known) return compilation.combined((m, c, f) => known.run(m, c, f) !== null, [known])
  }
  const object = compilation.compile(objectNode)
  const key = name === undefined ? compilation.compile(keyNode as ASTNode) : compilation.constant(name)
  const fold = isHeaders(objectNode, compilation)
  return compilation.combined(
    (message, context, frame) => {
      const value = object.run(message, context, frame)
      const at = key.run(message, context, frame)
      return isThere(value, fold && typeof at === 'string' ? at.toLowerCase() : at)
    },
    [object, key],
  )
}

function isThere(value: unknown, key: unknown): boolean {
  if (typeof key === 'string') return isMap(value) && hasMember(value, key)
  return typeof key === 'number' && Array.isArray(value) && Object.hasOwn(value, key)
}

/**
 * `headers.content-type` reads as `headers.content - type`: what was meant, where that is what is written.
 * The name is written without blanks, and one of its pieces is no variable (or it is a header's).
 */
export function hyphenatedName(
  node: ASTNode,
  compilation: Compilation,
): { readonly object: string; readonly meant: string; readonly name: string } | undefined {
  const { text } = compilation
  let base = node
  let unknown = false
  while (base.op === '-') {
    const [left, right] = base.args
    if (left.end + 1 !== right.start || text[left.end] !== '-') return undefined
    if (right.op === 'id') unknown ||= !compilation.knows(right.args)
    else if (right.op !== 'value' || typeof right.args !== 'bigint') return undefined
    base = left
  }
  if (base.op !== '.') return undefined
  if (!unknown && !isHeaders(base.args[0], compilation)) return undefined
  const object = text.slice(base.start, base.args[0].end)
  return { object, meant: meantVariable(object) ?? object, name: text.slice(base.pos, node.end) }
}
