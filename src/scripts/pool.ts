import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Failure } from '../core/failure.ts'
import type { CompiledScript, Logger, ScriptMistake, Scripts, ScriptSource } from '../core/services.ts'
import type { Clock, World } from '../core/world.ts'
import { Crew, type Employer } from './crew.ts'
import { crashed, notStarted } from './failures.ts'
import type { ScriptProcess } from './process.ts'
import { EXTRAS, LIMITS, type Compiled, type CompileReply } from './protocol.ts'
import { Schedule } from './schedule.ts'
import { Script, type Runner } from './script.ts'
import { CompileTask, type Task } from './task.ts'
import { Watch, type Watched } from './watch.ts'

/** ms that a script may take to be read and loaded. */
const COMPILE_TIME = 5000
/** Characters of a script. */
const LONGEST_SCRIPT = 1024 * 1024

export interface ScriptsSetting {
  readonly world: Pick<World, 'clock'>
  readonly log: Logger
  /** Path of what the processes run; by default where `npm run prepare` puts it. */
  readonly bundle?: string
  /** Processes besides the spare one; by default the number of cores, at least 2, at most 4. */
  readonly children?: number
  readonly limits?: Partial<ScriptLimits>
}

export interface ScriptLimits {
  /** ms that a message may take at most, whatever the step says. */
  readonly ceiling: number
  /** MB of memory of a process. */
  readonly heap: number
  /** Bytes of a message on its way in. */
  readonly input: number
  /** ms that a script may take to be read and loaded. */
  readonly compile: number
}

export interface ScriptsStatus {
  /** Process ids. */
  readonly processes: readonly number[]
  readonly spare: number | undefined
  /** Of the processes: those that have messages. */
  readonly busy: number
  /** Messages. */
  readonly waiting: number
  readonly running: number
  /** Processes that ended by themselves or were ended for what they did, so far. */
  readonly restarts: number
}

/** Scripts, and the processes behind them. */
export interface ScriptService extends Scripts {
  /** Resolves when all processes run. They start by themselves with the first script. */
  ready(): Promise<void>
  /** For people: what holds a script in on this system. */
  rings(): string[]
  status(): ScriptsStatus
  /** Ends all processes. What runs fails. */
  close(): Promise<void>
}

/** Scripts run in processes of their own: no code of a script ever runs in the engine's. */
export function createScripts(setting: ScriptsSetting): ScriptService {
  return new Pool(setting)
}

/** In a checkout `dist/` is beside `src/`; in the package we are in it. */
function builtBundle(): string {
  const folder = import.meta.filename.endsWith('.ts') ? '../../dist' : '.'
  return join(import.meta.dirname, folder, 'script-host.cjs')
}

class Pool implements ScriptService, Runner, Employer, Watched {
  readonly clock: Clock
  readonly ceiling: number
  private readonly log: Logger
  private readonly limits: ScriptLimits
  private readonly crew: Crew
  private readonly schedule = new Schedule()
  private readonly watch: Watch
  /** By source, as it is sent to the processes. */
  private readonly compiling = new Map<string, Promise<CompileReply>>()
  private closed = false
  private scheduled = false
  private lastId = 0
  private lastScript = 0

  constructor({ world, log, bundle = builtBundle(), children, limits }: ScriptsSetting) {
    this.clock = world.clock
    this.log = log
    this.limits = { ceiling: 60_000, heap: 128, input: LIMITS.input, compile: COMPILE_TIME, ...limits }
    this.ceiling = this.limits.ceiling
    const wanted = children ?? Math.max(2, Math.min(4, availableParallelism()))
    this.crew = new Crew({ clock: this.clock, log, bundle, wanted, heap: this.limits.heap }, this)
    this.watch = new Watch(this.clock, this)
  }

  get processes(): readonly ScriptProcess[] {
    return this.crew.processes
  }

  get waiting(): Iterable<Task> {
    return this.schedule
  }

  get busy(): boolean {
    return this.schedule.size > 0 || this.processes.some((process) => process.inFlight.length > 0)
  }

  async compile(source: ScriptSource): Promise<CompiledScript | readonly ScriptMistake[]> {
    if (source.text.length > LONGEST_SCRIPT)
      return [mistake(`the script is longer than ${LONGEST_SCRIPT} characters`)]
    const script = new Script(++this.lastScript, source, this)
    let reply: CompileReply
    try {
      reply = await this.compileOnce(script, JSON.stringify(source))
    } catch (thrown) {
      const failure = Failure.from(thrown)
      if (!failure.code.startsWith('script.')) throw failure
      return [mistake(`${failure.message} when it was loaded`, failure.hint)]
    }
    if (!reply.compiled) return reply.mistakes ?? []
    script.compiled(checked(reply.compiled), this.limits.input)
    script.warnings = reply.warnings ?? []
    return script
  }

