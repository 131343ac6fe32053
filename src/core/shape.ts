import type { TProperties, TSchema } from '@sinclair/typebox'
import type { Document, Path } from './document.ts'
import { parseDuration } from './duration.ts'
import type { Step } from './flow.ts'
import { defineOwn } from './json.ts'
import { guess, nearest, type Problem } from './problem.ts'
import { range, ShapeReport, wanted } from './shape-report.ts'
import { checkChoice, checkScalar, checkValue } from './shape-scalars.ts'
import { isMap, parseSize } from './shape-values.ts'

export interface ShapeOptions {
  /** From the document's root; the root when left out. */
  readonly path?: Path
  /** Whose keys these are: `step http`, `credential`. */
  readonly subject: string
  /** Reads a nested list of steps; it reports its problems itself. */
  readonly steps?: (path: Path) => readonly Step[]
  /** Data to check in place of what stands at the path. */
  readonly value?: unknown
  /** Keys that are only known to a later version. */
  readonly later?: readonly string[]
  /** Keys that stand somewhere else, with a sentence that says where. */
  readonly elsewhere?: Readonly<Record<string, string>>
}

export interface Shaped {
  /** Checked and decoded; what is wrong is left out. */
  readonly value: unknown
  readonly problems: Problem[]
  /** Nothing is wrong with it, neither here nor in what the document reported before. */
  readonly sound: boolean
}

/**
 * Checks data of a document against a schema of `core/schema.ts` and decodes it: durations to ms, sizes to bytes,
 * one-or-more to lists. Defaults are applied where a key is not optional. All mistakes are reported, each once.
 */
export function checkShape(schema: TSchema, document: Document, options: ShapeOptions): Shaped {
  const { path = [], subject, value = valueAt(document, path) } = options
  const report = new ShapeReport(document, subject, path.length)
  const checked = new Checker(report, options).check(schema, value, path)
  return { value: checked, problems: report.problems, sound: report.sound }
}

/** The document's data at a path; undefined where there is none. */
export function valueAt(document: Document, path: Path): unknown {
  let value = document.value
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Record<string | number, unknown>)[key]
  }
  return value
}

class Checker {
  private readonly report: ShapeReport
  private readonly options: ShapeOptions

  constructor(report: ShapeReport, options: ShapeOptions) {
    this.report = report
    this.options = options
  }

  /** `undefined` stands for what was reported already. */
  check(schema: TSchema, value: unknown, path: Path): unknown {
    if (value === undefined) return this.report.gap()
    const what = (schema['x-is'] ?? schema['type']) as string | undefined
    if (what === 'value') return checkValue(this.report, value, path)
    if (what === 'steps') return this.options.steps?.(path) ?? []
    if (schema['anyOf']) return this.union(schema['anyOf'] as TSchema[], value, path)
    if ('const' in schema)
      return value === schema['const'] ? value : this.report.mistyped(schema, value, path)
    if (value === null && what !== undefined) return this.report.mistyped(schema, value, path)
    switch (what) {
      case 'templates':
        return isMap(value) ? checkValue(this.report, value, path) : this.report.mistyped(schema, value, path)
      case 'credential':
        return this.credential(schema, value, path)
      case 'one-or-more':
        return this.oneOrMore(schema, value, path)
      case 'array':
        return this.list(schema, value, path)
      case 'object':
        return schema['properties'] ? this.keys(schema, value, path) : this.map(schema, value, path)
      default:
        return checkScalar(this.report, schema, value, path)
    }
  }

  private keys(schema: TSchema, value: unknown, path: Path): unknown {
    if (!isMap(value)) return this.report.mistyped(schema, value, path)
    const properties = schema['properties'] as TProperties
    const required = new Set((schema['required'] as string[] | undefined) ?? [])
    const result: Record<string, unknown> = {}
    const open = Object.keys(properties).filter((key) => !Object.hasOwn(value, key))
    for (const key of Object.keys(value)) {
      if (Object.hasOwn(properties, key)) {
        const checked = this.check(properties[key]!, value[key], [...path, key])
        if (checked !== undefined) result[key] = checked
        continue
      }
      const near = nearest(key, open)
      if (near !== undefined) required.delete(near)
      this.unknownKey(key, near, Object.keys(properties), path)
    }
    for (const key of open) {
      if (!required.has(key)) continue
      const preset = presetOf(properties[key]!)
      if (preset !== undefined) result[key] = preset
      else this.missingKey(key, properties[key]!, path)
    }
    return result
  }

