import type { Clock } from '../core/world.ts'
import { launch, type Hold, type Launched } from './launch.ts'
import { LIMITS, PROTOCOL, REPLY, REPLY_HEADER, REQUEST, type ReadyReply } from './protocol.ts'
import { textFrame, type Task } from './task.ts'

/** Bytes of a reply: the output, its log lines and attachments, and some. */
const LARGEST_REPLY = 4 * LIMITS.output
/** Scripts that a process keeps ready; each takes about half a megabyte. */
const LOADED = 100
/** Characters of what a process says on its error output that are kept. */
const LAST_WORDS = 4096

/** What becomes of a process. */
export interface Owner {
  began(process: ScriptProcess): void
  /** Replies have come; it may take more. */
  replied(process: ScriptProcess): void
  /** It is gone, with these tasks unanswered. */
  ended(process: ScriptProcess, lost: readonly Task[]): void
}

/** A process that runs scripts, one message after the other, and what it has been given. */
export class ScriptProcess {
  readonly hold: Hold
  /** Answers its tasks. */
  running = false
  gone = false
  /** Ends with the engine, whatever happens to that. */
  bound = false
  /** Tasks in it, in the order of their answers; those before `first` have been answered. */
  readonly inFlight: Task[] = []
  /** Of the frames in it. */
  bytes = 0
  /** µs that what is in it may take. */
  load = 0
  /** Monotonic ms of the last sign of life while it has something to do. */
  since = 0
  /** Has a task that nothing else may wait behind, or will have it once it has drained. */
  exclusive = false
  draining = false
  /** It does not get on with this task. */
  stuckWith: Task | undefined
  /** What it said last, for the log. */
  lastWords = ''
  readonly exited: Promise<void>
  private readonly owner: Owner
  private readonly clock: Clock
  private readonly launched: Launched
  private readonly loaded = new Set<number>()
  private outgoing: Task[] = []
  private partial: Buffer[] = []
  private partialLength = 0
  private needed = 0

