import { sleep, type Clock } from '../core/world.ts'
import { chooses, type FollowChoice, type LineHead, type RunSelection } from '../core/run-filter.ts'
import type { RunProgress } from '../core/stores.ts'
import {
  LINE_COLUMNS,
  RUN_COLUMNS,
  searchableOf,
  toLine,
  toSummary,
  type LineRecord,
  type RunSummary,
} from './rows.ts'
import type { RunFilter } from './run-conditions.ts'
import { snapshot, type Database } from './sqlite/database.ts'

export interface FollowSetting {
  /** So many runs from before come first. */
  readonly earlier: number
  /** Epoch ms: of those from before the ones that started then or later. */
  readonly since?: number
  readonly selection?: RunSelection
  /** Id of the only run to follow; it ends with that run. */
  readonly run?: string
}

/** `flow` and `correlationId` of a line are unknown when its run has left no record. */
export type LogEvent =
  | { readonly kind: 'run'; readonly run: RunSummary }
  /** A run that goes on has come further; `at`: epoch ms when that was seen. */
  | { readonly kind: 'progress'; readonly at: number; readonly run: RunSummary }
  | {
      readonly kind: 'line'
      readonly line: LineRecord
      readonly flow: string | undefined
      readonly correlationId: string | undefined
    }

export function lineEvent(line: LineRecord, head: LineHead | undefined): LogEvent {
  return { kind: 'line', line, flow: head?.flow, correlationId: head?.correlationId }
}

/** Whether an event is to be shown. */
export function isChosen(
  choice: FollowChoice,
  event: LogEvent,
  searchable: (run: string) => Readonly<Record<string, string>>,
): boolean {
  if (event.kind !== 'line') return choice.run({ ...event.run, searchable: searchable(event.run.id) })
  const { line, flow, correlationId } = event
  const known = flow !== undefined && correlationId !== undefined
  return choice.line(line.text, known ? { id: line.run, flow, correlationId } : undefined)
}

/** What the follower reads from. */
export interface LogSource {
  /** Undefined: there is no log yet. */
  database(): Database | undefined
  runs(filter: RunFilter): RunSummary[]
}

/** ms between two looks, and for how long a line waits for the record of its run. */
const LOOK_EVERY = 200
export const WAIT_FOR_RUN = 5000
/** ms that are between two events about the progress of one run, at least. */
export const PROGRESS_EVERY = 2000
const RUNS_A_LOOK = 1000
const LINES_A_LOOK = 5000

/** A run that goes on, and what was last said of its progress, at these ticks. */
interface OpenRun {
  readonly head: LineHead
  readonly said: RunProgress | undefined
  readonly saidAt: number
}

/** Sees what another process writes into the message log. */
export class Follower {
  private readonly source: LogSource
  private readonly setting: FollowSetting
  private readonly clock: Clock
  private readonly choice: FollowChoice
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
    this.choice = chooses(setting.selection ?? {})
  }

  /** What has happened since the last call; by the first one, what is shown from before. */
  take(): LogEvent[] {
    const database = this.source.database()
    const events = database ? snapshot(database, () => this.look(database)) : []
    this.begun = true
    return events.filter((event) => this.wants(event, database!))
  }

  /** The only run that is followed has ended. */
  get isOver(): boolean {
    const { run } = this.setting
    return run !== undefined && !this.open.has(run)
  }

  async *events(signal: AbortSignal): AsyncGenerator<LogEvent> {
    while (!signal.aborted) {
      yield* this.take()
      if (this.isOver) return
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
      const head = this.open.get(line.run)?.head ?? (own ? undefined : headOf(database, line.run))
      if (own) own.push(line)
      else if (head === undefined && this.clock.ticks() - seen < WAIT_FOR_RUN) this.early.push({ line, seen })
      else events.push(lineEvent(line, head))
    }
    for (const run of further) events.push(this.progressed(run))
    for (const run of ended) {
      this.open.delete(run.id)
      for (const line of ofEnded.get(run.id)!) events.push(lineEvent(line, run))
      events.push({ kind: 'run', run })
    }
    return events
  }

  /** What a run that goes on has written already, and how far it is. */
  private soFar(database: Database, run: RunSummary): LogEvent[] {
    const { id } = run
    const rows = database.prepare(`SELECT ${LINE_COLUMNS} FROM lines WHERE run = ? ORDER BY number`).all(id)
    const lines = rows.map((row) => lineEvent(toLine(row), run))
    return run.progress === undefined ? lines : [...lines, this.progressed(run)]
  }

  /** The runs from before, and those that go on now. */
  private begin(database: Database): LogEvent[] {
    const { earlier, since = 0, selection, run } = this.setting
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
      .runs({ ...selection, since, limit: earlier })
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

  private said({ id, flow, correlationId, progress }: RunSummary): void {
    this.open.set(id, { head: { id, flow, correlationId }, said: progress, saidAt: this.clock.ticks() })
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

  private wants(event: LogEvent, database: Database): boolean {
    const { run, selection } = this.setting
    if (run !== undefined && run !== (event.kind === 'line' ? event.line.run : event.run.id)) return false
    const searchable = (id: string) => (selection?.headers === undefined ? {} : searchableOf(database, id))
    return isChosen(this.choice, event, searchable)
  }
}

function isOver(run: RunSummary): boolean {
  return run.status !== 'PROCESSING'
}

export function hasMoved(before: RunProgress | undefined, now: RunProgress | undefined): boolean {
  return (
    now !== undefined &&
    (now.done !== before?.done || now.failed !== before.failed || now.step !== before.step)
  )
}

function headOf(database: Database, run: string): LineHead | undefined {
  const row = database.prepare(`SELECT ${RUN_COLUMNS} FROM runs WHERE id = ?`).get(run)
  return row && toSummary(row)
}

function lastNumber(database: Database, table: 'runs' | 'lines'): number {
  return Number(database.prepare(`SELECT max(number) AS last FROM ${table}`).get()!['last'] ?? 0)
}
