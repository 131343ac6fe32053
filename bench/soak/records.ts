import { copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { STATUSES } from '../../src/store/records.ts'
import type { Answered } from './callers.ts'

const FILES = ['log.db', 'log.db-wal', 'state.db', 'state.db-wal']
const OPEN = STATUSES.indexOf('PROCESSING')

export interface Found {
  readonly id: string
  readonly status: string
  readonly code: string | undefined
}

/** The message log as it is on disk. */
export class Records {
  private readonly database: DatabaseSync
  private readonly one: StatementSync

  constructor(folder: string, readOnly = true) {
    this.database = new DatabaseSync(join(folder, 'log.db'), { readOnly, timeout: 5000 })
    this.one = this.database.prepare('SELECT id, status, failure FROM runs WHERE id = ?')
  }

  run(id: string): Found | undefined {
    return found(this.one.get(id))
  }

  /** Correlation ids of all runs. */
  correlations(): Set<string> {
    const rows = this.database.prepare('SELECT correlation FROM runs WHERE correlation IS NOT NULL').all()
    return new Set(rows.map((row) => String(row['correlation'])))
  }

  /** Ids of the runs that are open and began before (epoch ms). */
  open(before = Number.MAX_SAFE_INTEGER): string[] {
    const rows = this.database
      .prepare('SELECT id FROM runs WHERE status = ? AND started < ?')
      .all(OPEN, before)
    return rows.map((row) => String(row['id']))
  }

  /** Runs by status. */
  totals(): Record<string, number> {
    const rows = this.database.prepare('SELECT status, count(*) AS runs FROM runs GROUP BY status').all()
    return Object.fromEntries(rows.map((row) => [STATUSES[Number(row['status'])]!, Number(row['runs'])]))
  }

  /** Runs of a flow by status. */
  totalsOf(flow: string): Record<string, number> {
    const rows = this.database
      .prepare(
        'SELECT status, count(*) AS runs FROM runs WHERE flow = (SELECT number FROM flows WHERE name = ?) GROUP BY status',
      )
      .all(flow)
    return Object.fromEntries(rows.map((row) => [STATUSES[Number(row['status'])]!, Number(row['runs'])]))
  }

  /** Runs that failed with this code. */
  failedWith(code: string): number {
    const row = this.database
      .prepare("SELECT count(*) AS runs FROM runs WHERE failure ->> '$.code' = ?")
      .get(code)
    return Number(row!['runs'])
  }

  close(): void {
    this.database.close()
  }
}

function found(row: Record<string, unknown> | undefined): Found | undefined {
  if (!row) return undefined
  const failure =
    row['failure'] === null ? undefined : (JSON.parse(String(row['failure'])) as { code: string })
  return { id: String(row['id']), status: STATUSES[Number(row['status'])]!, code: failure?.code }
}

/** What is wrong about the record of an answered run. */
export function missOf({ run, work, status, code }: Answered, records: Records): string | undefined {
  const record = records.run(run)
  if (!record) return `${work}: no record of ${run}, which was answered`
  if (record.status !== status) return `${work}: ${run} is ${record.status}, though its reply says ${status}`
  if (code !== undefined && record.code !== code)
    return `${work}: ${run} failed with ${record.code}, though its reply says ${code}`
  return undefined
}

/** Copies both databases as a killed engine left them, so that what looks at them changes nothing. */
export function copyDatabases(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const file of FILES) if (existsSync(join(from, file))) copyFileSync(join(from, file), join(to, file))
}

/** What SQLite finds wrong with the databases of a folder; undefined: nothing. */
export function damageIn(folder: string): string | undefined {
  for (const file of ['log.db', 'state.db']) {
    if (!existsSync(join(folder, file))) continue
    try {
      const database = new DatabaseSync(join(folder, file))
      const said = database
        .prepare('PRAGMA integrity_check')
        .all()
        .map((row) => String(row['integrity_check']))
      database.close()
      if (said.join() !== 'ok') return `${file}: ${said.slice(0, 3).join('; ')}`
    } catch (error) {
      return `${file}: ${String(error)}`
    }
  }
  return undefined
}
