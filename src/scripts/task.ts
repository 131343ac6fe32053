import type { Context } from '../core/context.ts'
import { Failure } from '../core/failure.ts'
import type { Message } from '../core/message.ts'
import type { ScriptMistake } from '../core/services.ts'
import type { TimeLimit } from '../core/time-limit.ts'
import { MISTAKE_CODES, REPLY, REQUEST, REQUEST_HEADER, type CompileReply } from './protocol.ts'
import { MalformedReply } from './result.ts'

/** What processes need to know of a script. */
export interface RunnableScript {
  readonly id: number
  readonly file: string
  /** µs a message, as far as known. */
  readonly estimate: number
  /** It wants a process for itself while it runs. */
  readonly slow: boolean
  /** Processes that do not get on with a message of it. */
  stuck: number
  /** The frame that loads it. */
  readonly loadFrame: Buffer | undefined
  /** A message of it took so many µs. */
  took(micros: number): void
  /** It hung or crashed. */
  broke(): void
  /** The message that was to show whether a paused script works again has failed, for whatever reason. */
  undecided(): void
  /** Judges a result and changes the message. @throws Failure, MalformedReply */
  apply(task: RunTask, frame: Buffer, start: number, end: number): void
}

/** Something for a script process to do, and who waits for it. */
export abstract class Task {
  abstract readonly request: number
  abstract readonly reply: number
  readonly id: number
  readonly script: RunnableScript
  /** ms of running. */
  readonly timeout: number
  /** Monotonic ms; who waits waits no longer. */
  readonly deadline: number
  /** Bytes of the frame. */
  abstract readonly size: number
  /** It was in a process that broke: from now on it runs alone, so that it is known who breaks it. */
  alone = false
  /** µs that it was expected to take when it was given to a process. */
  cost = 0
  /** Nobody waits for it any more. */
  settled = false
  /** Whose time the deadline is. */
  deadlineOf: TimeLimit = 'own'

  constructor(id: number, script: RunnableScript, timeout: number, deadline: number) {
    this.id = id
    this.script = script
    this.timeout = timeout
    this.deadline = deadline
  }

  /** Why it was called off, if it was. */
  abstract get cancelled(): Failure | undefined
  /** Writes its frame, `size` bytes but for a body that goes separately. Returns where the next one begins. */
  abstract write(buffer: Buffer, at: number): number
  /** A body too large to be copied. */
  get tail(): Buffer | undefined {
    return undefined
  }
  /** Its reply is there: payload in `frame`. @throws MalformedReply */
  abstract answer(frame: Buffer, start: number, end: number): void
  abstract fail(failure: Failure): void
}

/** Bytes from which on a body is sent as it is instead of copied into a batch. */
const LARGE = 64 * 1024

/** What travels to the script. */
export interface Input {
  readonly kind: number
  readonly headers: string
  readonly properties: string
  readonly extras: string
  readonly body: Buffer | string
  /** Bytes of each. */
  readonly sizes: readonly [headers: number, properties: number, extras: number, body: number]
}

/** A message going through a script. */
export class RunTask extends Task {
  readonly request = REQUEST.run
  readonly reply = REPLY.result
  readonly size: number
  readonly message: Message
  readonly context: Context
  readonly promise: Promise<void>
  /** It shows whether a paused script works again. */
  probe = false
  private readonly input: Input
  private resolve!: () => void
  private reject!: (failure: Failure) => void

  constructor(
    id: number,
    script: RunnableScript,
    timeout: number,
    deadline: number,
    message: Message,
    context: Context,
    input: Input,
  ) {
    super(id, script, timeout, deadline)
    this.message = message
    this.context = context
    this.input = input
    const { sizes } = input
    this.size = REQUEST_HEADER + sizes[0] + sizes[1] + sizes[2] + sizes[3]
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }

  get cancelled(): Failure | undefined {
    return this.context.cancelled
  }

  override get tail(): Buffer | undefined {
    const { body } = this.input
    return typeof body === 'string' || body.length < LARGE ? undefined : body
  }

