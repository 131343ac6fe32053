import { createHash } from 'node:crypto'
import { compileCondition, compileExpression } from '../expression/compile.ts'
import { compileParts, compileTemplate, compileText } from '../expression/template.ts'
import type { CompiledExpression, ExpressionMistake, ExpressionSetting } from '../expression/compile.ts'
import type { Context } from '../core/context.ts'
import type { Path } from '../core/document.ts'
import type { Flow, ParameterValue, Step } from '../core/flow.ts'
import { defineOwn } from '../core/json.ts'
import type { Deployment, ProblemReport, Run, Template, TemplatePart } from '../core/kinds.ts'
import type { Message } from '../core/message.ts'
import type { Place, Problem } from '../core/problem.ts'
import type { Services } from '../core/services.ts'
import type { World } from '../core/world.ts'
import type { Line } from './line.ts'
import { runSteps, type ReadyStep } from './run.ts'
import { variablesIn } from './variables.ts'

/** A step that calls another flow. */
export interface FlowCall {
  readonly flow: string
  readonly place: Place
}

/** What a step needs of the flow that it is prepared for. */
export interface FlowPlan {
  readonly flow: Flow
  readonly parameters: Readonly<Record<string, ParameterValue>>
  readonly world: World
  readonly services: Services
  readonly problems: Problem[]
  readonly calls: FlowCall[]
  readonly files: Map<string, string>
  prepareSteps(steps: readonly Step[]): Promise<readonly ReadyStep[]>
}

/** One step (or the trigger) while its flow is prepared. */
export class StepDeployment implements Deployment {
  readonly step: Step
  readonly flow: Flow
  readonly parameters: Readonly<Record<string, ParameterValue>>
  readonly world: World
  readonly services: Services
  /** Whether an expression compiled here looks into the body. */
  readsBody = false
  private readonly plan: FlowPlan

  constructor(plan: FlowPlan, step: Step) {
    this.plan = plan
    this.step = step
    this.flow = plan.flow
    this.parameters = plan.parameters
    this.world = plan.world
    this.services = plan.services
  }

  problem(report: ProblemReport): void {
    const { code, message, hint, severity = 'error', at = [], on, offset, length } = report
    const place =
      report.place ??
      (at.length === 0 && on === undefined && offset === undefined
        ? this.flow.document.place([...this.step.path, this.step.kind], { on: 'key' })
        : this.flow.document.place(this.pathOf(at), {
            ...(on === undefined ? {} : { on }),
            ...(offset === undefined ? {} : { offset }),
            ...(length === undefined ? {} : { length }),
          }))
    this.plan.problems.push({ code, severity, message, ...place, ...(hint === undefined ? {} : { hint }) })
  }

  expression(text: string, at: Path, inside = false): Template {
    const compiled = compileExpression(text, this.setting(at, inside))
    this.report(compiled.mistakes, at)
    if (compiled.readsBody && !inside) this.readsBody = true
    return compiled
  }

  condition(text: string, at: Path): (message: Message, context: Context) => boolean {
    return this.taken(compileCondition(text, this.setting(at)), at).evaluate as (
      message: Message,
      context: Context,
    ) => boolean
  }

  template(text: string, at: Path): Template {
    return this.taken(compileTemplate(text, this.setting(at)), at)
  }

  text(value: ParameterValue, at: Path): (message: Message, context: Context) => string {
    if (typeof value !== 'string') {
      const fixed = String(value)
      return () => fixed
    }
    const { evaluate, constant } = this.taken(compileText(value, this.setting(at)), at)
    if (constant) {
      const fixed = constant.value as string
      return () => fixed
    }
    return evaluate as (message: Message, context: Context) => string
  }

