import type { ASTNode } from '@marcbachmann/cel-js'
import { guess, nearest } from '../core/problem.ts'
import { CHANGES, type Compilation, type Compiled, type Evaluate } from './compilation.ts'
import { parametersOf, type FunctionKind } from './function-kind.ts'
import { FUNCTIONS, GROUPS, MACROS_BY_NAME, METHODS_BY_NAME } from './functions.ts'
import { compileMacro } from './macros.ts'
import { compileHas } from './members.ts'
import type { Extent } from './site.ts'

/** What other languages call it. */
const OTHER_WORDS: Readonly<Record<string, string>> = {
  int: 'number',
  double: 'number',
  uint: 'number',
  float: 'number',
  parseInt: 'number',
  parseFloat: 'number',
  str: 'string',
  text: 'string',
  toString: 'string',
  length: 'size',
  len: 'size',
  count: 'size',
  includes: 'contains',
  some: 'exists',
  every: 'all',
  existsOne: 'exists_one',
  toUpperCase: 'upper',
  toLowerCase: 'lower',
  upperAscii: 'upper',
  lowerAscii: 'lower',
  stringify: 'toJson',
  parse: 'fromJson',
  timestamp: 'date',
  replaceAll: 'replace',
  strip: 'trim',
  ifNull: 'coalesce',
  default: 'coalesce',
  sha256: 'hash.sha256',
  encode: 'base64.encode',
  decode: 'base64.decode',
  encodeBase64: 'base64.encode',
  decodeBase64: 'base64.decode',
  randomUUID: 'uuid',
}

/** Camel's, which take the name of a Java class. */
const READING_THE_BODY: ReadonlySet<string> = new Set(['bodyAs', 'mandatoryBodyAs', 'bodyOneLine'])

/** `name(...)` */
export function compileCall(node: ASTNode & { op: 'call' }, compilation: Compilation): Compiled {
  const [name, args] = node.args
  if (name === 'has') return compileHas(node, args, compilation)
  const kind = FUNCTIONS.get(name)
  const extent = { offset: node.start, length: name.length }
  return kind
    ? compileUse(kind, false, node, args, extent, compilation)
    : unknownCall(name, args, extent, compilation)
}

/** `value.name(...)`: a method, a macro, or a function of a group. */
export function compileMethod(node: ASTNode & { op: 'rcall' }, compilation: Compilation): Compiled {
  const [name, receiver, args] = node.args
  const at = compilation.text.indexOf(name, receiver.end)
  const extent = { offset: at, length: name.length }
  if (receiver.op === 'id' && GROUPS.has(receiver.args) && !compilation.knows(receiver.args)) {
    const kind = FUNCTIONS.get(`${receiver.args}.${name}`)
    return kind
      ? compileUse(kind, false, node, args, extent, compilation)
      : unknownCall(
          `${receiver.args}.${name}`,
          args,
          { offset: node.start, length: at + name.length - node.start },
          compilation,
        )
  }
  const macro = MACROS_BY_NAME.get(name)
  if (macro) {
    return unfitNumber(macro, args.length)
      ? wrongNumber(macro, args.length, extent, compilation)
      : compileMacro(name, node, receiver, args, compilation)
  }
  const method = METHODS_BY_NAME.get(name)
  return method
    ? compileUse(method, true, node, [receiver, ...args], extent, compilation)
    : unknownMethod(name, receiver, args, extent, compilation)
}

function unfitNumber(kind: FunctionKind, count: number): boolean {
  return count < kind.least || count > kind.most
}

function wrongNumber(kind: FunctionKind, count: number, extent: Extent, compilation: Compilation): Compiled {
  const expected =
    kind.least === kind.most
      ? `${kind.least}`
      : `${kind.least} ${kind.most === kind.least + 1 ? 'or' : 'to'} ${kind.most}`
  return compilation.mistake(
    'expression/arguments',
    `"${kind.name}" takes ${kind.most === 0 ? 'no arguments' : `${expected} argument${expected === '1' ? '' : 's'}`}, here ${
      count === 1 ? 'is 1' : `are ${count}`
    }: ${kind.signature}`,
    extent,
  )
}

