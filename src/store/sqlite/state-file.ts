import type { StateOperation } from '../../core/stores.ts'
import { transaction, type Database, type Statement } from './database.ts'

/** ms that an operation waits for others to share its way to the disk, and how many share it at the most. */
const GROUP_WAIT = 1
const GROUP_SIZE = 200
/** ms: how far behind a tick the earlier ones of its timer are still known, so that none fires twice when the wall clock is set back. */
const KEPT_TICKS = 2 * 24 * 60 * 60 * 1000

interface Waiting {
  readonly operations: readonly StateOperation[]
  readonly done: (granted: boolean) => void
  readonly failed: (error: unknown) => void
}

/** Operations on `state.db`: many of them share one transaction, and so one wait for the disk. */
export class StateFile {
  private readonly database: Database
  private readonly addTick: Statement
  private readonly forgetTicks: Statement
  private readonly lastTick: Statement
  private waiting: Waiting[] = []
  private timer: NodeJS.Timeout | undefined

  constructor(database: Database) {
    this.database = database
    this.addTick = database.prepare(
      'INSERT INTO ticks (timer, scheduled) VALUES (?, ?) ON CONFLICT DO NOTHING',
    )
    this.forgetTicks = database.prepare('DELETE FROM ticks WHERE timer = ? AND scheduled < ?')
    this.lastTick = database.prepare('SELECT max(scheduled) AS last FROM ticks WHERE timer = ?')
  }

  /** `done` or `failed` is called once it is on disk, or is not. */
  atomically(
    operations: readonly StateOperation[],
    done: (granted: boolean) => void,
    failed: (error: unknown) => void,
  ): void {
    this.waiting.push({ operations, done, failed })
    if (this.waiting.length >= GROUP_SIZE) this.commit()
    else this.timer ??= setTimeout(() => this.commit(), GROUP_WAIT)
  }

  lastFire(timer: string): number | undefined {
    const last = this.lastTick.get(timer)!['last']
    return last === null ? undefined : Number(last)
  }

  /** Writes what waits. */
  commit(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    const group = this.waiting
    if (group.length === 0) return
    this.waiting = []
    try {
      const granted = transaction(this.database, () => group.map(({ operations }) => this.apply(operations)))
      group.forEach(({ done }, i) => done(granted[i]!))
    } catch (error) {
      for (const { failed } of group) failed(error)
    }
  }

  private apply(operations: readonly StateOperation[]): boolean {
    this.database.exec('SAVEPOINT request')
    const granted = operations.every((operation) => this.applyOne(operation))
    if (!granted) this.database.exec('ROLLBACK TO request')
    this.database.exec('RELEASE request')
    return granted
  }

  /** `fire` is the only kind so far. */
  private applyOne({ timer, scheduledAt }: StateOperation): boolean {
    if (this.addTick.run(timer, scheduledAt).changes === 0) return false
    this.forgetTicks.run(timer, scheduledAt - KEPT_TICKS)
    return true
  }
}
