import { readFileSync } from 'node:fs'
import type { Logger } from '../core/services.ts'
import type { Clock } from '../core/world.ts'
import { bestHold, weaker, type Hold } from './launch.ts'
import { ScriptProcess, type Owner } from './process.ts'
import type { Task } from './task.ts'

/** Starts that fail in a row before it is given up, and ms until it is tried again. */
const STARTS = 3
const REST = 5000

export interface CrewSetting {
  readonly clock: Clock
  readonly log: Logger
  /** Path of what the processes run. */
  readonly bundle: string
  /** Processes besides the spare one. */
  readonly wanted: number
  /** MB */
  readonly heap: number
}

/** Who gives the processes their work. */
export interface Employer {
  /** A process takes more. */
  changed(): void
  /** A process is gone, with these tasks unanswered. */
  lost(process: ScriptProcess, tasks: readonly Task[]): void
  /** No process can be started. */
  stranded(reason: string): void
}

/** The script processes: started one after the other when they are first needed, and replaced when they end. */
export class Crew implements Owner {
  /** They take messages. */
  readonly processes: ScriptProcess[] = []
  /** It has run a context, and steps in for one that ends. */
  spare: ScriptProcess | undefined
  /** Why none can be started; undefined while all is well. */
  failure: string | undefined
  /** Processes that ended without having been asked to, and were replaced. */
  restarts = 0
  private readonly setting: CrewSetting
  private readonly employer: Employer
  /** All that have not ended. */
  private readonly alive = new Set<ScriptProcess>()
  private starting: ScriptProcess | undefined
  private program: Buffer | undefined
  private hold: Hold = bestHold()
  /** One has started under this hold: it is not weakened any more. */
  private holds = false
  private failedStarts = 0
  private restUntil = 0
  private closed = false
  private readonly complete = Promise.withResolvers<void>()

  constructor(setting: CrewSetting, employer: Employer) {
    this.setting = setting
    this.employer = employer
    this.complete.promise.catch(() => {})
  }

  /** Resolves when all run; rejects when none can. */
  get whenComplete(): Promise<void> {
    return this.complete.promise
  }

  /** What holds the processes in. */
  get rings(): { readonly hold: Hold; readonly bound: boolean } {
    const [first] = this.processes
    return first ? { hold: first.hold, bound: first.bound } : { hold: this.hold, bound: false }
  }

  /** Sees to it that processes are there, or will be. */
  start(): void {
    if (this.failure !== undefined) {
      if (this.setting.clock.ticks() < this.restUntil) return
      this.failure = undefined
      this.failedStarts = 0
    }
    if (this.processes.length < this.setting.wanted || !this.spare) this.startNext()
  }

  /** One at a time, so that the first is there soon. */
  private startNext(): void {
    if (this.closed || this.starting || this.failure !== undefined) return
    const { clock, bundle, heap, wanted } = this.setting
    if (this.processes.length >= wanted && this.spare) return this.complete.resolve()
    try {
      this.program ??= readFileSync(bundle)
    } catch {
      return this.giveUp('what they run has not been built; run `npm run prepare`')
    }
    const process = new ScriptProcess(this.program, this.hold, heap, clock, this)
    this.starting = process
    this.alive.add(process)
    void process.exited.then(() => this.alive.delete(process))
  }

  began(process: ScriptProcess): void {
    this.starting = undefined
    this.failedStarts = 0
    this.holds = true
    if (this.processes.length < this.setting.wanted) this.processes.push(process)
    else this.spare = process
    this.startNext()
    this.employer.changed()
  }

  replied(process: ScriptProcess): void {
    if (process.inFlight.length === 0 || !process.exclusive) this.employer.changed()
  }

  ended(process: ScriptProcess, tasks: readonly Task[]): void {
    if (this.closed) return
    if (process === this.starting) {
      this.starting = undefined
      return this.failedToStart(process)
    }
    this.restarts++
    if (process === this.spare) this.spare = undefined
    const at = this.processes.indexOf(process)
    if (at >= 0) {
      this.processes.splice(at, 1)
      if (this.spare) {
        this.processes.push(this.spare)
        this.spare = undefined
      }
    }
    this.startNext()
    this.employer.lost(process, tasks)
  }

  private failedToStart(process: ScriptProcess): void {
    const { log } = this.setting
    const reason = complaint(process.lastWords)
    const next = this.holds ? undefined : weaker(this.hold)
    if (next) {
      log.warn(
        { reason },
        `a script process did not start; trying with ${next.limits ? "the engine's own user id" : 'fewer limits'}`,
      )
      this.hold = next
    } else if (++this.failedStarts >= STARTS) return this.giveUp(reason)
    this.startNext()
  }

  private giveUp(reason: string): void {
    this.failure = reason
    this.restUntil = this.setting.clock.ticks() + REST
    this.setting.log.error({ reason }, 'script processes cannot be started')
    if (this.processes.length === 0) {
      this.complete.reject(new Error(reason))
      this.employer.stranded(reason)
    }
  }

  /** The script is not needed any more. */
  forget(script: number): void {
    for (const process of this.processes) process.forget(script)
  }

  /** Ends all of them, and resolves when none is left. */
  async close(): Promise<void> {
    this.closed = true
    this.complete.reject(new Error('closed'))
    const all = [...this.alive]
    for (const process of all) process.kill()
    this.processes.length = 0
    this.spare = undefined
    await Promise.all(all.map((process) => process.exited))
  }
}

/** What Node says is wrong, without the source and the stack around it. */
function complaint(text: string): string {
  const lines = text.trim().split('\n')
  return (
    lines.find((line) => /^\w*Error\b|bad option|FATAL|not found|denied/.test(line)) ??
    (lines.at(-1) || 'it ended without a word')
  )
}
