import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { Failure } from '../core/failure.ts'
import type { Answer, Exchange } from '../core/http.ts'
import type { Clock } from '../core/world.ts'
import { joinedHeaders } from './answer-headers.ts'
import { AnswerStream, type Source } from './answer-stream.ts'
import { allBusy, SET_FREE, type Carrier, type Connections } from './connections.ts'
import {
  cutOff,
  interimFailure,
  isAborted,
  networkFailure,
  tooLarge,
  type Progress,
} from './network-failure.ts'
import { mayBeSentAgain } from './stale-connection.ts'
import { timeoutFailure, type Awaited } from './timeout-failure.ts'
import { sweepOf, type Sweep, type Waiting } from './sweep.ts'

/** ms without a byte after which a streamed body is given up. */
const SILENCE = 60_000
/** ms after which a streamed body that nobody reads is given up. */
const UNREAD = 600_000

const CONNECTING = 0
const WAITING = 1
const COLLECTING = 2
const STREAMING = 3
const OVER = 4

const CALLED_OFF = new Error('called off before it was sent')
const EMPTY = Buffer.alloc(0)

/**
 * Sends one request and takes its answer. An answer whose `content-length` is at most `collect`, or one without that
 * ends within `collect` bytes, arrives in memory; a larger one as a stream with back-pressure. Follows nothing,
 * decompresses nothing.
 * @throws Failure `receiver.unreachable`, `receiver.timeout`, `receiver.broken`, `receiver.too-large`, `request.invalid`
 */
export function exchange(dispatcher: Dispatcher, clock: Clock, request: Exchange): Promise<Answer> {
  const { carry } = dispatcher as Dispatcher & Partial<Carrier>
  if (carry) return carry.call(dispatcher, request, (over, changed) => exchange(over, clock, changed))
  return new Promise((resolve, reject) => {
    new Transfer(dispatcher, sweepOf(clock), request, resolve, reject).start()
  })
}

class Transfer implements Dispatcher.DispatchHandler, Waiting, Source {
  private readonly dispatcher: Dispatcher & Partial<Connections>
  private readonly sweep: Sweep
  private readonly request: Exchange
  private readonly resolve: (answer: Answer) => void
  private readonly reject: (failure: Failure) => void
  /** Monotonic ms. */
  private readonly deadline: number
  private readonly startedAt: number
  slot = 0
  private phase: 0 | 1 | 2 | 3 | 4 = CONNECTING
  /** What ended the body that was being sent. */
  private sourceError: Error | undefined = undefined
  private controller: Dispatcher.DispatchController | undefined = undefined
  private release: (() => void) | undefined = undefined
  /** The first byte of an answer has come. */
  private answered = false
  private sent = false
  private sentAt = 0
  private again = false
  /** Monotonic ms since when there is no connection to wait a turn for. */
  private connectingSince: number
  private status = 0
  private headers: Record<string, string> | undefined = undefined
  private chunk: Buffer | undefined = undefined
  private chunks: Buffer[] | undefined = undefined
  private size = 0
  private stream: AnswerStream | undefined = undefined
  /** A byte came, or was asked for, since the last look. */
  private lively = false
  private quietSince = 0

  constructor(
    dispatcher: Dispatcher,
    sweep: Sweep,
    request: Exchange,
    resolve: (answer: Answer) => void,
    reject: (failure: Failure) => void,
  ) {
    this.dispatcher = dispatcher
    this.sweep = sweep
    this.request = request
    this.resolve = resolve
    this.reject = reject
    this.deadline = request.until.deadline
    this.startedAt = sweep.clock.ticks()
    this.connectingSince = this.startedAt
  }

  start(): void {
    this.sweep.add(this)
    const release = this.request.until.onCancel((reason) => this.fail(reason))
    if (this.phase === OVER) return release()
    this.release = release
    if (this.startedAt >= this.deadline) return this.fail(this.tooLate('answer', 0))
    const { body } = this.request
    if (body instanceof Readable) {
      if (body.errored) return this.fail(cutOff(body.errored))
      body.on('error', (error) => (this.sourceError = error))
    }
    this.send()
  }

  private send(): void {
    const { origin, path, method, headers, body, bodyLength } = this.request
    try {
      this.dispatcher.dispatch(
        {
          origin,
          path,
          method,
          headers: (bodyLength !== undefined && body instanceof Readable
            ? [...headers, 'content-length', String(bodyLength)]
            : headers) as string[],
          body,
        },
        this,
      )
    } catch (error) {
      this.fail(networkFailure(error, this.host, 'connecting'))
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.phase === OVER) throw CALLED_OFF
    this.controller = controller
    this.phase = WAITING
  }

  onRequestSent(): void {
    this.sent = true
    if (this.request.readTimeout !== undefined) this.sentAt = this.sweep.clock.ticks()
  }

  onResponseStarted(): void {
    this.answered = true
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (this.phase === OVER) return
    if (status < 200) return this.interim(status)
    const { method, collect, limit } = this.request
    this.status = status
    this.headers = joinedHeaders(headers)
    const announced = this.headers['content-length']
    const bodiless = method === 'HEAD' || status === 204 || status === 304
    const length = bodiless || announced === undefined ? undefined : Number(announced)
    this.phase = COLLECTING
    if (length === undefined) return
    if (length > limit) this.fail(tooLarge(this.host, status, limit))
    else if (length > collect) this.handOver(length)
  }

