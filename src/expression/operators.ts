import type { ASTNode } from '@marcbachmann/cel-js'
import { isBigInteger, parseJson } from '../core/json.ts'
import { extentOf, type Compilation, type Compiled, type Evaluate } from './compilation.ts'
import { hyphenatedName, isHeaders } from './members.ts'
import type { Site } from './site.ts'
import { compare, equal, hasMember, isMap, nameOf } from './values.ts'

type Binary = ASTNode & { op: '+' | '-' | '*' | '/' | '%' | '<' | '<=' | '>' | '>=' | '==' | '!=' | 'in' }
type Logical = ASTNode & { op: '&&' | '||' }

/** `+ - * / % < <= > >= == != in` */
export function compileBinary(node: Binary, compilation: Compilation): Compiled {
  if (node.op === '-') {
    const meant = hyphenatedName(node, compilation)
    if (meant) {
      return compilation.mistake(
        'expression/subtraction',
        `"${meant.object}.${meant.name}" is a subtraction`,
        extentOf(node),
        `Write ${meant.meant}["${meant.name}"].`,
      )
    }
  }
  const [leftNode, rightNode] = node.args
  const left = compilation.compile(leftNode)
  const right = compilation.compile(rightNode)
  const site = compilation.site(node.op, node, node.args)
  const run = evaluateBinary(node, left.run, right.run, site, compilation)
  return compilation.combined(run, [left, right])
}

function evaluateBinary(
  node: Binary,
  left: Evaluate,
  right: Evaluate,
  site: Site,
  compilation: Compilation,
): Evaluate {
  switch (node.op) {
    case '==':
      return (m, c, f) => equal(left(m, c, f), right(m, c, f))
    case '!=':
      return (m, c, f) => !equal(left(m, c, f), right(m, c, f))
    case '+':
      return (m, c, f) => add(left(m, c, f), right(m, c, f), site)
    case 'in': {
      const fold = isHeaders(node.args[1], compilation)
      return (m, c, f) => isIn(left(m, c, f), right(m, c, f), fold, site)
    }
    case '<':
      return (m, c, f) => order(left(m, c, f), right(m, c, f), site) < 0
    case '<=':
      return (m, c, f) => order(left(m, c, f), right(m, c, f), site) <= 0
    case '>':
      return (m, c, f) => order(left(m, c, f), right(m, c, f), site) > 0
    case '>=':
      return (m, c, f) => order(left(m, c, f), right(m, c, f), site) >= 0
    default: {
      const operation = ARITHMETIC[node.op]
      return (m, c, f) => calculate(left(m, c, f), right(m, c, f), operation, site)
    }
  }
}

const ARITHMETIC: Readonly<Record<'-' | '*' | '/' | '%', (a: number, b: number) => number>> = {
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
}

function add(a: unknown, b: unknown, site: Site): unknown {
  if (typeof a === 'number' && typeof b === 'number') return site.finite(a + b)
  if (typeof a === 'string' && typeof b === 'string') return site.bounded(a + b)
  return unfit(a, b, 'two numbers or two texts', site)
}

function calculate(a: unknown, b: unknown, operation: (a: number, b: number) => number, site: Site): number {
  if (typeof a !== 'number' || typeof b !== 'number') return unfit(a, b, 'two numbers', site)
  if (b === 0 && (site.name === '/' || site.name === '%')) site.fail(`"${site.name}" divides by zero`)
  return site.finite(operation(a, b))
}

function order(a: unknown, b: unknown, site: Site): number {
  return compare(a, b) ?? unfit(a, b, 'two numbers, two texts or two dates', site)
}

function isIn(value: unknown, group: unknown, fold: boolean, site: Site): boolean {
  if (Array.isArray(group)) return group.some((element) => equal(element, value))
  if (!isMap(group)) {
    return site.fail(
      `"in" takes a list or a map on its right, not ${nameOf(group)}`,
      typeof group === 'string' ? 'For texts there is: text.contains(part).' : undefined,
      1,
    )
  }
  return typeof value === 'string' && hasMember(group, fold ? value.toLowerCase() : value)
}

function unfit(a: unknown, b: unknown, expected: string, site: Site): never {
  const names = [nameOf(a), nameOf(b)]
  if (names[0] === 'number' && names[1] === 'number' && (isBigInteger(a) || isBigInteger(b))) site.tooBig()
  const has = (name: string) => names.includes(name)
  const hint = has('null')
    ? 'coalesce(x, 0) or coalesce(x, "") stands in for what is missing.'
    : has('text') && has('date')
      ? 'date(x) makes a date of a text, string(x) text of a date.'
      : has('text')
        ? 'string(x) makes text of a value, number(x) a number of a text.'
        : undefined
  return site.fail(`"${site.name}" takes ${expected}, not ${names[0]} and ${names[1]}`, hint)
}

/** True or false; null counts as false, anything else fails. */
export function truth(value: unknown, site: Site, operand: number): boolean {
  if (value === true) return true
  if (value === false || value === null) return false
  return site.fail(
    `${site.name === '' ? 'the condition' : `"${site.name}"`} takes true or false, not ${nameOf(value)}`,
    'Compare it: x == "yes", x > 0, x != null.',
    operand,
  )
}

/** `&&`, `||` */
export function compileLogical(node: Logical, compilation: Compilation): Compiled {
  const left = compilation.compile(node.args[0])
  const right = compilation.compile(node.args[1])
  const site = compilation.site(node.op, node, node.args)
  const run: Evaluate =
    node.op === '&&'
      ? (m, c, f) => truth(left.run(m, c, f), site, 0) && truth(right.run(m, c, f), site, 1)
      : (m, c, f) => truth(left.run(m, c, f), site, 0) || truth(right.run(m, c, f), site, 1)
  return compilation.combined(run, [left, right])
}

export function compileNot(node: ASTNode & { op: '!_' }, compilation: Compilation): Compiled {
  const operand = compilation.compile(node.args)
  const site = compilation.site('!', node, [node.args])
  return compilation.combined((m, c, f) => !truth(operand.run(m, c, f), site, 0), [operand])
}

export function compileMinus(node: ASTNode & { op: '-_' }, compilation: Compilation): Compiled {
  const { op, args } = node.args
  if (op === 'value' && typeof args === 'bigint') return compilation.constant(parseJson(`-${args}`))
  const operand = compilation.compile(node.args)
  const site = compilation.site('-', node, [node.args])
  return compilation.combined((m, c, f) => -site.number(operand.run(m, c, f), 0), [operand])
}

/** `a ? b : c` */
export function compileChoice(node: ASTNode & { op: '?:' }, compilation: Compilation): Compiled {
  const [test, yes, no] = [node.args[0], node.args[1], node.args[2]].map((arg) =>
    compilation.compile(arg),
  ) as [Compiled, Compiled, Compiled]
  const site = compilation.site('?', node, node.args)
  return compilation.combined(
    (m, c, f) => (truth(test.run(m, c, f), site, 0) ? yes.run(m, c, f) : no.run(m, c, f)),
    [test, yes, no],
  )
}
