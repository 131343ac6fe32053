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

/** Examples that a schema gives of the whole body. */
export function examplesOf(schema: object): readonly unknown[] {
  const { examples, example } = schema as { examples?: unknown; example?: unknown }
  if (Array.isArray(examples)) return examples
  return example === undefined ? [] : [example]
}
