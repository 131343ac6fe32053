import type { Flow, ParameterValue, Step } from '../core/flow.ts'
import type { AnyStepKind, AnyTriggerKind, PreparedStep, PreparedTrigger } from '../core/kinds.ts'
import { hasErrors, type Problem } from '../core/problem.ts'
import type { Credentials, Services } from '../core/services.ts'
import type { World } from '../core/world.ts'
import { itemStreamProblems, type PlannedStep } from './item-streams.ts'
import type { ReadyStep } from './run.ts'
import { StepDeployment, type FlowCall, type FlowPlan } from './step-deployment.ts'

export interface Kinds {
  readonly steps: ReadonlyMap<string, AnyStepKind>
  readonly triggers: ReadonlyMap<string, AnyTriggerKind>
}

/** A flow made ready: everything that can be looked up, compiled or checked beforehand has been. */
export interface PreparedFlow {
  readonly flow: Flow
  readonly parameters: Readonly<Record<string, ParameterValue>>
  readonly steps: readonly ReadyStep[]
  readonly trigger: PreparedTrigger | undefined
  readonly concurrency: { readonly running: number; readonly waiting: number }
  /** ms */
  readonly timeout: number
  /** What runs when they failed. */
  readonly onError: readonly ReadyStep[]
  /** Names of the credentials that its steps use. */
  readonly credentials: readonly string[]
  /** Flows that its steps call. */
  readonly calls: readonly FlowCall[]
  /** Lets go of what the steps hold (compiled scripts). */
  stop(): void
}

export interface Preparation {
  readonly prepared?: PreparedFlow
  /** Absolute paths of the further files that it was made from, with what their content was (see `contentHash`). */
  readonly files: ReadonlyMap<string, string>
  readonly problems: readonly Problem[]
}

/** Where a flow has no trigger: as for an endpoint. */
export const UNTRIGGERED = { timeout: 60_000, concurrency: { running: 100, waiting: 1000 } }

/** Prepares every step and the trigger of a flow; reports all mistakes at once. Starts nothing. */
export async function prepareFlow(
  flow: Flow,
  parameters: Readonly<Record<string, ParameterValue>>,
  kinds: Kinds,
  world: World,
  services: Services,
): Promise<Preparation> {
  const plan = new Plan(flow, parameters, kinds, world, services)
  const trigger = flow.trigger && (await plan.prepareTrigger(flow.trigger))
  const [steps, onError] = await Promise.all([plan.prepareSteps(flow.steps), plan.prepareSteps(flow.onError)])
  plan.problems.push(...itemStreamProblems(flow, plan.lists))
  if (hasErrors(plan.problems)) {
    plan.stop()
    return { problems: plan.problems, files: plan.files }
  }
  const kind = flow.trigger && kinds.triggers.get(flow.trigger.kind)
  return {
    problems: plan.problems,
    files: plan.files,
    prepared: {
      flow,
      parameters,
      steps,
      onError,
      trigger,
      concurrency:
        flow.concurrency ?? kind?.concurrency(flow.trigger!.options as never) ?? UNTRIGGERED.concurrency,
      timeout: flow.timeout ?? kind?.timeout ?? UNTRIGGERED.timeout,
      credentials: [...plan.credentials],
      calls: plan.calls,
      stop: () => plan.stop(),
    },
  }
}

class Plan implements FlowPlan {
  readonly problems: Problem[] = []
  readonly credentials = new Set<string>()
  readonly calls: FlowCall[] = []
  readonly files = new Map<string, string>()
  /** Every list of steps that was prepared, by the step it stands in; -1: the flow's own. */
  readonly lists = new Map<number, (readonly PlannedStep[])[]>()
  readonly flow: Flow
  readonly parameters: Readonly<Record<string, ParameterValue>>
  readonly world: World
  readonly services: Services
  private readonly kinds: Kinds
  private readonly prepared: PreparedStep[] = []

  constructor(
    flow: Flow,
    parameters: Readonly<Record<string, ParameterValue>>,
    kinds: Kinds,
    world: World,
    services: Services,
  ) {
    this.flow = flow
    this.parameters = parameters
    this.kinds = kinds
    this.world = world
    this.services = { ...services, credentials: noting(services.credentials, this.credentials) }
  }

  prepareTrigger(step: Step): PreparedTrigger | Promise<PreparedTrigger> {
    const kind = this.kinds.triggers.get(step.kind)!
    return kind.prepare(step.options as never, new StepDeployment(this, step))
  }

  async prepareSteps(steps: readonly Step[]): Promise<readonly ReadyStep[]> {
    const planned = await Promise.all(steps.map((step) => this.prepareStep(step)))
    if (steps.length > 0) {
      const { parent } = steps[0]!
      this.lists.set(parent, [...(this.lists.get(parent) ?? []), planned])
    }
    return planned
  }

  private async prepareStep(step: Step): Promise<PlannedStep> {
    const kind = this.kinds.steps.get(step.kind)!
    const deployment = new StepDeployment(this, step)
    const prepared = await kind.prepare(step.options as never, deployment)
    this.prepared.push(prepared)
    const condition = step.condition === undefined ? undefined : deployment.ownCondition(step.condition)
    if (step.retry && kind.composite) this.problems.push(noRetry(step, this.flow))
    return {
      step,
      run: prepared.run,
      readsBody: prepared.readsBody === true || deployment.readsBody,
      condition: condition?.evaluate as ReadyStep['condition'],
      conditionReadsBody: condition?.readsBody === true,
      timeout: prepared.ownTimeout ? 0 : (step.timeout ?? kind.timeout ?? 0),
      retry: step.retry && { ...step.retry, on: step.retry.on.map(String) },
      takesItems: prepared.takesItems === true,
      leaves: prepared.leaves,
      ownMessages: prepared.ownMessages === true,
    }
  }

  stop(): void {
    for (const prepared of this.prepared) prepared.stop?.()
  }
}

function noRetry(step: Step, { document }: Flow): Problem {
  return {
    code: 'flow/retry',
    severity: 'error',
    message: `"${step.kind}" consists of other steps; it is not tried again as a whole`,
    hint: 'Write "retry" at the steps inside it that may be tried again.',
    ...document.place([...step.path, 'retry'], { on: 'key' }),
  }
}

/** The same credentials, with a note of which ones were asked for. */
function noting(credentials: Credentials, names: Set<string>): Credentials {
  return {
    names: () => credentials.names(),
    info: (name) => credentials.info(name),
    reference: (name, type) => {
      names.add(name)
      return credentials.reference(name, type)
    },
  }
}
