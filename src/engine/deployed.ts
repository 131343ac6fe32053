import type { LogLevel, Step } from '../core/flow.ts'
import type { RunRequest, RunResult, TriggerHost } from '../core/kinds.ts'
import type { PreparedFlow } from './deployment.ts'
import { Gate } from './gate.ts'
import type { LevelOfFlow, LogLevels } from './log-levels.ts'

/** What a deployed flow asks of the engine. */
interface Admission {
  readonly levels: LogLevels
  admit(deployed: Deployed, request: RunRequest): RunResult | Promise<RunResult>
  missed(flow: string, ticks: number): void
}

/** One deployed version of a flow. */
export class Deployed implements TriggerHost {
  readonly prepared: PreparedFlow
  readonly gate: Gate
  readonly name: string
  readonly version: string
  readonly placeOf: (step: Step) => ReturnType<PreparedFlow['flow']['document']['place']>
  private readonly engine: Admission
  private readonly levels: LevelOfFlow

  constructor(engine: Admission, prepared: PreparedFlow) {
    this.engine = engine
    this.levels = engine.levels.of(prepared.flow.name)
    this.prepared = prepared
    this.gate = new Gate(prepared.concurrency)
    const { flow } = prepared
    this.name = flow.name
    this.version = flow.version
    this.placeOf = (step) => flow.document.place([...step.path, step.kind], { on: 'key' })
  }

  get flow(): string {
    return this.name
  }

  get level(): LogLevel {
    return this.levels.set?.level ?? this.prepared.flow.logLevel
  }

  process(request: RunRequest): RunResult | Promise<RunResult> {
    return this.engine.admit(this, request)
  }

  missed(ticks: number): void {
    this.engine.missed(this.name, ticks)
  }
}
