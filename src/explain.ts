import { sayDuration } from './core/duration.ts'
import type {
  CredentialExplanation,
  Explaining,
  StepExplanation,
  TriggerExplanation,
} from './core/explanation.ts'
import type { Flow, ParameterValue, Retry, Step } from './core/flow.ts'
import type { ExplainedStart, ExplainedStep, FlowExplanation } from './core/flow-explanation.ts'
import { inWords } from './core/plain-words.ts'
import { UNTRIGGERED, type Kinds } from './engine/deployment.ts'
import type { Project, ProjectFlow } from './project.ts'

export interface ExplainSetting {
  readonly kinds: Kinds
  readonly project: Pick<Project, 'flows'>
  /** @param flow whose parameters are wanted */
  readonly parameters: (flow: Flow) => Readonly<Record<string, ParameterValue>>
  readonly credential: (name: string) => CredentialExplanation | undefined
  readonly bodyLimit: number
  /** Epoch ms. */
  readonly now: number
}

/** What a flow does, in the words of its kinds. Nothing is prepared, started or sent. */
export function explainFlow(entry: ProjectFlow, setting: ExplainSetting): FlowExplanation {
  const { name, file, flow, problems } = entry
  if (!flow) return unreadable(entry)
  const told = new Telling(flow, setting)
  const trigger = told.trigger()
  const steps = told.list(flow.steps, '')
  const onError = told.list(flow.onError, '')
  const kind = setting.kinds.triggers.get(trigger.start.kind ?? '')
  const missing = (credential: string): CredentialExplanation => ({ ...MISSING, name: credential })
  return {
    name,
    file,
    description: flow.description,
    enabled: flow.enabled,
    readable: true,
    problems,
    start: trigger.start,
    parameters: Object.entries(flow.parameters).map(([parameter, { description }]) => ({
      name: parameter,
      value: told.parameters[parameter],
      description,
    })),
    steps,
    onError,
    leftOut: flow.allSteps
      .filter((step) => !told.seen.has(step))
      .map((step) => ({ kind: step.kind, line: step.line })),
    summary: {
      hosts: [...told.hosts],
      credentials: [...told.credentials].map((one) => setting.credential(one) ?? missing(one)),
      timeout: flow.timeout ?? kind?.timeout ?? UNTRIGGERED.timeout,
      concurrency:
        flow.concurrency ??
        kind?.concurrency((flow.trigger?.options ?? {}) as never) ??
        UNTRIGGERED.concurrency,
      logLevel: flow.logLevel,
      searchable: flow.searchable,
      calls: [...told.calls],
      calledBy: setting.project.flows.flatMap((other) =>
        other.flow && callsOf(other.flow, setting).has(name) ? [other.name] : [],
      ),
      success: trigger.outcome.success,
      failure: trigger.outcome.failure,
    },
  }
}

const MISSING: CredentialExplanation = {
  name: '',
  type: 'missing',
  description: undefined,
  sends: undefined,
  baseUrl: undefined,
  hosts: [],
  unset: [],
  broken: false,
}

const NOT_STARTED: TriggerExplanation = {
  text: 'nothing by itself: other flows call it, or a person does (sluice run)',
  outcome: {
    success: 'the message as it is after the last step: body and headers',
    failure: 'the failure, with its code: the step that calls this flow fails with it',
  },
}

const WRONG: TriggerExplanation = {
  text: 'it has mistakes',
  outcome: { failure: 'not known while what starts it has mistakes' },
}

function unreadable({ name, file, problems }: ProjectFlow): FlowExplanation {
  const { text, outcome } = NOT_STARTED
  return {
    name,
    file,
    description: undefined,
    enabled: true,
    readable: false,
    problems,
    start: {
      kind: undefined,
      id: undefined,
      description: undefined,
      text,
      details: [],
      zone: 'UTC',
      next: [],
    },
    parameters: [],
    steps: [],
    onError: [],
    leftOut: [],
    summary: {
      hosts: [],
      credentials: [],
      ...UNTRIGGERED,
      logLevel: 'info',
      searchable: [],
      calls: [],
      calledBy: [],
      success: undefined,
      failure: outcome.failure,
    },
  }
}

function callsOf(flow: Flow, setting: ExplainSetting): ReadonlySet<string> {
  const told = new Telling(flow, setting)
  told.list(flow.steps, '')
  told.list(flow.onError, '')
  return told.calls
}

/** Goes through the steps of one flow, and keeps in mind what they have in common. */
class Telling {
  readonly hosts = new Set<string>()
  readonly credentials = new Set<string>()
  readonly calls = new Set<string>()
  readonly seen = new Set<Step>()
  readonly parameters: Readonly<Record<string, ParameterValue>>
  readonly #flow: Flow
  readonly #setting: ExplainSetting

