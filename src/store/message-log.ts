import type { Audit } from '../core/audit.ts'
import type { Level } from '../core/context.ts'
import type { LogLevel } from '../core/flow.ts'
import type { Logger } from '../core/services.ts'
import type {
  DeployedVersion,
  MessageLog,
  RunProgress,
  RunRecord,
  Snapshot,
  StateStore,
} from '../core/stores.ts'
import type { Clock, Timer } from '../core/world.ts'
import { AuditTrail } from './audit-trail.ts'
import { Batches, LINES, PAYLOADS, RUNS } from './batches.ts'
import {
  CLOSED,
  OPENED,
  pushAttachment,
  pushLine,
  pushProgress,
  pushRun,
  pushSnapshot,
  pushVersion,
} from './records.ts'
import { redacting, type Cleaning, type Redacting } from './redacting.ts'
import { StoreThread } from './thread.ts'

export interface StoresSetting {
  /** Made when it is not there. */
  readonly folder: string
  readonly clock: Clock
  readonly redactor: Cleaning
  /** 30 days and 1 GB when left out; entries of the audit log 365 days. */
  readonly retention?: { readonly days: number; readonly bytes: number; readonly auditDays?: number }
  readonly log: Logger
}

export interface Stores {
  readonly messageLog: MessageLog
  readonly audit: Audit
  readonly state: StateStore
  /** Runs that an earlier engine left open; they are ABANDONED now. */
  readonly abandoned: number
  /** Writes everything and closes both files. */
  readonly close: () => Promise<void>
}

const DAY = 24 * 60 * 60 * 1000
const HOUR = 60 * 60 * 1000

/**
 * Opens the data folder for this engine alone.
 * @throws StoreError `store.in-use` when another engine has it; `store.newer`, `store.damaged`, `store.unwritable`, `store.full`
 */
export async function openStores(setting: StoresSetting): Promise<Stores> {
  const { clock, log } = setting
  const { days, bytes, auditDays = 365 } = setting.retention ?? { days: 30, bytes: 1024 ** 3 }
  const { thread, abandoned } = await StoreThread.start(setting.folder, log)
  const batches = new Batches(clock, log, (batch, records) => thread.write(batch, records))
  thread.onBatches(batches)
  let next: Timer
  const retain = (): void => {
    const now = clock.now()
    thread.retain({ before: now - days * DAY, bytes, auditBefore: now - auditDays * DAY })
    next = clock.after(HOUR, retain)
  }
  retain()
  const redact = redacting(setting.redactor)
  const audit = new AuditTrail(batches, redact, clock)
  return {
    messageLog: new WrittenBehind(batches, redact),
    audit,
    state: thread,
    abandoned,
    async close() {
      next.cancel()
      audit.settle()
      await batches.settled()
      batches.end()
      await thread.close()
    },
  }
}

/** Rough sizes of records in memory, bytes. */
const RUN_SIZE = 500
const LINE_SIZE = 200

class WrittenBehind implements MessageLog {
  private readonly batches: Batches
  private readonly redact: Redacting

  constructor(batches: Batches, redact: Redacting) {
    this.batches = batches
    this.redact = redact
  }

  get backlog(): number {
    return this.batches.backlog
  }

  get lost(): number {
    return this.batches.lost
  }

  get trouble(): string | undefined {
    return this.batches.trouble
  }

  deployed(version: DeployedVersion): void {
    const records = this.batches.room(RUNS)
    if (records === undefined) return
    pushVersion(records, version)
    this.batches.pushed(RUN_SIZE, 0)
  }

  open(run: RunRecord): Promise<void> {
    return new Promise((resolve) => {
      const records = this.batches.room(RUNS)
      if (records === undefined) return resolve()
      pushRun(records, OPENED, run, this.redact.run(run))
      this.batches.pushed(RUN_SIZE, 1, resolve)
    })
  }

  progress(run: string, progress: RunProgress): void {
    const records = this.batches.room(LINES)
    if (records === undefined) return
    pushProgress(records, run, progress)
    this.batches.pushed(LINE_SIZE, 0)
  }

  close(run: RunRecord): void {
    const records = this.batches.room(RUNS)
    if (records === undefined) return
    pushRun(records, CLOSED, run, this.redact.run(run))
    this.batches.pushed(RUN_SIZE + run.timings.length * 2, 1)
  }

  line(
    run: string,
    at: number,
    level: Level,
    step: string,
    text: string,
    fields: Readonly<Record<string, unknown>> | undefined,
  ): void {
    const records = this.batches.room(LINES)
    if (records === undefined) return
    const kept = fields === undefined ? null : this.redact.json(fields)
    pushLine(records, run, at, level, step, this.redact.text(text), kept)
    this.batches.pushed(LINE_SIZE + text.length * 2 + (kept?.length ?? 0) * 2, 0)
  }

  attachment(
    run: string,
    at: number,
    step: string,
    name: string,
    content: string | Uint8Array,
    contentType: string,
  ): void {
    const records = this.batches.room(PAYLOADS)
    if (records === undefined) return
    const kept =
      typeof content === 'string' ? this.redact.text(content) : new Uint8Array(this.redact.bytes(content))
    pushAttachment(records, run, at, step, this.redact.text(name), this.redact.text(contentType), kept)
    this.batches.pushed(LINE_SIZE + (typeof kept === 'string' ? kept.length * 2 : kept.byteLength), 0)
  }

  snapshot(run: string, at: number, step: string, level: LogLevel, snapshot: Snapshot): void {
    const records = this.batches.room(PAYLOADS)
    if (records === undefined) return
    const headers = this.redact.json(snapshot.headers)
    const properties = this.redact.json(snapshot.properties)
    const body = snapshot.body === undefined ? null : this.beginning(snapshot.body)
    const contentType = snapshot.contentType === undefined ? null : this.redact.text(snapshot.contentType)
    pushSnapshot(records, run, at, step, level, headers, properties, body, contentType)
    this.batches.pushed(LINE_SIZE + (headers.length + properties.length + (body?.length ?? 0)) * 2, 0)
  }

  flush(): Promise<void> {
    return this.batches.settled()
  }

  private beginning(body: string): string {
    const kept = this.redact.beginning(body, KEPT)
    return body.length <= KEPT ? kept : `${kept}…`
  }
}

/** Characters of a body that a snapshot keeps. */
const KEPT = 64 * 1024
