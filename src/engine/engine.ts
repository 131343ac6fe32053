import { Failure } from '../core/failure.ts'
import type { RunRequest, RunResult } from '../core/kinds.ts'
import type { MessageLog, RunRecord } from '../core/stores.ts'
import type { Logger } from '../core/services.ts'
import type { World } from '../core/world.ts'
import { Deployed } from './deployed.ts'
import type { PreparedFlow } from './deployment.ts'
import { letGo } from '../net/answer-stream.ts'
import { full, waitedTooLong, type Turn } from './gate.ts'
import { Line, RunState, type Runtime } from './line.ts'
import { LogLevels } from './log-levels.ts'
import { runOnError } from './on-error.ts'
import { PendingRuns } from './pending.ts'
import { runSteps } from './run.ts'

/** ms that cancelled runs have to end after the grace time. */
const LAST_CALL = 5000

export interface EngineSetting {
  readonly world: World
  readonly messageLog: MessageLog
  readonly log: Logger
  /** Bytes. */
  readonly bodyLimit: number
  readonly unrecorded?: Unrecorded
}

/** Who is told of messages that never become runs: the message log has nothing of them. */
export interface Unrecorded {
  /** It was not let in. @param code of its failure */
  refused(flow: string, code: string): void
  /** So many ticks of the flow's timer were due and are not run. */
  missed(flow: string, ticks: number): void
}

/** Runs deployed flows: admits messages, opens and closes their runs, swaps versions, shuts down. */
export class Engine {
  readonly levels: LogLevels
  private readonly setting: EngineSetting
  private readonly runtime: Runtime
  private readonly flows = new Map<string, Deployed>()
  private readonly pending: PendingRuns
  /** Messages that wait to be let in. */
  private readonly turns = new Set<Turn>()
  private stopping = false
  private whenIdle: (() => void) | undefined

  constructor(setting: EngineSetting) {
    this.setting = setting
    this.levels = new LogLevels(setting.world.clock, setting.log)
    this.runtime = {
      clock: setting.world.clock,
      messageLog: setting.messageLog,
      bodyLimit: setting.bodyLimit,
      random: () => setting.world.random(),
    }
    this.pending = new PendingRuns(setting.world.clock, setting.messageLog, () => this.checkIdle())
  }

  /**
   * Takes over a prepared flow and starts its trigger; the version that ran before ends what it has and takes
   * nothing new. With `quiet` the trigger is not started: the flow runs when `process` is called.
   */
  deploy(prepared: PreparedFlow, quiet = false): void {
    const { flow } = prepared
    const old = this.flows.get(flow.name)
    this.setting.messageLog.deployed({
      flow: flow.name,
      version: flow.version,
      file: flow.file,
      steps: flow.allSteps.map(({ id, kind, line, parent }) => ({ id, kind, line, parent })),
    })
    const deployed = new Deployed(this, prepared)
    this.flows.set(flow.name, deployed)
    if (!quiet) prepared.trigger?.start(deployed)
    if (old) this.retire(old)
  }

  /** Takes a flow out of service: what it has ends, and nothing new comes. */
  undeploy(name: string): void {
    const old = this.flows.get(name)
    this.flows.delete(name)
    if (old) this.retire(old)
  }

  private retire(old: Deployed): void {
    void Promise.resolve(old.prepared.trigger?.stop()).then(() =>
      old.gate.whenEmpty(() => old.prepared.stop()),
    )
  }

  /** For people and the command line. */
  state(name: string): { prepared: PreparedFlow; running: number; waiting: number } | undefined {
    const deployed = this.flows.get(name)
    return (
      deployed && {
        prepared: deployed.prepared,
        running: deployed.gate.running,
        waiting: deployed.gate.waiting,
      }
    )
  }

  /** Runs that go on, as the message log would be told of them. */
  get going(): readonly RunRecord[] {
    return this.pending.all
  }

  /** Calls off a run that is going on. Undefined: there is none of this id. */
  cancel(id: string, reason: Failure): RunRecord | undefined {
    const run = this.pending.all.find((one) => one.id === id)
    run?.cancel(reason)
    return run
  }

  /** Runs a deployed flow, whatever its trigger. Undefined: no such flow. */
  process(name: string, request: RunRequest): RunResult | Promise<RunResult> | undefined {
    const deployed = this.flows.get(name)
    return deployed && this.admit(deployed, request)
  }

  admit(deployed: Deployed, request: RunRequest): RunResult | Promise<RunResult> {
    if (this.stopping)
      return this.refuse(deployed, request, new Failure('flow.stopped', 'the engine is shutting down'))
    const { gate } = deployed
    if (gate.enter()) return this.begin(deployed, request)
    const turn = gate.wait()
    if (!turn) return this.refuse(deployed, request, full(deployed.name, gate))
    return this.waited(turn, deployed, request)
  }

  /**
   * The time of a run counts from when its message came, and one that waits too long is not let in. A timer's tick
   * waits as long as it takes.
   */
  private async waited(turn: Turn, deployed: Deployed, request: RunRequest): Promise<RunResult> {
    const { clock } = this.runtime
    const arrived = clock.ticks()
    const time = Math.min(deployed.prepared.timeout, (request.deadline ?? Infinity) - arrived)
    const timer = request.durable
      ? undefined
      : clock.after(time, () => turn.giveUp(waitedTooLong(deployed.name)))
    this.turns.add(turn)
    request.onStart?.((reason) => turn.giveUp(reason))
    try {
      await turn.come
      return await this.begin(deployed, request, request.durable ? clock.ticks() : arrived)
    } catch (reason) {
      return this.refuse(deployed, request, Failure.from(reason))
    } finally {
      timer?.cancel()
      this.turns.delete(turn)
      this.checkIdle()
    }
  }

