import type { Document } from '../core/document.ts'
import type { Flow, Parameter, ParameterValue } from '../core/flow.ts'
import type { ProblemCode } from '../core/problem-codes.ts'
import { didYouMean, type Problem } from '../core/problem.ts'
import { describe, isMap } from '../core/shape-values.ts'
import { checkShape, valueAt } from '../core/shape.ts'
import { parameterSchema } from './schema.ts'

/** One whose declaration has a mistake: it is there all the same, so that expressions that name it have none. */
const MISTAKEN: Parameter = { type: 'text', default: '' }
const NAME = /^[A-Za-z]\w*$/

/** Reads `parameters` of a flow: what may be overridden, and of which type it is. */
export function readParameters(document: Document): {
  parameters: Record<string, Parameter>
  problems: Problem[]
} {
  const given = valueAt(document, ['parameters'])
  const problems: Problem[] = []
  const parameters: Record<string, Parameter> = {}
  const add = (message: string, hint: string, at: string[], on: 'key' | 'value') =>
    problems.push({ code: 'flow/parameter', severity: 'error', message, hint, ...document.place(at, { on }) })
  if (given === undefined) return { parameters, problems }
  if (!isMap(given)) {
    add(
      `"parameters" is ${describe(given)}; a map of names to defaults is wanted`,
      'For example "companyId: acme".',
      ['parameters'],
      'value',
    )
    return { parameters, problems }
  }
  for (const [name, value] of Object.entries(given)) {
    const path = ['parameters', name]
    if (!NAME.test(name)) {
      add(
        `"${name}" is no name for a parameter`,
        'Letters, digits and "_" are possible; a letter comes first.',
        path,
        'key',
      )
      continue
    }
    parameters[name] = MISTAKEN
    if (value === undefined) continue
    if (isScalar(value)) parameters[name] = { type: typeOf(value), default: value }
    else if (isMap(value)) {
      const { value: shaped, problems: mistakes } = checkShape(parameterSchema, document, {
        path,
        subject: `parameter "${name}"`,
      })
      problems.push(...mistakes)
      const parameter = mistakes.length > 0 ? undefined : withType(shaped as Declared, document, name)
      if (typeof parameter === 'object') parameters[name] = parameter
      else if (parameter !== undefined)
        add(parameter, 'Change the default or the type.', [...path, 'default'], 'value')
    } else
      add(
        `the parameter "${name}" is ${describe(value)}; a text, a number, true or false is wanted`,
        `For one that must be given from outside write "${name}: { type: text }".`,
        path,
        'value',
      )
  }
  return { parameters, problems }
}

interface Declared {
  readonly default?: unknown
  readonly type?: Parameter['type']
  readonly description?: string
}

/** A mistake comes back as text. */
function withType(declared: Declared, document: Document, name: string): Parameter | string {
  const { default: preset, description } = declared
  const about = description === undefined ? {} : { description }
  if (preset === undefined) return { type: declared.type ?? 'text', ...about }
  if (!isScalar(preset))
    return `the default of "${name}" is ${describe(preset)}; a text, a number, true or false is wanted`
  const type = declared.type ?? typeOf(preset)
  if (type === 'text' && typeof preset !== 'string')
    return { type, default: document.written(['parameters', name, 'default']) ?? String(preset), ...about }
  if (typeOf(preset) !== type) return `the default of "${name}" is ${describe(preset)}; its type is ${type}`
  return { type, default: preset, ...about }
}

export interface ParameterSources {
  /** `parameters` of sluice.yaml: values for all flows, and maps of values by a flow's name. */
  readonly settings?: Readonly<Record<string, unknown>>
  readonly environment: Readonly<Record<string, string | undefined>>
  /** `--param name=value` */
  readonly flags: Readonly<Record<string, string>>
}

/**
 * The values of a flow's parameters: its defaults < `sluice.yaml` < `SLUICE_PARAM_*` < flags, and within one source
 * what is meant for this flow before what is meant for all. A parameter without a value is a problem.
 */
