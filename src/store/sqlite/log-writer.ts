import {
  ATTACHMENT,
  AUDITED,
  CLOSED,
  DEPLOYED,
  LINE,
  OPENED,
  PROGRESS,
  RUN_FIELDS,
  SNAPSHOT,
  type Records,
} from '../records.ts'
import { packTimings } from '../timings.ts'
import { isOfTheRecord, transaction, type Database, type Statement } from './database.ts'

type Field = string | number | null | Uint8Array
const HEAD = 2

/** Writes batches of records into `log.db`. */
export class LogWriter {
  private readonly database: Database
  private readonly statements: ReturnType<typeof prepareAll>
  /** Numbers of flows and of their versions, by `flow`, then `version`. */
  private known = new Map<string, Map<string, readonly [flow: number, version: number]>>()

  constructor(database: Database) {
    this.database = database
    this.statements = prepareAll(database)
  }

  /** What was open when the engine began is over, nobody knows how. Returns how many runs that were. */
  abandonOpen(): number {
    return Number(this.statements.abandon.run().changes)
  }

  /**
   * One transaction. Returns how many records no database would take.
   * @throws what SQLite says when the disk or the file is to blame; nothing of the batch is written then
   */
  write(records: Records): number {
    try {
      transaction(this.database, () => {
        for (let i = 0; i < records.length; i += HEAD + (records[i + 1] as number)) this.apply(records, i)
      })
      return 0
    } catch (error) {
      this.known = new Map()
      if (!isOfTheRecord(error)) throw error
    }
    return transaction(this.database, () => {
      let lost = 0
      for (let i = 0; i < records.length; i += HEAD + (records[i + 1] as number)) {
        this.database.exec('SAVEPOINT record')
        try {
          this.apply(records, i)
        } catch (error) {
          if (!isOfTheRecord(error)) throw error
          lost++
          this.known = new Map()
          this.database.exec('ROLLBACK TO record')
        }
        this.database.exec('RELEASE record')
      }
      return lost
    })
  }

  private apply(records: Records, at: number): void {
    const f = records as Field[]
    const i = at + HEAD
    const s = this.statements
    switch (records[at]) {
      case DEPLOYED: {
        const [flow] = this.numbers(f[i] as string, f[i + 1] as string)
        s.describe.run(f[i + 2]!, f[i + 3]!, flow, f[i + 1]!)
        return
      }
      case OPENED:
        this.run(s.open, f, i, null)
        return
      case CLOSED:
        this.run(s.close, f, i, packTimings(records, i + RUN_FIELDS, i + (records[at + 1] as number)))
        return
      case PROGRESS:
        s.progress.run(f[i + 1]!, f[i]!)
        return
      case LINE:
        s.line.run(f[i]!, f[i + 1]!, f[i + 2]!, f[i + 3]!, f[i + 4]!, f[i + 5]!)
        return
      case ATTACHMENT: {
        const content = f[i + 5] as string | Uint8Array
        const size = typeof content === 'string' ? Buffer.byteLength(content) : content.byteLength
        s.attachment.run(f[i]!, f[i + 1]!, f[i + 2]!, f[i + 3]!, f[i + 4]!, size, content)
        return
      }
      case SNAPSHOT:
        s.snapshot.run(f[i]!, f[i + 1]!, f[i + 2]!, f[i + 3]!, f[i + 4]!, f[i + 5]!, f[i + 6]!, f[i + 7]!)
        return
      case AUDITED:
        s.audit.run(f[i]!, f[i + 1]!, f[i + 2]!, f[i + 3]!, f[i + 4]!, f[i + 5]!, f[i + 6]!, f[i + 7]!)
    }
  }

  private run(statement: Statement, f: Field[], i: number, timings: Uint8Array | null): void {
    const id = f[i]!
    const [flow, version] = this.numbers(f[i + 1] as string, f[i + 2] as string)
    statement.run(
      id,
      flow,
      version,
      f[i + 3]!,
      f[i + 4]!,
      f[i + 5]!,
      f[i + 6]!,
      f[i + 7]!,
      f[i + 8]!,
      f[i + 9]!,
      f[i + 10]!,
      f[i + 11]!,
      timings,
      f[i + 13]!,
      f[i + 14]!,
    )
    const searchable = f[i + 12]
    if (typeof searchable === 'string') this.search(id, searchable)
  }

  private search(run: Field, searchable: string): void {
    this.statements.unsearch.run(run)
    for (const [name, value] of Object.entries(JSON.parse(searchable) as Record<string, string>))
      this.statements.search.run(run, name.toLowerCase(), value)
  }

  private numbers(flow: string, version: string): readonly [number, number] {
    const found = this.known.get(flow)?.get(version)
    if (found) return found
    const s = this.statements
    s.addFlow.run(flow)
    const flowNumber = Number(s.findFlow.get(flow)!['number'])
    s.addVersion.run(flowNumber, version)
    const numbers = [flowNumber, Number(s.findVersion.get(flowNumber, version)!['number'])] as const
    if (!this.known.has(flow)) this.known.set(flow, new Map())
    this.known.get(flow)!.set(version, numbers)
    return numbers
  }
}

const RUN_COLUMNS =
  'id, flow, version, status, trigger, started, duration, correlation, caller, failure, credentials, hosts, timings, progress, called_by'
const RUN_VALUES = '?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?'

function prepareAll(database: Database) {
  const prepare = (sql: string): Statement => database.prepare(sql)
  return {
    open: prepare(`INSERT INTO runs (${RUN_COLUMNS}) VALUES (${RUN_VALUES}) ON CONFLICT (id) DO NOTHING`),
    close: prepare(
      `INSERT INTO runs (${RUN_COLUMNS}) VALUES (${RUN_VALUES}) ON CONFLICT (id) DO UPDATE SET
        status = excluded.status, duration = excluded.duration, correlation = excluded.correlation,
        caller = excluded.caller, failure = excluded.failure, credentials = excluded.credentials,
        hosts = excluded.hosts, timings = excluded.timings, progress = excluded.progress`,
    ),
    progress: prepare('UPDATE runs SET progress = ? WHERE id = ? AND status = 0'),
    line: prepare('INSERT INTO lines (run, at, level, step, text, fields) VALUES (?, ?, ?, ?, ?, ?)'),
    attachment: prepare(
      'INSERT INTO attachments (run, at, step, name, type, size, content) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
    snapshot: prepare(
      'INSERT INTO snapshots (run, at, step, level, headers, properties, body, type) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    ),
    audit: prepare(
      'INSERT INTO audit (at, what, who, address, object, outcome, detail, count) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    ),
    search: prepare('INSERT INTO searchable (run, name, value) VALUES (?, ?, ?)'),
    unsearch: prepare('DELETE FROM searchable WHERE run = ?'),
    addFlow: prepare('INSERT INTO flows (name) VALUES (?) ON CONFLICT DO NOTHING'),
    findFlow: prepare('SELECT number FROM flows WHERE name = ?'),
    addVersion: prepare(
      "INSERT INTO versions (flow, version, steps) VALUES (?, ?, '[]') ON CONFLICT DO NOTHING",
    ),
    findVersion: prepare('SELECT number FROM versions WHERE flow = ? AND version = ?'),
    describe: prepare('UPDATE versions SET file = ?, steps = ? WHERE flow = ? AND version = ?'),
    abandon: prepare('UPDATE runs SET status = 6, duration = NULL WHERE status = 0 AND status <> 1'),
  }
}
