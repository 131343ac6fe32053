import type { Level } from '../core/context.ts'
import type { DeployedVersion, RunProgress, RunRecord, RunStatus } from '../core/stores.ts'
import { appendTimings } from './timings.ts'

/** In the order of their numbers in `log.db`. Add to the end. */
export const STATUSES: readonly RunStatus[] = [
  'PROCESSING',
  'COMPLETED',
  'FAILED',
  'RETRY',
  'CANCELLED',
  'DISCARDED',
  'ABANDONED',
]
/** In the order of their numbers in `log.db`. */
export const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error']

const STATUS_NUMBERS = Object.fromEntries(STATUSES.map((status, i) => [status, i])) as Record<
  RunStatus,
  number
>
const LEVEL_NUMBERS = Object.fromEntries(LEVELS.map((level, i) => [level, i])) as Record<Level, number>

/** What a record is about; the first number of each. */
export const DEPLOYED = 0
export const OPENED = 1
export const CLOSED = 2
export const LINE = 3
export const ATTACHMENT = 4
export const SNAPSHOT = 5
export const PROGRESS = 6
export const AUDITED = 7

/**
 * Records on their way to the writing thread, one after the other in one flat array, which is what crosses
 * threads fastest: kind, number of fields, fields.
 */
export type Records = unknown[]

/** Fields of `OPENED` and `CLOSED` before the timings. */
export const RUN_FIELDS = 15

/** The texts of a run as they may be kept, redacted. */
export interface RunTexts {
  readonly correlation: string | null
  readonly caller: string | null
  readonly failure: string | null
  readonly hosts: string | null
  readonly searchable: string | null
}

export function pushVersion(records: Records, version: DeployedVersion): void {
  records.push(DEPLOYED, 4, version.flow, version.version, version.file, JSON.stringify(version.steps))
}

export function pushRun(records: Records, kind: number, run: RunRecord, texts: RunTexts): void {
  const at = records.length
  records.push(
    kind,
    0,
    run.id,
    run.flow,
    run.version,
    STATUS_NUMBERS[run.status],
    run.trigger,
    run.startedAt,
    kind === CLOSED ? Math.round(run.duration * 1000) : null,
    texts.correlation,
    texts.caller,
    texts.failure,
    lines(run.credentials),
    texts.hosts,
    texts.searchable,
    run.progress === undefined ? null : JSON.stringify(run.progress),
    run.calledBy ?? null,
  )
  if (kind === CLOSED) appendTimings(records, run.timings, run.omittedSteps)
  records[at + 1] = records.length - at - 2
}

export function pushProgress(records: Records, run: string, progress: RunProgress): void {
  records.push(PROGRESS, 2, run, JSON.stringify(progress))
}

export function pushLine(
  records: Records,
  run: string,
  at: number,
  level: Level,
  step: string,
  text: string,
  fields: string | null,
): void {
  records.push(LINE, 6, run, at, LEVEL_NUMBERS[level], step, text, fields)
}

export function pushAttachment(
  records: Records,
  run: string,
  at: number,
  step: string,
  name: string,
  contentType: string,
  content: string | Uint8Array,
): void {
  records.push(ATTACHMENT, 6, run, at, step, name, contentType, content)
}

export function pushSnapshot(
  records: Records,
  run: string,
  at: number,
  step: string,
  level: string,
  headers: string,
  properties: string,
  body: string | null,
  contentType: string | null,
): void {
  records.push(SNAPSHOT, 8, run, at, step, level, headers, properties, body, contentType)
}

/** @param texts as they may be kept: what, who, address, object, outcome, detail */
export function pushAudit(
  records: Records,
  at: number,
  texts: readonly (string | null)[],
  count: number,
): void {
  records.push(AUDITED, 8, at, ...texts, count)
}

/** A list of names as it is kept: a line each; null when empty. */
export function lines(names: readonly string[]): string | null {
  return names.length === 0 ? null : names.length === 1 ? names[0]! : names.join('\n')
}
