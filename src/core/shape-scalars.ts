import type { TSchema } from '@sinclair/typebox'
import { bracesHint } from './braces.ts'
import type { Path } from './document.ts'
import { parseDuration, printDuration } from './duration.ts'
import { nearest } from './problem.ts'
import { exampleOf, range, wanted, type ShapeReport } from './shape-report.ts'
import { isMap, listed, momentMistake, parseSize } from './shape-values.ts'

/** Checks and decodes a value that is no map and no list of keys of its own. */
export function checkScalar(report: ShapeReport, schema: TSchema, value: unknown, path: Path): unknown {
  switch (schema['x-is'] ?? schema['type']) {
    case 'duration':
      return checkDuration(report, schema, value, path)
    case 'size':
      return checkSize(report, schema, value, path)
    case 'template':
    case 'expression':
    case 'secret':
      return checkWritten(report, schema, value, path)
    case 'choice':
      return checkChoice(report, schema['enum'] as string[], value, path)
    case 'moment':
      return checkMoment(report, schema, value, path)
    case 'string':
      return checkText(report, schema, value, path)
    case 'boolean':
      return checkFlag(report, schema, value, path)
    case 'integer':
    case 'number':
      return checkNumber(report, schema, value, path)
    default:
      return value
  }
}

function checkSize(report: ShapeReport, schema: TSchema, value: unknown, path: Path): unknown {
  const bytes = typeof value === 'number' || typeof value === 'string' ? parseSize(String(value)) : undefined
  return bytes ?? report.wrong('value/size', path, value, wanted(schema))
}

function checkText(report: ShapeReport, schema: TSchema, value: unknown, path: Path): unknown {
  if (typeof value !== 'string') {
    const scalar = typeof value === 'number' || typeof value === 'boolean'
    const hint = scalar ? `Put it in quotes: "${report.document.written(path)}"` : undefined
    return report.wrong('value/type', path, value, wanted(schema), hint)
  }
  if (/^\{\{\s*[\w.-]+\s*\}\}$/.test(value)) return braces(report, value, path)
  const {
    pattern,
    minLength = 0,
    maxLength = Infinity,
  } = schema as { pattern?: string; minLength?: number; maxLength?: number }
  if (value.length < minLength || value.length > maxLength)
    return report.add(
      'value/range',
      `${report.nameOf(path)} has ${value.length} characters; ${range(minLength, maxLength)} are wanted`,
      path,
    )
  if (pattern !== undefined && !new RegExp(pattern).test(value)) {
    const example = exampleOf(schema)
    const expected = example === undefined ? `a text that matches ${pattern}` : `a text like ${example}`
    return report.wrong('value/pattern', path, value, expected)
  }
  return value
}

function checkFlag(report: ShapeReport, schema: TSchema, value: unknown, path: Path): unknown {
  if (typeof value === 'boolean') return value
  const quoted = value === 'true' || value === 'false'
  return report.wrong('value/type', path, value, wanted(schema), quoted ? 'Leave the quotes out.' : undefined)
}

/** Text that numbers and booleans are taken for as they are written. */
function checkWritten(report: ShapeReport, schema: TSchema, value: unknown, path: Path): unknown {
  if (typeof value === 'number' || typeof value === 'boolean')
    return report.document.written(path) ?? String(value)
  if (typeof value !== 'string') return report.mistyped(schema, value, path)
  if (schema['x-is'] === 'expression' && value.trim() === '')
    return report.wrong('value/empty', path, '', wanted(schema))
  return braces(report, value, path)
}

/** @returns the text, when no `{{name}}` of CPI is in it */
function braces(report: ShapeReport, value: string, path: Path): string | undefined {
  let found = false
  for (const match of value.matchAll(/\{\{\s*([\w.-]+)\s*\}\}/g)) {
    found = true
    report.add('value/braces', `"${match[0]}" is not replaced here`, path, {
      offset: match.index,
      length: match[0].length,
      hint: bracesHint(match[1]!),
    })
  }
  return found ? undefined : value
}

/** Any value: its texts and numbers are looked at, however deep. */
export function checkValue(report: ShapeReport, value: unknown, path: Path): unknown {
  if (value === undefined) return report.gap()
  if (typeof value === 'string') return braces(report, value, path)
  if (typeof value === 'number' && !Number.isFinite(value))
    return report.wrong('value/type', path, value, 'a number of JSON')
  if (Number.isInteger(value) && !Number.isSafeInteger(value))
    return report.add('value/range', `${report.nameOf(path)} is too large to be an exact number`, path, {
      hint: `Put it in quotes: "${report.document.written(path)}"`,
    })
  if (Array.isArray(value)) value.forEach((entry, i) => checkValue(report, entry, [...path, i]))
  else if (isMap(value))
    for (const [key, entry] of Object.entries(value)) checkValue(report, entry, [...path, key])
  return value
}

function checkNumber(report: ShapeReport, schema: TSchema, value: unknown, path: Path): unknown {
  const whole = schema['type'] === 'integer'
  if (typeof value !== 'number' || !Number.isFinite(value) || (whole && !Number.isInteger(value))) {
    const quoted = typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)
    return report.wrong(
      'value/type',
      path,
      value,
      wanted(schema),
      quoted ? 'Leave the quotes out.' : undefined,
    )
  }
  const { minimum = -Infinity, maximum = Infinity } = schema as { minimum?: number; maximum?: number }
  if (value >= minimum && value <= maximum) return value
  return report.wrong('value/range', path, value, range(minimum, maximum))
}

function checkDuration(report: ShapeReport, schema: TSchema, value: unknown, path: Path): unknown {
  if (typeof value === 'number' && value >= 0)
    return report.add(
      'value/duration',
      `${report.nameOf(path)} is ${value}; a unit is missing: ${value}s?`,
      path,
      {
        hint: 'Durations are written 500ms, 30s, 5m, 2h, 7d or 1h30m.',
      },
    )
  const ms = typeof value === 'string' ? parseDuration(value) : undefined
  if (ms === undefined) return report.wrong('value/duration', path, value, wanted(schema))
  const { minimum = 0, maximum = Infinity } = schema as { minimum?: number; maximum?: number }
  if (ms >= minimum && ms <= maximum) return ms
  return report.wrong('value/range', path, value, range(minimum, maximum, printDuration))
}

function checkMoment(report: ShapeReport, schema: TSchema, value: unknown, path: Path): unknown {
  if (typeof value !== 'string') return report.mistyped(schema, value, path)
  const mistake = momentMistake(value, schema['dayAlone'] === true)
  if (mistake === undefined) return value
  return report.add('value/date', `"${value}" ${mistake}; ${wanted(schema)} is wanted`, path)
}

/** One of some words. */
export function checkChoice(
  report: ShapeReport,
  words: readonly string[],
  value: unknown,
  path: Path,
): unknown {
  if (typeof value === 'string' && words.includes(value)) return value
  const near = typeof value === 'string' ? nearest(value, words) : undefined
  return report.wrong(
    'value/choice',
    path,
    value,
    listed(words),
    near === undefined ? undefined : `Did you mean "${near}"?`,
  )
}
