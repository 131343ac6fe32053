import { sleep, type Clock } from '../core/world.ts'
import type { RunProgress, RunStatus } from '../core/stores.ts'
import { LINE_COLUMNS, RUN_COLUMNS, toLine, toSummary, type LineRecord, type RunSummary } from './rows.ts'
import { snapshot, type Database } from './sqlite/database.ts'

export interface FollowSetting {
  /** So many runs from before come first. */
  readonly earlier: number
  readonly flow?: string
  /** Only runs as they get this status, or come further in it, and no lines. */
  readonly status?: RunStatus
  /** Id of the only run to follow; it ends with that run. */
  readonly run?: string
}

/** `flow` of a line is unknown when its run has left no record. */
export type LogEvent =
  | { readonly kind: 'run'; readonly run: RunSummary }
  /** A run that goes on has come further; `at`: epoch ms when that was seen. */
  | { readonly kind: 'progress'; readonly at: number; readonly run: RunSummary }
  | { readonly kind: 'line'; readonly line: LineRecord; readonly flow: string | undefined }

/** What the follower reads from. */
export interface LogSource {
  /** Undefined: there is no log yet. */
  database(): Database | undefined
  runs(filter: { flow?: string; status?: RunStatus; limit: number }): RunSummary[]
}

/** ms between two looks, and for how long a line waits for the record of its run. */
const LOOK_EVERY = 200
const WAIT_FOR_RUN = 5000
/** ms that are between two events about the progress of one run, at least. */
const PROGRESS_EVERY = 2000
const RUNS_A_LOOK = 1000
const LINES_A_LOOK = 5000

/** A run that goes on, and what was last said of its progress, at these ticks. */
interface OpenRun {
  readonly flow: string
  readonly said: RunProgress | undefined
  readonly saidAt: number
}

/** Sees what another process writes into the message log. */
export class Follower {
  private readonly source: LogSource
  private readonly setting: FollowSetting
  private readonly clock: Clock
  private begun = false
  /** Numbers up to which all has been seen. */
  private lastRun = 0
  private lastLine = 0
  private seenVersion: unknown
  private behind = false
  /** Whether a run has come further since its last event, which is too short ago for another one. */
  private held = false
  private readonly open = new Map<string, OpenRun>()
  /** Lines of runs that have no record yet, with the ticks at which they were seen. */
  private early: { readonly line: LineRecord; readonly seen: number }[] = []

  constructor(source: LogSource, setting: FollowSetting, clock: Clock) {
    this.source = source
    this.setting = setting
    this.clock = clock
  }

  async *events(signal: AbortSignal): AsyncGenerator<LogEvent> {
    const { run } = this.setting
    while (!signal.aborted) {
      const database = this.source.database()
      const events = database ? snapshot(database, () => this.look(database)) : []
      this.begun = true
      for (const event of events) if (this.wants(event)) yield event
      if (run !== undefined && !this.open.has(run)) return
      if (!this.behind) await sleep(this.clock, LOOK_EVERY, signal).catch(() => {})
    }
  }

  private look(database: Database): LogEvent[] {
    if (!this.begun) return this.begin(database)
    const version = database.prepare('PRAGMA data_version').get()!['data_version']
    if (version === this.seenVersion && this.early.length === 0 && !this.behind && !this.held) return []
    this.seenVersion = version
    const begun = this.newRuns(database)
    const { over, further } = this.openRuns(database)
    const ended = [...begun.filter(isOver), ...over]
    const events: LogEvent[] = begun.filter((run) => !isOver(run)).map((run) => ({ kind: 'run', run }))
    for (const run of begun) if (!isOver(run)) this.said(run)
    const ofEnded = new Map<string, LineRecord[]>(ended.map((run) => [run.id, []]))
    const lines = [...this.early, ...this.newLines(database)]
    this.early = []
    for (const { line, seen } of lines) {
      const own = ofEnded.get(line.run)
      const flow = this.open.get(line.run)?.flow ?? (own ? undefined : flowOf(database, line.run))
      if (own) own.push(line)
      else if (flow === undefined && this.clock.ticks() - seen < WAIT_FOR_RUN) this.early.push({ line, seen })
      else events.push({ kind: 'line', line, flow })
    }
    for (const run of further) events.push(this.progressed(run))
    for (const run of ended) {
      this.open.delete(run.id)
      for (const line of ofEnded.get(run.id)!) events.push({ kind: 'line', line, flow: run.flow })
      events.push({ kind: 'run', run })
    }
    return events
  }

