import type { JsonSchema } from './document.ts'
import { html, prose, type Markup } from './html.ts'

/** Levels that are shown one inside the other; what is deeper is in the JSON. */
const DEEPEST = 6
const REFERENCE = '#/components/schemas/'
/** Words that are told as they are: `minimum 1`. */
const LIMITS = [
  'format',
  'pattern',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'uniqueItems',
] as const

export type Schemas = Readonly<Record<string, JsonSchema>>

/** What a value has to be, property by property. */
export function schemaView(schema: JsonSchema, schemas: Schemas, depth = 0): Markup {
  const found = resolved(schema, schemas)
  if (typeof found === 'boolean') return html`<p>${found ? 'anything' : 'nothing'}</p>`
  const notes = notesOf(found)
  return html`${depth === 0 ? html`<p><span class="type">${typeOf(found, schemas)}</span>${notes}</p>` : undefined}${insideOf(found, schemas, depth)}`
}

/** In a word or two: `string`, `list of integer`, `"a" or "b"`. */
export function typeOf(schema: JsonSchema, schemas: Schemas): string {
  const found = resolved(schema, schemas)
  if (typeof found === 'boolean') return found ? 'anything' : 'nothing'
  const { type, enum: words, const: only, items, anyOf, oneOf } = found
  if (only !== undefined) return JSON.stringify(only)
  if (Array.isArray(words)) return words.map((word) => JSON.stringify(word)).join(' or ')
  const choices = (anyOf ?? oneOf) as readonly JsonSchema[] | undefined
  if (Array.isArray(choices)) return [...new Set(choices.map((one) => typeOf(one, schemas)))].join(' or ')
  if (type === 'array') return isSchema(items) ? `list of ${typeOf(items, schemas)}` : 'list'
  if (Array.isArray(type)) return type.join(' or ')
  return typeof type === 'string' ? type : found['properties'] === undefined ? 'anything' : 'object'
}

function insideOf(
  schema: Readonly<Record<string, unknown>>,
  schemas: Schemas,
  depth: number,
): Markup | undefined {
  const { properties, required, items, additionalProperties } = schema
  if (depth >= DEEPEST) return undefined
  if (schema['type'] === 'array' && isSchema(items)) return schemaView(items, schemas, depth + 1)
  const needed = new Set(Array.isArray(required) ? required : [])
  const rows = Object.entries((properties ?? {}) as Record<string, JsonSchema>).map(([name, one]) => {
    const found = resolved(one, schemas)
    const of = typeof found === 'boolean' ? {} : found
    return html`<li>
      <code>${name}</code> <span class="type">${typeOf(one, schemas)}</span>${
        needed.has(name) ? html` <b>required</b>` : undefined
      }${notesOf(of)}${insideOf(of, schemas, depth + 1)}
    </li>`
  })
  const others =
    isSchema(additionalProperties) && additionalProperties !== true
      ? additionalProperties === false
        ? undefined
        : html`<li><i>other keys</i> <span class="type">${typeOf(additionalProperties, schemas)}</span></li>`
      : undefined
  return rows.length === 0 && !others
    ? undefined
    : html`<ul class="keys">
        ${rows}${others}
      </ul>`
}

function notesOf(schema: Readonly<Record<string, unknown>>): Markup {
  const { description } = schema
  const limits = LIMITS.filter((word) => schema[word] !== undefined).map(
    (word) => `${word} ${JSON.stringify(schema[word])}`,
  )
  const preset = schema['default'] === undefined ? [] : [`default ${JSON.stringify(schema['default'])}`]
  const all = [...limits, ...preset].join(', ')
  return html`${all === '' ? undefined : html` <span class="limits">${all}</span>`}${
    typeof description === 'string' ? html`<span class="note">${prose(description)}</span>` : undefined
  }`
}

function resolved(schema: JsonSchema, schemas: Schemas): JsonSchema {
  let found = schema
  for (let hops = 0; hops < 10 && typeof found === 'object'; hops++) {
    const { $ref } = found
    if (typeof $ref !== 'string' || !$ref.startsWith(REFERENCE)) return found
    found = schemas[$ref.slice(REFERENCE.length)] ?? true
  }
  return found
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value))
}
