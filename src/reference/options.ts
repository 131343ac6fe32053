import type { TProperties, TSchema } from '@sinclair/typebox'
import { stringify } from 'yaml'

const WORDS: Readonly<Record<string, string>> = {
  duration: 'duration',
  size: 'size',
  template: 'text with `${}`',
  expression: 'expression',
  secret: 'secret',
  templates: 'map of names to values with `${}`',
  value: 'any value, with `${}`',
  steps: 'list of steps',
  credential: 'name of a credential',
  moment: 'date and time',
  string: 'text',
  boolean: 'true or false',
  integer: 'whole number',
  number: 'number',
  object: 'map',
}
/** Choices with fewer words are shown as such. */
const FEW = 12

/**
 * The options of a map as Markdown: a table of them, and below it one for each that is a map of its own.
 * @param level of the headings of those
 */
export function optionTables(schema: TSchema, level: number): string {
  return tables(schema, '', level).join('\n\n')
}

function tables(schema: TSchema, prefix: string, level: number): string[] {
  const properties = Object.entries((schema['properties'] as TProperties | undefined) ?? {})
  if (properties.length === 0) return ['It has no options.']
  const required = (schema['required'] as string[] | undefined) ?? []
  const rows = properties.map(([name, option]) => {
    const needed = required.includes(name) && presetText(option) === undefined && !innerOf(option)
    const about = [needed ? '**Needed.**' : '', option.description ?? '', examplesText(option)]
    return `| \`${prefix}${name}\` | ${cell(taken(option))} | ${cell(presetText(option) ?? '')} | ${cell(about.filter(Boolean).join(' '))} |`
  })
  const inner = properties.flatMap(([name, option]) => {
    const map = innerOf(option)
    if (!map) return []
    const heading = `${'#'.repeat(level)} \`${prefix}${name}\``
    const of = map === option ? [] : ['Of each entry:']
    return [heading, ...of, ...tables(map, `${prefix}${name}.`, level)]
  })
  return [['| option | takes | default | |', '|---|---|---|---|', ...rows].join('\n'), ...inner]
}

/** The map of known keys that an option is, or a list of. */
function innerOf(option: TSchema): TSchema | undefined {
  if (option['properties']) return option
  const item = (option['item'] ?? option['items']) as TSchema | undefined
  return item && innerOf(item)
}

/** What an option takes, in words, as Markdown. */
export function taken(schema: TSchema): string {
  const members = schema['anyOf'] as TSchema[] | undefined
  if (members) return members.map(taken).join(' or ')
  if ('const' in schema) return `\`${String(schema['const'])}\``
  const words = schema['enum'] as string[] | undefined
  if (words && words.length <= FEW) return words.map((word) => `\`${word}\``).join(', ')
  const what = (schema['x-is'] ?? schema['type']) as string
  if (what === 'one-or-more') return `${taken(schema['item'] as TSchema)}, or a list`
  if (what === 'array') return `list of: ${taken(schema['items'] as TSchema)}`
  if (schema['dayAlone'] === true) return 'date, or date and time'
  const [entries] = Object.values((schema['patternProperties'] as TProperties | undefined) ?? {})
  if (entries) return `map of names to: ${taken(entries)}`
  return `${WORDS[what] ?? 'any value'}${limits(schema)}`
}

function limits(schema: TSchema): string {
  const { minimum, maximum } = schema as { minimum?: number; maximum?: number }
  const unit = schema['x-is'] === 'duration' ? ' ms' : ''
  if (minimum !== undefined && maximum !== undefined) return `, ${minimum} to ${maximum}${unit}`
  if (maximum !== undefined) return `, at most ${maximum}${unit}`
  return minimum === undefined || minimum === 0 || unit !== '' ? '' : `, at least ${minimum}`
}

function presetText(schema: TSchema): string | undefined {
  const preset: unknown = schema['default']
  if (preset === undefined) return undefined
  const isEmpty = typeof preset === 'object' && preset !== null && Object.keys(preset).length === 0
  return isEmpty ? 'none' : code(preset)
}

function examplesText(schema: TSchema): string {
  const examples = (schema['examples'] as unknown[] | undefined) ?? []
  return examples.length === 0 ? '' : `Example: ${examples.map(code).join(', ')}.`
}

function code(value: unknown): string {
  const text = stringify(value, { lineWidth: 0, collectionStyle: 'flow' }).trim()
  return `\`${text.replaceAll(/\s*\n\s*/g, ' ')}\``
}

function cell(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').replaceAll('|', '\\|')
}
