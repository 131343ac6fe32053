import type { DeployedVersion, MessageLog, RunProgress, RunRecord, RunStatus } from './core/stores.ts'
import { redacting, type Cleaning, type Redacting } from './store/redacting.ts'
import {
  fromJson,
  toFailure,
  toSteps,
  type AttachmentInfo,
  type LineRecord,
  type RunDetail,
  type RunSummary,
} from './store/rows.ts'
import { appendTimings, packTimings } from './store/timings.ts'

/** What happens to runs, as the message log is told it. */
export type RunEvent =
  /** It is older than a second, or begins with a timer. */
  | { readonly kind: 'opened'; readonly run: LiveRun }
  | { readonly kind: 'progress'; readonly run: string; readonly progress: RunProgress }
  | { readonly kind: 'line'; readonly line: LineRecord }
  | { readonly kind: 'attachment'; readonly run: string; readonly attachment: AttachmentInfo }
  | { readonly kind: 'ended'; readonly run: LiveRun }

export type RunListener = (event: RunEvent) => void

export interface LiveRun {
  readonly id: string
  readonly flow: string
  readonly trigger: string
  readonly status: RunStatus
  /** Epoch ms. */
  readonly startedAt: number
  /** ms with fractions; 0 while it goes on. */
  readonly duration: number
  readonly correlationId: string
  /** As lists show it, with the values of searchable headers; made when it is asked for. */
  summary(): LiveSummary
  /** All of it but lines, attachments and snapshots; made when it is asked for, and only good once it has ended. */
  detail(): RunDetail
}

export interface LiveSummary {
  readonly run: RunSummary
  readonly searchable: Readonly<Record<string, string>>
}

/** A message log that tells listeners what it is told; it costs nothing where there are none. */
export class RunEvents implements MessageLog {
  readonly #log: MessageLog
  readonly #redact: Redacting
  readonly #fault: (error: unknown) => void
  readonly #versions = new Map<string, DeployedVersion>()
  #listeners: readonly RunListener[] = []

  /** @param fault is told what a listener throws */
  constructor(log: MessageLog, redactor: Cleaning, fault: (error: unknown) => void) {
    this.#log = log
    this.#redact = redacting(redactor)
    this.#fault = fault
  }

  /** Must be quick: the engine waits for it. Returns what ends it. */
  listen(listener: RunListener): () => void {
    this.#listeners = [...this.#listeners, listener]
    return () => void (this.#listeners = this.#listeners.filter((other) => other !== listener))
  }

  live(run: RunRecord): LiveRun {
    const { id, flow, trigger, status, startedAt, duration, correlationId } = run
    const version = this.#versions.get(`${flow} ${run.version}`)
    return {
      id,
      flow,
      trigger,
      status,
      startedAt,
      duration,
      correlationId: correlationId === id ? id : this.#redact.text(correlationId),
      summary: () => summaryOf(run, this.#redact),
      detail: () => detailOf(run, version, this.#redact),
    }
  }

  deployed(version: DeployedVersion): void {
    this.#versions.set(`${version.flow} ${version.version}`, version)
    this.#log.deployed(version)
  }

  open(run: RunRecord): Promise<void> {
    if (this.#listeners.length > 0) this.#tell({ kind: 'opened', run: this.live(run) })
    return this.#log.open(run)
  }

  progress(run: string, progress: RunProgress): void {
    if (this.#listeners.length > 0) this.#tell({ kind: 'progress', run, progress })
    this.#log.progress(run, progress)
  }

  close(run: RunRecord): void {
    if (this.#listeners.length > 0) this.#tell({ kind: 'ended', run: this.live(run) })
    this.#log.close(run)
  }

  line(...given: Parameters<MessageLog['line']>): void {
    if (this.#listeners.length > 0) {
      const [run, at, level, step, text, fields] = given
      const kept = fields === undefined ? undefined : fromJson(this.#redact.json(fields))
      this.#tell({
        kind: 'line',
        line: { run, at, level, step, text: this.#redact.text(text), fields: kept },
      })
    }
    this.#log.line(...given)
  }

  attachment(...given: Parameters<MessageLog['attachment']>): void {
    if (this.#listeners.length > 0) {
      const [run, at, step, name, content, contentType] = given
      const attachment = {
        at,
        step,
        name: this.#redact.text(name),
        contentType: this.#redact.text(contentType),
        size: Buffer.byteLength(content),
      }
      this.#tell({ kind: 'attachment', run, attachment })
    }
    this.#log.attachment(...given)
  }

  snapshot(...given: Parameters<MessageLog['snapshot']>): void {
    this.#log.snapshot(...given)
  }

  flush(): Promise<void> {
    return this.#log.flush()
  }

  get backlog(): number {
    return this.#log.backlog
  }

  get lost(): number {
    return this.#log.lost
  }

  get trouble(): string | undefined {
    return this.#log.trouble
  }

  #tell(event: RunEvent): void {
    for (const listener of this.#listeners)
      try {
        listener(event)
      } catch (error) {
        this.#fault(error)
      }
  }
}

function summaryOf(run: RunRecord, redact: Redacting): LiveSummary {
  const texts = redact.run(run)
  return {
    run: {
      id: run.id,
      flow: run.flow,
      trigger: run.trigger,
      status: run.status,
      startedAt: run.startedAt,
      duration: run.status === 'PROCESSING' ? undefined : run.duration,
      correlationId: texts.correlation ?? run.id,
      caller: texts.caller ?? undefined,
      calledBy: run.calledBy,
      failure: toFailure(texts.failure),
      credentials: run.credentials,
      hosts: texts.hosts?.split('\n') ?? [],
      progress: run.progress,
    },
    searchable: texts.searchable === null ? {} : (fromJson(texts.searchable) as Record<string, string>),
  }
}

function detailOf(run: RunRecord, version: DeployedVersion | undefined, redact: Redacting): RunDetail {
  const { run: summary, searchable } = summaryOf(run, redact)
  const packed: unknown[] = []
  appendTimings(packed, run.timings, run.omittedSteps)
  const { steps, omitted } = toSteps(packTimings(packed, 0, packed.length), version?.steps ?? [])
  const { progress } = run
  return {
    ...summary,
    duration: run.duration,
    progress: progress && {
      ...progress,
      kind: version?.steps.find(({ id }) => id === progress.step)?.kind ?? '',
    },
    version: run.version,
    file: version?.file,
    steps,
    omittedSteps: omitted,
    searchable,
    lines: [],
    attachments: [],
    snapshots: [],
    related: undefined,
  }
}
