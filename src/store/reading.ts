import { join } from 'node:path'
import type { RunStatus } from '../core/stores.ts'
import type { Clock } from '../core/world.ts'
import { Follower, type FollowSetting, type LogEvent } from './following.ts'
import { STATUSES } from './records.ts'
import {
  LINE_COLUMNS,
  RUN_COLUMNS,
  toAttachment,
  toDescribed,
  toLine,
  toSnapshot,
  toSteps,
  toSummary,
  type AttachmentInfo,
  type Row,
  type RunDetail,
  type RunSummary,
} from './rows.ts'
import { openForReading, type Database } from './sqlite/database.ts'
import { LOG_FILE } from './sqlite/data-folder.ts'
import { LOG_MIGRATIONS, LOG_VIEWS } from './sqlite/schema.ts'

export interface RunFilter {
  readonly flow?: string
  readonly status?: RunStatus
  /** Epoch ms, inclusive. */
  readonly since?: number
  /** Epoch ms, exclusive. */
  readonly until?: number
  /** In a log line or the failure, whatever the case of ASCII letters. */
  readonly text?: string
  readonly correlationId?: string
  /** Name and value of a searchable header. */
  readonly header?: readonly [name: string, value: string]
  readonly limit: number
  /** Id of a run: only those that started before it. */
  readonly before?: string
}

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
    const database = this.database()
    if (!database) return []
    const where: string[] = []
    const values: (string | number)[] = []
    const and = (condition: string, ...parameters: (string | number)[]): void => {
      where.push(condition)
      values.push(...parameters)
    }
    if (filter.flow !== undefined) and('runs.flow = (SELECT number FROM flows WHERE name = ?)', filter.flow)
    if (filter.status === 'COMPLETED') and('status = 1')
    else if (filter.status !== undefined) and('status = ? AND status <> 1', STATUSES.indexOf(filter.status))
    if (filter.since !== undefined) and('started >= ?', filter.since)
    if (filter.until !== undefined) and('started < ?', filter.until)
    if (filter.correlationId !== undefined)
      and('(correlation = ? OR id = ?)', filter.correlationId, filter.correlationId)
    if (filter.header !== undefined)
      and(
        'id IN (SELECT run FROM searchable WHERE name = ? AND value = ?)',
        filter.header[0].toLowerCase(),
        filter.header[1],
      )
    if (filter.text !== undefined) {
      const pattern = `%${filter.text.replace(/[\\%_]/g, '\\$&')}%`
      and(
        `(failure LIKE ? ESCAPE '\\' OR EXISTS (SELECT 1 FROM lines WHERE run = id AND text LIKE ? ESCAPE '\\'))`,
        pattern,
        pattern,
      )
    }
    if (filter.before !== undefined)
      and('(started, runs.number) < (SELECT started, number FROM runs WHERE id = ?)', filter.before)
    const condition = where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`
    return database
      .prepare(`SELECT ${RUN_COLUMNS} FROM runs ${condition} ORDER BY started DESC, runs.number DESC LIMIT ?`)
      .all(...values, filter.limit)
      .map(toSummary)
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
      searchable: Object.fromEntries(
        database
          .prepare('SELECT name, value FROM searchable WHERE run = ?')
          .all(id)
          .map((entry) => [String(entry['name']), String(entry['value'])]),
      ),
      lines: of(LINE_COLUMNS, 'lines').map(toLine),
      attachments: of('at, step, name, type, size', 'attachments').map(toAttachment),
      snapshots: of('at, step, level, headers, properties, body, type', 'snapshots').map(toSnapshot),
    }
  }

  /** The last one of this name. */
  attachment(run: string, name: string): AttachmentContent | undefined {
    const row = this.database()
      ?.prepare(
        `SELECT at, step, name, type, size, CAST(content AS BLOB) AS content FROM attachments
         WHERE run = ? AND name = ? ORDER BY number DESC LIMIT 1`,
      )
      .get(run, name)
    return row && { ...toAttachment(row), content: row['content'] as Uint8Array }
  }

  /** What happens from now on, until the signal: runs that begin, come further or end, and lines. Looks every 200 ms. */
  follow(setting: FollowSetting, clock: Clock, signal: AbortSignal): AsyncGenerator<LogEvent> {
    const source = {
      database: () => this.database(),
      runs: (filter: RunFilter) => this.runs(filter),
    }
    return new Follower(source, setting, clock).events(signal)
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
