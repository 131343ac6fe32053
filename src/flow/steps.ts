import type { TProperties } from '@sinclair/typebox'
import type { Document, Path, Target } from '../core/document.ts'
import type { Step } from '../core/flow.ts'
import type { AnyStepKind, AnyTriggerKind } from '../core/kinds.ts'
import type { ProblemCode } from '../core/problem-codes.ts'
import { didYouMean, nearest, type Problem } from '../core/problem.ts'
import { describe, isMap, listed } from '../core/shape-values.ts'
import { checkShape, valueAt, type Shaped } from '../core/shape.ts'
import { LATER, stepKeys, TRIGGER_KEYS } from './schema.ts'

/** The kinds that flows may be made of, by name. */
export interface FlowKinds {
  readonly steps: ReadonlyMap<string, AnyStepKind>
  readonly triggers: ReadonlyMap<string, AnyTriggerKind>
}

type Draft = { -readonly [Key in keyof Step]: Step[Key] }
/** A step's map, as it stands in the file. */
type Written = Record<string, unknown>

const BESIDE = 'It stands beside the kind, not in its options: indent it less.'
const BESIDE_KIND = Object.fromEntries(Object.keys(stepKeys).map((key) => [key, BESIDE]))
const OF_STEPS: Readonly<Partial<Record<string, string>>> = {
  if: 'It stands at the steps that follow.',
  timeout: 'The "timeout" of a run stands at the top of the flow.',
}
const BESIDE_TRIGGER = { ...OF_STEPS, id: BESIDE, description: BESIDE } as Readonly<Record<string, string>>

/** Reads the steps of one flow. Steps with mistakes are left out of the lists, so that the others can be prepared. */
export class StepReader {
  readonly problems: Problem[] = []
  trigger: Step | undefined
  /** In the order of the text; those with mistakes, too. */
  readonly all: Step[] = []
  private readonly document: Document
  private readonly kinds: FlowKinds
  private readonly names: readonly string[]
  /** Whether nothing is wrong with the step that is being read, nested ones apart. */
  private sound = true

  constructor(document: Document, kinds: FlowKinds) {
    this.document = document
    this.kinds = kinds
    this.names = [...kinds.triggers.keys(), ...kinds.steps.keys()]
  }

  /** @param parent index of the step that the list stands in, -1 at the top */
  list(path: Path, parent: number): readonly Step[] {
    const value = valueAt(this.document, path)
    if (value === undefined) return []
    if (!Array.isArray(value)) {
      this.noList(value, path)
      return []
    }
    if (value.length === 0 && parent === -1)
      this.add('flow/no-steps', `"${path.at(-1)}" is an empty list; a flow has at least one step`, path)
    return value.flatMap((entry, i) => {
      const step = this.step(entry, [...path, i], parent, path.length === 1 && path[0] === 'steps' && i === 0)
      return step ? [step] : []
    })
  }

  /** Gives every step its id: the one it has, or its kind and a number. Call once, when all are read. */
  name(): void {
    const taken = new Map<string, Step>()
    const steps = (this.trigger ? [this.trigger, ...this.all] : this.all) as Draft[]
    for (const step of steps) {
      if (step.id === '') continue
      const first = taken.get(step.id)
      if (!first) taken.set(step.id, step)
      else
        this.add(
          'flow/duplicate-id',
          `the id "${step.id}" is taken by another step of this flow`,
          [...step.path, 'id'],
          {
            related: [{ ...this.document.place([...first.path, 'id']), message: 'it is here' }],
          },
        )
    }
    const numbers = new Map<string, number>()
    for (const step of steps) {
      if (step.id !== '') continue
      let number = numbers.get(step.kind) ?? 1
      const next = () => (number === 1 ? step.kind : `${step.kind}-${number}`)
      while (taken.has(next())) number++
      const id = next()
      numbers.set(step.kind, number)
      step.id = id
      taken.set(id, step)
    }
  }

  private noList(value: unknown, path: Path): void {
    const key = String(path.at(-1))
    const first = isMap(value) ? Object.keys(value)[0] : undefined
    if (first !== undefined)
      this.add('flow/no-dash', `"${key}" is a list; a "-" is missing before "${first}"`, [...path, first], {
        on: 'key',
        hint: `Write "- ${first}:", and indent what belongs to it.`,
      })
    else
      this.add(
        value === null ? 'flow/no-steps' : 'flow/no-dash',
        `"${key}" is ${describe(value)}; a list of steps is wanted`,
        path,
        {
          hint: `Each step begins with "-" on a line of its own, below "${key}:".`,
        },
      )
  }

