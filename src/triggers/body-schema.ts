import { Ajv, type ErrorObject, type Options, type ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { RE2JS } from 're2js'
import type { Body } from '../core/body.ts'
import type { Path } from '../core/document.ts'
import { Failure } from '../core/failure.ts'
import {
  eachSchema,
  OPENAPI_WORDS,
  pathOfPointer,
  wordMistakes,
  type SchemaMistake,
} from '../core/json-schema.ts'

/** A JSON Schema, ready to check bodies by it. */
export interface BodySchema {
  /** The schema takes more than it seems to. */
  readonly warnings: readonly SchemaMistake[]
  /** What is wrong with a body; undefined: nothing. */
  check(body: Body): Failure | undefined
}

/** Characters of a pointer that are told. */
const LONGEST_POINTER = 200
/** Values of an `enum` that are told. */
const LONGEST_CHOICE = 20
const DRAFT_7 = /^https?:\/\/json-schema\.org\/draft-07\/schema#?$/
const DRAFT_2020 = /^https:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/

/**
 * Compiles a JSON Schema: draft 2020-12, or draft 7 where `$schema` says so. Formats are notes. Patterns are RE2 and
 * `uniqueItems` compares hashes, so that no body takes more time than its length is worth.
 */
export function compileBodySchema(schema: unknown): BodySchema | readonly SchemaMistake[] {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
    return [{ message: 'a JSON Schema is a map', hint: 'Begin with `type: object`.', at: [] }]
  const draft = (schema as { $schema?: unknown }).$schema
  const isDraft7 = typeof draft === 'string' && DRAFT_7.test(draft)
  if (draft !== undefined && !isDraft7 && !(typeof draft === 'string' && DRAFT_2020.test(draft)))
    return [
      {
        message: 'this version of JSON Schema is not known',
        hint: 'Known are https://json-schema.org/draft/2020-12/schema and http://json-schema.org/draft-07/schema#; without `$schema` it is 2020-12.',
        at: ['$schema'],
      },
    ]
  const mistakes = [...wordMistakes(schema), ...patternMistakes(schema)]
  if (mistakes.length > 0) return mistakes
  const warnings: SchemaMistake[] = []
  const ajv = validator(isDraft7, (text) => warnings.push(warningOf(text, schema)))
  for (const word of notesIn(schema)) ajv.addKeyword(word)
  const isSchema = metaschema(isDraft7)
  if (!isSchema(schema)) return [ofSchema(isSchema.errors![0]!, schema)]
  let validate: ValidateFunction
  try {
    validate = ajv.compile(schema)
  } catch (error) {
    return [notCompiled(error as Error, schema)]
  }
  return { warnings, check: (body) => check(body, validate) }
}

/** What schemas themselves have to fit; it is compiled once, and takes longer than most schemas. */
function metaschema(isDraft7: boolean): ValidateFunction {
  const id = isDraft7
    ? 'http://json-schema.org/draft-07/schema'
    : 'https://json-schema.org/draft/2020-12/schema'
  return (metaschemas[id] ??= (
    isDraft7 ? new Ajv({ logger: false }) : new Ajv2020({ logger: false })
  ).getSchema(id)!)
}
const metaschemas: Record<string, ValidateFunction> = {}

function validator(isDraft7: boolean, warn: (text: string) => void): Ajv {
  const options: Options = {
    meta: false,
    validateSchema: false,
    strictSchema: true,
    strictNumbers: true,
    strictTypes: 'log',
    strictTuples: false,
    allowUnionTypes: true,
    validateFormats: false,
    ownProperties: true,
    code: { regExp: linear },
    logger: { log: () => {}, warn, error: () => {} },
  }
  const ajv = isDraft7 ? new Ajv(options) : new Ajv2020(options)
  ajv.removeKeyword('uniqueItems')
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    error: { message: 'must not have the same item twice' },
    validate: (wanted: boolean, items: readonly unknown[]) =>
      !wanted || new Set(items.map(canonical)).size === items.length,
  })
  for (const word of OPENAPI_WORDS) ajv.addKeyword(word)
  return ajv
}

const linear = Object.assign(
  (pattern: string) => {
    const compiled = RE2JS.compile(pattern)
    return { test: (text: string) => compiled.test(text), toString: () => `/${pattern}/` }
  },
  { code: 'linear' },
) as unknown as NonNullable<NonNullable<Options['code']>['regExp']>

