import type {
  AnyTriggerKind,
  Deployment,
  PreparedTrigger,
  ProblemReport,
  RunRequest,
  RunResult,
  TriggerHost,
} from '../../src/core/kinds.ts'
import type { Failure } from '../../src/core/failure.ts'
import type { Message } from '../../src/core/message.ts'
import type { Access, Routes } from '../../src/core/services.ts'
import type { SealedToken, StateOperation, StateStore } from '../../src/core/stores.ts'
import { ManualClock } from '../support/clock.ts'
import { listLog } from '../support/http.ts'

/** Ticks in memory, as the state store keeps them. */
export class MemoryState implements StateStore {
  readonly fired: { timer: string; at: string }[] = []
  /** Why it does not work at the moment. */
  broken: Error | undefined
  /** What is asked of it waits for this. */
  disk: Promise<void> = Promise.resolve()

  async atomically(operations: readonly StateOperation[]): Promise<boolean> {
    await this.disk
    if (this.broken) throw this.broken
    for (const operation of operations) {
      if (operation.kind !== 'fire') continue
      const { timer, scheduledAt } = operation
      const at = new Date(scheduledAt).toISOString()
      if (this.fired.some((tick) => tick.timer === timer && tick.at === at)) return false
      this.fired.push({ timer, at })
    }
    return true
  }

  async lastFire(timer: string): Promise<number | undefined> {
    await this.disk
    if (this.broken) throw this.broken
    const times = this.fired.filter((tick) => tick.timer === timer).map((tick) => Date.parse(tick.at))
    return times.length === 0 ? undefined : Math.max(...times)
  }

  async tokens(): Promise<readonly SealedToken[]> {
    return []
  }
}

export interface PrepareSetting {
  flow?: { name?: string; version?: string; onDisconnect?: 'cancel' | 'continue' }
  clock?: ManualClock
  state?: StateStore
  routes?: Routes
  access?: Access
  limit?: number
  random?: () => number
}

/** Prepares a trigger as the engine does; problems are collected. */
export function prepare(kind: AnyTriggerKind, options: object, setting: PrepareSetting = {}) {
  const problems: ProblemReport[] = []
  const log = listLog()
  const clock = setting.clock ?? new ManualClock()
  const deployment = {
    flow: { name: 'test', version: 'v1', onDisconnect: 'continue', ...setting.flow },
    world: { clock, random: setting.random ?? (() => 0) },
    services: {
      log,
      state: setting.state,
      routes: setting.routes,
      access: setting.access,
      limits: { body: setting.limit ?? 40 * 1024 * 1024, bodyTime: 300_000 },
    },
    problem: (report: ProblemReport) => void problems.push(report),
  } as unknown as Deployment
  const prepared = kind.prepare(options as never, deployment) as PreparedTrigger
  return { prepared, problems, log, clock }
}

/** A flow that does what the function does with the message; a failure with `flow.overload` is one that is not let in. */
export function host(
  run: (message: Message, request: RunRequest) => void | Promise<void | Failure> | Failure,
): TriggerHost & { requests: RunRequest[]; missedTicks: number[] } {
  let ids = 0
  const requests: RunRequest[] = []
  const missedTicks: number[] = []
  const result = (message: Message, failure: Failure | void): RunResult => {
    const refused = failure?.code === 'flow.overload' || failure?.code === 'flow.stopped'
    const id = refused ? undefined : `run-${++ids}`
    return failure ? { id, message, status: 'FAILED', failure } : { id, message, status: 'COMPLETED' }
  }
  return {
    flow: 'test',
    requests,
    missedTicks,
    missed: (ticks) => void missedTicks.push(ticks),
    process(request) {
      requests.push(request)
      const { message } = request
      const outcome = run(message, request)
      return outcome instanceof Promise
        ? outcome.then(
            (failure) => result(message, failure),
            (failure: Failure) => result(message, failure),
          )
        : result(message, outcome)
    },
  }
}