function compileUse(
  kind: FunctionKind,
  method: boolean,
  node: ASTNode,
  nodes: readonly ASTNode[],
  extent: Extent,
  compilation: Compilation,
): Compiled {
  const args = nodes.map((arg) => compilation.compile(arg))
  const count = method ? args.length - 1 : args.length
  if (unfitNumber(kind, count)) return wrongNumber(kind, count, extent, compilation)
  if (!kind.bind) return compilation.combined(firstOf(args.map((arg) => arg.run)), args)
  const site = compilation.site(kind.name, node, nodes, parametersOf(kind, method))
  const { bind } = kind
  return compilation.attempt(() => {
    const call = bind(
      site,
      args.map((arg) => arg.constant),
    )
    const run = invocation(
      call,
      args.map((arg) => arg.run),
    )
    return kind.changes ? compilation.varying(run, CHANGES) : compilation.combined(run, args)
  }, 'expression/arguments')
}

/** Calls without an array of arguments where there are few. */
function invocation(call: (...values: unknown[]) => unknown, args: readonly Evaluate[]): Evaluate {
  const [a, b, c] = args
  switch (args.length) {
    case 0:
      return () => call()
    case 1:
      return (m, x, f) => call(a!(m, x, f))
    case 2:
      return (m, x, f) => call(a!(m, x, f), b!(m, x, f))
    case 3:
      return (m, x, f) => call(a!(m, x, f), b!(m, x, f), c!(m, x, f))
    default:
      return (m, x, f) => call(...args.map((arg) => arg(m, x, f)))
  }
}

/** `coalesce` */
function firstOf(args: readonly Evaluate[]): Evaluate {
  return (message, context, frame) => {
    for (const arg of args) {
      const value = arg(message, context, frame)
      if (value !== null) return value
    }
    return null
  }
}

/** Global name that is not known; its arguments are looked at all the same. */
function unknownCall(
  name: string,
  args: readonly ASTNode[],
  extent: Extent,
  compilation: Compilation,
): Compiled {
  if (READING_THE_BODY.has(name))
    return compilation.mistake(
      'expression/unknown-function',
      `there is no function "${name}"`,
      extent,
      'Write body; string(body) is its text.',
    )
  const method = METHODS_BY_NAME.get(name) ?? MACROS_BY_NAME.get(name)
  if (!MACROS_BY_NAME.has(name)) for (const arg of args) compilation.compile(arg)
  if (method) {
    return compilation.mistake(
      'expression/unknown-function',
      `"${name}" is a method: ${method.signature}`,
      extent,
    )
  }
  const meant = otherWord(name) ?? nearest(name, [...FUNCTIONS.keys(), ...METHODS_BY_NAME.keys()])
  return unknown(name, meant, [...FUNCTIONS.keys()], extent, compilation)
}

function unknownMethod(
  name: string,
  receiver: ASTNode,
  args: readonly ASTNode[],
  extent: Extent,
  compilation: Compilation,
): Compiled {
  const kind = FUNCTIONS.get(name)
  if (kind) {
    compilation.compile(receiver)
    for (const arg of args) compilation.compile(arg)
    const value = compilation.text.slice(receiver.start, receiver.end)
    return compilation.mistake(
      'expression/unknown-function',
      `"${name}" is no method but a function: ${kind.signature}`,
      extent,
      args.length === 0 ? `Write ${name}(${value}).` : undefined,
    )
  }
  if (receiver.op !== 'id' || compilation.knows(receiver.args)) compilation.compile(receiver)
  const known = [...METHODS_BY_NAME.keys(), ...MACROS_BY_NAME.keys()]
  return unknown(
    name,
    otherWord(name) ?? nearest(name, known) ?? nearest(name, FUNCTIONS.keys()),
    known,
    extent,
    compilation,
  )
}

function otherWord(name: string): string | undefined {
  return Object.hasOwn(OTHER_WORDS, name) ? OTHER_WORDS[name] : undefined
}

function unknown(
  name: string,
  meant: string | undefined,
  known: readonly string[],
  extent: Extent,
  compilation: Compilation,
): Compiled {
  const kind =
    meant === undefined
      ? undefined
      : (FUNCTIONS.get(meant) ?? METHODS_BY_NAME.get(meant) ?? MACROS_BY_NAME.get(meant))
  return compilation.mistake(
    'expression/unknown-function',
    `there is no function "${name}"${guess(kind?.name)}`,
    extent,
    kind ? `${kind.signature}: ${kind.summary}` : `There are: ${known.join(', ')}.`,
  )
}
