import type { Clock } from '../core/world.ts'
import type { ScriptProcess } from './process.ts'
import type { Task } from './task.ts'
import { noTurn, outOfTime, timedOut } from './failures.ts'

/** ms between two looks. */
const EVERY = 20
/** ms by which a look may be late before the engine itself is taken to have paused. */
const LATE = 50
/** ms without a sign of life after which a script counts as slow. */
const SLOW = 50
/** ms after which a process with several messages in it is given up, because it is not known which of them holds it. */
const DOUBT = 200

/** What the watch looks after. */
export interface Watched {
  readonly processes: readonly ScriptProcess[]
  /** Tasks that no process has yet. */
  readonly waiting: Iterable<Task>
  readonly busy: boolean
  /** Others may get their turn now. */
  changed(): void
}

/**
 * The clock of the scripts: ends what takes too long and lets go of what nobody waits for. A process that hangs
 * can only be killed from outside.
 */
export class Watch {
  private readonly clock: Clock
  private readonly watched: Watched
  private going = false
  private expected = 0

  constructor(clock: Clock, watched: Watched) {
    this.clock = clock
    this.watched = watched
  }

  /** Looks on for as long as there is something to do. */
  go(): void {
    if (this.going) return
    this.going = true
    this.expected = this.clock.ticks() + EVERY
    this.clock.after(EVERY, () => this.look())
  }

  private look(): void {
    this.going = false
    const { processes, waiting, busy } = this.watched
    if (!busy) return
    const now = this.clock.ticks()
    const late = now - this.expected
    for (const process of processes) if (late > LATE) process.since += late
    for (const task of waiting) letGo(task, now, false)
    for (const process of [...processes]) this.lookAt(process, now)
    this.watched.changed()
    this.go()
  }

  private lookAt(process: ScriptProcess, now: number): void {
    const [head, ...others] = process.inFlight
    if (head === undefined) return
    const idle = now - process.since
    for (const task of others) letGo(task, now, false)
    if (idle > SLOW) process.stick()
    const over =
      others.length > 0
        ? idle > Math.min(DOUBT, head.timeout)
        : idle > head.timeout || now >= head.deadline || (head.settled && idle > SLOW)
    if (head.cancelled) letGo(head, now, true)
    if (over) this.confirm(process, process.since)
  }

  /** Answers may have come that were not read yet: two turns of the event loop show. */
  private confirm(process: ScriptProcess, since: number): void {
    setImmediate(() => setImmediate(() => this.end(process, since)))
  }

  private end(process: ScriptProcess, since: number): void {
    const head = process.inFlight[0]
    if (process.gone || head === undefined || process.since !== since) return
    if (process.inFlight.length === 1 && !head.settled) {
      const now = this.clock.ticks()
      const ran = now - since
      const outer = head.deadlineOf === 'outer' && now >= head.deadline && ran <= head.timeout
      head.fail(outer ? outOfTime(head.script.file, ran) : timedOut(head.script.file, head.timeout))
      if (ran * 2 >= head.timeout) head.script.broke()
    }
    process.kill()
  }
}

/** Nobody waits for it any more: it was called off, or its time has passed before its turn came. */
function letGo(task: Task, now: number, running: boolean): void {
  if (task.settled) return
  const reason = task.cancelled
  if (reason === undefined && (running || now < task.deadline)) return
  task.fail(reason ?? noTurn(task.timeout, task.deadlineOf))
}
