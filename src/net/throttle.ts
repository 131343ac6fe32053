import type { Cancellation } from '../core/context.ts'
import { printDuration, sayDuration } from '../core/duration.ts'
import { Failure } from '../core/failure.ts'
import type { Throttle } from '../core/http.ts'
import type { Clock, Timer } from '../core/world.ts'
import { sweepOf, type Waiting } from './sweep.ts'

/** To be called when a request is no longer under way. */
type Release = () => void

/**
 * The turns of all requests that a throttle holds for, of all flows: one line for each credential or host. Every
 * request keeps to the limits of its own step, and counts in those of all others in its line; whoever came first
 * goes first.
 */
export class Throttles {
  private readonly clock: Clock
  private readonly lines = new Map<string, Line>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Lines that are remembered. */
  get size(): number {
    return this.lines.size
  }

  /**
   * Sends when it is its turn, at once without a throttle; the request is under way until the promise settles.
   * @throws Failure `request.throttled`, the reason of its cancellation, and what `send` fails with
   */
  run<T>(
    throttle: Throttle | undefined,
    host: string,
    until: Cancellation,
    send: () => Promise<T>,
  ): Promise<T> {
    if (throttle === undefined) return send()
    if (until.cancelled) return Promise.reject(until.cancelled)
    try {
      const turn = this.lineOf(throttle, host).turn(throttle, host, until)
      return turn instanceof Promise ? turn.then((release) => during(send, release)) : during(send, turn)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  private lineOf({ credential }: Throttle, host: string): Line {
    const key = credential === undefined ? `host ${host}` : `credential ${credential}`
    let line = this.lines.get(key)
    if (!line) {
      line = new Line(this.clock, () => this.lines.delete(key))
      this.lines.set(key, line)
    }
    return line
  }
}

function during<T>(send: () => Promise<T>, release: Release): Promise<T> {
  try {
    return send().finally(release)
  } catch (error) {
    release()
    throw error
  }
}

interface Turn {
  readonly throttle: Throttle
  readonly go: (release: Release) => void
}

class Line {
  private readonly clock: Clock
  private readonly forget: () => void
  private underWay = 0
  /** Monotonic ms of the last requests; as many as the largest rate looks back to. */
  private starts: number[] = []
  private lookBack = 0
  /** ms; the longest that a start counts. */
  private memory = 0
  private waiting: (Turn | undefined)[] = []
  /** Of the first one that waits. */
  private head = 0
  private timer: Timer | undefined
  private idle: Timer | undefined

  constructor(clock: Clock, forget: () => void) {
    this.clock = clock
    this.forget = forget
  }

  /** The right to send one request now; a promise where it has to wait. */
  turn(throttle: Throttle, host: string, until: Cancellation): Release | Promise<Release> {
    this.idle?.cancel()
    this.idle = undefined
    if (throttle.rate !== undefined) {
      this.lookBack = Math.max(this.lookBack, throttle.rate)
      this.memory = Math.max(this.memory, throttle.per)
    }
    if (this.waiting.length === 0 && this.waitOf(throttle) === 0) return this.begin()
    return this.wait(throttle, host, until)
  }

  /** ms until a request may begin; `Infinity`: when another one has ended. */
  private waitOf({ rate, per, concurrency }: Throttle): number {
    if (concurrency !== undefined && this.underWay >= concurrency) return Infinity
    const before = rate === undefined ? undefined : this.starts.at(-rate)
    return before === undefined ? 0 : Math.max(0, before + per - this.clock.ticks())
  }

  private begin(): Release {
    this.underWay++
    if (this.lookBack > 0) {
      this.starts.push(this.clock.ticks())
      if (this.starts.length >= 2 * this.lookBack) this.starts = this.starts.slice(-this.lookBack)
    }
    let over = false
    return () => {
      if (over) return
      over = true
      this.underWay--
      this.next()
      this.rest()
    }
  }

  private wait(throttle: Throttle, host: string, until: Cancellation): Promise<Release> {
    return new Promise((resolve, reject) => {
      const sweep = sweepOf(this.clock)
      const since = this.clock.ticks()
      const leave = () => {
        sweep.delete(late)
        release()
      }
      const turn: Turn = {
        throttle,
        go: (begun) => {
          leave()
          resolve(begun)
        },
      }
      const giveUp = (reason: Failure) => {
        leave()
        this.waiting[this.waiting.indexOf(turn, this.head)] = undefined
        this.next()
        this.rest()
        reject(reason)
      }
      const late: Waiting = {
        slot: 0,
        check: (now) => {
          if (now >= until.deadline) giveUp(tooLong(throttle, host, now - since))
        },
      }
      sweep.add(late)
      const release = until.onCancel(giveUp)
      if (this.waiting.push(turn) === this.head + 1) this.next()
    })
  }

  /** Lets those go whose turn it is. */
  private next(): void {
    this.timer?.cancel()
    this.timer = undefined
    for (; this.head < this.waiting.length; this.head++) {
      const turn = this.waiting[this.head]
      if (turn === undefined) continue
      const wait = this.waitOf(turn.throttle)
      if (wait > 0) {
        if (wait !== Infinity) this.timer = this.clock.after(wait, () => this.next())
        break
      }
      this.waiting[this.head] = undefined
      turn.go(this.begin())
    }
    if (this.head === this.waiting.length || this.head >= 1000) {
      this.waiting = this.waiting.slice(this.head)
      this.head = 0
    }
  }

  /** Nothing is under way and nothing waits: the line is forgotten once no start counts any more. */
  private rest(): void {
    if (this.underWay > 0 || this.waiting.length > 0) return
    this.idle?.cancel()
    this.idle = this.clock.after(this.memory, this.forget)
  }
}

function tooLong({ credential, rate, per, concurrency }: Throttle, host: string, waited: number): Failure {
  const limits = [
    ...(rate === undefined ? [] : [`${rate} request${rate === 1 ? '' : 's'} in ${printDuration(per)}`]),
    ...(concurrency === undefined ? [] : [`${concurrency} at once`]),
  ]
  return new Failure(
    'request.throttled',
    `the request waited ${sayDuration(waited)} for its turn, in vain: the \`throttle\` lets ${limits.join(' and ')} go ${credential === undefined ? `to "${host}"` : `with the credential "${credential}"`}`,
    {
      hint: 'Send fewer requests, raise the limits of `throttle` where the receiver takes more, or raise `timeout` of the step.',
    },
  )
}