  private step(value: unknown, path: Path, parent: number, first: boolean): Step | undefined {
    if (value === undefined) return undefined
    if (!isMap(value)) return this.noStep(value, path)
    const outer = this.sound
    this.sound = true
    const step = this.readStep(value, path, parent, first)
    const { sound } = this
    this.sound = outer
    if (step && sound && first && this.kinds.triggers.has(step.kind)) this.trigger = step
    return sound && step !== this.trigger ? step : undefined
  }

  private readStep(value: Written, path: Path, parent: number, first: boolean): Step | undefined {
    const kind = this.kindOf(value, path)
    if (kind === undefined) return undefined
    const trigger = this.kinds.triggers.has(kind)
    if (trigger && !first)
      this.add(
        'flow/trigger-position',
        `"${kind}" starts a flow: it can only be its first step`,
        [...path, kind],
        {
          on: 'key',
          hint: 'Make it the first step, or put what it is to start into a flow of its own.',
        },
      )
    const at = trigger ? { index: -1, parent: -1 } : { index: this.all.length, parent }
    const step = this.draft(value, kind, path, at)
    if (!trigger) this.all.push(step)
    this.ownKeys(value, kind, path, step, trigger)
    step.options = this.options(value, kind, path, at.index)
    return step
  }

  private draft(value: Written, kind: string, path: Path, at: { index: number; parent: number }): Draft {
    return {
      id: typeof value['id'] === 'string' ? value['id'] : '',
      kind,
      options: undefined,
      path,
      optionsPath: [...path, kind],
      ...at,
      line: this.document.place(path, { on: 'key' }).line,
    }
  }

  private noStep(value: unknown, path: Path): undefined {
    const joined = typeof value === 'string' ? /^([\w-]+):\S/.exec(value) : null
    const bare = typeof value === 'string' && this.names.includes(value) ? value : undefined
    if (joined) return this.add('yaml/space', `after "${joined[1]}:" a space is missing`, path)
    return this.add('flow/no-kind', `a step is ${describe(value)}; a map with its kind is wanted`, path, {
      hint:
        bare !== undefined
          ? `Write "- ${bare}: ${this.kindNamed(bare).shorthand === undefined ? '{}' : 'text'}"`
          : `For example "- log: text". Kinds: ${this.names.join(', ')}`,
    })
  }

  /** The one key that says what the step does. */
  private kindOf(value: Written, path: Path): string | undefined {
    const keys = Object.keys(value)
    const found = keys.filter((key) => this.names.includes(key))
    if (found.length === 1) return found[0]!
    if (found.length > 1) {
      const [one, other] = found as [string, string]
      return this.add(
        'flow/two-kinds',
        `a step has two kinds, ${listed([one, other]).replace(' or ', ' and ')}`,
        [...path, other],
        {
          on: 'key',
          hint: `Make two steps of it: begin "${other}:" with "- ".`,
          related: [{ ...this.document.place([...path, one], { on: 'key' }), message: 'the first one' }],
        },
      )
    }
    const unknown = keys.filter((key) => !Object.hasOwn(stepKeys, key))
    const later = unknown.find((key) => LATER.kinds.includes(key))
    if (later !== undefined) return this.notYet(later, path)
    const key = unknown.find((word) => nearest(word, this.names) !== undefined) ?? unknown[0]
    if (key === undefined)
      return this.add('flow/no-kind', 'a step has no kind: it does nothing', path, {
        on: keys.length === 0 ? 'value' : 'key',
        hint: `Kinds: ${this.names.join(', ')}`,
      })
    return this.add(
      'flow/unknown-kind',
      `"${key}" is no kind of step${didYouMean(key, this.names)}`,
      [...path, key],
      {
        on: 'key',
        hint: `Kinds: ${this.names.join(', ')}`,
      },
    )
  }

  private notYet(key: string, path: Path): undefined {
    return this.add('key/not-yet', `"${key}" is not in this version`, [...path, key], { on: 'key' })
  }