  missed(flow: string, ticks: number): void {
    this.setting.unrecorded?.missed(flow, ticks)
  }

  private refuse({ name }: Deployed, request: RunRequest, failure: Failure): RunResult {
    if (!request.durable) this.setting.unrecorded?.refused(name, failure.code)
    return { id: undefined, status: 'FAILED', message: request.message, failure }
  }

  private begin(
    deployed: Deployed,
    request: RunRequest,
    arrived = this.runtime.clock.ticks(),
  ): RunResult | Promise<RunResult> {
    const { clock } = this.runtime
    const run = new RunState(this.setting.world.newId(), deployed, request, clock.now(), clock.ticks())
    const { prepared } = deployed
    const line = new Line(
      run,
      this.runtime,
      request.trigger,
      request.parameters ?? prepared.parameters,
      Math.min(arrived + prepared.timeout, request.deadline ?? Infinity),
    )
    request.onStart?.((reason) => run.cancel(reason))
    if (request.durable)
      return this.pending.track(
        run,
        this.pending.record(run).then(() => this.execute(deployed, run, line, request)),
      )
    const result = this.execute(deployed, run, line, request)
    return result instanceof Promise ? this.pending.track(run, result) : result
  }

  private execute(
    deployed: Deployed,
    run: RunState,
    line: Line,
    { message }: RunRequest,
  ): RunResult | Promise<RunResult> {
    try {
      const outcome = runSteps(deployed.prepared.steps, message, line)
      if (!(outcome instanceof Promise)) return this.end(deployed, run, message, undefined)
      return outcome.then(
        () => this.end(deployed, run, message, undefined),
        (thrown: unknown) => this.failed(deployed, run, message, line, Failure.from(thrown)),
      )
    } catch (thrown) {
      return this.failed(deployed, run, message, line, Failure.from(thrown))
    }
  }

  private failed(
    deployed: Deployed,
    run: RunState,
    message: RunResult['message'],
    line: Line,
    failure: Failure,
  ): RunResult | Promise<RunResult> {
    const { onError, flow } = deployed.prepared
    if (onError.length === 0 || failure === run.cancelled) return this.end(deployed, run, message, failure)
    return runOnError(onError, flow, message, line, failure).then(({ told, replied }) =>
      this.end(deployed, run, message, failure, told, replied),
    )
  }

  private end(
    deployed: Deployed,
    run: RunState,
    message: RunResult['message'],
    failure: Failure | undefined,
    told = failure,
    replied = false,
  ): RunResult {
    const status = failure === undefined ? 'COMPLETED' : failure === run.cancelled ? 'CANCELLED' : 'FAILED'
    run.status = status
    run.duration = this.runtime.clock.ticks() - run.startedTicks
    if (failure) {
      run.failure = failure.record()
      if (!replied) letGo(message.body)
    }
    run.searchable = searchable(deployed.prepared.flow.searchable, message)
    this.setting.messageLog.close(run)
    if (failure?.code === 'engine.fault')
      this.setting.log.error(
        { err: failure.cause ?? failure, flow: run.flow, run: run.id },
        'a fault in the engine',
      )
    deployed.gate.leave()
    if (run.slot >= 0) this.pending.forget(run)
    return failure === undefined
      ? { id: run.id, status: 'COMPLETED', message }
      : { id: run.id, status, message, failure: told!, ...(replied && { replied }) }
  }

  /** Takes nothing new; resolves when the last run has ended. What is left after `grace` ms is cancelled. */
  async stop(grace: number): Promise<void> {
    this.stopping = true
    await Promise.all(
      [...this.flows.values()].map((deployed) => deployed.prepared.trigger?.stop() ?? Promise.resolve()),
    )
    if (!(await this.idle(grace))) {
      const reason = new Failure('flow.stopped', 'the engine was shut down before the run had ended')
      this.setting.log.warn(
        { runs: this.pending.count },
        `cancelling the runs that did not end within ${grace} ms`,
      )
      for (const turn of this.turns) turn.giveUp(reason)
      this.pending.cancel(reason)
      await this.idle(LAST_CALL)
    }
    this.pending.stop()
    this.levels.stop()
    for (const deployed of this.flows.values()) deployed.prepared.stop()
    this.flows.clear()
  }

  private checkIdle(): void {
    if (this.stopping && this.pending.count === 0 && this.turns.size === 0) this.whenIdle?.()
  }

  private idle(within: number): Promise<boolean> {
    if (this.pending.count === 0 && this.turns.size === 0) return Promise.resolve(true)
    return new Promise((resolve) => {
      const timer = this.runtime.clock.after(within, () => resolve(false))
      this.whenIdle = () => {
        timer.cancel()
        resolve(true)
      }
    })
  }
}

function searchable(
  names: readonly string[],
  message: RunResult['message'],
): Record<string, string> | undefined {
  if (names.length === 0) return undefined
  const found: Record<string, string> = {}
  for (const name of names) {
    const value = message.header(name.toLowerCase())
    if (value !== undefined) found[name] = value
  }
  return found
}
