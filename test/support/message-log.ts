import type { MessageLog, RunProgress, RunRecord } from '../../src/core/stores.ts'

interface Entry {
  readonly run: string
  readonly step: string
}

/** A message log in memory: what was said, in order. */
export class MemoryLog implements MessageLog {
  readonly versions: unknown[] = []
  readonly opened: string[] = []
  readonly moved: (RunProgress & { run: string })[] = []
  readonly closed: RunRecord[] = []
  readonly lines: (Entry & { level: string; text: string; fields: unknown })[] = []
  readonly attachments: (Entry & { name: string; content: string | Uint8Array; contentType: string })[] = []
  readonly snapshots: (Entry & { level: string; snapshot: unknown })[] = []
  readonly backlog = 0
  readonly lost = 0
  trouble: string | undefined
  /** Opening records wait for this. */
  disk: Promise<void> = Promise.resolve()

  deployed(version: unknown): void {
    this.versions.push(version)
  }

  async open(run: RunRecord): Promise<void> {
    await this.disk
    this.opened.push(run.id)
  }

  progress(run: string, progress: RunProgress): void {
    this.moved.push({ run, ...progress })
  }

  close(run: RunRecord): void {
    this.closed.push({ ...run, timings: [...run.timings] })
  }

  line(run: string, _at: number, level: string, step: string, text: string, fields: unknown): void {
    this.lines.push({ run, step, level, text, fields })
  }

  attachment(
    run: string,
    _at: number,
    step: string,
    name: string,
    content: string | Uint8Array,
    contentType: string,
  ): void {
    this.attachments.push({ run, step, name, content, contentType })
  }

  snapshot(run: string, _at: number, step: string, level: string, snapshot: unknown): void {
    this.snapshots.push({ run, step, level, snapshot })
  }

  async flush(): Promise<void> {}

  /** The only run that ended, or a failure of the test. */
  get only(): RunRecord {
    if (this.closed.length !== 1) throw new Error(`${this.closed.length} runs ended, not 1`)
    return this.closed[0]!
  }
}