  private unknownKey(key: string, near: string | undefined, known: readonly string[], path: Path): void {
    if (near === undefined && this.options.later?.includes(key)) {
      this.report.add('key/not-yet', `"${key}" is not in this version`, [...path, key], { on: 'key' })
      return
    }
    const { elsewhere = {} } = this.options
    const where = Object.hasOwn(elsewhere, key) ? elsewhere[key] : undefined
    this.report.add(
      'key/unknown',
      `"${key}" is not a key of ${this.report.nameOf(path)}${guess(near)}`,
      [...path, key],
      {
        on: 'key',
        hint: where ?? (known.length === 0 ? 'It has no keys.' : `Known keys: ${known.join(', ')}`),
      },
    )
  }

  private missingKey(key: string, schema: TSchema, path: Path): void {
    const about = schema['description']
    this.report.add('key/missing', `"${key}" is missing in ${this.report.nameOf(path)}`, [...path, key], {
      ...(about !== undefined && { hint: `${key}: ${about}` }),
    })
  }

  private map(schema: TSchema, value: unknown, path: Path): unknown {
    if (!isMap(value)) return this.report.mistyped(schema, value, path)
    const item = Object.values((schema['patternProperties'] as TProperties | undefined) ?? {})[0]
    const result: Record<string, unknown> = {}
    for (const [key, entry] of Object.entries(value)) {
      defineOwn(result, key, item ? this.check(item, entry, [...path, key]) : entry)
    }
    return result
  }

  private list(schema: TSchema, value: unknown, path: Path): unknown {
    if (!Array.isArray(value)) return this.report.mistyped(schema, value, path)
    const { minItems = 0, maxItems = Infinity } = schema as { minItems?: number; maxItems?: number }
    if (value.length < minItems || value.length > maxItems)
      this.report.add(
        'value/range',
        `${this.report.nameOf(path)} has ${value.length} entries; ${range(minItems, maxItems)} are wanted`,
        path,
      )
    return value.map((entry, i) => this.check(schema['items'] as TSchema, entry, [...path, i]))
  }

  private oneOrMore(schema: TSchema, value: unknown, path: Path): unknown {
    const item = schema['item'] as TSchema
    if (!Array.isArray(value)) {
      const checked = this.check(item, value, path)
      return checked === undefined ? undefined : [checked]
    }
    if (value.length === 0) return this.report.wrong('value/empty', path, null, wanted(item))
    return value.map((entry, i) => this.check(item, entry, [...path, i]))
  }

  private credential(schema: TSchema, value: unknown, path: Path): unknown {
    if (typeof value === 'string' && value !== '') return { name: value }
    if (!isMap(value)) return this.report.mistyped(schema, value, path)
    return this.keys(CREDENTIAL, value, path)
  }

  private union(members: readonly TSchema[], value: unknown, path: Path): unknown {
    if (members.every((member) => 'const' in member)) {
      if (members.some((member) => member['const'] === value)) return value
      return checkChoice(
        this.report,
        members.map((member) => String(member['const'])),
        value,
        path,
      )
    }
    const { problems } = this.report
    const before = problems.length
    let nearly: Problem[] | undefined
    for (const member of members) {
      const checked = this.check(member, value, path)
      if (problems.length === before) return checked
      const found = problems.splice(before)
      if (!found.some(({ code }) => code === 'value/type' || code === 'value/empty')) nearly ??= found
    }
    if (nearly) {
      problems.push(...nearly)
      return undefined
    }
    return this.report.wrong('value/type', path, value, members.map(wanted).join(' or '))
  }
}

const CREDENTIAL = {
  type: 'object',
  properties: { name: { type: 'string', minLength: 1 }, type: { type: 'string' } },
  required: ['name'],
} as unknown as TSchema

/** What stands for a key that is left out and not optional; undefined where nothing does. */
function presetOf(schema: TSchema): unknown {
  const preset = schema['default'] as unknown
  if (preset === undefined) {
    const properties = schema['properties'] as TProperties | undefined
    if (!properties) return undefined
    const required = (schema['required'] as string[] | undefined) ?? []
    const entries = required.map((key) => [key, presetOf(properties[key]!)] as const)
    return entries.some(([, value]) => value === undefined) ? undefined : Object.fromEntries(entries)
  }
  if (schema['x-is'] === 'duration') return parseDuration(String(preset))
  if (schema['x-is'] === 'size') return parseSize(String(preset))
  return schema['x-is'] === 'one-or-more' && !Array.isArray(preset) ? [preset] : preset
}
