import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Clock, Timer } from '../core/world.ts'
import type { AskedQuestion, LogQuestions, Question, ReadingReport } from './reading-protocol.ts'
import { StoreError } from './store-error.ts'
import { threadEnvironment } from './thread-environment.ts'

/** ms without a question after which the thread ends. */
const IDLE = 60_000
/** ms that one answer may take, far longer than a search has patience. */
const LONGEST = 30_000
/** Questions that wait at the most. */
const MOST_WAITING = 16

interface Waiting {
  readonly asked: AskedQuestion
  resolve(found: unknown): void
  reject(error: Error): void
}

/** Too many ask at once. */
export class LogBusy extends Error {}

/** The answer took too long. */
export class LogOverdue extends Error {}

/**
 * Reads the message log and the audit log from a thread of its own, so that a search never holds up the engine. The
 * thread is there only while somebody asks.
 */
export class LogReading {
  readonly #folder: string
  readonly #clock: Clock
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #idle: Timer | undefined
  /** Of the question that is being answered: the first of those that wait. */
  #overdue: Timer | undefined
  #asked = 0

  constructor(folder: string, clock: Clock) {
    this.#folder = folder
    this.#clock = clock
  }

  /** @throws StoreError `store.*`, LogBusy, LogOverdue */
  ask<Kind extends keyof LogQuestions>(
    kind: Kind,
    given: LogQuestions[Kind]['given'],
  ): Promise<LogQuestions[Kind]['found']> {
    if (this.#waiting.size >= MOST_WAITING) return Promise.reject(new LogBusy('too many ask at once'))
    const number = ++this.#asked
    const asked: AskedQuestion = { number, question: { kind, given } as Question }
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { asked, resolve, reject })
      this.#idle?.cancel()
      if (this.#waiting.size === 1) this.#watch()
      this.#worker ??= this.#start()
      this.#worker.postMessage(asked)
    })
  }

  async close(): Promise<void> {
    this.#idle?.cancel()
    this.#overdue?.cancel()
    const worker = this.#worker
    this.#worker = undefined
    this.#fail()
    await worker?.terminate()
  }

  #start(): Worker {
    const file = new URL(`./sqlite/reading-worker${extname(import.meta.url)}`, import.meta.url)
    const worker = new Worker(file, {
      workerData: { folder: this.#folder },
      name: 'sluice-log-reader',
      env: threadEnvironment(),
    })
    worker.unref()
    worker.on('message', (report: ReadingReport) => {
      if (this.#worker === worker) this.#hear(report)
    })
    worker.on('error', () => {})
    worker.on('exit', () => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      this.#overdue?.cancel()
      this.#fail()
    })
    return worker
  }

  #watch(): void {
    this.#overdue?.cancel()
    this.#overdue = this.#clock.after(LONGEST, () => this.#giveUp())
  }

  /** Ends the thread with the question that holds it up; the others are asked again. */
  #giveUp(): void {
    const worker = this.#worker
    this.#worker = undefined
    void worker?.terminate()
    const [first] = this.#waiting
    if (!first) return
    const [number, { reject }] = first
    this.#waiting.delete(number)
    reject(new LogOverdue(`there was no answer within ${LONGEST / 1000} s`))
    if (this.#waiting.size === 0) return
    this.#worker = this.#start()
    for (const { asked } of this.#waiting.values()) this.#worker.postMessage(asked)
    this.#watch()
  }

  #hear(report: ReadingReport): void {
    const waiting = this.#waiting.get(report.number)
    this.#waiting.delete(report.number)
    if ('trouble' in report) waiting?.reject(StoreError.of(report.trouble))
    else if ('fault' in report) waiting?.reject(new Error(report.fault))
    else waiting?.resolve(report.found)
    this.#overdue?.cancel()
    if (this.#waiting.size > 0) this.#watch()
    else this.#idle = this.#clock.after(IDLE, () => void this.close())
  }

  #fail(): void {
    for (const { reject } of this.#waiting.values())
      reject(new StoreError('store.fault', 'the thread that reads the message log ended'))
    this.#waiting.clear()
  }
}
