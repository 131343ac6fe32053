import type { AuditFilter, AuditRecord } from './audit-reading.ts'
import type { AttachmentContent } from './reading.ts'
import type { RunDetail, RunSummary, SnapshotRecord } from './rows.ts'
import type { RunFilter } from './run-conditions.ts'
import type { StoreTrouble } from './store-error.ts'

/** What may be asked of the thread that reads `log.db`, with what it answers. */
export interface LogQuestions {
  /** @see FoundRuns */
  readonly runs: {
    readonly given: { readonly filter: RunFilter; readonly patience: number }
    readonly found: FoundRuns
  }
  readonly run: {
    readonly given: { readonly id: string }
    readonly found: Omit<RunDetail, 'snapshots'> | undefined
  }
  readonly snapshots: {
    readonly given: { readonly id: string }
    readonly found: readonly SnapshotRecord[] | undefined
  }
  readonly attachment: {
    readonly given: { readonly run: string; readonly name: string }
    readonly found: AttachmentContent | undefined
  }
  readonly audit: { readonly given: AuditFilter; readonly found: readonly AuditRecord[] }
}

/** Runs, newest first. */
export interface FoundRuns {
  readonly runs: readonly RunSummary[]
  /** Epoch ms back to which it was looked when the time was up; undefined: all of it, or as many as were wanted. */
  readonly reached: number | undefined
}

export type Question = {
  [kind in keyof LogQuestions]: { readonly kind: kind; readonly given: LogQuestions[kind]['given'] }
}[keyof LogQuestions]

export interface AskedQuestion {
  readonly number: number
  readonly question: Question
}

export type ReadingReport =
  | { readonly number: number; readonly found: unknown }
  | { readonly number: number; readonly trouble: StoreTrouble }
  /** Nothing is wrong with the data folder, but with the question. */
  | { readonly number: number; readonly fault: string }