  constructor(flow: Flow, setting: ExplainSetting) {
    this.#flow = flow
    this.#setting = setting
    this.parameters = setting.parameters(flow)
  }

  trigger(): { start: ExplainedStart; outcome: TriggerExplanation['outcome'] } {
    const { trigger: step } = this.#flow
    const kind = step && this.#setting.kinds.triggers.get(step.kind)
    const wrong = step ? undefined : this.#wrongTrigger()
    const said: TriggerExplanation = !kind
      ? wrong === undefined
        ? NOT_STARTED
        : WRONG
      : (kind.explain?.(step.options as never, this.#explaining(step)) ?? {
          ...NOT_STARTED,
          text: withoutStop(kind.summary),
        })
    const { text, details = [], next = [], zone = 'UTC' } = said
    return {
      start: {
        kind: step?.kind ?? wrong,
        id: step?.id,
        description: step?.description,
        text,
        details,
        zone,
        next: next.map((time) => momentText(time, zone)),
      },
      outcome: said.outcome,
    }
  }

  /** The kind of a trigger that was left out, because something is wrong with it. */
  #wrongTrigger(): string | undefined {
    const { steps } = (this.#flow.document.value ?? {}) as { steps?: unknown }
    const first: unknown = Array.isArray(steps) ? steps[0] : undefined
    if (typeof first !== 'object' || first === null) return undefined
    return Object.keys(first).find((key) => this.#setting.kinds.triggers.has(key))
  }

  list(steps: readonly Step[], prefix: string, from = 0): ExplainedStep[] {
    return steps.map((step, i) => this.#step(step, `${prefix}${from + i + 1}`))
  }

  #step(step: Step, number: string): ExplainedStep {
    this.seen.add(step)
    const kind = this.#setting.kinds.steps.get(step.kind)!
    const said: StepExplanation = kind.explain?.(step.options as never, this.#explaining(step)) ?? {
      text: withoutStop(kind.summary),
      parts: [{ steps: this.#flow.allSteps.filter(({ parent }) => parent === step.index) }],
    }
    for (const host of said.receivers ?? []) this.hosts.add(host)
    for (const name of said.credentials ?? []) this.credentials.add(name)
    for (const flow of said.calls ?? []) this.calls.add(flow)
    let count = 0
    const parts = (said.parts ?? []).map(({ title, steps }) => {
      const told = this.list(steps, `${number}.`, count)
      count += steps.length
      return { title, steps: told }
    })
    const timeout = step.timeout ?? (kind.composite ? undefined : kind.timeout)
    return {
      number,
      id: step.id,
      kind: step.kind,
      line: step.line,
      description: step.description,
      condition: step.condition,
      text: said.text,
      details: [
        ...(said.details ?? []),
        ...(timeout === undefined ? [] : [timeoutWords(timeout, step.retry !== undefined)]),
        ...(step.retry ? [retryWords(step.retry)] : []),
      ],
      parts: parts.filter(({ steps }) => steps.length > 0),
    }
  }

  #explaining(step: Step): Explaining {
    const { project, credential, bodyLimit, now } = this.#setting
    return {
      flow: this.#flow,
      step,
      parameters: this.parameters,
      now,
      limits: { body: bodyLimit },
      credential,
      flowNamed(name) {
        const found = project.flows.find((entry) => entry.name === name)
        return found && { description: found.flow?.description }
      },
    }
  }
}

function timeoutWords(ms: number, retried: boolean): string {
  return `Time-out: ${sayDuration(ms)}${retried ? ' an attempt' : ''}.`
}

/** `on` of a retry as people say it. */
const ON: Readonly<Record<string, string>> = { network: 'network errors', timeout: 'time-outs' }

function retryWords({ attempts, delay, factor, maxDelay, jitter, on }: Retry): string {
  const reasons = inWords(on.map((what) => ON[what] ?? String(what)))
  const further = factor === 1 ? 'before each' : 'before the second'
  const times = factor === 2 ? 'twice' : `${factor} times`
  const grows = factor === 1 ? '' : `, then ${times} as long each time, ${sayDuration(maxDelay)} at most`
  return `It is tried ${attempts} times in all, on ${reasons}: waits ${sayDuration(delay)} ${further} attempt${grows}${jitter ? ', half to all of it by chance' : ''}; a receiver's Retry-After wins.`
}

function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, '').replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase())
}

/** Epoch ms as RFC 3339 text with the offset of a zone. */
function momentText(time: number, zone: string): string {
  return Temporal.Instant.fromEpochMilliseconds(time).toString({
    timeZone: zone,
    smallestUnit: time % 60_000 === 0 ? 'minute' : 'second',
  })
}
