import type { Failure } from '../core/failure.ts'
import type { RunResult } from '../core/kinds.ts'
import type { MessageLog } from '../core/stores.ts'
import type { Clock, Timer } from '../core/world.ts'
import type { RunState } from './line.ts'

/** A run that is still going gets its opening record at this age, ms. */
const OPEN_AFTER = 1000

/** The runs that did not end at once, kept in sight for their records and for the shutdown. */
export class PendingRuns {
  /** In no order (see `net/sweep.ts` for why this is no `Set`). */
  private readonly runs: RunState[] = []
  private readonly clock: Clock
  private readonly messageLog: MessageLog
  private readonly ended: () => void
  private sweep: Timer | undefined

  /** @param ended a run has ended */
  constructor(clock: Clock, messageLog: MessageLog, ended: () => void) {
    this.clock = clock
    this.messageLog = messageLog
    this.ended = ended
  }

  get all(): readonly RunState[] {
    return this.runs
  }

  get count(): number {
    return this.runs.length
  }

  track(run: RunState, result: Promise<RunResult>): Promise<RunResult> {
    run.slot = this.runs.push(run) - 1
    this.sweep ??= this.clock.after(OPEN_AFTER / 2, this.look)
    return result
  }

  forget(run: RunState): void {
    const last = this.runs.pop()!
    if (last !== run) {
      this.runs[run.slot] = last
      last.slot = run.slot
    }
    run.slot = -1
    this.ended()
  }

  /** Resolves when the run's opening record is on disk. */
  record(run: RunState): Promise<void> {
    run.opened = true
    return this.messageLog.open(run)
  }

  cancel(reason: Failure): void {
    for (const run of [...this.runs]) run.cancel(reason)
  }

  stop(): void {
    this.sweep?.cancel()
  }

  /** Opens the record of those that have become old, and tells how far the others have come. */
  private readonly look = (): void => {
    this.sweep = undefined
    if (this.runs.length === 0) return
    const before = this.clock.ticks() - OPEN_AFTER
    for (const run of this.runs) {
      if (run.opened) {
        if (run.moved) this.messageLog.progress(run.id, run.progress!)
      } else if (run.startedTicks <= before) void this.record(run)
      run.moved = false
    }
    this.sweep = this.clock.after(OPEN_AFTER / 2, this.look)
  }
}
