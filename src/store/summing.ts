import type { RunStatus } from '../core/stores.ts'
import { STATUSES } from './records.ts'
import { CODE, type RunFilter } from './run-conditions.ts'
import { scan, type Reading, type Slice } from './searching.ts'
import type { Row } from './rows.ts'
import type { Database } from './sqlite/database.ts'

/** What became of many runs. */
export interface LogSummary {
  readonly runs: number
  /** Epoch ms of the start of the first and the last one. */
  readonly first: number | undefined
  readonly last: number | undefined
  /** Those with the most runs first. */
  readonly flows: readonly FlowSummary[]
  /** The most frequent ones first. */
  readonly failures: readonly FailureSummary[]
}

export interface FlowSummary {
  readonly flow: string
  readonly runs: number
  readonly statuses: Readonly<Partial<Record<RunStatus, number>>>
  /** ms, of the runs that have ended, to a percent; undefined where none has. */
  readonly median: number | undefined
  readonly p95: number | undefined
}

export interface FailureSummary {
  readonly code: string
  readonly runs: number
  /** The one with the most of them first. */
  readonly flows: readonly string[]
  /** The last run that failed so, and epoch ms of its start. */
  readonly run: string
  readonly last: number
}

export interface LogReach {
  /** Epoch ms of the start of the oldest run; undefined: there is none. */
  readonly oldest: number | undefined
  /** Bytes. */
  readonly size: number
}

/** Durations a percent apart are counted together: so many steps make a factor of e. */
const STEPS = 100

class FlowCount {
  runs = 0
  readonly statuses: number[] = []
  readonly #durations = new Map<number, number>()
  #ended = 0

  take(runs: number, status: number, step: number | null): void {
    this.runs += runs
    this.statuses[status] = (this.statuses[status] ?? 0) + runs
    if (step === null) return
    this.#ended += runs
    this.#durations.set(step, (this.#durations.get(step) ?? 0) + runs)
  }

  /** ms below which this share of the durations is. */
  quantile(share: number): number | undefined {
    if (this.#ended === 0) return undefined
    let left = Math.ceil(this.#ended * share)
    for (const [step, count] of [...this.#durations].sort(([a], [b]) => a - b)) {
      left -= count
      if (left <= 0) return (Math.exp(step / STEPS) - 1) / 1000
    }
    return undefined
  }
}

interface CodeCount {
  runs: number
  readonly flows: Map<number, number>
  /** Start and id of the last run, in one text of which the greatest is the last. */
  last: string
}

/** Digits of the start in `last`. */
const DIGITS = 15
const READING: Reading = {
  columns: `+runs.flow AS flow, status, ${CODE} AS code, CAST(ln(duration + 1) * ${STEPS} + 0.5 AS INT) AS step,
    count(*) AS runs, min(started) AS first, max(started) AS last,
    max(CASE WHEN failure IS NOT NULL THEN printf('%0${DIGITS}d', started) || id END) AS failed`,
  groupBy: '1, 2, 3, 4',
}

/** A summary that is being made. */
export class Summing {
  readonly #database: Database | undefined
  readonly #filter: Omit<RunFilter, 'limit'>
  readonly #flows = new Map<number, FlowCount>()
  readonly #codes = new Map<string, CodeCount>()
  #runs = 0
  #first: number | undefined
  #last: number | undefined

  constructor(database: Database | undefined, filter: Omit<RunFilter, 'limit'>) {
    this.#database = database
    this.#filter = filter
  }

  *slices(): Generator<Slice<never>> {
    if (!this.#database) return
    for (const { found, ...slice } of scan(
      this.#database,
      { ...this.#filter, limit: -1 },
      READING,
      () => -1,
    )) {
      for (const row of found) this.#take(row)
      yield { ...slice, found: [] }
    }
  }

  get summary(): LogSummary {
    const names = new Map(
      this.#database
        ?.prepare('SELECT number, name FROM flows')
        .all()
        .map(({ number, name }) => [Number(number), String(name)]),
    )
    const nameOf = (flow: number): string => names.get(flow) ?? '?'
    return {
      runs: this.#runs,
      first: this.#first,
      last: this.#last,
      flows: [...this.#flows]
        .map(([flow, count]) => flowSummary(nameOf(flow), count))
        .sort((a, b) => b.runs - a.runs || (a.flow < b.flow ? -1 : 1)),
      failures: [...this.#codes]
        .map(([code, { runs, flows, last }]) => ({
          code,
          runs,
          flows: [...flows].sort(([, a], [, b]) => b - a).map(([flow]) => nameOf(flow)),
          run: last.slice(DIGITS),
          last: Number(last.slice(0, DIGITS)),
        }))
        .sort((a, b) => b.runs - a.runs || (a.code < b.code ? -1 : 1)),
    }
  }

  #take(row: Row): void {
    const flow = row['flow'] as number
    const runs = row['runs'] as number
    this.#runs += runs
    this.#first = Math.min(this.#first ?? Infinity, row['first'] as number)
    this.#last = Math.max(this.#last ?? 0, row['last'] as number)
    let count = this.#flows.get(flow)
    if (!count) this.#flows.set(flow, (count = new FlowCount()))
    count.take(runs, row['status'] as number, row['step'] as number | null)
    const failed = row['failed']
    if (typeof failed === 'string') this.#failed(String(row['code'] ?? 'engine.fault'), flow, runs, failed)
  }

  #failed(code: string, flow: number, runs: number, last: string): void {
    let count = this.#codes.get(code)
    if (!count) this.#codes.set(code, (count = { runs: 0, flows: new Map(), last }))
    count.runs += runs
    count.flows.set(flow, (count.flows.get(flow) ?? 0) + runs)
    if (last > count.last) count.last = last
  }
}

function flowSummary(flow: string, count: FlowCount): FlowSummary {
  return {
    flow,
    runs: count.runs,
    statuses: Object.fromEntries(
      STATUSES.map((status, i) => [status, count.statuses[i]] as const).filter(
        ([, runs]) => runs !== undefined,
      ),
    ),
    median: count.quantile(0.5),
    p95: count.quantile(0.95),
  }
}

export function reachOf(database: Database): LogReach {
  const pragma = (name: string): number => Number(Object.values(database.prepare(`PRAGMA ${name}`).get()!)[0])
  const oldest = database.prepare('SELECT min(started) AS oldest FROM runs').get()!['oldest']
  return {
    oldest: oldest === null || oldest === undefined ? undefined : Number(oldest),
    size: pragma('page_count') * pragma('page_size'),
  }
}
