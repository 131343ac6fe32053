import type { TProperties, TSchema } from '@sinclair/typebox'
import { editorKeys, editorSchema, type EditorSchema } from './editor-schema.ts'

/** What an editor's schema needs to know of a kind of trigger or step. */
export interface EditorKind {
  readonly name: string
  readonly summary: string
  readonly options: TSchema
  readonly shorthand?: string
  readonly composite?: boolean
}

export interface FlowLanguage {
  /** Keys of a flow file. */
  readonly flow: TSchema
  /** Keys that a step may have beside its kind. */
  readonly stepKeys: TProperties
  /** Those of them that a trigger may have. */
  readonly triggerKeys: readonly string[]
  /** A parameter that is more than its default. */
  readonly parameter: TSchema
  readonly triggers: readonly EditorKind[]
  readonly steps: readonly EditorKind[]
}

const DRAFT = 'http://json-schema.org/draft-07/schema#'
const STEPS = { $ref: '#/definitions/steps' }

/** The schema of a flow file. */
export function flowEditorSchema(language: FlowLanguage): EditorSchema {
  const { flow, steps, triggers } = language
  const { properties, ...rest } = editorSchema(flow, { steps: STEPS }) as {
    properties: Record<string, EditorSchema>
  }
  const inOrder = { type: 'array', minItems: 1 }
  return {
    $schema: DRAFT,
    title: 'A flow of Sluice',
    ...rest,
    properties: {
      ...properties,
      parameters: { ...properties['parameters'], ...parameters(language.parameter) },
      steps: {
        description: properties['steps']!['description'],
        ...inOrder,
        items: [{ $ref: '#/definitions/first-step' }],
        additionalItems: { $ref: '#/definitions/step' },
      },
      onError: {
        description: properties['onError']!['description'],
        ...inOrder,
        items: { $ref: '#/definitions/step' },
      },
    },
    definitions: {
      steps: { type: 'array', items: { $ref: '#/definitions/step' } },
      step: stepSchema(language, steps),
      'first-step': stepSchema(language, [...triggers, ...steps]),
      ...Object.fromEntries(
        [...triggers, ...steps].map((kind) => [`options-of-${kind.name}`, optionsOf(kind)]),
      ),
    },
  }
}

/** One of some kinds, with what may stand beside it. */
function stepSchema(language: FlowLanguage, kinds: readonly EditorKind[]): EditorSchema {
  const { stepKeys, triggerKeys, triggers } = language
  const beside = Object.keys(stepKeys)
  const notWith = (keys: readonly string[]) => ({ not: { anyOf: keys.map((key) => ({ required: [key] })) } })
  return {
    type: 'object',
    properties: {
      ...Object.fromEntries(
        kinds.map(({ name, summary }) => [
          name,
          { description: summary, allOf: [{ $ref: `#/definitions/options-of-${name}` }] },
        ]),
      ),
      ...(editorKeys(stepKeys, [], {})['properties'] as object),
    },
    additionalProperties: false,
    oneOf: kinds.map(({ name }) => ({ required: [name] })),
    dependencies: Object.fromEntries(
      kinds.flatMap((kind) => {
        if (triggers.includes(kind))
          return [[kind.name, notWith(beside.filter((key) => !triggerKeys.includes(key)))]]
        return kind.composite === true ? [[kind.name, notWith(['retry'])]] : []
      }),
    ),
  }
}

/** A map, the text that it is short for, or nothing where nothing must be said. */
function optionsOf({ options, shorthand }: EditorKind): EditorSchema {
  const map = editorSchema(options, { steps: STEPS })
  const needed = (map['required'] as string[] | undefined) ?? []
  const properties = options['properties'] as TProperties
  const isEnough = shorthand !== undefined && needed.every((key) => key === shorthand)
  const others = [
    ...(isEnough ? [editorSchema(properties[shorthand]!)] : []),
    ...(needed.length === 0 ? [{ type: 'null' }] : []),
  ]
  return others.length === 0 ? map : { anyOf: [map, ...others] }
}

function parameters(parameter: TSchema): EditorSchema {
  return {
    type: 'object',
    propertyNames: { pattern: '^[A-Za-z]\\w*$' },
    additionalProperties: { anyOf: [{ type: ['string', 'number', 'boolean'] }, editorSchema(parameter)] },
  }
}

/** The schema of a credential's file. @param file the whole schema of a file of this kind */
export function credentialEditorSchema(
  kinds: readonly { readonly name: string; readonly summary: string; readonly file: TSchema }[],
): EditorSchema {
  return {
    $schema: DRAFT,
    title: 'A credential of Sluice',
    type: 'object',
    properties: {
      type: {
        description: `The kind of credential. ${kinds.map(({ name, summary }) => `\`${name}\`: ${summary}`).join(' ')}`,
        enum: kinds.map(({ name }) => name),
      },
    },
    required: ['type'],
    allOf: kinds.map(({ name, summary, file }) => {
      const { properties, ...rest } = editorSchema(file, { references: true })
      return {
        if: { properties: { type: { const: name } }, required: ['type'] },
        // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
        then: {
          description: summary,
          ...rest,
          properties: { ...(properties as object), type: { const: name } },
        },
      }
    }),
  }
}

/** The schema of sluice.yaml. Everything in it may be left out. */
export function settingsEditorSchema(settings: TSchema): EditorSchema {
  return { $schema: DRAFT, title: 'Settings of Sluice', ...withoutRequired(editorSchema(settings)) }
}

function withoutRequired(schema: EditorSchema): EditorSchema {
  const { required: _, properties, ...rest } = schema
  if (properties === undefined) return schema
  return {
    ...rest,
    properties: Object.fromEntries(
      Object.entries(properties as Record<string, EditorSchema>).map(([key, property]) => [
        key,
        withoutRequired(property),
      ]),
    ),
  }
}
