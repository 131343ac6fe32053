import { Readable } from 'node:stream'
import { sayDuration } from '../core/duration.ts'
import { Failure } from '../core/failure.ts'
import type { RouteRequest } from '../core/services.ts'
import type { Clock, Timer } from '../core/world.ts'
import { sweepOf, type Sweep, type Waiting } from '../net/sweep.ts'
import type { BodyPlace } from './gathered-bodies.ts'

/** ms without a byte, after which a sender is given up. */
const STALL = 60_000

/** How a body is taken. */
export interface BodySetting {
  /** Bytes. */
  readonly limit: number
  /** ms that it may take to arrive, all in all. */
  readonly bodyTime: number
  readonly clock: Clock
}

/**
 * Reads a body of known length into memory and hands it on in one piece.
 * `done` gets a failure instead when the caller breaks off or stalls; it is called once.
 */
export function collectBody(
  request: RouteRequest,
  length: number,
  { clock, bodyTime }: Pick<BodySetting, 'clock' | 'bodyTime'>,
  done: (bytes: Buffer | Failure) => void,
): void {
  const collecting = new SmallBody(request, length, sweepOf(clock), bodyTime, done)
  request.proceed()
  collecting.start()
}

class SmallBody implements Waiting {
  slot = 0
  private readonly request: RouteRequest
  private readonly length: number
  private readonly sweep: Sweep
  private readonly done: (bytes: Buffer | Failure) => void
  private readonly time: number
  private readonly until: number
  /** Monotonic ms at which the last piece came. */
  private latest: number
  private first: Buffer | undefined = undefined
  private more: Buffer[] | undefined = undefined

  constructor(
    request: RouteRequest,
    length: number,
    sweep: Sweep,
    time: number,
    done: (bytes: Buffer | Failure) => void,
  ) {
    this.request = request
    this.length = length
    this.sweep = sweep
    this.done = done
    this.time = time
    this.latest = sweep.clock.ticks()
    this.until = this.latest + time
  }

  start(): void {
    this.sweep.add(this)
    this.request.raw.on('data', this.onData).on('end', this.onEnd).on('error', this.onError)
  }

  check(now: number): void {
    const isLate = now >= this.until
    if (!isLate && now < this.latest + STALL) return
    this.request.raw.off('data', this.onData).off('end', this.onEnd)
    this.finish(isLate ? tooSlow(this.time) : stalled())
  }

  private finish(result: Buffer | Failure): void {
    this.sweep.delete(this)
    this.request.raw.off('error', this.onError)
    this.done(result)
  }

  private readonly onData = (chunk: Buffer): void => {
    this.latest = this.sweep.clock.ticks()
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
  private readonly setting: BodySetting
  private readonly place: BodyPlace | undefined
  /** ms that the caller may still be waited for. */
  private left: number
  private received = 0
  private timer: Timer | undefined

  /** @param place where it is kept whole: it counts there, and ends where there is no room */
  constructor(request: RouteRequest, setting: BodySetting, place?: BodyPlace) {
    super({ highWaterMark: 64 * 1024 })
    this.request = request
    this.setting = setting
    this.place = place
    this.left = setting.bodyTime
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
    const { limit } = this.setting
    const refused = this.received > limit ? tooLarge(limit) : this.place?.take(chunk.length)
    if (refused) this.destroy(refused)
    else if (!this.push(chunk)) this.request.raw.pause()
  }

  private readonly onEnd = (): void => {
    this.push(null)
  }

  private readonly onError = (): void => {
    this.destroy(cutOff())
  }

  /** Time in which the flow is not ready for more is not the caller's. */
  private watch(): void {
    const before = this.received
    const wait = Math.min(STALL, this.left)
    this.timer = this.setting.clock.after(wait, () => {
      const isCallers = !this.request.raw.isPaused()
      if (isCallers) this.left -= wait
      if (isCallers && this.left <= 0) this.destroy(tooSlow(this.setting.bodyTime))
      else if (isCallers && this.received === before) this.destroy(stalled())
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

function tooSlow(time: number): Failure {
  return new Failure('body.cut-off', `the whole body did not arrive within ${sayDuration(time)}`, {
    reply: 408,
    hint: 'Send it faster, or raise `body: { time }` of the endpoint (or the setting limits.bodyTime).',
  })
}