  constructor(program: Buffer, hold: Hold, heap: number, clock: Clock, owner: Owner) {
    this.hold = hold
    this.clock = clock
    this.owner = owner
    this.launched = launch(program, hold, heap)
    const { process, socket } = this.launched
    const { promise, resolve } = Promise.withResolvers<void>()
    this.exited = promise
    const gone = () => {
      resolve()
      this.end()
    }
    process.on('error', (error) => {
      this.lastWords ||= error.message
      if (process.pid === undefined) gone()
    })
    process.on('exit', gone)
    process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.lastWords = (this.lastWords + text).slice(-LAST_WORDS)
    })
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => this.receive(chunk))
  }

  get pid(): number | undefined {
    return this.launched.process.pid
  }

  /** Gives it a task; it goes out with the next `flush`. */
  assign(task: Task): void {
    if (this.inFlight.length === 0) this.since = this.clock.ticks()
    this.inFlight.push(task)
    this.outgoing.push(task)
    this.bytes += task.size
    task.cost = task.script.estimate
    this.load += task.cost
  }

  /** Sends what it was given. */
  flush(): void {
    const tasks = this.outgoing
    if (tasks.length === 0) return
    this.outgoing = []
    const { socket } = this.launched
    const frames: (Buffer | Task)[] = []
    let size = 0
    const send = () => {
      const buffer = Buffer.allocUnsafe(size)
      let at = 0
      for (const frame of frames) {
        if (Buffer.isBuffer(frame)) {
          buffer.set(frame, at)
          at += frame.length
        } else at = frame.write(buffer, at)
      }
      socket.write(buffer)
      frames.length = 0
      size = 0
    }
    for (const task of tasks) {
      for (const frame of this.preparation(task)) {
        frames.push(frame)
        size += frame.length
      }
      const { tail } = task
      frames.push(task)
      size += task.size - (tail?.length ?? 0)
      if (tail === undefined) continue
      send()
      socket.write(tail)
    }
    if (size > 0) send()
  }

  /** The script itself, where the process does not have it; the oldest one goes when there are too many. */
  private preparation({ request, script }: Task): Buffer[] {
    if (this.loaded.has(script.id)) return []
    const frames: Buffer[] = []
    if (request === REQUEST.run) frames.push(script.loadFrame!)
    this.loaded.add(script.id)
    if (this.loaded.size > LOADED) {
      const oldest = this.loaded.values().next().value!
      this.loaded.delete(oldest)
      frames.push(textFrame(REQUEST.unload, 0, oldest, ''))
    }
    return frames
  }

  /** The script will not be needed again. */
  forget(script: number): void {
    if (this.loaded.delete(script)) this.launched.socket.write(textFrame(REQUEST.unload, 0, script, ''))
  }

  private receive(chunk: Buffer): void {
    if (this.gone) return
    if (this.partialLength > 0) {
      this.partial.push(chunk)
      this.partialLength += chunk.length
      if (this.partialLength < this.needed) return
      chunk = Buffer.concat(this.partial, this.partialLength)
      this.partial = []
      this.partialLength = 0
    }
    let at = 0
    try {
      while (chunk.length - at >= REPLY_HEADER) {
        const size = 4 + chunk.readUInt32LE(at)
        if (size < REPLY_HEADER || size > LARGEST_REPLY) throw new Error(`a reply of ${size} bytes`)
        this.needed = size
        if (chunk.length - at < size) break
        this.take(chunk, at, at + size)
        at += size
      }
    } catch (error) {
      this.lastWords = `it sent ${(error as Error).message}`
      this.kill()
      return
    }
    if (chunk.length - at < REPLY_HEADER) this.needed = REPLY_HEADER
    if (at < chunk.length) {
      this.partial = [chunk.subarray(at)]
      this.partialLength = chunk.length - at
    }
    if (at > 0) this.owner.replied(this)
  }

  private take(frame: Buffer, start: number, end: number): void {
    const type = frame.readUInt32LE(start + 4)
    const id = frame.readUInt32LE(start + 8)
    if (!this.running) return this.begin(type, frame.toString('utf8', start + REPLY_HEADER, end))
    const task = this.inFlight[0]
    if (task === undefined || type !== task.reply || id !== task.id) throw new Error('a reply to nothing')
    this.since = this.clock.ticks()
    task.answer(frame, start + REPLY_HEADER, end)
    this.inFlight.shift()
    this.bytes -= task.size
    this.load = this.inFlight.length === 0 ? 0 : this.load - task.cost
    if (task.request === REQUEST.run) task.script.took(frame.readUInt32LE(start + 12))
    if (this.stuckWith === task) this.getOn()
  }

  private begin(type: number, text: string): void {
    if (type !== REPLY.ready) throw new Error('no greeting')
    const { protocol, bound } = JSON.parse(text) as ReadyReply
    if (protocol !== PROTOCOL)
      throw new Error(
        `a greeting of version ${String(protocol)}: what it runs is out of date; run \`npm run prepare\``,
      )
    this.running = true
    this.bound = bound
    this.owner.began(this)
  }

  /** It does not get on with its task: the script of that counts as slow. */
  stick(): void {
    const task = this.inFlight[0]
    if (this.stuckWith !== undefined || task === undefined) return
    this.stuckWith = task
    task.script.stuck++
  }

  private getOn(): void {
    if (this.stuckWith) this.stuckWith.script.stuck--
    this.stuckWith = undefined
  }

  /** Ends it at once, whatever it does. Its tasks come back to the owner. */
  kill(): void {
    this.launched.process.kill('SIGKILL')
    this.end()
  }

  private end(): void {
    if (this.gone) return
    this.gone = true
    this.getOn()
    this.launched.socket.destroy()
    this.launched.process.stdin?.destroy()
    const lost = this.inFlight.splice(0)
    this.owner.ended(this, lost)
  }
}