  /** What a run that goes on has written already, and how far it is. */
  private soFar(database: Database, run: RunSummary): LogEvent[] {
    const { id, flow } = run
    const rows = database.prepare(`SELECT ${LINE_COLUMNS} FROM lines WHERE run = ? ORDER BY number`).all(id)
    const lines = rows.map((row): LogEvent => ({ kind: 'line', line: toLine(row), flow }))
    return run.progress === undefined ? lines : [...lines, this.progressed(run)]
  }

  /** The runs from before, and those that go on now. */
  private begin(database: Database): LogEvent[] {
    const { earlier, flow, status, run } = this.setting
    this.lastRun = lastNumber(database, 'runs')
    this.lastLine = lastNumber(database, 'lines')
    const going = database
      .prepare(`SELECT ${RUN_COLUMNS} FROM runs WHERE status = 0 AND status <> 1`)
      .all()
      .map(toSummary)
    for (const each of going) this.said(each)
    if (run !== undefined)
      return going.filter(({ id }) => id === run).flatMap((own) => this.soFar(database, own))
    if (earlier === 0) return []
    return this.source
      .runs({
        ...(flow === undefined ? {} : { flow }),
        ...(status === undefined ? {} : { status }),
        limit: earlier,
      })
      .toReversed()
      .map((run) => ({ kind: 'run', run }))
  }

  private newRuns(database: Database): RunSummary[] {
    const rows = database
      .prepare(
        `SELECT ${RUN_COLUMNS} FROM runs WHERE runs.number > ? ORDER BY runs.number LIMIT ${RUNS_A_LOOK}`,
      )
      .all(this.lastRun)
    this.behind = rows.length === RUNS_A_LOOK
    this.lastRun =
      rows.length > 0 ? Number(rows.at(-1)!['number']) : Math.min(this.lastRun, lastNumber(database, 'runs'))
    return rows.map(toSummary)
  }

  /** Of those that went on: the ones that are over, and the ones that have come further and may say so. */
  private openRuns(database: Database): { over: RunSummary[]; further: RunSummary[] } {
    const find = database.prepare(`SELECT ${RUN_COLUMNS} FROM runs WHERE id = ?`)
    const over: RunSummary[] = []
    const further: RunSummary[] = []
    this.held = false
    for (const [id, { said, saidAt }] of this.open) {
      const row = find.get(id)
      if (!row) {
        this.open.delete(id)
        continue
      }
      const run = toSummary(row)
      if (isOver(run)) over.push(run)
      else if (!hasMoved(said, run.progress)) continue
      else if (this.clock.ticks() - saidAt >= PROGRESS_EVERY) further.push(run)
      else this.held = true
    }
    return { over, further }
  }

  private progressed(run: RunSummary): LogEvent {
    this.said(run)
    return { kind: 'progress', at: this.clock.now(), run }
  }

  private said({ id, flow, progress }: RunSummary): void {
    this.open.set(id, { flow, said: progress, saidAt: this.clock.ticks() })
  }

  private newLines(database: Database): { line: LineRecord; seen: number }[] {
    const rows = database
      .prepare(`SELECT ${LINE_COLUMNS} FROM lines WHERE number > ? ORDER BY number LIMIT ${LINES_A_LOOK}`)
      .all(this.lastLine)
    this.behind ||= rows.length === LINES_A_LOOK
    this.lastLine =
      rows.length > 0
        ? Number(rows.at(-1)!['number'])
        : Math.min(this.lastLine, lastNumber(database, 'lines'))
    const seen = this.clock.ticks()
    return rows.map((row) => ({ line: toLine(row), seen }))
  }

  private wants(event: LogEvent): boolean {
    const { flow, status, run } = this.setting
    if (event.kind === 'line')
      return (
        status === undefined &&
        (flow === undefined || event.flow === flow) &&
        (run === undefined || event.line.run === run)
      )
    return (
      (status === undefined || event.run.status === status) &&
      (flow === undefined || event.run.flow === flow) &&
      (run === undefined || event.run.id === run)
    )
  }
}

function isOver(run: RunSummary): boolean {
  return run.status !== 'PROCESSING'
}

function hasMoved(before: RunProgress | undefined, now: RunProgress | undefined): boolean {
  return (
    now !== undefined &&
    (now.done !== before?.done || now.failed !== before.failed || now.step !== before.step)
  )
}

function flowOf(database: Database, run: string): string | undefined {
  const row = database.prepare(`SELECT ${RUN_COLUMNS} FROM runs WHERE id = ?`).get(run)
  return row && toSummary(row).flow
}

function lastNumber(database: Database, table: 'runs' | 'lines'): number {
  return Number(database.prepare(`SELECT max(number) AS last FROM ${table}`).get()!['last'] ?? 0)
}
