import { Readable } from 'node:stream'
import { Failure } from '../core/failure.ts'
import type { RouteRequest } from '../core/services.ts'
import type { Clock, Timer } from '../core/world.ts'

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
  const { raw } = request
  let first: Buffer | undefined
  let more: Buffer[] | undefined
  const end = (result: Buffer | Failure) => {
    timer.cancel()
    raw.off('error', onError)
    done(result)
  }
  const onError = () => end(cutOff())
  const timer = clock.after(STALL, () => {
    raw.off('data', onData).off('end', onEnd)
    end(stalled())
  })
  const onData = (chunk: Buffer) => {
    if (first === undefined) first = chunk
    else (more ??= [first]).push(chunk)
  }
  const onEnd = () => end(more === undefined ? first! : Buffer.concat(more, length))
  request.proceed()
  raw.on('data', onData).on('end', onEnd).on('error', onError)
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
