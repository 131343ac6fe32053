import type { TProperties, TSchema } from '@sinclair/typebox'

/** JSON Schema, draft-07: what editors understand. */
export type EditorSchema = { readonly [keyword: string]: unknown }

export interface EditorSchemaSetting {
  /** Texts may be references (`${env:X}`), which are filled in before they are checked: those of credentials. */
  readonly references?: boolean
  /** What nested lists of steps are. */
  readonly steps?: EditorSchema
}

const DURATION = '^(?=\\d)(\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?(\\d+ms)?$'
const SIZE = '^\\d+ ?([bB]|[kKmMgG][bB])?$'
const DATE = '\\d{4}-\\d\\d-\\d\\d'
const TIME = 'T\\d\\d:\\d\\d(:\\d\\d(\\.\\d{1,9})?)?(Z|[+-]\\d\\d:\\d\\d)?'
const REFERENCE = { type: 'string', pattern: '\\$\\{' }
const ANNOTATIONS = ['description', 'default', 'examples'] as const
const LIMITS = ['minLength', 'maxLength', 'minimum', 'maximum', 'pattern', 'minItems', 'maxItems'] as const

/**
 * A schema of `core/schema.ts` as an editor checks it and completes by it: what may be written, where the engine's own
 * schema says what it becomes. Everything keeps its description, its default and its examples.
 */
export function editorSchema(schema: TSchema, setting: EditorSchemaSetting = {}): EditorSchema {
  return { ...pick(schema, ANNOTATIONS), ...shapeOf(schema, setting) }
}

/** A map of known keys. */
export function editorKeys(
  properties: TProperties,
  required: readonly string[],
  setting: EditorSchemaSetting,
): EditorSchema {
  const needed = required.filter((key) => !hasDefault(properties[key]!))
  return {
    type: 'object',
    properties: Object.fromEntries(
      Object.entries(properties).map(([key, property]) => [key, editorSchema(property, setting)]),
    ),
    ...(needed.length > 0 && { required: needed }),
    additionalProperties: false,
  }
}

function shapeOf(schema: TSchema, setting: EditorSchemaSetting): EditorSchema {
  const members = schema['anyOf'] as TSchema[] | undefined
  if (members) return union(members, setting)
  if ('const' in schema) return { const: schema['const'] as unknown }
  switch ((schema['x-is'] ?? schema['type']) as string | undefined) {
    case 'value':
      return {}
    case 'steps':
      return setting.steps ?? { type: 'array' }
    case 'duration':
      return text({ pattern: DURATION }, setting)
    case 'size':
      return { anyOf: [text({ pattern: SIZE }, setting), { type: 'integer', minimum: 0 }] }
    case 'moment':
      return text({ pattern: momentPattern(schema) }, setting)
    case 'choice':
      return text({ enum: schema['enum'] }, setting)
    case 'string':
      return text(pick(schema, LIMITS), setting)
    case 'secret':
      return { type: ['string', 'number', 'boolean'], minLength: 1 }
    case 'template':
      return { type: ['string', 'number', 'boolean'] }
    case 'expression':
      return { type: ['string', 'number', 'boolean'], pattern: '\\S' }
    case 'templates':
      return { type: 'object' }
    case 'credential':
      return { anyOf: [{ type: 'string', minLength: 1 }, NAMED_CREDENTIAL] }
    case 'one-or-more':
      return oneOrMore(schema['item'] as TSchema, setting)
    case 'array':
      return {
        type: 'array',
        items: editorSchema(schema['items'] as TSchema, setting),
        ...pick(schema, LIMITS),
      }
    case 'object':
      return map(schema, setting)
    default:
      return {
        ...(schema['type'] !== undefined && { type: schema['type'] as string }),
        ...pick(schema, LIMITS),
      }
  }
}

const NAMED_CREDENTIAL = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1, description: 'Name in the security material.' },
    type: { type: 'string', description: 'The type that it must have.' },
  },
  required: ['name'],
  additionalProperties: false,
}

function text(limits: EditorSchema, { references }: EditorSchemaSetting): EditorSchema {
  const own = { type: 'string', ...limits }
  return references && Object.keys(limits).length > 0 ? { anyOf: [own, REFERENCE] } : own
}

function union(members: readonly TSchema[], setting: EditorSchemaSetting): EditorSchema {
  if (members.every((member) => 'const' in member))
    return text({ enum: members.map((member) => member['const'] as unknown) }, setting)
  return { anyOf: members.map((member) => editorSchema(member, setting)) }
}

function oneOrMore(item: TSchema, setting: EditorSchemaSetting): EditorSchema {
  const one = editorSchema(item, setting)
  return { anyOf: [one, { type: 'array', items: one, minItems: 1 }] }
}

function map(schema: TSchema, setting: EditorSchemaSetting): EditorSchema {
  const properties = schema['properties'] as TProperties | undefined
  if (properties) return editorKeys(properties, (schema['required'] as string[] | undefined) ?? [], setting)
  const [item] = Object.values((schema['patternProperties'] as TProperties | undefined) ?? {})
  return { type: 'object', ...(item && { additionalProperties: editorSchema(item, setting) }) }
}

function momentPattern(schema: TSchema): string {
  return schema['dayAlone'] === true ? `^${DATE}(${TIME})?$` : `^${DATE}${TIME}$`
}

/** It stands for itself where it is left out: a default of its own, or of everything in it that must be there. */
function hasDefault(schema: TSchema): boolean {
  if (schema['default'] !== undefined) return true
  const properties = schema['properties'] as TProperties | undefined
  return (
    properties !== undefined &&
    ((schema['required'] as string[] | undefined) ?? []).every((key) => hasDefault(properties[key]!))
  )
}

function pick(schema: TSchema, keywords: readonly string[]): EditorSchema {
  return Object.fromEntries(
    keywords.filter((keyword) => schema[keyword] !== undefined).map((keyword) => [keyword, schema[keyword]]),
  )
}
