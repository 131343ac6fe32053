import type { TSchema } from '@sinclair/typebox'
import type { Document, Path } from '../core/document.ts'
import type { ProblemReport } from '../core/kinds.ts'
import type { Problem } from '../core/problem.ts'
import { Secret } from '../core/secret.ts'
import { SHORTEST_SECRET } from './redaction.ts'
import { secretFields } from './secret-fields.ts'

/** Puts a secret text of decoded options into what prints as `[secret]`. */
export function guardSecret(
  options: unknown,
  path: Path,
  document: Document,
  problem: (report: ProblemReport) => void,
): void {
  const parent = valueAt(options, path.slice(0, -1))
  const text = valueAt(options, path)
  if (typeof text !== 'string') return
  const at = writtenPath(document, path)
  if (text === '')
    problem({
      code: 'value/empty',
      message: `${fieldName(at)} is empty`,
      hint: 'Write a reference: ${env:NAME}, ${file:/path} or ${secret:NAME}.',
      at,
    })
  ;(parent as Record<string | number, unknown>)[path.at(-1)!] = new Secret(text)
}

/** Secrets that stand in the file in clear. */
export function literalSecrets(document: Document, fields: readonly Path[], dev: boolean): Problem[] {
  const proxy = valueAt(document.value, ['proxy'])
  const withPassword =
    typeof proxy === 'string' && /^([a-z][\w+.-]*:\/\/)?[^@/]*:(?!\$\{)[^@/]+@/i.test(proxy)
  return [...fields, ...(withPassword ? [['proxy']] : [])].flatMap((path) => {
    const value = valueAt(document.value, path)
    const isText = typeof value === 'string'
    if (!isText && typeof value !== 'number' && typeof value !== 'boolean') return []
    if (isText && (value === '' || /(?<!\$)\$\{(?!param:)|\{\{/.test(value))) return []
    return {
      code: 'credential/literal-secret',
      severity: dev ? ('warning' as const) : ('error' as const),
      message: `${fieldName(path)} is written in clear`,
      hint: `Put the secret into the environment, a file or the encrypted secrets and write \${env:NAME}, \${file:/path} or \${secret:NAME}${dev ? '; without --dev the credential does not load' : ', or start with --dev to try it out'}.`,
      ...document.place(path),
    }
  })
}

/** Names of the fields whose secrets are too short to be found in a text. @param options decoded */
export function shortSecrets(schema: TSchema, options: unknown): string[] {
  const short = secretFields(schema, options).filter((path) => {
    const secret = valueAt(options, path)
    return secret instanceof Secret && secret.reveal().length < SHORTEST_SECRET
  })
  return [...new Set(short.map((path) => path.filter((part) => typeof part === 'string').join('.')))]
}

/** As people call it: `"clientSecret"`, `entry 2 of "clientSecret"`. */
function fieldName(path: Path): string {
  const last = path.at(-1)
  return typeof last === 'number'
    ? `entry ${last + 1} of "${path.slice(0, -1).join('.')}"`
    : `"${path.join('.')}"`
}

/** Of one thing that was decoded to a list, where the thing itself stands. */
function writtenPath({ value }: Document, path: Path): Path {
  const parent = path.slice(0, -1)
  return typeof path.at(-1) === 'number' && !Array.isArray(valueAt(value, parent)) ? parent : path
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, part) => (at as Record<string | number, unknown> | null | undefined)?.[part],
    value,
  )
}
