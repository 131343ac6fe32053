import type { ASTNode } from '@marcbachmann/cel-js'
import { Failure } from '../core/failure.ts'
import { compileCall, compileMethod } from './calls.ts'
import { Compilation, Frame, type Compiled } from './compilation.ts'
import { compileList, compileLiteral, compileMap } from './literals.ts'
import { compileMember } from './members.ts'
import { compileBinary, compileChoice, compileLogical, compileMinus, compileNot, truth } from './operators.ts'
import { parseTemplate, type ScannedPart } from './scan.ts'
import type { CompiledExpression, ExpressionMistake, ExpressionSetting } from './setting.ts'
import { Flaw, type Site } from './site.ts'
import { parseExpression } from './syntax.ts'
import { compileVariable } from './variables.ts'
import { isDate, printDate } from './values.ts'

export type { CompiledExpression, ExpressionMistake, ExpressionSetting } from './setting.ts'

const SHOWN = 60

/** What is made of the result, inside the evaluation. */
type Finish = (value: unknown, site: Site) => unknown

/** Compiles a bare expression, or one that stands in exactly one `${}`. */
export function compileExpression(
  text: string,
  setting: ExpressionSetting,
  finish?: Finish,
): CompiledExpression {
  if (!/^\s*\$\{/.test(text)) return compileBare(text, 0, setting, finish)
  const { parts, mistakes } = parseTemplate(text)
  if (mistakes.length > 0) return mistaken(mistakes)
  const expressions = parts.filter((part) => 'expression' in part)
  const [only] = expressions
  if (only && expressions.length === 1 && parts.every((part) => part === only || isBlank(part))) {
    return compileBare(only.expression, only.offset, setting, finish)
  }
  return mistaken([
    {
      code: 'expression/not-alone',
      severity: 'error',
      message: 'an expression stands bare, or as a whole in one "${}"',
      hint: `Write ${bare(text, parts)}`,
      offset: 0,
      length: text.length,
    },
  ])
}

/** Compiles what `if` and `while` hold: it gives true or false, null counts as false, anything else fails. */
export function compileCondition(text: string, setting: ExpressionSetting): CompiledExpression {
  return compileExpression(text, setting, (value, site) => truth(value, site, 0))
}

function isBlank(part: ScannedPart): boolean {
  return 'text' in part && part.text.trim() === ''
}

/** What was meant by `${a} && ${b}`: `a && b`. */
function bare(text: string, parts: readonly ScannedPart[]): string {
  const meant = parts.map((part) => ('text' in part ? part.text : part.expression.trim())).join('')
  return shortened(meant === '' ? text : meant)
}

/**
 * Compiles the text of one expression, without `${}`.
 * @param offset where it begins in the text that mistakes and places are told for
 */
export function compileBare(
  text: string,
  offset: number,
  setting: ExpressionSetting,
  finish?: Finish,
): CompiledExpression {
  const parsed = parseExpression(text)
  if ('code' in parsed) return mistaken([shifted(parsed, offset)])
  const compilation = new Compilation(text, setting, compileNode)
  const root = compilation.compile(parsed)
  const { run, constant } = finish ? finished(root, parsed, finish, compilation) : root
  const { uses, iterates } = compilation
  const mistakes = compilation.mistakes
    .toSorted((a, b) => a.offset - b.offset)
    .map((mistake) => shifted(mistake, offset))
  if (mistakes.some((mistake) => mistake.severity === 'error')) return mistaken(mistakes, uses)
  return {
    mistakes,
    uses,
    readsBody: uses.has('body'),
    ...(constant && { constant: { value: outside(constant.value) } }),
    evaluate(message, context) {
      try {
        return outside(run(message, context, iterates ? new Frame() : IDLE))
      } catch (thrown) {
        throw failureOf(thrown, text, offset, setting)
      }
    },
  }
}

function finished(root: Compiled, node: ASTNode, finish: Finish, compilation: Compilation): Compiled {
  const site = compilation.site('', node, [])
  const { run } = root
  return compilation.combined((message, context, frame) => finish(run(message, context, frame), site), [root])
}

/** For expressions that need none. */
const IDLE = new Frame()

function compileNode(node: ASTNode, compilation: Compilation): Compiled {
  switch (node.op) {
    case 'value':
      return compileLiteral(node, compilation)
    case 'id':
      return compileVariable(node, compilation)
    case '.':
    case '[]':
      return compileMember(node, compilation)
    case 'call':
      return compileCall(node, compilation)
    case 'rcall':
      return compileMethod(node, compilation)
    case 'list':
      return compileList(node, compilation)
    case 'map':
      return compileMap(node, compilation)
    case '?:':
      return compileChoice(node, compilation)
    case '&&':
    case '||':
      return compileLogical(node, compilation)
    case '!_':
      return compileNot(node, compilation)
    case '-_':
      return compileMinus(node, compilation)
    case '.?':
    case '[?]':
      throw new TypeError(`the parser gave "${node.op}", though optional syntax is off`)
    default:
      return compileBinary(node, compilation)
  }
}

/** A date leaves an expression as its text. */
function outside(value: unknown): unknown {
  return isDate(value) ? printDate(value) : value
}

function shifted(mistake: ExpressionMistake, by: number): ExpressionMistake {
  return by === 0 ? mistake : { ...mistake, offset: mistake.offset + by }
}

/** What comes of a text with mistakes: it is never evaluated. */
export function mistaken(
  mistakes: readonly ExpressionMistake[],
  uses: ReadonlySet<string> = new Set(),
): CompiledExpression {
  return {
    mistakes,
    uses,
    readsBody: uses.has('body'),
    evaluate: () => {
      throw new Failure(
        'expression.failed',
        `an expression with a mistake was evaluated: ${mistakes[0]?.message}`,
      )
    },
  }
}

function failureOf(thrown: unknown, text: string, offset: number, setting: ExpressionSetting): unknown {
  if (thrown instanceof Flaw) {
    const { extent, hint } = thrown
    return new Failure('expression.failed', `${thrown.message}, in "${shortened(text)}"`, {
      place: setting.place(offset + extent.offset, extent.length),
      ...(hint !== undefined && { hint }),
    })
  }
  if (thrown instanceof Failure) {
    thrown.place ??= setting.place(offset, text.length)
    return thrown
  }
  if (!(thrown instanceof RangeError)) return thrown
  return new Failure(
    'expression.failed',
    `the value is too large or nested too deeply, in "${shortened(text)}"`,
    {
      place: setting.place(offset, text.length),
      cause: thrown,
    },
  )
}

export function shortened(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ')
  return line.length > SHOWN ? `${line.slice(0, SHOWN - 1)}…` : line
}