  /** `id`, `if` and the like; whatever else stands beside the kind is wrong there. */
  private ownKeys(value: Written, kind: string, path: Path, step: Draft, trigger: boolean): void {
    const known = trigger ? TRIGGER_KEYS : Object.keys(stepKeys)
    const options = Object.keys(this.propertiesOf(kind))
    let misplaced = false
    for (const key of Object.keys(value)) {
      if (key === kind) continue
      const at = [...path, key]
      if (known.includes(key)) {
        const schema = stepKeys[key as keyof typeof stepKeys]
        const checked = this.taken(checkShape(schema, this.document, { path: at, subject: `"${key}"` }))
        if (checked === undefined) continue
        if (key === 'if') step.condition = checked as string
        else Object.assign(step, { [key]: checked })
      } else if (options.includes(key) && (value[kind] === null || isMap(value[kind]))) {
        if (!misplaced)
          this.add('flow/indentation', `"${key}" is an option of "${kind}" and stands beside it`, at, {
            on: 'key',
            hint: `Indent it deeper than "${kind}:".`,
          })
        misplaced = true
      } else if (LATER.stepKeys.includes(key)) this.notYet(key, path)
      else
        this.add(
          'key/unknown',
          `"${key}" is not a key of ${trigger ? 'a trigger' : 'a step'}${Object.hasOwn(stepKeys, key) ? '' : didYouMean(key, known)}`,
          at,
          {
            on: 'key',
            hint: (trigger ? OF_STEPS[key] : undefined) ?? `Known keys beside "${kind}": ${known.join(', ')}`,
          },
        )
    }
  }

  private options(value: Written, kind: string, path: Path, index: number): unknown {
    const given = value[kind]
    if (given === undefined) {
      this.sound = false
      return undefined
    }
    const { options: schema, shorthand } = this.kindNamed(kind)
    const at = [...path, kind]
    const setting = {
      path: at,
      subject: `${this.kinds.triggers.has(kind) ? 'trigger' : 'step'} ${kind}`,
      steps: (nested: Path) => this.list(nested, index),
      later: Object.hasOwn(LATER.options, kind) ? LATER.options[kind]! : [],
      elsewhere: this.kinds.triggers.has(kind) ? BESIDE_TRIGGER : BESIDE_KIND,
    }
    if (isMap(given)) return this.taken(checkShape(schema, this.document, setting))
    const misplaced = Object.keys(value).filter(
      (key) => key !== kind && Object.hasOwn(this.propertiesOf(kind), key),
    )
    if (given === null) {
      const beside = Object.fromEntries(misplaced.map((key) => [key, undefined]))
      return this.taken(checkShape(schema, this.document, { ...setting, value: beside }))
    }
    if (Array.isArray(given) || shorthand === undefined) {
      const keys = Object.keys(this.propertiesOf(kind))
      return this.add('value/type', `"${kind}" is ${describe(given)}; a map is wanted`, at, {
        hint: keys.length === 0 ? `Write "${kind}: {}"` : `Its keys: ${keys.join(', ')}`,
      })
    }
    const text = this.taken(
      checkShape(this.propertiesOf(kind)[shorthand]!, this.document, { path: at, subject: `"${kind}"` }),
    )
    const rest = checkShape(schema, this.document, { ...setting, value: { [shorthand]: undefined } })
    this.taken({ ...rest, sound: rest.problems.length === 0 })
    return { ...(rest.value as object), [shorthand]: text }
  }

  private kindNamed(name: string): AnyTriggerKind | AnyStepKind {
    return this.kinds.triggers.get(name) ?? this.kinds.steps.get(name)!
  }

  private propertiesOf(kind: string): TProperties {
    const { options } = this.kindNamed(kind)
    return (options['properties'] as TProperties | undefined) ?? {}
  }

  private taken({ value, problems, sound }: Shaped): unknown {
    this.problems.push(...problems)
    if (!sound) this.sound = false
    return value
  }

  private add(
    code: ProblemCode,
    message: string,
    path: Path,
    more: Target & Pick<Problem, 'related'> & { hint?: string } = {},
  ): undefined {
    const { hint, related, ...target } = more
    this.sound = false
    this.problems.push({
      code,
      severity: 'error',
      message,
      ...(hint !== undefined && { hint }),
      ...this.document.place(path, target),
      ...(related && { related }),
    })
  }
}
