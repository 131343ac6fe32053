import type { TSchema } from '@sinclair/typebox'
import { readDocument } from './core/document.ts'
import type { ProblemCode } from './core/problem-codes.ts'
import type { Place, Problem } from './core/problem.ts'
import { wanted } from './core/shape-report.ts'
import { checkShape } from './core/shape.ts'
import { mistakeOf } from './setting-check.ts'

/** One setting from outside a file: its text is read as a YAML scalar. What is wrong with it has no line. */
export function readSetting(
  from: Source,
  name: string,
  text: string,
  schema: TSchema,
  problems: Problem[],
): unknown {
  const written = asYaml(text, schema['type'])
  const { document } = readDocument(from.source, written)
  const shaped = document && checkShape(schema, document, { subject: 'it' })
  if (shaped?.problems.length === 0) {
    const wrong = mistakeOf(name, shaped.value)
    if (!wrong) return shaped.value
    problems.push({ ...wrong, code: from.code, severity: 'error', ...placeless(from.source) })
    return undefined
  }
  const [mistake] = shaped?.problems ?? []
  const expected = mistake?.message.split('; ').at(-1) ?? `${wanted(schema)} is wanted`
  problems.push({
    code: from.code,
    severity: 'error',
    message: `"${text}" is no value of the setting "${name}"; ${expected}`,
    ...(mistake?.hint !== undefined && { hint: mistake.hint }),
    ...placeless(from.source),
  })
  return undefined
}

/** A list is written with commas or spaces between its entries. */
function asYaml(text: string, type: unknown): string {
  if (type === 'boolean' || type === 'integer') return text
  return JSON.stringify(type === 'array' ? text.split(/[,\s]+/).filter((entry) => entry !== '') : text)
}

/** Where a setting comes from when it is not the file. */
export interface Source {
  readonly source: string
  readonly code: ProblemCode
}

/** Where there is no line. */
export function placeless(source: string): Place {
  return { file: source, line: 0, column: 0 }
}
