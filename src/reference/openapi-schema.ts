import { eachSchema } from '../core/json-schema.ts'

/** The schema of an endpoint as a component: its references to its own root lead to where it stands now. */
export function componentOf(schema: object, name: string): object {
  const copy = structuredClone(schema) as Record<string, unknown>
  if (copy['$id'] !== undefined) return copy
  const here = `#/components/schemas/${name}`
  eachSchema(copy, (inner) => {
    const reference = inner['$ref']
    if (typeof reference === 'string' && (reference === '#' || reference.startsWith('#/')))
      inner['$ref'] = here + reference.slice(1)
  })
  return copy
}

/** Examples that a schema gives of the whole body, by a name for each; undefined: none. */
export function examplesOf(schema: object): Readonly<Record<string, { value: unknown }>> | undefined {
  const { examples, example } = schema as { examples?: unknown; example?: unknown }
  const all: readonly unknown[] = Array.isArray(examples) ? examples : example === undefined ? [] : [example]
  if (all.length === 0) return undefined
  return Object.fromEntries(all.map((value, index) => [`example-${index + 1}`, { value }]))
}
