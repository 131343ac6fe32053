import type { TProperties, TSchema } from '@sinclair/typebox'
import { parse } from 'yaml'
import { Keys } from '../core/schema.ts'
import { entry, indented, prose, skeleton } from './skeleton.ts'

/** What a skeleton needs to know of a kind of trigger or step. */
export interface SkeletonKind {
  readonly name: string
  readonly summary: string
  readonly options: TSchema
  readonly shorthand?: string
  readonly composite?: boolean
  readonly examples: readonly { readonly yaml: string }[]
}

export interface SkeletonStep {
  readonly kind: SkeletonKind
  readonly given: Readonly<Record<string, unknown>>
}

export interface FlowSkeletonSetting {
  /** Of the file: the comment on its first lines. */
  readonly about: string
  readonly description: string
  readonly trigger: SkeletonStep | undefined
  readonly steps: readonly SkeletonStep[]
  /** Keys of a flow file. */
  readonly flow: TSchema
  /** Keys that a step may have beside its kind. */
  readonly stepKeys: TProperties
}

/** Keys that the skeleton writes itself. */
const WRITTEN = ['name', 'description', 'steps']

/** A flow file in which every option of its trigger and steps stands, explained. */
export function flowSkeleton(setting: FlowSkeletonSetting): string {
  const { trigger, steps, flow } = setting
  const explained = new Set<string>()
  const keysAt = steps.find(({ kind }) => !kind.composite)
  const blocks = [...(trigger ? [trigger] : []), ...steps].map((step) => [
    ...indented(stepLines(step, explained), 2),
    ...(step === keysAt ? indented(keyLines(setting.stepKeys), 4) : []),
  ])
  const parts = [
    prose(setting.about),
    entry('description', setting.description),
    ['steps:', ...blocks.flatMap((block, i) => (i === 0 ? block : ['', ...block]))],
    skeleton(without(flow, WRITTEN), {}),
  ]
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`
}

function stepLines({ kind, given }: SkeletonStep, explained: Set<string>): string[] {
  const isFirst = !explained.has(kind.name)
  explained.add(kind.name)
  const options = isFirst
    ? skeleton(kind.options, given)
    : Object.entries(given).flatMap(([name, value]) => entry(name, value))
  return [...(isFirst ? prose(kind.summary) : []), `- ${kind.name}:`, ...indented(options, 4)]
}

function keyLines(properties: TProperties): string[] {
  return ['# Every step may have, beside its kind:', ...skeleton(Keys(properties), {})]
}

/** A schema of a map without some of its keys. */
function without(schema: TSchema, names: readonly string[]): TSchema {
  const properties = Object.entries(schema['properties'] as TProperties)
  return { ...schema, properties: Object.fromEntries(properties.filter(([name]) => !names.includes(name))) }
}

/** The option that a text at the command line stands for. */
export function mainOption({ shorthand, options }: SkeletonKind): string {
  const [needed] = (options['required'] as string[] | undefined) ?? []
  return shorthand ?? needed ?? Object.keys(options['properties'] as TProperties)[0]!
}

/** Options as the kind's examples have them, from the first one that names no credential. */
export function exampleOptions(kind: SkeletonKind): Record<string, unknown> {
  const found = kind.examples.flatMap(({ yaml }) =>
    stepsOf((parse(yaml) as { steps: unknown }).steps, kind.name),
  )
  const maps = found.map((options) =>
    typeof options === 'string' ? { [mainOption(kind)]: options } : (options as Record<string, unknown>),
  )
  const names = credentialOptions(kind)
  return maps.find((options) => !names.some((name) => Object.hasOwn(options, name))) ?? maps[0] ?? {}
}

/** Options that name a credential. */
export function credentialOptions({ options }: SkeletonKind): string[] {
  return Object.entries(options['properties'] as TProperties)
    .filter(([, option]) => option['x-is'] === 'credential')
    .map(([name]) => name)
}

/** What stands under this kind, in a list of steps. */
function stepsOf(steps: unknown, kind: string): unknown[] {
  return (steps as Record<string, unknown>[])
    .filter((step) => Object.hasOwn(step, kind))
    .map((step) => step[kind])
}