/** The same text for the same value, whatever the order of keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}

function patternMistakes(schema: unknown): SchemaMistake[] {
  const mistakes: SchemaMistake[] = []
  const look = (pattern: string, at: Path, on?: 'key') => {
    try {
      RE2JS.compile(pattern)
    } catch (error) {
      mistakes.push({
        message: `this is no RE2 pattern: ${(error as Error).message.replace(/^error parsing regexp: /, '')}`,
        hint: 'RE2 has no look-around and no back references: https://github.com/google/re2/wiki/Syntax.',
        at,
        ...(on && { on }),
      })
    }
  }
  eachSchema(schema, ({ pattern, patternProperties }, at) => {
    if (typeof pattern === 'string') look(pattern, [...at, 'pattern'])
    if (typeof patternProperties === 'object' && patternProperties !== null)
      for (const name of Object.keys(patternProperties)) look(name, [...at, 'patternProperties', name], 'key')
  })
  return mistakes
}

function notesIn(schema: unknown): ReadonlySet<string> {
  const notes = new Set<string>()
  eachSchema(schema, (inner) => {
    for (const key of Object.keys(inner)) if (key.startsWith('x-')) notes.add(key)
  })
  return notes
}

function warningOf(text: string, schema: unknown): SchemaMistake {
  const [, what = text, pointer = '#'] =
    /^strict mode: (.*?) at "[^"#]*(#[^"]*)" \(strict\w+\)$/.exec(text) ?? []
  const missing = /^missing type "(\w+)" for keyword "(.+)"$/.exec(what)
  return {
    message: missing
      ? `"${missing[2]}" says nothing of values that are no ${missing[1]}, and "type: ${missing[1]}" is missing`
      : what,
    hint: 'Such a schema takes more than it seems to: add the type.',
    at: pathOfPointer(schema, pointer),
  }
}

function ofSchema(error: ErrorObject, schema: unknown): SchemaMistake {
  const at = pathOfPointer(schema, error.instancePath)
  const word = at.at(-1)
  return {
    message: `${word === undefined ? 'the schema' : `"${word}"`} ${told(error).why}`,
    hint: 'https://json-schema.org/understanding-json-schema tells what each keyword takes.',
    at,
  }
}

function notCompiled(error: Error, schema: unknown): SchemaMistake {
  let at: Path = []
  const { missingRef } = error as { missingRef?: string }
  eachSchema(schema, (inner, path) => {
    if (missingRef !== undefined && inner['$ref'] === missingRef) at = [...path, '$ref']
  })
  return missingRef === undefined
    ? { message: `the schema cannot be used: ${error.message.replace(/^strict mode: /, '')}`, at }
    : {
        message: `there is nothing at "${missingRef}"`,
        hint: 'A reference begins at the root of the schema: "#/$defs/NAME".',
        at,
      }
}

function check(body: Body, validate: ValidateFunction): Failure | undefined {
  if (body.isEmpty)
    return new Failure('body.schema', 'the body is empty', { part: { pointer: '#', detail: 'is empty' } })
  let value: unknown
  try {
    value = body.value()
  } catch (error) {
    return Failure.from(error)
  }
  const text = body.text()
  if (/\d{16}/.test(text)) value = JSON.parse(text)
  if (validate(value)) return undefined
  const { errors } = validate
  const last = errors!.at(-1)!
  const { name, why, instancePath } = told(CHOICES.has(last.keyword) ? last : errors![0]!)
  const whole = `#${instancePath}${name === undefined ? '' : `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`}`
  const pointer = whole.length > LONGEST_POINTER ? `${whole.slice(0, LONGEST_POINTER)}...` : whole
  return new Failure('body.schema', `${pointer === '#' ? 'the body' : `"${pointer}"`} ${why}`, {
    part: { pointer, detail: why },
  })
}

/** Where the errors before it are those of each possibility. */
const CHOICES: ReadonlySet<string> = new Set(['anyOf', 'oneOf', 'propertyNames'])

/** What was wanted and where, never what was found. */
function told({ keyword, params, instancePath, message = 'does not fit' }: ErrorObject): {
  instancePath: string
  name?: string
  why: string
} {
  const { additionalProperty, unevaluatedProperty, missingProperty, allowedValues } = params as {
    additionalProperty?: string
    unevaluatedProperty?: string
    missingProperty?: string
    allowedValues?: readonly unknown[]
  }
  const unknown = additionalProperty ?? unevaluatedProperty
  if (unknown !== undefined) return { instancePath, name: unknown, why: 'is not known here' }
  if (keyword === 'required' && missingProperty !== undefined)
    return { instancePath, name: missingProperty, why: 'is missing' }
  if (keyword === 'enum' && allowedValues && allowedValues.length <= LONGEST_CHOICE)
    return {
      instancePath,
      why: `must be one of ${allowedValues.map((value) => JSON.stringify(value)).join(', ')}`,
    }
  return { instancePath, why: WORDS[keyword] ?? message }
}

const WORDS: Readonly<Record<string, string>> = {
  'false schema': 'is not allowed',
  anyOf: 'fits none of the possibilities',
  oneOf: 'does not fit exactly one of the possibilities',
  propertyNames: 'has a name that is not possible',
  const: 'is not the one value that is possible',
}
