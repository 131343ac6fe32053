import { Readable } from 'node:stream'
import { Failure } from '../core/failure.ts'
import type { RouteRequest } from '../core/services.ts'
import type { Clock, Timer } from '../core/world.ts'
import { sweepOf, type Sweep, type Waiting } from '../net/sweep.ts'

/** ms without a byte, after which a sender is given up. */
const STALL = 60_000

/**
 * Reads a body of known length into memory and hands it on in one piece.
 * `done` gets a failure instead when the caller breaks off or stalls; it is called once.
 */
export function collectBody(
  request: RouteRequest,
  length: number,
  clock: Clock,
  done: (bytes: Buffer | Failure) => void,
): void {
  const collecting = new SmallBody(request, length, sweepOf(clock), done)
  request.proceed()
  collecting.start()
}

class SmallBody implements Waiting {
  slot = 0
  private readonly request: RouteRequest
  private readonly length: number
  private readonly sweep: Sweep
  private readonly done: (bytes: Buffer | Failure) => void
  private readonly until: number
  private first: Buffer | undefined = undefined
  private more: Buffer[] | undefined = undefined

  constructor(request: RouteRequest, length: number, sweep: Sweep, done: (bytes: Buffer | Failure) => void) {
    this.request = request
    this.length = length
    this.sweep = sweep
    this.done = done
    this.until = sweep.clock.ticks() + STALL
  }

  start(): void {
    this.sweep.add(this)
    this.request.raw.on('data', this.onData).on('end', this.onEnd).on('error', this.onError)
  }

  check(now: number): void {
    if (now < this.until) return
    this.request.raw.off('data', this.onData).off('end', this.onEnd)
    this.finish(stalled())
  }

  private finish(result: Buffer | Failure): void {
    this.sweep.delete(this)
    this.request.raw.off('error', this.onError)
    this.done(result)
  }

  private readonly onData = (chunk: Buffer): void => {
    if (this.first === undefined) this.first = chunk
    else (this.more ??= [this.first]).push(chunk)
  }

  private readonly onEnd = (): void => {
    this.finish(this.more === undefined ? this.first! : Buffer.concat(this.more, this.length))
  }

  private readonly onError = (): void => {
    this.finish(cutOff())
  }
}

/** The body of a request as it arrives. Not a byte is asked for before somebody reads. */
export class IncomingBody extends Readable {
  private readonly request: RouteRequest
  /** Bytes. */
  private readonly limit: number
  private readonly clock: Clock
  private received = 0
  private timer: Timer | undefined

  constructor(request: RouteRequest, limit: number, clock: Clock) {
    super({ highWaterMark: 64 * 1024 })
    this.request = request
    this.limit = limit
    this.clock = clock
  }

  override _read(): void {
    const { raw } = this.request
    if (this.timer === undefined) {
      if (raw.destroyed) {
        this.destroy(cutOff())
        return
      }
      this.watch()
      this.request.proceed()
      raw.on('data', this.onData).on('end', this.onEnd).on('error', this.onError)
    }
    raw.resume()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.timer?.cancel()
    this.request.raw.off('data', this.onData).off('end', this.onEnd).off('error', this.onError).pause()
    done(error)
  }

  private readonly onData = (chunk: Buffer): void => {
    this.received += chunk.length
    if (this.received > this.limit) this.destroy(tooLarge(this.limit))
    else if (!this.push(chunk)) this.request.raw.pause()
  }

  private readonly onEnd = (): void => {
    this.push(null)
  }

  private readonly onError = (): void => {
    this.destroy(cutOff())
  }

  private watch(): void {
    const before = this.received
    this.timer = this.clock.after(STALL, () => {
      if (this.received === before && !this.request.raw.isPaused()) this.destroy(stalled())
      else this.watch()
    })
  }
}

export function tooLarge(limit: number): Failure {
  return new Failure('body.too-large', `the body is larger than the ${limit} bytes that are taken here`, {
    hint: 'Send less, or raise `body: { limit }` of the endpoint (or the setting limits.body).',
  })
}

function cutOff(): Failure {
  return new Failure('body.cut-off', 'the caller broke off before the whole body had arrived')
}

function stalled(): Failure {
  return new Failure('body.cut-off', `no more of the body arrived within ${STALL / 1000} s`, { reply: 408 })
}
