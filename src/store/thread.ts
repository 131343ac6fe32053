import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Logger } from '../core/services.ts'
import type { SealedToken, StateOperation, StateStore } from '../core/stores.ts'
import type { Records } from './records.ts'
import type {
  RetentionLimits,
  StoreAnswer,
  StoreReport,
  StoreRequest,
  ThreadSetting,
} from './sqlite/protocol.ts'
import { StoreError, type StoreTrouble } from './store-error.ts'
import { threadEnvironment } from './thread-environment.ts'

/** What became of batches of records; the batches themselves are kept by who sent them. */
export interface BatchListener {
  written(batch: number, lost: number): void
  unwritten(batch: number, trouble: StoreTrouble): void
  /** The thread was started again; what was under way may not have been written. */
  restarted(): void
  /** There is no thread any more. */
  gone(): void
}

interface Pending {
  resolve(value: StoreAnswer): void
  reject(error: StoreError): void
}

/** The thread that owns the databases. When it dies it is started once more. */
export class StoreThread implements StateStore {
  private readonly folder: string
  private readonly log: Logger
  private listener: BatchListener | undefined
  private worker: Worker
  private readonly pending = new Map<number, Pending>()
  private requests = 0
  private restarts = 0
  private life: 'open' | 'restarting' | 'closing' | 'gone' = 'open'
  private restarting: Promise<void> | undefined
  private onClosed: (() => void) | undefined

  private constructor(folder: string, log: Logger, worker: Worker) {
    this.folder = folder
    this.log = log
    this.worker = worker
    this.listen(worker)
  }

  /**
   * Opens the data folder; `abandoned` is how many runs an earlier engine left open.
   * @throws StoreError `store.*`
   */
  static async start(folder: string, log: Logger): Promise<{ thread: StoreThread; abandoned: number }> {
    const { worker, abandoned } = await spawn({ folder, abandon: true })
    return { thread: new StoreThread(folder, log, worker), abandoned }
  }

  onBatches(listener: BatchListener): void {
    this.listener = listener
  }

  /** False: there is no thread to write it. */
  write(batch: number, records: Records): boolean {
    return this.send({ kind: 'write', batch, records })
  }

  async atomically(operations: readonly StateOperation[]): Promise<boolean> {
    return (await this.ask((request) => ({ kind: 'atomically', request, operations }))) as boolean
  }

  async lastFire(timer: string): Promise<number | undefined> {
    return (await this.ask((request) => ({ kind: 'last-fire', request, timer }))) as number | undefined
  }

  async tokens(credential?: string): Promise<readonly SealedToken[]> {
    return (await this.ask((request) => ({ kind: 'tokens', request, credential }))) as readonly SealedToken[]
  }

  retain(limits: RetentionLimits): void {
    this.send({ kind: 'retain', ...limits })
  }

  /** Resolves when both files are closed. */
  async close(): Promise<void> {
    await this.restarting
    if (this.life !== 'open') return
    const closed = new Promise<void>((resolve) => (this.onClosed = resolve))
    this.send({ kind: 'close' })
    this.life = 'closing'
    await closed
    await this.worker.terminate()
    this.end()
  }

  private send(request: StoreRequest): boolean {
    if (this.life !== 'open') return false
    this.worker.postMessage(request)
    return true
  }

  private ask(make: (request: number) => StoreRequest): Promise<StoreAnswer> {
    return new Promise((resolve, reject) => {
      const request = ++this.requests
      this.pending.set(request, { resolve, reject })
      if (this.send(make(request))) return
      this.pending.delete(request)
      reject(new StoreError('store.fault', 'the store is closed'))
    })
  }

  private listen(worker: Worker): void {
    worker.on('message', (report: StoreReport) => this.hear(report))
    worker.on('error', (error) => this.log.error({ err: error }, 'the thread of the message log failed'))
    worker.on('exit', () => this.lost())
  }

  private hear(report: StoreReport): void {
    switch (report.kind) {
      case 'written':
        return this.listener?.written(report.batch, report.lost)
      case 'unwritten':
        return this.listener?.unwritten(report.batch, report.trouble)
      case 'answer':
        return this.settle(report.request)?.resolve(report.value)
      case 'failed':
        return this.settle(report.request)?.reject(StoreError.of(report.trouble))
      case 'retained':
        if (report.runs > 0) this.log.info({ runs: report.runs }, 'deleted old runs from the message log')
        return
      case 'retention-failed':
        return this.log.warn({ ...report.trouble }, 'old runs could not be deleted from the message log')
      case 'closed':
        return this.onClosed?.()
    }
  }

  private settle(request: number): Pending | undefined {
    const pending = this.pending.get(request)
    this.pending.delete(request)
    return pending
  }

  /** The thread is gone without having been asked to. */
  private lost(): void {
    if (this.life !== 'open') return this.onClosed?.()
    this.rejectPending()
    if (this.restarts++ > 0) return this.giveUp()
    this.life = 'restarting'
    this.log.warn({}, 'the thread of the message log ended; it is started again')
    this.restarting = spawn({ folder: this.folder, abandon: false }).then(({ worker }) => {
      this.worker = worker
      this.life = 'open'
      this.listen(worker)
      this.listener?.restarted()
    }, this.giveUp)
  }

  private readonly giveUp = (): void => {
    this.end()
    this.log.error({}, 'the thread of the message log ended again; from now on nothing is recorded')
    this.listener?.gone()
  }

  private end(): void {
    this.life = 'gone'
    this.rejectPending()
  }

  private rejectPending(): void {
    for (const pending of this.pending.values())
      pending.reject(new StoreError('store.fault', 'the thread of the store ended'))
    this.pending.clear()
  }
}

async function spawn(setting: ThreadSetting): Promise<{ worker: Worker; abandoned: number }> {
  const file = new URL(`./sqlite/worker${extname(import.meta.url)}`, import.meta.url)
  const worker = new Worker(file, { workerData: setting, name: 'sluice-store', env: threadEnvironment() })
  return new Promise((resolve, reject) => {
    const fail = (error?: unknown): void =>
      reject(
        new StoreError(
          'store.fault',
          `the thread of the store did not start${error instanceof Error ? `: ${error.message}` : ''}`,
        ),
      )
    worker.once('error', fail)
    worker.once('exit', fail)
    worker.once('message', (report: StoreReport) => {
      worker.off('error', fail)
      worker.off('exit', fail)
      if (report.kind === 'ready') resolve({ worker, abandoned: report.abandoned })
      else if (report.kind === 'refused') reject(StoreError.of(report.trouble))
    })
  })
}
