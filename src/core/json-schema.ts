import { nearest, guess } from './problem.ts'
import type { Path } from './document.ts'
import { isMap } from './shape-values.ts'

/** A mistake in a JSON Schema, from the schema's root on. */
export interface SchemaMistake {
  readonly message: string
  readonly hint?: string
  readonly at: Path
  readonly on?: 'key'
  readonly severity?: 'warning'
}

const MAPS = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']
const LISTS = ['allOf', 'anyOf', 'oneOf', 'prefixItems']
const SINGLE = [
  ...['items', 'additionalItems', 'contains', 'additionalProperties', 'propertyNames', 'not', 'if', 'then'],
  ...['else', 'unevaluatedItems', 'unevaluatedProperties', 'contentSchema'],
]
const PLAIN = [
  ...['$id', '$schema', '$ref', '$anchor', '$dynamicRef', '$dynamicAnchor', '$vocabulary', '$comment'],
  ...['type', 'enum', 'const', 'multipleOf', 'maximum', 'exclusiveMaximum', 'minimum', 'exclusiveMinimum'],
  ...['maxLength', 'minLength', 'pattern', 'maxItems', 'minItems', 'uniqueItems', 'maxContains'],
  ...['minContains', 'maxProperties', 'minProperties', 'required', 'dependentRequired', 'dependencies'],
  ...['title', 'description', 'default', 'deprecated', 'readOnly', 'writeOnly', 'examples', 'format'],
  ...['contentEncoding', 'contentMediaType', 'nullable'],
]
/** What schemas of OpenAPI say beside; it checks nothing. */
export const OPENAPI_WORDS: readonly string[] = ['example', 'externalDocs', 'xml', 'discriminator']
const KNOWN: ReadonlySet<string> = new Set([...MAPS, ...LISTS, ...SINGLE, ...PLAIN, ...OPENAPI_WORDS])

/** Goes through the schemas inside a schema; data in it (`enum`, `examples`) is passed over. */
export function eachSchema(
  schema: unknown,
  visit: (schema: Record<string, unknown>, at: Path) => void,
  at: Path = [],
): void {
  if (!isMap(schema)) return
  visit(schema, at)
  const go = (inner: unknown, ...keys: (string | number)[]) => eachSchema(inner, visit, [...at, ...keys])
  for (const [key, value] of Object.entries(schema)) {
    if (MAPS.includes(key) && isMap(value))
      for (const [name, inner] of Object.entries(value)) go(inner, key, name)
    else if (Array.isArray(value) && (LISTS.includes(key) || key === 'items'))
      value.forEach((inner, index) => go(inner, key, index))
    else if (SINGLE.includes(key)) go(value, key)
  }
}

/** Words that no validator knows, and references that lead out of the file. */
export function wordMistakes(schema: unknown): SchemaMistake[] {
  const mistakes: SchemaMistake[] = []
  eachSchema(schema, (inner, at) => {
    for (const [key, value] of Object.entries(inner)) {
      if (!KNOWN.has(key) && !key.startsWith('x-'))
        mistakes.push({
          message: `"${key}" is no keyword of JSON Schema${guess(nearest(key, [...KNOWN]))}`,
          hint: 'A keyword that nobody knows would check nothing. Notes of your own begin with "x-".',
          at: [...at, key],
          on: 'key',
        })
      if (key === '$ref' && typeof value === 'string' && !value.startsWith('#'))
        mistakes.push({
          message: `"${value}" leads out of the schema`,
          hint: 'Put what it refers to under "$defs" and write "#/$defs/NAME"; nothing is read from elsewhere.',
          at: [...at, key],
        })
    }
  })
  return mistakes
}

/** The keys that a JSON pointer names in a value: `#/items/0` -> `['items', 0]`; as far as they are there. */
export function pathOfPointer(value: unknown, pointer: string): Path {
  const path: (string | number)[] = []
  let here = value
  for (const part of pointer.replace(/^#/, '').split('/').slice(1)) {
    const text = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
    const key = Array.isArray(here) ? Number(text) : text
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) break
    path.push(key)
    here = (here as Record<string | number, unknown>)[key]
  }
  return path
}
