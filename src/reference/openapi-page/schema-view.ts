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

/** Keys that a whole page shows of schemas; what is more is in the JSON. */
const MOST_KEYS = 3000
/** Lists in lists, and choices in choices, that a type is told of. */
const DEEPEST_TYPE = 3
const MOST_CHOICES = 6

/** The schemas of one page. */
export class SchemaViews {
  readonly #schemas: Schemas
  #left = MOST_KEYS
  /** What references of the schema at hand have led to. */
  #shown = new Set<JsonSchema>()

  constructor(schemas: Schemas) {
    this.#schemas = schemas
  }

  /** What a value has to be, property by property; what a name stands for is shown once. */
  view(schema: JsonSchema): Markup {
    this.#shown = new Set()
    const found = this.resolved(schema)
    if (typeof found === 'boolean') return html`<p>${found ? 'anything' : 'nothing'}</p>`
    this.#shown.add(found)
    return html`<p><span class="type">${this.typeOf(found)}</span>${notesOf(found)}</p>
      ${this.#inside(found, 0)}`
  }

  /** In a word or two: `string`, `list of integer`, `"a" or "b"`. */
  typeOf(schema: JsonSchema, depth = 0): string {
    const found = this.resolved(schema)
    if (typeof found === 'boolean') return found ? 'anything' : 'nothing'
    const { type, enum: words, const: only, items, anyOf, oneOf } = found
    if (only !== undefined) return JSON.stringify(only)
    if (Array.isArray(words)) return words.map((word) => JSON.stringify(word)).join(' or ')
    const choices = (anyOf ?? oneOf) as readonly JsonSchema[] | undefined
    if (Array.isArray(choices)) {
      if (depth >= DEEPEST_TYPE) return 'one of several'
      const said = choices.slice(0, MOST_CHOICES).map((one) => this.typeOf(one, depth + 1))
      return [...new Set(said), ...(choices.length > MOST_CHOICES ? ['others'] : [])].join(' or ')
    }
    if (type === 'array')
      return isSchema(items) && depth < DEEPEST_TYPE ? `list of ${this.typeOf(items, depth + 1)}` : 'list'
    if (Array.isArray(type)) return type.join(' or ')
    return typeof type === 'string' ? type : found['properties'] === undefined ? 'anything' : 'object'
  }

  /** What its reference leads to, if it is one. */
  resolved(schema: JsonSchema): JsonSchema {
    let found = schema
    for (let hops = 0; hops < 10 && typeof found === 'object'; hops++) {
      const { $ref } = found
      if (typeof $ref !== 'string' || !$ref.startsWith(REFERENCE)) return found
      found = schemaAt($ref, this.#schemas) ?? true
    }
    return found
  }

  #inside(schema: Readonly<Record<string, unknown>>, depth: number): Markup | undefined {
    const { properties, required, items, additionalProperties } = schema
    if (depth >= DEEPEST) return undefined
    if (schema['type'] === 'array' && isSchema(items)) return this.#below(items, depth)
    const needed = new Set(Array.isArray(required) ? required : [])
    const all = Object.entries((properties ?? {}) as Record<string, JsonSchema>)
    const rows: Markup[] = []
    for (const [name, one] of all) {
      if (this.#left-- <= 0) break
      const found = this.resolved(one)
      rows.push(
        html`<li>
          <code>${name}</code> <span class="type">${this.typeOf(one)}</span>${
            needed.has(name) ? html` <b>required</b>` : undefined
          }${notesOf(typeof found === 'boolean' ? {} : found)}${this.#below(one, depth)}
        </li>`,
      )
    }
    if (rows.length < all.length)
      rows.push(html`<li><i>${all.length - rows.length} more: the page is full, the JSON has them</i></li>`)
    const others =
      isSchema(additionalProperties) && typeof additionalProperties === 'object'
        ? html`<li><i>other keys</i> <span class="type">${this.typeOf(additionalProperties)}</span></li>`
        : undefined
    return rows.length === 0 && !others
      ? undefined
      : html`<ul class="keys">
          ${rows}${others}
        </ul>`
  }

  /** What is in a part of a schema; what was shown before is only named. */
  #below(schema: JsonSchema, depth: number): Markup | undefined {
    const found = this.resolved(schema)
    if (typeof found === 'boolean') return undefined
    if (found !== schema) {
      const name = nameOf((schema as { $ref: string }).$ref)
      if (this.#shown.has(found)) return html` <span class="limits">as <code>${name}</code> above</span>`
      this.#shown.add(found)
    }
    return this.#inside(found, depth + 1)
  }
}

/** @param reference `#/components/schemas/NAME`, or a JSON pointer further into it */
function schemaAt(reference: string, schemas: Schemas): JsonSchema | undefined {
  let here: unknown = schemas
  for (const key of keysOf(reference)) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined
    here = (here as Record<string, unknown>)[key]
  }
  return isSchema(here) ? here : undefined
}

function nameOf(reference: string): string {
  return keysOf(reference).at(-1)!
}

/** @see https://www.rfc-editor.org/rfc/rfc6901#section-6 */
function keysOf(reference: string): string[] {
  return reference
    .slice(REFERENCE.length)
    .split('/')
    .map((part) => unescaped(part).replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** What is not encoded correctly stays as it is: it leads nowhere. */
function unescaped(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
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

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value))
}
