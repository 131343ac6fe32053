import { conditionsOf, type Conditions, type RunFilter } from './run-conditions.ts'
import { RUN_COLUMNS, toSummary, type Row, type RunSummary } from './rows.ts'
import type { Database } from './sqlite/database.ts'

/** A part of the log that was looked at, newest first. */
export interface Slice<Found> {
  readonly found: readonly Found[]
  /** Runs that were looked at, and epoch ms of the start of the last one; those of an index are not counted. */
  readonly looked: number
  readonly reached: number
}

/** Runs between two looks at whether somebody wants it to end. */
const SLICE = 50_000
const SLOW_SLICE = 5000

/** Where a slice ends, or the log. */
interface Edge {
  readonly started: number
  readonly number: number
}

/** The runs that fit, newest first, slice by slice, so that whoever asks can stop, and tell how far it is. */
export function* searchRuns(database: Database, filter: RunFilter): Generator<Slice<RunSummary>> {
  let left = filter.limit
  const rows = scan(database, filter, { columns: RUN_COLUMNS }, () => left)
  for (const { found, ...slice } of rows) {
    left -= found.length
    yield { ...slice, found: found.map(toSummary) }
    if (left <= 0) return
  }
}

/** What is read of the runs that fit; a group of them is one row. */
export interface Reading {
  readonly columns: string
  readonly groupBy?: string
}

/** Rows of all runs that fit, slice by slice. */
export function* scan(
  database: Database,
  filter: RunFilter,
  { columns, groupBy }: Reading,
  limit: () => number,
): Generator<Slice<Row>> {
  const conditions = conditionsOf(database, filter)
  const first = firstEdge(database, filter)
  if (!conditions || !first) return
  const select = `SELECT ${columns} FROM runs WHERE`
  if (conditions.few) {
    const tail = groupBy === undefined ? 'ORDER BY +started DESC, +runs.number DESC' : `GROUP BY ${groupBy}`
    yield fewRuns(database, filter, select, tail, conditions, first, limit())
  } else {
    const tail = groupBy === undefined ? 'ORDER BY started DESC, runs.number DESC' : `GROUP BY ${groupBy}`
    yield* slices(database, filter, select, tail, conditions, first, limit)
  }
}

function fewRuns(
  database: Database,
  { since = 0 }: RunFilter,
  select: string,
  tail: string,
  { where, values }: Conditions,
  before: Edge,
  limit: number,
): Slice<Row> {
  const found = database
    .prepare(
      `${select} ${where.join(' AND ')} AND (+started, +runs.number) < (?, ?) AND +started >= ? ${tail} LIMIT ?`,
    )
    .all(...values, before.started, before.number, since, limit)
  return { found, looked: 0, reached: since }
}

function* slices(
  database: Database,
  { since = 0 }: RunFilter,
  select: string,
  tail: string,
  { where, values, slow }: Conditions,
  first: Edge,
  limit: () => number,
): Generator<Slice<Row>> {
  const size = slow ? SLOW_SLICE : SLICE
  const end = database.prepare(
    `SELECT started, number FROM runs WHERE started <= ? AND (started, number) < (?, ?) AND started >= ?
     ORDER BY started DESC, number DESC LIMIT 1 OFFSET ${size - 1}`,
  )
  const between = database.prepare(
    `${select} started <= ? AND started >= ? AND (started, runs.number) < (?, ?) AND (started, runs.number) >= (?, ?)
       ${where.map((condition) => `AND ${condition} `).join('')} ${tail} LIMIT ?`,
  )
  for (let edge = first; ;) {
    const { started, number } = edge
    const row = end.get(started, started, number, since)
    const next: Edge = row
      ? { started: Number(row['started']), number: Number(row['number']) }
      : { started: since, number: 0 }
    const times = [started, next.started, started, number, next.started, next.number]
    yield { found: between.all(...times, ...values, limit()), looked: row ? size : 0, reached: next.started }
    if (!row) return
    edge = next
  }
}

/** Before which the runs are; undefined: the one that they should come before is not there. */
function firstEdge(database: Database, { before, until }: RunFilter): Edge | undefined {
  const latest: Edge = { started: until ?? Number.MAX_SAFE_INTEGER, number: 0 }
  if (before === undefined) return latest
  const row = database.prepare('SELECT started, number FROM runs WHERE id = ?').get(before)
  if (!row) return undefined
  const edge = { started: Number(row['started']), number: Number(row['number']) }
  return edge.started < latest.started ? edge : latest
}