  /** A file that many flows name at once is compiled once. */
  private compileOnce(script: Script, source: string): Promise<CompileReply> {
    const open = this.compiling.get(source)
    if (open) return open
    const task = new CompileTask(this.nextId(), script, this.limits.compile, source)
    this.submit(task)
    const reply = task.promise.finally(() => this.compiling.delete(source))
    this.compiling.set(source, reply)
    return reply
  }

  ready(): Promise<void> {
    this.crew.start()
    return this.crew.whenComplete
  }

  rings(): string[] {
    const { hold, bound } = this.crew.rings
    return [
      'process of its own without files, network and environment',
      ...(hold.user ? ['user id of its own'] : []),
      ...(hold.limits ? ['limits of the operating system'] : []),
      ...(bound ? ['bound to the life of the engine'] : []),
      'vm2',
    ]
  }

  status(): ScriptsStatus {
    return {
      processes: this.processes.flatMap((process) => process.pid ?? []),
      spare: this.crew.spare?.pid,
      busy: this.processes.filter(({ inFlight }) => inFlight.length > 0).length,
      restarts: this.crew.restarts,
      waiting: this.schedule.size,
      running: this.processes.reduce((sum, process) => sum + process.inFlight.length, 0),
    }
  }

  async close(): Promise<void> {
    if (!this.closed) {
      this.closed = true
      for (const task of this.schedule.drain()) task.fail(stopped())
      for (const process of this.processes) for (const task of process.inFlight) task.fail(stopped())
    }
    await this.crew.close()
  }

  nextId(): number {
    this.lastId = (this.lastId + 1) >>> 0
    return this.lastId
  }

  submit(task: Task): void {
    if (this.closed) return task.fail(stopped())
    this.crew.start()
    if (this.crew.failure !== undefined && this.processes.length === 0)
      return task.fail(notStarted(this.crew.failure))
    this.schedule.add(task)
    this.changed()
  }

  pause(script: number, failure: Failure): void {
    this.log.warn({ code: failure.code, hint: failure.hint }, failure.message)
    for (const task of this.schedule) if (task.script.id === script) task.fail(failure)
  }

  forget(script: number): void {
    this.crew.forget(script)
  }

  changed(): void {
    if (this.scheduled) return
    this.scheduled = true
    setImmediate(this.giveOut)
  }

  private readonly giveOut = (): void => {
    this.scheduled = false
    if (this.closed) return
    this.schedule.assign(this.processes)
    for (const process of this.processes) process.flush()
    if (this.busy) this.watch.go()
  }

  /** Tasks of a broken process are tried once more, each alone; one that was alone has broken it. */
  lost(process: ScriptProcess, tasks: readonly Task[]): void {
    const open = tasks.filter((task) => !task.settled)
    if (open.length > 0) {
      const scripts = [...new Set(open.map((task) => task.script.file))]
      this.log.warn(
        { pid: process.pid, scripts, said: process.lastWords.slice(0, 500) },
        'a script process ended with messages in it',
      )
    }
    for (const task of open.toReversed()) {
      if (task.alone) {
        task.script.broke()
        task.fail(
          crashed(
            task.script.file,
            /heap out of memory/.test(process.lastWords) ? this.limits.heap : undefined,
          ),
        )
      } else {
        task.alone = true
        this.schedule.addFirst(task)
      }
    }
    this.changed()
  }

  stranded(reason: string): void {
    for (const task of this.schedule.drain()) task.fail(notStarted(reason))
  }
}

/** Of the script as a whole. */
function mistake(message: string, hint?: string): ScriptMistake {
  return { code: 'script/mistake', message, ...(hint === undefined ? {} : { hint }), offset: 0, length: 0 }
}

function stopped(): Failure {
  return new Failure('flow.stopped', 'the engine is shutting down')
}

/** A process may have been taken over: it decides what its scripts do, and nothing else. */
function checked(compiled: Compiled): Compiled {
  const { body, headers, properties, extras } = compiled.uses
  return {
    ...compiled,
    uses: {
      body: body !== false,
      headers: headers !== false,
      properties: properties !== false,
      extras: EXTRAS.filter((name) => extras.includes(name)),
    },
  }
}
