import type { Branching, Context, ForkedWith, Level, TriggerInfo } from '../core/context.ts'
import type { Failure, RunFailure } from '../core/failure.ts'
import type { LogLevel, ParameterValue, Step } from '../core/flow.ts'
import type { RunRequest } from '../core/kinds.ts'
import type { Place } from '../core/problem.ts'
import type { MessageLog, RunProgress, RunRecord, RunStatus } from '../core/stores.ts'
import type { Clock } from '../core/world.ts'
import { InnerScope, Scope } from './scope.ts'

const NONE: readonly string[] = []

/** What every run of an engine works with. */
export interface Runtime {
  readonly clock: Clock
  readonly messageLog: MessageLog
  /** Bytes; largest body that is read into memory. */
  readonly bodyLimit: number
  /** 0 <= x < 1. */
  random(): number
}

/** Numbers of timings (four a step) that a run may have: of more, steps in the middle are left out. */
const MOST_TIMINGS = 32_000
const FIRST_TIMINGS = 12_000
const LAST_TIMINGS = 4000

/** One message going through one flow: what all its lines of work share, and what the message log keeps of it. */
export class RunState extends Scope implements RunRecord {
  readonly id: string
  readonly flow: string
  readonly version: string
  readonly trigger: string
  readonly correlationId: string
  readonly caller: string | undefined
  readonly calledBy: string | undefined
  readonly startedAt: number
  readonly startedTicks: number
  readonly attempt = 1
  readonly timings: number[] = []
  omittedSteps = 0
  progress: RunProgress | undefined = undefined
  /** The message log does not know of the progress yet. */
  moved = false
  readonly placeOf: (step: Step) => Place
  private readonly leveled: { readonly level: LogLevel }
  duration = 0
  status: RunStatus = 'PROCESSING'
  failure: RunFailure | undefined = undefined
  credentials: readonly string[] = NONE
  hosts: readonly string[] = NONE
  searchable: Readonly<Record<string, string>> | undefined = undefined
  /** Its place among the runs that are going on; -1 when it is not among them. */
  slot = -1
  /** Whether the message log has its opening record. */
  opened = false
  private trace: string | undefined

  constructor(
    id: string,
    flow: { name: string; version: string; level: LogLevel; placeOf: (step: Step) => Place },
    { trigger, correlationId, caller, calledBy, traceparent }: RunRequest,
    at: number,
    ticks: number,
  ) {
    super()
    this.id = id
    this.flow = flow.name
    this.version = flow.version
    this.leveled = flow
    this.placeOf = flow.placeOf
    this.trigger = trigger.kind
    this.startedAt = at
    this.startedTicks = ticks
    this.correlationId = correlationId ?? id
    this.caller = caller
    this.calledBy = calledBy
    this.trace = traceparent
  }

  /** It may be set while the run goes on. */
  get level(): LogLevel {
    return this.leveled.level
  }

  /** The caller's trace goes on with a span of ours; without one, a trace of this run. @see https://www.w3.org/TR/trace-context/ */
  get traceparent(): string {
    const { id } = this
    const span = id.slice(19, 23) + id.slice(24)
    if (this.trace !== undefined) return `00-${this.trace.slice(3, 35)}-${span}-${this.trace.slice(53)}`
    return `00-${id.slice(0, 8)}${id.slice(9, 13)}${id.slice(14, 18)}${span}-${span}-01`
  }

  note(step: number, start: number, duration: number, outcome: number): void {
    if (this.timings.length >= MOST_TIMINGS) {
      this.timings.splice(FIRST_TIMINGS, MOST_TIMINGS - FIRST_TIMINGS - LAST_TIMINGS)
      this.omittedSteps += (MOST_TIMINGS - FIRST_TIMINGS - LAST_TIMINGS) / 4
    }
    this.timings.push(step, start, duration, outcome)
  }

  used(credential: string | undefined, host: string): void {
    if (credential !== undefined && !this.credentials.includes(credential))
      this.credentials = [...this.credentials, credential]
    if (!this.hosts.includes(host)) this.hosts = [...this.hosts, host]
  }
}

/** One line of work in a run: the run's own, or an item's or branch's. */
export class Line implements Context {
  readonly run: RunState
  readonly runtime: Runtime
  readonly trigger: TriggerInfo
  readonly parameters: Readonly<Record<string, ParameterValue>>
  readonly item: unknown
  readonly index: number | undefined
  readonly error: Failure | undefined
  step = ''
  deadline: number
  /** Id of the step around, whose time the deadline is; undefined: the flow's. */
  limitedBy: string | undefined = undefined
  private readonly scope: Scope
  private controller: AbortController | undefined

  constructor(
    run: RunState,
    runtime: Runtime,
    trigger: TriggerInfo,
    parameters: Readonly<Record<string, ParameterValue>>,
    deadline: number,
    own?: ForkedWith,
    scope: Scope = run,
  ) {
    this.run = run
    this.scope = scope
    this.runtime = runtime
    this.trigger = trigger
    this.parameters = parameters
    this.deadline = deadline
    this.item = own?.item
    this.index = own?.index
    this.error = own?.error
  }

  get cancelled(): Failure | undefined {
    return this.scope.cancelled
  }

  onCancel(action: (reason: Failure) => void): () => void {
    return this.scope.onCancel(action)
  }

  signal(): AbortSignal {
    if (this.controller === undefined) {
      const controller = new AbortController()
      this.controller = controller
      this.scope.onCancel((reason) => controller.abort(reason))
    }
    return this.controller.signal
  }

  log(level: Level, text: string, fields?: Readonly<Record<string, unknown>>): void {
    const kept = this.run.level
    if (kept === 'none' || (level === 'debug' && kept === 'info')) return
    this.runtime.messageLog.line(this.run.id, this.runtime.clock.now(), level, this.step, text, fields)
  }

  attach(name: string, content: string | Uint8Array, contentType: string): void {
    if (this.run.level === 'none') return
    this.runtime.messageLog.attachment(
      this.run.id,
      this.runtime.clock.now(),
      this.step,
      name,
      content,
      contentType,
    )
  }

  used(credential: string | undefined, host: string): void {
    this.run.used(credential, host)
  }

  progress(done: number, failed: number): void {
    if (this.index !== undefined) return
    this.run.progress = { step: this.step, done, failed }
    this.run.moved = true
  }

  fork(own: ForkedWith): Line {
    return this.forkIn(this.scope, own)
  }

  branch(): Branching {
    const scope = new InnerScope(this.scope)
    return {
      fork: (own) => this.forkIn(scope, own),
      cancel: (reason) => scope.cancel(reason),
      end: () => scope.end(),
    }
  }

  private forkIn(scope: Scope, own: ForkedWith): Line {
    const { run, runtime, trigger, parameters, item, index, error } = this
    const forked: ForkedWith = {
      item,
      ...(index === undefined ? {} : { index }),
      ...(error === undefined ? {} : { error }),
      ...own,
    }
    const deadline = Math.min(this.deadline, own.deadline ?? Infinity)
    const line = new Line(run, runtime, trigger, parameters, deadline, forked, scope)
    line.step = this.step
    line.limitedBy = own.deadline === undefined ? this.limitedBy : this.step
    return line
  }
}
