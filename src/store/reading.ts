import { join } from 'node:path'
import type { Clock } from '../core/world.ts'
import { auditEntries, newestAudit, type AuditFilter, type AuditRecord } from './audit-reading.ts'
import { Follower, type FollowSetting, type LogEvent } from './following.ts'
import {
  LINE_COLUMNS,
  RUN_COLUMNS,
  searchableOf,
  toAttachment,
  toDescribed,
  toLine,
  toSnapshot,
  toSteps,
  toSummary,
  type AttachmentInfo,
  type Row,
  type RunDetail,
  type SnapshotRecord,
  type RunSummary,
} from './rows.ts'
import type { RunFilter } from './run-conditions.ts'
import { relatedTo } from './relating.ts'
import { searchRuns, type Slice } from './searching.ts'
import { reachOf, Summing, type LogReach } from './summing.ts'
import { openForReading, type Database } from './sqlite/database.ts'
import { LOG_FILE } from './sqlite/data-folder.ts'
import { LOG_MIGRATIONS, LOG_VIEWS } from './sqlite/schema.ts'

export interface AttachmentContent extends AttachmentInfo {
  readonly content: Uint8Array
}

/** Comes after every character of an id. */
const LAST = '\u{10ffff}'

/**
 * Reads the message log of a data folder, whether an engine is writing it or not. Where there is none yet, it is empty.
 * All methods fail with StoreError `store.damaged`, `store.newer` or `store.unwritable`.
 */
export class MessageLogReader {
  private readonly file: string
  private opened: Database | undefined

  constructor(folder: string) {
    this.file = join(folder, LOG_FILE)
  }

  /** Newest first. */
  runs(filter: RunFilter): RunSummary[] {
    return [...this.search(filter)].flatMap(({ found }) => found)
  }

  /** The same, slice by slice, so that whoever asks can tell how far it is, and stop. */
  *search(filter: RunFilter): Generator<Slice<RunSummary>> {
    const database = this.database()
    if (database) yield* searchRuns(database, filter)
  }

  /** Counts the runs that fit, slice by slice; `summary` is whole when the last slice has been taken. */
  summarize(filter: Omit<RunFilter, 'limit' | 'before'>): Summing {
    const database = this.database()
    return new Summing(database, filter)
  }

  /** How far back it goes, and how large it is. Undefined: it is empty. */
  reach(): LogReach | undefined {
    const database = this.database()
    return database && reachOf(database)
  }

  /** Names of the flows that have runs, or had. */
  flows(): string[] {
    const rows = this.database()?.prepare('SELECT name FROM flows ORDER BY name').all() ?? []
    return rows.map((row) => String(row['name']))
  }

  /** Ids of runs that are, begin or end with this text; ten at the most. */
  find(text: string): string[] {
    const database = this.database()
    if (!database || text === '') return []
    const exact = database.prepare('SELECT id FROM runs WHERE id = ?').get(text)
    if (exact) return [String(exact['id'])]
    return database
      .prepare(
        `SELECT id FROM runs WHERE id >= ? AND id < ?
         UNION SELECT id FROM runs WHERE substr(id, ?) = ? ORDER BY id DESC LIMIT 10`,
      )
      .all(text, text + LAST, -text.length, text)
      .map((row) => String(row['id']))
  }

  /** All that is known of one run. */
  run(id: string): RunDetail | undefined {
    const shown = this.runWithoutSnapshots(id)
    return shown && { ...shown, snapshots: this.snapshots(id)! }
  }

  /** What the levels debug and trace kept of a run. Undefined: there is no such run. */
  snapshots(id: string): readonly SnapshotRecord[] | undefined {
    const database = this.database()
    if (!database?.prepare('SELECT 1 FROM runs WHERE id = ?').get(id)) return undefined
    return database
      .prepare(
        'SELECT at, step, level, headers, properties, body, type FROM snapshots WHERE run = ? ORDER BY number',
      )
      .all(id)
      .map(toSnapshot)
  }

  /** The same as `run` without the payloads, which may be large. */
  runWithoutSnapshots(id: string): Omit<RunDetail, 'snapshots'> | undefined {
    const database = this.database()
    const row = database?.prepare(`SELECT ${RUN_COLUMNS}, version, timings FROM runs WHERE id = ?`).get(id)
    if (!database || !row) return undefined
    const version = database
      .prepare('SELECT version, file, steps FROM versions WHERE number = ?')
      .get(row['version']!)
    const of = (columns: string, table: string): Row[] =>
      database.prepare(`SELECT ${columns} FROM ${table} WHERE run = ? ORDER BY ${table}.number`).all(id)
    const described = toDescribed(version?.['steps'])
    const { steps, omitted } = toSteps(row['timings'] as Uint8Array | null, described)
    const summary = toSummary(row)
    const { progress } = summary
    return {
      ...summary,
      progress: progress && {
        ...progress,
        kind: described.find((step) => step.id === progress.step)?.kind ?? '',
      },
      version: String(version?.['version'] ?? ''),
      file: version?.['file'] == null ? undefined : String(version['file']),
      steps,
      omittedSteps: omitted,
      searchable: searchableOf(database, id),
      lines: of(LINE_COLUMNS, 'lines').map(toLine),
      attachments: of('at, step, name, type, size', 'attachments').map(toAttachment),
      related: relatedTo(database, summary),
    }
  }

  /** The first one of this name; `NAME#2` is the second one. */
  attachment(run: string, name: string): AttachmentContent | undefined {
    const database = this.database()
    const number = database && attachmentNumber(database, run, name)
    const row =
      number !== undefined &&
      database!
        .prepare(
          'SELECT at, step, name, type, size, CAST(content AS BLOB) AS content FROM attachments WHERE number = ?',
        )
        .get(number)
    return row ? { ...toAttachment(row), content: row['content'] as Uint8Array } : undefined
  }

  /** Entries of the audit log, newest first. */
  audit(filter: AuditFilter): AuditRecord[] {
    const database = this.database()
    return database ? auditEntries(database, filter) : []
  }

  /** Number of the newest entry of the audit log; 0: it is empty. */
  newestAudit(): number {
    const database = this.database()
    return database ? newestAudit(database) : 0
  }

  /** What happens from now on, until the signal: runs that begin, come further or end, and lines. Looks every 200 ms. */
  follow(setting: FollowSetting, clock: Clock, signal: AbortSignal): AsyncGenerator<LogEvent> {
    return this.follower(setting, clock).events(signal)
  }

  /** Sees what happens from its first `take` on. */
  follower(setting: FollowSetting, clock: Clock): Follower {
    const source = {
      database: () => this.database(),
      runs: (filter: RunFilter) => this.runs(filter),
    }
    return new Follower(source, setting, clock)
  }

  close(): void {
    this.opened?.close()
    this.opened = undefined
  }

  [Symbol.dispose](): void {
    this.close()
  }

  private database(): Database | undefined {
    return (this.opened ??= openForReading(this.file, LOG_MIGRATIONS.length, LOG_VIEWS))
  }
}

function attachmentNumber(database: Database, run: string, name: string): number | undefined {
  const numbers = (of: string): number[] =>
    database
      .prepare('SELECT number FROM attachments WHERE run = ? AND name = ? ORDER BY number')
      .all(run, of)
      .map((row) => Number(row['number']))
  const [exact] = numbers(name)
  const counted = /^(.+)#([1-9]\d{0,6})$/s.exec(name)
  return exact ?? (counted ? numbers(counted[1]!)[Number(counted[2]) - 1] : undefined)
}