  private interim(status: number): void {
    const failure = interimFailure(status, this.host)
    if (failure) this.fail(failure)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.phase === OVER) return
    this.size += chunk.length
    const { limit } = this.request
    if (this.size > limit) return this.fail(tooLarge(this.host, this.status, limit))
    if (this.phase === STREAMING) {
      this.lively = true
      if (!this.stream!.push(chunk)) controller.pause()
      return
    }
    if (this.chunk === undefined) this.chunk = chunk
    else if (this.chunks === undefined) this.chunks = [this.chunk, chunk]
    else this.chunks.push(chunk)
    if (this.size > this.request.collect) this.handOver(undefined)
  }

  onResponseEnd(): void {
    if (this.phase === OVER) return
    const collected = this.phase === COLLECTING
    this.end()
    if (collected) this.resolve({ status: this.status, headers: this.headers!, body: this.bytes() })
    else this.stream!.push(null)
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (this.phase === OVER) return
    if (!this.again && this.phase === WAITING && !this.answered && mayBeSentAgain(this.request, error)) {
      this.again = true
      this.phase = CONNECTING
      this.controller = undefined
      this.sent = false
      this.connectingSince = this.sweep.clock.ticks()
      return this.send()
    }
    if (error === SET_FREE) return this.send()
    const broken = this.sourceFailure(error)
    if (broken) return this.fail(broken)
    this.fail(networkFailure(error, this.host, this.progress))
  }

  private get progress(): Progress {
    if (this.phase === CONNECTING) return 'connecting'
    if (this.status > 0) return 'body'
    return this.answered ? 'head' : 'waiting'
  }

  /** The body that was being sent failed: that says more than what became of the connection. */
  private sourceFailure(error: Error): Failure | undefined {
    const { body } = this.request
    if (body instanceof Readable && body.errored instanceof Failure) return body.errored
    const aborted = this.phase !== CONNECTING && isAborted(error)
    return aborted || error === this.sourceError ? cutOff(error) : undefined
  }

  /** From here on the answer is a stream. */
  private handOver(length: number | undefined): void {
    const stream = new AnswerStream(this)
    this.stream = stream
    this.phase = STREAMING
    this.lively = true
    const chunks = this.chunks ?? (this.chunk ? [this.chunk] : [])
    this.chunk = this.chunks = undefined
    for (const chunk of chunks) if (!stream.push(chunk)) this.controller?.pause()
    const answer = { status: this.status, headers: this.headers!, body: stream }
    this.resolve(length === undefined ? answer : { ...answer, length })
  }

  private bytes(): Buffer {
    return this.chunks === undefined ? (this.chunk ?? EMPTY) : Buffer.concat(this.chunks, this.size)
  }

  resume(): void {
    this.lively = true
    if (this.phase === STREAMING) this.controller!.resume()
  }

  abandon(): void {
    if (this.phase === OVER) return
    this.end()
    this.controller!.abort(CALLED_OFF)
  }

  check(now: number): void {
    const { connectTimeout, readTimeout } = this.request
    if (this.phase === STREAMING) return this.checkStream(now)
    if (now >= this.deadline)
      return this.giveUp(this.tooLate(this.missing(), this.deadline - this.startedAt), now)
    if (this.phase === CONNECTING) {
      if (!connectTimeout || now - this.connectingSince < connectTimeout) return
      if (allBusy(this.dispatcher, this.request.origin)) this.connectingSince = now
      else this.giveUp(this.late('connection', connectTimeout), now)
    } else if (this.phase === WAITING && readTimeout && this.sent && now - this.sentAt >= readTimeout)
      this.fail(this.late('answer', readTimeout))
  }

  private giveUp(failure: Failure, now: number): void {
    const connecting = this.phase === CONNECTING
    this.fail(failure)
    if (connecting) this.dispatcher.waitedInVain?.(this.request.origin, now)
  }

  private checkStream(now: number): void {
    if (this.lively) {
      this.lively = false
      this.quietSince = now
      return
    }
    const unread = this.controller!.paused
    const limit = unread ? UNREAD : SILENCE
    if (now - this.quietSince >= limit) this.fail(this.late(unread ? 'reader' : 'body', limit))
  }

  private missing(): Awaited {
    if (this.phase === CONNECTING) return 'connection'
    if (this.phase === COLLECTING) return 'rest'
    return this.sent ? 'answer' : 'send'
  }

  private fail(failure: Failure): void {
    if (this.phase === OVER) return
    this.end()
    if (this.stream) this.stream.destroy(failure)
    else this.reject(failure)
    this.controller?.abort(failure)
    const { body } = this.request
    if (body instanceof Readable && !body.destroyed) body.destroy()
  }

  private end(): void {
    this.phase = OVER
    this.sweep.delete(this)
    this.release?.()
  }

  private get host(): string {
    const { origin, host } = this.request
    if (host !== undefined && this.phase !== CONNECTING) return host
    return origin.slice(origin.indexOf('//') + 2)
  }

  private late(what: Awaited, ms: number): Failure {
    return timeoutFailure(what, this.host, ms)
  }

  /** The deadline has passed. */
  private tooLate(what: Awaited, ms: number): Failure {
    return timeoutFailure(what, this.host, ms, this.request.deadlineOf)
  }
}
