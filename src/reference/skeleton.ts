import type { TProperties, TSchema } from '@sinclair/typebox'
import { stringify } from 'yaml'

/** Columns of a line of prose, before it is indented. */
const WIDTH = 96
/** A value that takes no more stands on one line. */
const ONE_LINE = 60

/**
 * A map of options as commented YAML: what is given first, then every other option with a `#` before it, each below what
 * its schema says about it. Lines of prose begin with `# `, options that are switched off with `#`.
 */
export function skeleton(schema: TSchema, given: Readonly<Record<string, unknown>>): string[] {
  const options = Object.entries(propertiesOf(schema)!)
  const [written, others] = [true, false].map((wanted) =>
    options.filter(([name]) => Object.hasOwn(given, name) === wanted),
  ) as [typeof options, typeof options]
  return [
    ...written.flatMap(([name, option]) => [...prose(about(option)), ...entry(name, given[name])]),
    ...others.flatMap(([name, option]) => [
      ...prose(about(option)),
      ...switchedOff(section(name, option) ?? entry(name, sample(option))),
    ]),
  ]
}

/** Lines that are indented, as far as they are not empty. */
export function indented(lines: readonly string[], columns: number): string[] {
  return lines.map((line) => (line === '' ? '' : ' '.repeat(columns) + line))
}

/** One key with its value, on one line where that is short. */
export function entry(name: string, value: unknown): string[] {
  const flow = stringify({ [name]: value }, { lineWidth: 0, collectionStyle: 'flow' }).trim()
  const line = flow.slice(1, -1).trim()
  const scalar = typeof value !== 'object' || value === null
  if (!scalar && line.length <= ONE_LINE) return [line]
  return stringify({ [name]: value }, { lineWidth: 0 })
    .trimEnd()
    .split('\n')
}

/** Text as lines of comment. */
export function prose(text: string): string[] {
  const lines: string[] = []
  for (const word of text.split(' ').filter((word) => word !== '')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= WIDTH)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(`# ${word}`)
  }
  return lines
}

function switchedOff(lines: readonly string[]): string[] {
  return lines.map((line) => `#${line}`)
}

/** A map of known keys: its key, and below it each of them with what it is for. Where some are needed, the others are off. */
function section(name: string, schema: TSchema): string[] | undefined {
  const properties = propertiesOf(schema)
  if (!properties) return undefined
  const needed = neededIn(schema)
  const inner = Object.entries(properties).flatMap(([key, option]) => {
    const lines = entry(key, sample(option))
    return [
      ...prose(about(option)),
      ...(needed.length === 0 || needed.includes(key) ? lines : switchedOff(lines)),
    ]
  })
  return [`${name}:`, ...indented(inner, 2)]
}

/** What the option is for, with its default where the text does not tell it. */
function about(schema: TSchema): string {
  const { description: text = '' } = schema
  const preset = presetOf(schema)
  if (preset === undefined) return text
  const shown = stringify(preset, { lineWidth: 0, collectionStyle: 'flow' }).trim()
  const isTold = text.split(/[^\w./-]+/).includes(shown)
  return isTold ? text : `${text} Default: ${shown}.`.trimStart()
}

function presetOf(schema: TSchema): unknown {
  const preset: unknown = schema['default']
  const isEmpty = typeof preset === 'object' && preset !== null && Object.keys(preset).length === 0
  return isEmpty || preset === '' || preset === ' ' ? undefined : preset
}

/** A value that the option may have. */
function sample(schema: TSchema): unknown {
  const [example] = (schema['examples'] as unknown[] | undefined) ?? []
  if (example !== undefined) return example
  const preset = presetOf(schema)
  if (typeof preset === 'boolean') return !preset
  if (preset !== undefined) return preset
  const item = schema['item'] as TSchema | undefined
  if (item) return sample(item)
  if (Array.isArray(schema['anyOf'])) return sample((schema['anyOf'] as TSchema[])[0]!)
  if (Array.isArray(schema['enum'])) return (schema['enum'] as unknown[])[0]
  const is = (schema['x-is'] ?? schema['type']) as string
  if (Object.hasOwn(SAMPLES, is)) return SAMPLES[is]
  if (is === 'integer' || is === 'number') return (schema['minimum'] as number | undefined) ?? 1
  if (is === 'array') return [sample(schema['items'] as TSchema)]
  const properties = propertiesOf(schema)
  if (properties) {
    const needed = neededIn(schema)
    const shown = Object.entries(properties).filter(([key]) => needed.length === 0 || needed.includes(key))
    return Object.fromEntries(shown.map(([key, option]) => [key, sample(option)]))
  }
  const [values] = Object.values((schema['patternProperties'] as TProperties | undefined) ?? {})
  return values ? { name: sample(values) } : 'text'
}

const SAMPLES: Readonly<Record<string, unknown>> = {
  duration: '30s',
  size: '1MB',
  moment: '2030-01-31T08:00',
  boolean: true,
  expression: 'body.ok == true',
  template: '${body}',
  templates: { name: '${body}' },
  steps: [{ log: 'text' }],
  secret: '${env:SECRET}',
  credential: 'name',
}

/** Keys that must be there and have no default. */
function neededIn(schema: TSchema): string[] {
  const properties = propertiesOf(schema) ?? {}
  const required = (schema['required'] as string[] | undefined) ?? []
  return required.filter((key) => properties[key]!['default'] === undefined)
}

function propertiesOf(schema: TSchema): TProperties | undefined {
  return schema['properties'] as TProperties | undefined
}