export function resolveParameters(
  flow: Flow,
  sources: ParameterSources,
): { values: Record<string, ParameterValue>; problems: Problem[] } {
  const values: Record<string, ParameterValue> = {}
  const problems: Problem[] = []
  for (const [name, parameter] of Object.entries(flow.parameters)) {
    const given = givenValue(flow, name, sources)
    const place = flow.document.place(['parameters', name], { on: 'key' })
    if (given === undefined) {
      if (parameter.default !== undefined) values[name] = parameter.default
      else
        problems.push({
          code: 'parameter/missing',
          severity: 'error',
          message: `the parameter "${name}" has no value and no default`,
          hint: `Give it in sluice.yaml under "parameters", as ${variableOf(name)}, or with --param ${name}=...`,
          ...place,
        })
      continue
    }
    const value = convertParameter(given.value, parameter.type)
    if (value !== undefined) values[name] = value
    else
      problems.push({
        code: given.code ?? 'parameter/type',
        severity: 'error',
        message: `the parameter "${name}" is ${describe(given.value)} in ${given.source}; its type is ${parameter.type}`,
        ...place,
      })
  }
  return { values, problems: [...problems, ...strangers(flow, sources)] }
}

interface Given {
  readonly value: unknown
  readonly source: string
  /** Of the problem when it is of the wrong type. */
  readonly code?: ProblemCode
}

/** Code of a `--param` of the wrong type: the command was called wrongly. */
export const WRONG_PARAMETER = 'parameter/flag'

function givenValue(
  flow: Flow,
  name: string,
  { settings = {}, environment, flags }: ParameterSources,
): Given | undefined {
  if (Object.hasOwn(flags, name))
    return { value: flags[name], source: `--param ${name}`, code: WRONG_PARAMETER }
  for (const variable of [variableOf(name, flow.name), variableOf(name)])
    if (environment[variable] !== undefined) return { value: environment[variable], source: variable }
  const own = ownSettings(flow, settings)
  if (own && Object.hasOwn(own, name))
    return { value: own[name], source: `sluice.yaml (parameters, "${flow.name}")` }
  if (Object.hasOwn(settings, name) && !isMap(settings[name]))
    return { value: settings[name], source: 'sluice.yaml (parameters)' }
  return undefined
}

function ownSettings(
  flow: Flow,
  settings: Readonly<Record<string, unknown>>,
): Record<string, unknown> | undefined {
  const own = Object.hasOwn(settings, flow.name) ? settings[flow.name] : undefined
  return isMap(own) ? own : undefined
}

/** What sluice.yaml gives to this flow by name and the flow does not declare. */
function strangers(flow: Flow, { settings = {} }: ParameterSources): Problem[] {
  const known = Object.keys(flow.parameters)
  return Object.keys(ownSettings(flow, settings) ?? {})
    .filter((name) => !known.includes(name))
    .map((name) => ({
      code: 'parameter/unknown',
      severity: 'warning',
      message: `sluice.yaml gives the flow "${flow.name}" the parameter "${name}", which it does not have${didYouMean(name, known)}`,
      ...flow.document.place(['parameters'], { on: 'key' }),
    }))
}

/** `SLUICE_PARAM_COMPANYID`, `SLUICE_PARAM_ORDERS_NEW__COMPANYID`. */
function variableOf(name: string, flow?: string): string {
  const word = (text: string) => text.toUpperCase().replace(/[^A-Z0-9]/g, '_')
  return `SLUICE_PARAM_${flow === undefined ? '' : `${word(flow)}__`}${word(name)}`
}

export function convertParameter(value: unknown, type: Parameter['type']): ParameterValue | undefined {
  if (!isScalar(value)) return undefined
  if (type === 'text') return String(value)
  if (typeof value !== 'string') return typeOf(value) === type ? value : undefined
  if (type === 'boolean') return value === 'true' ? true : value === 'false' ? false : undefined
  const number = /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/.test(value.trim()) ? Number(value) : NaN
  return Number.isFinite(number) ? number : undefined
}

function isScalar(value: unknown): value is ParameterValue {
  return (
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && Number.isFinite(value))
  )
}

function typeOf(value: ParameterValue): Parameter['type'] {
  return typeof value === 'string' ? 'text' : typeof value === 'number' ? 'number' : 'boolean'
}
