import { Failure } from '../core/failure.ts'
import { compileBare, mistaken, shortened } from './compile.ts'
import { parseTemplate } from './scan.ts'
import type { CompiledExpression, ExpressionMistake, ExpressionSetting } from './setting.ts'
import type { Site } from './site.ts'

/** Text and expressions apart. */
export interface CompiledParts {
  readonly parts: readonly (string | CompiledExpression)[]
  readonly mistakes: readonly ExpressionMistake[]
}

type Finish = (value: unknown, site: Site) => unknown

const toText: Finish = (value, site) => site.textOf(value, 0)

/** Compiles every `${}` of a text, for what encodes their values differently from the text around them (URLs). */
export function compileParts(text: string, setting: ExpressionSetting): CompiledParts {
  return compileScanned(text, setting)
}

/**
 * Compiles a text with `${}` in it. Exactly one `${}` keeps its type (the line end of a block scalar apart);
 * anything else gives text, null as nothing.
 */
export function compileTemplate(text: string, setting: ExpressionSetting): CompiledExpression {
  return isExactlyOne(text)
    ? assembled(text, compileScanned(text.replace(/\r?\n$/, ''), setting), setting)
    : compileText(text, setting)
}

/** The same, always as text. */
export function compileText(text: string, setting: ExpressionSetting): CompiledExpression {
  const used = isExactlyOne(text) ? text.replace(/\r?\n$/, '') : text
  return assembled(used, compileScanned(used, setting, toText), setting)
}

function assembled(
  text: string,
  { parts, mistakes }: CompiledParts,
  setting: ExpressionSetting,
): CompiledExpression {
  const expressions = parts.filter((part) => typeof part !== 'string')
  const uses = new Set(expressions.flatMap((expression) => [...expression.uses]))
  if (mistakes.some((mistake) => mistake.severity === 'error')) return mistaken(mistakes, uses)
  const [first] = expressions
  if (!first) return always(parts.filter((part) => typeof part === 'string').join(''))
  return parts.length === 1 ? first : joined(text, simplified(parts), mistakes, uses, setting)
}

function isExactlyOne(text: string): boolean {
  const { parts } = parseTemplate(text)
  const [first, second] = parts
  return (
    first !== undefined &&
    'expression' in first &&
    (second === undefined || (parts.length === 2 && 'text' in second && /^\r?\n$/.test(second.text)))
  )
}

function compileScanned(text: string, setting: ExpressionSetting, finish?: Finish): CompiledParts {
  const { parts, mistakes } = parseTemplate(text)
  const compiled = parts.map((part) =>
    'text' in part ? part.text : compileBare(part.expression, part.offset, setting, finish),
  )
  const inside = compiled.flatMap((part) => (typeof part === 'string' ? [] : part.mistakes))
  return { parts: compiled, mistakes: [...mistakes, ...inside].toSorted((a, b) => a.offset - b.offset) }
}

/** Parts whose text is known are text. */
function simplified(parts: CompiledParts['parts']): CompiledParts['parts'] {
  return parts.map((part) =>
    typeof part !== 'string' && part.constant ? (part.constant.value as string) : part,
  )
}

function always(value: unknown): CompiledExpression {
  return { mistakes: [], uses: new Set(), readsBody: false, constant: { value }, evaluate: () => value }
}

function joined(
  text: string,
  parts: CompiledParts['parts'],
  mistakes: readonly ExpressionMistake[],
  uses: ReadonlySet<string>,
  setting: ExpressionSetting,
): CompiledExpression {
  if (parts.every((part) => typeof part === 'string')) return { ...always(parts.join('')), mistakes }
  return {
    mistakes,
    uses,
    readsBody: uses.has('body'),
    evaluate(message, context) {
      let result = ''
      for (const part of parts) {
        result += typeof part === 'string' ? part : (part.evaluate(message, context) as string)
      }
      if (result.length * 3 > setting.bodyLimit) checkLength(result, text, setting)
      return result
    },
  }
}

function checkLength(result: string, text: string, setting: ExpressionSetting): void {
  if (Buffer.byteLength(result) <= setting.bodyLimit) return
  throw new Failure(
    'expression.failed',
    `the text would be longer than ${setting.bodyLimit} bytes, in "${shortened(text)}"`,
    { place: setting.place(0, text.length), hint: 'The limit is limits.body.' },
  )
}
