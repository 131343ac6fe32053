import type { Logger } from '../core/services.ts'
import type { Clock, Timer } from '../core/world.ts'
import type { Records } from './records.ts'
import type { StoreTrouble } from './store-error.ts'
import type { BatchListener } from './thread.ts'

/** ms, records and bytes after which a batch is handed over. */
const HAND_OVER = 20
const BATCH_RECORDS = 500
const BATCH_BYTES = 1024 * 1024
/** Batches that are with the writing thread at once. */
const UNDER_WAY = 4
/** ms until a batch that the disk did not take is tried again. */
const TRY_AGAIN = 1000
/** What is kept in memory while the disk is slow or takes nothing. */
const MOST_RECORDS = 50_000
const MOST_BYTES = 64 * 1024 * 1024

/** The part of the memory that a kind of record may fill: the dearest go first, runs last. */
export const PAYLOADS = 0.5
export const LINES = 0.75
export const RUNS = 1

interface Batch {
  readonly number: number
  readonly records: Records
  count: number
  runs: number
  bytes: number
  /** Called once it is on disk, or once the disk refused it. */
  waiting: (() => void)[]
}

/**
 * Records between the engine and the writing thread: collected, handed over in batches, kept until they are written.
 * Bounded: what does not fit is counted as lost. Never waits and never throws.
 */
export class Batches implements BatchListener {
  private readonly clock: Clock
  private readonly log: Logger
  private readonly write: (batch: number, records: Records) => boolean
  private current = empty(0)
  private queue: Batch[] = []
  private readonly underWay = new Map<number, Batch>()
  private timer: Timer | undefined
  private immediate: NodeJS.Immediate | undefined
  private retry: Timer | undefined
  private count = 0
  private bytes = 0
  private runs = 0
  private dropped = 0
  private ended = false
  /** Whether the disk did not take the last batch; then `overflowing` tells whether that has cost records. */
  private refusing = false
  private overflowing = false
  private notWritten: string | undefined

  constructor(clock: Clock, log: Logger, write: (batch: number, records: Records) => boolean) {
    this.clock = clock
    this.log = log
    this.write = write
  }

  get backlog(): number {
    return this.runs
  }

  get lost(): number {
    return this.dropped
  }

  /** Why nothing is written; undefined while it is. */
  get trouble(): string | undefined {
    return this.notWritten
  }

  /** Where the next record is to be pushed; undefined: there is no room for its kind, and it is counted as lost. */
  room(share: number): Records | undefined {
    if (this.count < MOST_RECORDS * share && this.bytes < MOST_BYTES * share && !this.ended)
      return this.current.records
    this.lose(1)
    return undefined
  }

  /**
   * A record of about `bytes` has been pushed. With `done` it is handed over at once, and `done` is called when it is on
   * disk, or the disk refused it.
   */
  pushed(bytes: number, runs: number, done?: () => void): void {
    const batch = this.current
    batch.bytes += bytes
    batch.runs += runs
    this.bytes += bytes
    this.runs += runs
    this.count++
    if (done) {
      batch.waiting.push(done)
      this.immediate ??= setImmediate(this.handOver)
    }
    if (++batch.count >= BATCH_RECORDS || batch.bytes >= BATCH_BYTES) this.handOver()
    else this.timer ??= this.clock.after(HAND_OVER, this.handOver)
  }

  /** Resolves when all that was pushed before is on disk, or was refused by it. */
  settled(): Promise<void> {
    this.handOver()
    return new Promise((resolve) => {
      let left = this.queue.length + this.underWay.size
      if (left === 0) return resolve()
      const one = (): void => {
        if (--left === 0) resolve()
      }
      for (const batch of this.queue) batch.waiting.push(one)
      for (const batch of this.underWay.values()) batch.waiting.push(one)
      this.goOn()
    })
  }

  /** Nothing is taken any more; what could not be written is lost. */
  end(): void {
    this.stopTimers()
    this.seal()
    this.ended = true
    const left = [...this.underWay.values(), ...this.queue]
    this.underWay.clear()
    this.queue = []
    for (const batch of left) {
      this.forget(batch)
      this.lose(batch.count)
      release(batch)
    }
  }

  written(number: number, lost: number): void {
    const batch = this.underWay.get(number)
    if (batch === undefined) return
    this.underWay.delete(number)
    this.forget(batch)
    this.notWritten = undefined
    if (lost > 0) {
      this.dropped += lost
      this.log.warn({ records: lost }, 'records could not be written to the message log')
    }
    if (this.refusing || this.overflowing) this.recover()
    release(batch)
    this.pump()
  }

  unwritten(number: number, trouble: StoreTrouble): void {
    const batch = this.underWay.get(number)
    if (batch === undefined) return
    this.underWay.delete(number)
    this.queue = [...this.queue, batch].toSorted((a, b) => a.number - b.number)
    this.notWritten ??= `${this.since()}: ${trouble.message}`
    if (!this.refusing) {
      this.refusing = true
      this.log.warn(
        { ...trouble },
        'the message log cannot be written; records are kept in memory and written as soon as it can be',
      )
    }
    this.retry ??= this.clock.after(TRY_AGAIN, this.goOn)
    for (const waiting of this.queue) release(waiting)
  }

  restarted(): void {
    this.queue = [...this.underWay.values(), ...this.queue].toSorted((a, b) => a.number - b.number)
    this.underWay.clear()
    this.goOn()
  }

  gone(): void {
    this.end()
    this.notWritten = `${this.since()}: its thread ended; start the engine again`
  }

  private readonly handOver = (): void => {
    this.timer?.cancel()
    this.timer = undefined
    if (this.immediate) clearImmediate(this.immediate)
    this.immediate = undefined
    this.seal()
    this.pump()
  }

  private readonly goOn = (): void => {
    this.retry?.cancel()
    this.retry = undefined
    this.pump()
  }

  private seal(): void {
    if (this.current.count === 0) return
    this.queue.push(this.current)
    this.current = empty(this.current.number + 1)
  }

  private pump(): void {
    while (this.queue.length > 0 && this.underWay.size < UNDER_WAY && this.retry === undefined) {
      const batch = this.queue[0]!
      if (!this.write(batch.number, batch.records)) return
      this.queue.shift()
      this.underWay.set(batch.number, batch)
    }
  }

  private forget(batch: Batch): void {
    this.count -= batch.count
    this.bytes -= batch.bytes
    this.runs -= batch.runs
  }

  private lose(records: number): void {
    if (records === 0) return
    this.dropped += records
    if (this.overflowing) return
    this.overflowing = true
    this.log.warn(
      { lost: this.dropped },
      'the message log is not written fast enough, or not at all: records are lost (payloads first, then lines, then runs)',
    )
  }

  private recover(): void {
    if (this.queue.length > 0 || this.underWay.size > 0) return
    this.refusing = false
    this.overflowing = false
    this.log.info({ lost: this.dropped }, 'the message log is being written again')
  }

  private since(): string {
    return `the message log has not been written since ${new Date(this.clock.now()).toISOString()}`
  }

  private stopTimers(): void {
    this.timer?.cancel()
    this.retry?.cancel()
    if (this.immediate) clearImmediate(this.immediate)
  }
}

function empty(number: number): Batch {
  return { number, records: [], count: 0, runs: 0, bytes: 0, waiting: [] }
}

function release(batch: Batch): void {
  const waiting = batch.waiting
  if (waiting.length === 0) return
  batch.waiting = []
  for (const done of waiting) done()
}
