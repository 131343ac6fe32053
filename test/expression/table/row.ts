import type { ExpressionMistakeCode } from '../../../src/expression/setting.ts'
import type { Given } from '../fixture.ts'

/** One expression, and what comes of it. */
export type Row = { readonly expression: string; readonly given: Given } & (
  | { readonly value: unknown }
  | { readonly failure: string; readonly column: number }
  | { readonly mistake: string; readonly code: ExpressionMistakeCode; readonly column: number }
)

/** It has this value. */
export function gives(expression: string, value: unknown, given: Given = {}): Row {
  return { expression, given, value }
}

/** It compiles, and fails with a message that has this in it, at this column (1-based). */
export function fails(expression: string, failure: string, column: number, given: Given = {}): Row {
  return { expression, given, failure, column }
}

/** It does not compile, for this one reason. */
export function wrong(
  expression: string,
  code: ExpressionMistakeCode,
  mistake: string,
  column: number,
  given: Given = {},
): Row {
  return { expression, given, code, mistake, column }
}
