import type { Level } from '../core/context.ts'
import type { RunFailure } from '../core/failure.ts'
import type { DeployedVersion, RunProgress, RunStatus } from '../core/stores.ts'
import { LEVELS, STATUSES } from './records.ts'
import type { Database } from './sqlite/database.ts'
import { unpackTimings, type StepOutcome } from './timings.ts'

export type Row = Record<string, null | number | bigint | string | Uint8Array>

/** A run as lists show it. */
export interface RunSummary {
  readonly id: string
  readonly flow: string
  readonly trigger: string
  readonly status: RunStatus
  /** Epoch ms. */
  readonly startedAt: number
  /** ms with fractions; unknown while it goes on and when the engine died. */
  readonly duration: number | undefined
  readonly correlationId: string
  readonly caller: string | undefined
  /** Id of the run that called it. */
  readonly calledBy: string | undefined
  readonly failure: RunFailure | undefined
  readonly credentials: readonly string[]
  readonly hosts: readonly string[]
  /** The last that is known of how far it came. */
  readonly progress: RunProgress | undefined
}

export interface RunDetail extends RunSummary {
  readonly progress: StepProgress | undefined
  readonly version: string
  readonly file: string | undefined
  /** In the order in which they ended. */
  readonly steps: readonly StepRecord[]
  /** Steps in the middle of a very long run whose timings are not kept. */
  readonly omittedSteps: number
  readonly searchable: Readonly<Record<string, string>>
  readonly lines: readonly LineRecord[]
  readonly attachments: readonly AttachmentInfo[]
  readonly snapshots: readonly SnapshotRecord[]
  /** Undefined where they were not looked up. */
  readonly related: RelatedRuns | undefined
}

/** Runs that belong together. */
export interface RelatedRuns {
  readonly caller: RunLink | undefined
  /** Those that it called: what did not end well first. */
  readonly called: readonly RunLink[]
  readonly calledCount: number
  /** Others of the same correlation id, callers and called ones too. */
  readonly correlated: number
}

export interface RunLink {
  readonly id: string
  readonly flow: string
  readonly status: RunStatus
  readonly startedAt: number
  readonly duration: number | undefined
}

export interface StepProgress extends RunProgress {
  /** Of the step; empty where its version is not known. */
  readonly kind: string
}

/** One step that ran, once. */
export interface StepRecord {
  /** Its number in the flow. */
  readonly index: number
  readonly id: string
  readonly kind: string
  readonly line: number | undefined
  /** Number of the step it stands in; -1 at the top. */
  readonly parent: number
  /** ms from the run's start. */
  readonly start: number
  /** ms */
  readonly duration: number
  readonly outcome: StepOutcome
}

export interface LineRecord {
  readonly run: string
  /** Epoch ms. */
  readonly at: number
  readonly level: Level
  readonly step: string
  readonly text: string
  readonly fields: unknown
}

export interface AttachmentInfo {
  readonly at: number
  readonly step: string
  readonly name: string
  readonly contentType: string
  /** Bytes. */
  readonly size: number
}

export interface SnapshotRecord {
  readonly at: number
  readonly step: string
  readonly level: string
  readonly headers: unknown
  readonly properties: unknown
  readonly body: string | undefined
  readonly contentType: string | undefined
}

export const RUN_COLUMNS =
  'runs.number, id, (SELECT name FROM flows WHERE flows.number = runs.flow) AS flow, trigger, status, started, duration, correlation, caller, failure, credentials, hosts, progress, called_by'
export const LINE_COLUMNS = 'lines.number, run, at, level, step, text, fields'

export function toSummary(row: Row): RunSummary {
  const id = String(row['id'])
  return {
    id,
    flow: String(row['flow']),
    trigger: String(row['trigger']),
    status: STATUSES[Number(row['status'])] ?? 'PROCESSING',
    startedAt: Number(row['started']),
    duration: row['duration'] === null ? undefined : Number(row['duration']) / 1000,
    correlationId: text(row['correlation']) ?? id,
    caller: text(row['caller']),
    calledBy: text(row['called_by']),
    failure: toFailure(row['failure']),
    credentials: list(row['credentials']),
    hosts: list(row['hosts']),
    progress: progress(row['progress']),
  }
}

/** Searchable headers of a run. */
export function searchableOf(database: Database, run: string): Record<string, string> {
  return Object.fromEntries(
    database
      .prepare('SELECT name, value FROM searchable WHERE run = ?')
      .all(run)
      .map((entry) => [String(entry['name']), String(entry['value'])]),
  )
}

export function toDescribed(steps: unknown): DeployedVersion['steps'] {
  return (fromJson(steps ?? '[]') ?? []) as DeployedVersion['steps']
}

export function toSteps(
  timings: Uint8Array | null,
  described: DeployedVersion['steps'],
): { readonly steps: readonly StepRecord[]; readonly omitted: number } {
  const unpacked = unpackTimings(timings)
  return {
    omitted: unpacked.omitted,
    steps: unpacked.timings.map(({ step, start, duration, outcome }) => ({
      index: step,
      id: described[step]?.id ?? `step ${step + 1}`,
      kind: described[step]?.kind ?? '',
      line: described[step]?.line,
      parent: described[step]?.parent ?? -1,
      start: start / 1000,
      duration: duration / 1000,
      outcome,
    })),
  }
}

export function toLine(row: Row): LineRecord {
  return {
    run: String(row['run']),
    at: Number(row['at']),
    level: LEVELS[Number(row['level'])] ?? 'info',
    step: String(row['step']),
    text: String(row['text']),
    fields: row['fields'] === null ? undefined : fromJson(row['fields']),
  }
}

export function toAttachment(row: Row): AttachmentInfo {
  return {
    at: Number(row['at']),
    step: String(row['step']),
    name: String(row['name']),
    contentType: String(row['type']),
    size: Number(row['size']),
  }
}

export function toSnapshot(row: Row): SnapshotRecord {
  return {
    at: Number(row['at']),
    step: String(row['step']),
    level: String(row['level']),
    headers: fromJson(row['headers']),
    properties: fromJson(row['properties']),
    body: text(row['body']),
    contentType: text(row['type']),
  }
}

function text(value: Row[string] | undefined): string | undefined {
  return value === null || value === undefined ? undefined : String(value)
}

function list(value: Row[string] | undefined): string[] {
  return value === null || value === undefined ? [] : String(value).split('\n')
}

export function toFailure(value: Row[string] | undefined): RunFailure | undefined {
  if (value === null || value === undefined) return undefined
  const parsed = fromJson(value)
  return typeof parsed === 'object' && parsed !== null
    ? (parsed as RunFailure)
    : { code: 'engine.fault', message: String(value) }
}

function progress(value: Row[string] | undefined): RunProgress | undefined {
  const parsed = value === null || value === undefined ? undefined : fromJson(value)
  return typeof parsed === 'object' && parsed !== null ? (parsed as RunProgress) : undefined
}

/** What redaction has taken out of the middle of a JSON text stays text. */
export function fromJson(value: unknown): unknown {
  try {
    return JSON.parse(String(value))
  } catch {
    return String(value)
  }
}
