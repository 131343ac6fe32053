import type { TSchema } from '@sinclair/typebox'
import type { Document, Path, Target } from './document.ts'
import type { ProblemCode } from './problem-codes.ts'
import type { Problem } from './problem.ts'
import { describe, listed } from './shape-values.ts'

/** Gathers what is wrong with the shape of a document's data. Every way to report gives `undefined`: there is no value. */
export class ShapeReport {
  readonly problems: Problem[] = []
  readonly document: Document
  private hasGap = false
  private readonly subject: string
  private readonly depth: number

  /** @param depth length of the path to what `subject` names */
  constructor(document: Document, subject: string, depth: number) {
    this.document = document
    this.subject = subject
    this.depth = depth
  }

  mistyped(schema: TSchema, value: unknown, path: Path): undefined {
    return this.wrong('value/type', path, value, wanted(schema))
  }

  get sound(): boolean {
    return !this.hasGap && this.problems.length === 0
  }

  /** A value is not known; the document said why. */
  gap(): undefined {
    this.hasGap = true
    return undefined
  }

  /** The value is not what is wanted there. */
  wrong(code: ProblemCode, path: Path, value: unknown, expected: string, hint?: string): undefined {
    const why =
      hint ??
      (typeof value === 'string' && value.includes('${') ? 'Expressions are not possible here.' : undefined)
    return this.add(
      value === null ? 'value/empty' : code,
      `${this.nameOf(path)} is ${describe(value)}; ${expected} is wanted`,
      path,
      {
        ...(why !== undefined && { hint: why }),
      },
    )
  }

  /** `"url"`, `entry 2 of "cases"`, or the subject. */
  nameOf(path: Path): string {
    if (path.length <= this.depth) return this.subject
    const last = path.at(-1)!
    if (typeof last === 'string') return `"${last}"`
    const parent = path.findLast((part) => typeof part === 'string')
    return `entry ${last + 1} of ${parent === undefined ? this.subject : `"${parent}"`}`
  }

  add(code: ProblemCode, message: string, path: Path, more: Target & { hint?: string } = {}): undefined {
    const { hint, ...target } = more
    this.problems.push({
      code,
      severity: 'error',
      message,
      ...(hint !== undefined && { hint }),
      ...this.document.place(path, target),
    })
    return undefined
  }
}

/** Limits as a message names them. */
export function range(minimum: number, maximum: number, print: (value: number) => string = String): string {
  if (maximum === Infinity) return `at least ${print(minimum)}`
  return minimum === -Infinity ? `at most ${print(maximum)}` : `${print(minimum)} to ${print(maximum)}`
}

export function exampleOf(schema: TSchema): string | undefined {
  const example = (schema['examples'] as unknown[] | undefined)?.[0] ?? schema['default']
  return example === undefined ? undefined : `"${String(example)}"`
}

const WANTED: Readonly<Record<string, string>> = {
  duration: 'a duration such as 30s, 5m or 1h30m',
  size: 'a size such as 64KB or 40MB',
  template: 'a text',
  expression: 'an expression',
  secret: 'a text',
  templates: 'a map of names to values',
  credential: 'the name of a credential',
  moment: 'a date and time such as 2026-12-01T02:00',
  string: 'a text',
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
  array: 'a list',
  object: 'a map',
}

/** What a schema takes, as a message names it. */
export function wanted(schema: TSchema): string {
  const what = (schema['x-is'] ?? schema['type']) as string | undefined
  if (schema['enum']) return listed(schema['enum'] as string[])
  if (schema['dayAlone'] === true) return 'a date such as 2026-12-01, or a date and time,'
  if ('const' in schema) return `"${String(schema['const'])}"`
  if (what === 'one-or-more') return `${wanted(schema['item'] as TSchema)}, or a list,`
  return (what !== undefined && WANTED[what]) || 'a value'
}
