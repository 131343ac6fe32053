import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Clock, Timer } from '../core/world.ts'
import type { AskedQuestion, LogQuestions, Question, ReadingReport } from './reading-protocol.ts'
import { StoreError } from './store-error.ts'
import { threadEnvironment } from './thread-environment.ts'

/** ms without a question after which the thread ends. */
const IDLE = 60_000
/** Questions that wait at the most. */
const MOST_WAITING = 16

interface Waiting {
  resolve(found: unknown): void
  reject(error: Error): void
}

/** Too many ask at once. */
export class LogBusy extends Error {}

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
  #asked = 0

  constructor(folder: string, clock: Clock) {
    this.#folder = folder
    this.#clock = clock
  }

  /** @throws StoreError `store.*`, LogBusy */
  ask<Kind extends keyof LogQuestions>(
    kind: Kind,
    given: LogQuestions[Kind]['given'],
  ): Promise<LogQuestions[Kind]['found']> {
    if (this.#waiting.size >= MOST_WAITING) return Promise.reject(new LogBusy('too many ask at once'))
    const number = ++this.#asked
    const asked: AskedQuestion = { number, question: { kind, given } as Question }
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject })
      this.#idle?.cancel()
      this.#worker ??= this.#start()
      this.#worker.postMessage(asked)
    })
  }

  async close(): Promise<void> {
    this.#idle?.cancel()
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
    worker.on('message', (report: ReadingReport) => this.#hear(report))
    worker.on('error', () => {})
    worker.on('exit', () => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      this.#fail()
    })
    return worker
  }

  #hear(report: ReadingReport): void {
    const waiting = this.#waiting.get(report.number)
    this.#waiting.delete(report.number)
    if ('trouble' in report) waiting?.reject(StoreError.of(report.trouble))
    else waiting?.resolve(report.found)
    if (this.#waiting.size === 0) this.#idle = this.#clock.after(IDLE, () => void this.close())
  }

  #fail(): void {
    for (const { reject } of this.#waiting.values())
      reject(new StoreError('store.fault', 'the thread that reads the message log ended'))
    this.#waiting.clear()
  }
}