  write(buffer: Buffer, at: number): number {
    const { kind, headers, properties, extras, body, sizes } = this.input
    writeHeader(buffer, at, this.size, REQUEST.run, kind, this.id, this.script.id)
    buffer.writeUInt32LE(sizes[0], at + 16)
    buffer.writeUInt32LE(sizes[1], at + 20)
    buffer.writeUInt32LE(sizes[2], at + 24)
    at += REQUEST_HEADER
    if (sizes[0] > 0) at += buffer.write(headers, at)
    if (sizes[1] > 0) at += buffer.write(properties, at)
    if (sizes[2] > 0) at += buffer.write(extras, at)
    if (typeof body === 'string') return at + buffer.write(body, at)
    if (body.length >= LARGE) return at
    buffer.set(body, at)
    return at + body.length
  }

  answer(frame: Buffer, start: number, end: number): void {
    if (this.settled) return
    try {
      this.script.apply(this, frame, start, end)
    } catch (thrown) {
      if (thrown instanceof MalformedReply) throw thrown
      this.settled = true
      this.reject(Failure.from(thrown))
      return
    }
    this.settled = true
    this.resolve()
  }

  fail(failure: Failure): void {
    if (this.settled) return
    this.settled = true
    if (this.probe) this.script.undecided()
    this.reject(failure)
  }
}

export function writeHeader(
  buffer: Buffer,
  at: number,
  size: number,
  type: number,
  kind: number,
  id: number,
  script: number,
): void {
  buffer.writeUInt32LE(size - 4, at)
  buffer.writeUInt32LE(type | (kind << 8), at + 4)
  buffer.writeUInt32LE(id, at + 8)
  buffer.writeUInt32LE(script, at + 12)
}

/** A frame that carries nothing but a JSON text. */
export function textFrame(type: number, id: number, script: number, text: string): Buffer {
  const frame = Buffer.alloc(REQUEST_HEADER + Buffer.byteLength(text))
  writeHeader(frame, 0, frame.length, type, 0, id, script)
  frame.write(text, REQUEST_HEADER)
  return frame
}

/** A script to be read and checked. */
export class CompileTask extends Task {
  readonly request = REQUEST.compile
  readonly reply = REPLY.compiled
  readonly frame: Buffer
  readonly promise: Promise<CompileReply>
  readonly cancelled = undefined
  private resolve!: (reply: CompileReply) => void
  private reject!: (failure: Failure) => void

  constructor(id: number, script: RunnableScript, timeout: number, text: string) {
    super(id, script, timeout, Infinity)
    this.frame = textFrame(REQUEST.compile, id, script.id, text)
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }

  get size(): number {
    return this.frame.length
  }

  write(buffer: Buffer, at: number): number {
    buffer.set(this.frame, at)
    return at + this.frame.length
  }

  answer(frame: Buffer, start: number, end: number): void {
    if (this.settled) return
    let reply: CompileReply
    try {
      reply = JSON.parse(frame.toString('utf8', start, end)) as CompileReply
    } catch {
      throw new MalformedReply('it read a script and told no one')
    }
    if (!isCompileReply(reply)) throw new MalformedReply('an unknown shape of a script')
    this.settled = true
    this.resolve(reply)
  }

  fail(failure: Failure): void {
    if (this.settled) return
    this.settled = true
    this.reject(failure)
  }
}

function isCompileReply({ compiled, warnings, mistakes }: CompileReply): boolean {
  return compiled === undefined
    ? areMistakes(mistakes)
    : typeof compiled.code === 'string' && Array.isArray(compiled.uses?.extras) && areMistakes(warnings)
}

function areMistakes(given: readonly ScriptMistake[] | undefined): boolean {
  return (
    Array.isArray(given) &&
    (given as readonly ScriptMistake[]).every(
      ({ code, message, hint, offset, length }) =>
        MISTAKE_CODES.includes(code) &&
        typeof message === 'string' &&
        (hint === undefined || typeof hint === 'string') &&
        Number.isInteger(offset) &&
        Number.isInteger(length),
    )
  )
}
