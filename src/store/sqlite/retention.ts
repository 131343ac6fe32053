import { LASTING_EVENTS } from '../../core/audit.ts'
import { transaction, type Database } from './database.ts'
import type { RetentionLimits } from './protocol.ts'

/** Runs that one transaction deletes; few where the size decides, so that no more goes than must. */
const SLICE_BY_AGE = 200
const SLICE_BY_SIZE = 20
const LINES_A_SLICE = 2000
/** Pages (4 KB) that one slice gives back to the disk. */
const PAGES_A_SLICE = 256
/** Entries of the audit log that callers can cause as often as they like: so many are kept at the most. */
const MOST_PASSING = 100_000
const AUDIT_A_SLICE = 2000
const OF_RUNS = ['lines', 'attachments', 'snapshots', 'searchable'] as const

/** One step of deleting: how many runs it took, or undefined when there is nothing left to do. */
export type Slice = () => number | undefined

/**
 * Deletes, slice by slice, the runs that started before `before` (epoch ms) and the oldest ones while `log.db` holds more
 * than `bytes` beside the audit log. Runs that go on are left alone. Of the audit log, what is older than its own age, and
 * the oldest of the entries that do not last where there are too many.
 */
export function retention(
  database: Database,
  { before, bytes, auditBefore }: RetentionLimits,
  mostPassing = MOST_PASSING,
): Slice {
  const pragma = (name: string): number => Number(Object.values(database.prepare(`PRAGMA ${name}`).get()!)[0])
  const pageSize = pragma('page_size')
  const oldest = database.prepare(
    'SELECT number, id FROM runs WHERE started < ? AND status <> 0 ORDER BY started LIMIT ?',
  )
  const dropRun = database.prepare('DELETE FROM runs WHERE number = ?')
  const dropParts = OF_RUNS.map((table) => database.prepare(`DELETE FROM ${table} WHERE run = ?`))
  const dropOrphans = database.prepare(
    `DELETE FROM lines WHERE number IN (SELECT number FROM lines ORDER BY number LIMIT ${LINES_A_SLICE})
      AND at < ? AND NOT EXISTS (SELECT 1 FROM runs WHERE id = run)`,
  )

  const drop = (startedBefore: number, limit: number): number =>
    transaction(database, () => {
      const runs = oldest.all(startedBefore, limit)
      for (const run of runs) {
        for (const statement of dropParts) statement.run(run['id']!)
        dropRun.run(run['number']!)
      }
      return runs.length
    })

  const dropAudit = auditRetention(database, auditBefore, mostPassing)

  const sizeOfAudit = database.prepare(
    "SELECT coalesce(sum(pgsize), 0) AS size FROM dbstat('main', 1) WHERE name IN ('audit', 'audit_at')",
  )
  let ofAudit: number | undefined

  return () => {
    if (dropAudit()) return 0
    const byAge = drop(before, SLICE_BY_AGE)
    if (byAge > 0) return byAge
    if (dropOrphans.run(before).changes > 0) return 0
    const pages = pragma('page_count')
    if (pages * pageSize <= bytes) return undefined
    ofAudit ??= Number(sizeOfAudit.get()!['size'])
    const most = bytes + ofAudit
    if (pages * pageSize <= most) return undefined
    const free = pragma('freelist_count')
    if ((pages - free) * pageSize > most) {
      const bySize = drop(Number.MAX_SAFE_INTEGER, SLICE_BY_SIZE)
      if (bySize > 0) return bySize
    }
    if (free === 0) return undefined
    database.exec(`PRAGMA incremental_vacuum(${PAGES_A_SLICE})`)
    return pragma('freelist_count') < free ? 0 : undefined
  }
}

/** One step of deleting entries of the audit log; false: there is nothing left to do. */
function auditRetention(database: Database, before: number, mostPassing: number): () => boolean {
  const dropOld = database.prepare(
    `DELETE FROM audit WHERE number IN (SELECT number FROM audit WHERE at < ? ORDER BY at LIMIT ${AUDIT_A_SLICE})`,
  )
  const passes = `(outcome <> 'done' OR what NOT IN (${LASTING_EVENTS.map((what) => `'${what}'`).join(', ')}))`
  const count = database.prepare(`SELECT count(*) AS found FROM audit WHERE ${passes}`)
  const dropMost = database.prepare(
    `DELETE FROM audit WHERE number IN (SELECT number FROM audit WHERE ${passes} ORDER BY at LIMIT ?)`,
  )
  let tooMany: number | undefined
  return () => {
    if (dropOld.run(before).changes > 0) return true
    tooMany ??= Number(count.get()!['found']) - mostPassing
    if (tooMany <= 0) return false
    const dropped = Number(dropMost.run(Math.min(tooMany, AUDIT_A_SLICE)).changes)
    tooMany -= dropped
    return dropped > 0
  }
}
