import type { ScriptProcess } from './process.ts'
import type { Task } from './task.ts'

/** Messages, bytes and µs of expected work that a process has in it at most. */
const WINDOW = { tasks: 64, bytes: 1024 * 1024, load: 20_000 }

/** µs of expected work. Waiting so long behind others costs less than waking another process. */
const SOON = 500

/**
 * Which task goes to which process. Quick ones share processes that are awake, then the one with the least in it; slow ones and those
 * under suspicion get a process for themselves, but never the last one, so that they hold up nobody else.
 */
export class Schedule {
  private quick: Task[] = []
  private alone: Task[] = []

  add(task: Task): void {
    if (task.alone) this.alone.push(task)
    else this.quick.push(task)
  }

  /** Before all others: it has been waiting before. */
  addFirst(task: Task): void {
    this.alone.unshift(task)
  }

  get size(): number {
    return this.quick.length + this.alone.length
  }

  *[Symbol.iterator](): Iterator<Task> {
    yield* this.quick
    yield* this.alone
  }

  /** All that wait, taken out. */
  drain(): Task[] {
    const all = [...this]
    this.quick = []
    this.alone = []
    return all
  }

  /** Gives out what can be given out now. */
  assign(processes: readonly ScriptProcess[]): void {
    for (const process of processes)
      if (process.exclusive && process.inFlight.length === 0) this.giveAlone(process)
    this.assignQuick(processes)
    if (this.alone.length > 0) this.reserve(processes)
  }

  private assignQuick(processes: readonly ScriptProcess[]): void {
    let given = 0
    while (given < this.quick.length) {
      const task = this.quick[given]!
      if (task.script.slow) this.alone.push(task)
      else if (!task.settled) {
        const process = processFor(processes, task.size)
        if (process === undefined) break
        process.assign(task)
      }
      given++
    }
    if (given === this.quick.length) this.quick = []
    else if (given > 0) this.quick.splice(0, given)
  }

  /** Keeps processes for what has to run alone. Those with something in them get nothing new until they are empty. */
  private reserve(processes: readonly ScriptProcess[]): void {
    this.alone = this.alone.filter((task) => !task.settled)
    let taken = 0
    let draining = 0
    for (const process of processes) {
      if (process.exclusive) taken++
      if (process.draining) draining++
    }
    const most = Math.max(1, processes.length - 1)
    while (this.alone.length > draining && taken < most) {
      const process = emptiest(processes)
      if (process === undefined) return
      process.exclusive = true
      taken++
      if (process.inFlight.length === 0) this.giveAlone(process)
      else {
        process.draining = true
        draining++
      }
    }
  }

  /** The process is empty and kept for a task of its own: here it is, if there still is one. */
  private giveAlone(process: ScriptProcess): void {
    let task = this.alone.shift()
    while (task?.settled) task = this.alone.shift()
    process.draining = false
    process.exclusive = task !== undefined
    if (task) process.assign(task)
  }
}

function emptiest(processes: readonly ScriptProcess[]): ScriptProcess | undefined {
  let best: ScriptProcess | undefined
  for (const process of processes)
    if (!process.exclusive && (best === undefined || process.inFlight.length < best.inFlight.length))
      best = process
  return best
}

/** The busiest one that will be through soon: it is awake. Else the one with the least in it. */
function processFor(processes: readonly ScriptProcess[], size: number): ScriptProcess | undefined {
  let awake: ScriptProcess | undefined
  let least: ScriptProcess | undefined
  for (const process of processes) {
    const { length } = process.inFlight
    if (process.exclusive || length >= WINDOW.tasks || process.load >= WINDOW.load) continue
    if (length > 0 && process.bytes + size > WINDOW.bytes) continue
    if (length > 0 && process.load < SOON && (awake === undefined || process.load > awake.load))
      awake = process
    if (least === undefined || length < least.inFlight.length) least = process
  }
  return awake ?? least
}
