import type { AuditEntry, AuditSelection } from '../core/audit.ts'
import type { Row } from './rows.ts'
import { sqlGlob } from './run-conditions.ts'
import type { Database } from './sqlite/database.ts'

/** An entry of the audit log as it is kept. */
export interface AuditRecord extends Omit<AuditEntry, 'what'> {
  /** In the order in which they were recorded. */
  readonly number: number
  /** Epoch ms. */
  readonly at: number
  /** One of `AUDIT_EVENTS`, or of a newer Sluice. */
  readonly what: string
  /** So many within a minute are told by this entry. */
  readonly count: number
}

export interface AuditFilter extends AuditSelection {
  /** Number of an entry: those recorded after it. */
  readonly after?: number
}

/** The entries that fit, newest first. None where the log is of a Sluice that had no audit log. */
export function auditEntries(database: Database, filter: AuditFilter): AuditRecord[] {
  if (!hasAudit(database)) return []
  const where: string[] = []
  const values: (string | number)[] = []
  const and = (condition: string, ...given: readonly (string | number)[]): void => {
    where.push(condition)
    values.push(...given)
  }
  const { since, until, before, after, limit } = filter
  if (since !== undefined) and('at >= ?', since)
  if (until !== undefined) and('at < ?', until)
  if (before) and('(at, number) < (?, ?)', before.at, before.number)
  if (after !== undefined) and('number > ?', after)
  for (const column of ['who', 'what', 'object', 'outcome'] as const) {
    const globs = filter[column]
    if (globs) and(`(${globs.map(() => `${column} GLOB ?`).join(' OR ')})`, ...globs.map(sqlGlob))
  }
  return database
    .prepare(
      `SELECT number, at, what, who, address, object, outcome, detail, count FROM audit
       ${where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`} ORDER BY at DESC, number DESC LIMIT ?`,
    )
    .all(...values, limit)
    .map(toEntry)
}

/** Number of the newest entry; 0: there is none. */
export function newestAudit(database: Database): number {
  if (!hasAudit(database)) return 0
  return Number(database.prepare('SELECT max(number) AS newest FROM audit').get()?.['newest'] ?? 0)
}

function hasAudit(database: Database): boolean {
  return database.prepare("SELECT 1 FROM main.sqlite_master WHERE name = 'audit'").get() !== undefined
}

function toEntry(row: Row): AuditRecord {
  const optional = (column: 'address' | 'object' | 'detail') =>
    row[column] === null ? undefined : String(row[column])
  return {
    number: Number(row['number']),
    at: Number(row['at']),
    what: String(row['what']),
    who: String(row['who']),
    address: optional('address'),
    object: optional('object'),
    outcome: String(row['outcome']) as AuditRecord['outcome'],
    detail: optional('detail'),
    count: Number(row['count']),
  }
}
