import { RUN_COLUMNS, toSummary, type RelatedRuns, type Row, type RunLink, type RunSummary } from './rows.ts'
import type { Database } from './sqlite/database.ts'

/** Called runs that are named, and runs of one correlation id that are counted. */
const NAMED = 20
const COUNTED = 1000

/** The runs that belong to a run. */
export function relatedTo(database: Database, { id, calledBy, correlationId }: RunSummary): RelatedRuns {
  const caller =
    calledBy === undefined
      ? undefined
      : database.prepare(`SELECT ${RUN_COLUMNS} FROM runs WHERE id = ?`).get(calledBy)
  const called = database
    .prepare(
      `SELECT ${RUN_COLUMNS} FROM runs WHERE correlation = ? AND called_by = ?
       ORDER BY status <= 1, +runs.number LIMIT ${NAMED}`,
    )
    .all(correlationId, id)
  const count = database.prepare('SELECT count(*) AS runs FROM runs WHERE correlation = ? AND called_by = ?')
  const others = database.prepare(
    `SELECT count(*) AS runs FROM (SELECT 1 FROM runs WHERE (correlation = ? OR id = ?) AND +id <> ? LIMIT ${COUNTED})`,
  )
  return {
    caller: caller && toLink(caller),
    called: called.map(toLink),
    calledCount: called.length < NAMED ? called.length : Number(count.get(correlationId, id)!['runs']),
    correlated: Number(others.get(correlationId, correlationId, id)!['runs']),
  }
}

function toLink(row: Row): RunLink {
  const { id, flow, status, startedAt, duration } = toSummary(row)
  return { id, flow, status, startedAt, duration }
}
