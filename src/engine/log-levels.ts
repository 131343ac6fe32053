import type { LogLevel } from '../core/flow.ts'
import type { Logger } from '../core/services.ts'
import type { Clock, Timer } from '../core/world.ts'

/** A level that was set while running. */
export interface SetLevel {
  readonly level: LogLevel
  /** Epoch ms. */
  readonly until: number
}

/** What all versions of a flow share. */
export interface LevelOfFlow {
  readonly set: SetLevel | undefined
}

interface Cell extends LevelOfFlow {
  set: SetLevel | undefined
  timer: Timer | undefined
}

/** Log levels of flows that were set while running, each until its time is up; new versions of the flow keep them. */
export class LogLevels {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #cells = new Map<string, Cell>()

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock
    this.#log = log
  }

  of(flow: string): LevelOfFlow {
    let cell = this.#cells.get(flow)
    if (!cell) this.#cells.set(flow, (cell = { set: undefined, timer: undefined }))
    return cell
  }

  /** Takes effect at once, for runs that go on, too. @param duration ms */
  set(flow: string, level: LogLevel, duration: number): SetLevel {
    const cell = this.of(flow) as Cell
    const set = { level, until: this.#clock.now() + duration }
    cell.timer?.cancel()
    cell.timer = this.#clock.after(duration, () => this.#end(flow, cell))
    cell.set = set
    this.#log.info(
      { flow, level, until: new Date(set.until).toISOString() },
      `the log level of the flow "${flow}" is set to ${level} until then`,
    )
    return set
  }

  /** The flow's own level holds again. */
  reset(flow: string): void {
    const cell = this.of(flow) as Cell
    cell.timer?.cancel()
    if (cell.set) this.#end(flow, cell)
  }

  stop(): void {
    for (const { timer } of this.#cells.values()) timer?.cancel()
  }

  #end(flow: string, cell: Cell): void {
    cell.set = undefined
    cell.timer = undefined
    this.#log.info({ flow }, `the log level of the flow "${flow}" is its own again`)
  }
}
