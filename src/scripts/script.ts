import type { Context } from '../core/context.ts'
import type { Failure } from '../core/failure.ts'
import type { Message } from '../core/message.ts'
import type { CompiledScript, ScriptMistake, ScriptSource } from '../core/services.ts'
import { limitOf } from '../core/time-limit.ts'
import type { Clock } from '../core/world.ts'
import { Breaker } from './breaker.ts'
import { failureOf, notExact, paused } from './failures.ts'
import { InputMaker } from './input.ts'
import { REQUEST, type Compiled } from './protocol.ts'
import { applyRecords, applyResult, readResult } from './result.ts'
import { RunTask, textFrame, type RunnableScript, type Task } from './task.ts'

/** µs that a message of a script takes of which nothing is known: too long for others to wait behind it (`SOON` of the schedule). */
const GUESS = 500
/** Share of the newest measurement in what is known. */
const NEWEST = 0.2
/** µs from which on a script gets a process for itself while it runs. */
const SLOW = 20_000

/** Who has the processes. */
export interface Runner {
  readonly clock: Clock
  /** ms that a message may take at most, whatever the step says. */
  readonly ceiling: number
  nextId(): number
  submit(task: Task): void
  /** What waits for this script fails. */
  pause(script: number, failure: Failure): void
  forget(script: number): void
}

/** A script as the engine knows it, whatever processes have it loaded. */
export class Script implements CompiledScript, RunnableScript {
  readonly id: number
  readonly source: ScriptSource
  /** µs a message. */
  estimate = GUESS
  /** Processes that do not get on with a message of it. */
  stuck = 0
  /** The frame that loads it. */
  loadFrame: Buffer | undefined
  readsBody = true
  warnings: readonly ScriptMistake[] = []
  private readonly breaker: Breaker
  private readonly runner: Runner
  private input: InputMaker | undefined
  /** Runs whose log says already that numbers lose digits. */
  private readonly told = new WeakSet<object>()

  constructor(id: number, source: ScriptSource, runner: Runner) {
    this.id = id
    this.source = source
    this.runner = runner
    this.breaker = new Breaker(runner.clock)
  }

  get file(): string {
    return this.source.file
  }

  /** @param limit bytes of input */
  compiled(compiled: Compiled, limit: number): void {
    this.readsBody = compiled.uses.body
    this.input = new InputMaker(compiled.uses, limit)
    this.loadFrame = textFrame(REQUEST.load, 0, this.id, JSON.stringify(compiled))
  }

  get slow(): boolean {
    return this.estimate > SLOW || this.stuck > 0
  }

  run(message: Message, context: Context, { timeout }: { timeout: number }): Promise<void> {
    try {
      if (context.cancelled) throw context.cancelled
      const input = this.input!.make(message, context)
      if (!this.breaker.admit()) throw paused(this.file, this.breaker.pause)
      const time = Math.min(timeout, this.runner.ceiling)
      const task = new RunTask(this.runner.nextId(), this, time, context.deadline, message, context, input)
      task.probe = this.breaker.open
      task.deadlineOf = limitOf(context.deadline, time, this.runner.clock.ticks())
      this.runner.submit(task)
      return task.promise
    } catch (thrown) {
      return Promise.reject(thrown)
    }
  }

  dispose(): void {
    this.runner.forget(this.id)
  }

  /** A message of it took so long. @param micros µs */
  took(micros: number): void {
    this.estimate += (micros - this.estimate) * NEWEST
    this.breaker.succeeded()
  }

  broke(): void {
    if (this.breaker.broke()) this.runner.pause(this.id, paused(this.file, this.breaker.pause))
  }

  undecided(): void {
    this.breaker.undecided()
  }

  /** Judges a result and changes the message. @throws Failure, MalformedReply */
  apply({ message, context }: RunTask, frame: Buffer, start: number, end: number): void {
    const result = readResult(frame, start, end)
    const { head } = result
    if (head.e !== undefined) {
      applyRecords(head, context)
      throw failureOf(head.e, this.source, message)
    }
    applyResult(result, message)
    applyRecords(head, context)
    if (head.n === 1) this.tellOnce(context)
  }

  private tellOnce(context: Context): void {
    if (this.told.has(context.run)) return
    this.told.add(context.run)
    context.log('warn', notExact(this.file))
  }
}