  value(value: unknown, at: Path): Template {
    if (typeof value === 'string') return this.template(value, at)
    if (typeof value !== 'object' || value === null) return fixed(value)
    const entries = Object.entries(value).map(
      ([key, entry]) => [key, this.value(entry, [...at, Array.isArray(value) ? Number(key) : key])] as const,
    )
    if (entries.every(([, entry]) => entry.constant)) return fixed(plain(value, entries))
    if (Array.isArray(value)) {
      const items = entries.map(([, entry]) => entry.evaluate)
      return { evaluate: (message, context) => items.map((item) => item(message, context)) }
    }
    return {
      evaluate: (message, context) => {
        const result: Record<string, unknown> = {}
        for (const [key, entry] of entries) defineOwn(result, key, entry.evaluate(message, context))
        return result
      },
    }
  }

  parts(text: string, at: Path): readonly TemplatePart[] {
    const { parts, mistakes } = compileParts(text, this.setting(at))
    this.report(mistakes, at)
    for (const part of parts) if (typeof part !== 'string' && part.readsBody) this.readsBody = true
    return parts
  }

  async steps(steps: readonly Step[]): Promise<Run> {
    const ready = await this.plan.prepareSteps(steps)
    return (message, context) => runSteps(ready, message, context as Line)
  }

  /** The key `if`: its place is beside the options, not in them. */
  ownCondition(text: string): CompiledExpression {
    const path = [...this.step.path, 'if']
    const compiled = compileCondition(text, this.settingAt(path))
    for (const mistake of compiled.mistakes) this.plan.problems.push(this.problemOf(mistake, path))
    return compiled
  }

  private taken(compiled: CompiledExpression, at: Path): Template {
    this.report(compiled.mistakes, at)
    if (compiled.readsBody) this.readsBody = true
    return compiled
  }

  private report(mistakes: readonly ExpressionMistake[], at: Path): void {
    for (const mistake of mistakes) this.plan.problems.push(this.problemOf(mistake, this.pathOf(at)))
  }

  private problemOf(mistake: ExpressionMistake, path: Path): Problem {
    const { code, severity, message, hint, offset, length } = mistake
    return {
      code,
      severity,
      message,
      ...this.flow.document.place(path, { offset, length }),
      ...(hint === undefined ? {} : { hint }),
    }
  }

  isInside(kind: string): boolean {
    for (let { parent } = this.step; parent >= 0; parent = this.flow.allSteps[parent]!.parent)
      if (this.flow.allSteps[parent]!.kind === kind) return true
    return false
  }

  madeFrom(path: string, text: string): void {
    this.plan.files.set(path, contentHash(text))
  }

  calls(flow: string, at: Path): void {
    this.plan.calls.push({ flow, place: this.flow.document.place(this.pathOf(at)) })
  }

  private setting(at: Path, inside = false): ExpressionSetting {
    return this.settingAt(this.pathOf(at), inside)
  }

  /** @param inside the names that its nested steps see */
  private settingAt(path: Path, inside = false): ExpressionSetting {
    return {
      variables: variablesIn(this.flow, this.step, inside),
      parameters: new Set(Object.keys(this.flow.parameters)),
      bodyLimit: this.services.limits.body,
      world: this.world,
      place: (offset, length) => this.flow.document.place(path, { offset, length }),
    }
  }

  /** The shorthand's text stands where the options would. */
  private pathOf(at: Path): Path {
    let value = this.flow.document.value
    for (const key of this.step.optionsPath) value = (value as Record<string | number, unknown>)[key]
    return typeof value === 'string' ? this.step.optionsPath : [...this.step.optionsPath, ...at]
  }
}

/** The same for the same text. */
export function contentHash(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}

function fixed(value: unknown): Template {
  return { evaluate: () => value, constant: { value } }
}

function plain(value: object, entries: readonly (readonly [string, Template])[]): unknown {
  if (Array.isArray(value)) return entries.map(([, entry]) => entry.constant!.value)
  const result: Record<string, unknown> = {}
  for (const [key, entry] of entries) defineOwn(result, key, entry.constant!.value)
  return result
}
