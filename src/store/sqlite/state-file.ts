import type { SealedToken, StateOperation } from '../../core/stores.ts'
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
  private readonly keepToken: Statement
  private readonly replaceToken: Statement
  private readonly dropToken: Statement
  private readonly tokensOf: Statement
  private readonly allTokens: Statement
  private waiting: Waiting[] = []
  private timer: NodeJS.Timeout | undefined

  constructor(database: Database) {
    this.database = database
    this.addTick = database.prepare(
      'INSERT INTO ticks (timer, scheduled) VALUES (?, ?) ON CONFLICT DO NOTHING',
    )
    this.forgetTicks = database.prepare('DELETE FROM ticks WHERE timer = ? AND scheduled < ?')
    this.lastTick = database.prepare('SELECT max(scheduled) AS last FROM ticks WHERE timer = ?')
    this.keepToken = database.prepare('INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?)')
    this.replaceToken = database.prepare(
      'UPDATE tokens SET origin = ?, at = ?, recipients = ?, sealed = ?, orphaned = ? WHERE credential = ? AND kind = ? AND sealed = ?',
    )
    this.dropToken = database.prepare('DELETE FROM tokens WHERE credential = ? AND kind = ?')
    this.tokensOf = database.prepare('SELECT * FROM tokens WHERE credential = ?')
    this.allTokens = database.prepare('SELECT * FROM tokens')
  }

  /** `done` or `failed` is called once it is on disk, or is not. */
  atomically(
    operations: readonly StateOperation[],
    done: (granted: boolean) => void,
    failed: (error: unknown) => void,
  ): void {
    this.waiting.push({ operations, done, failed })
    const urgent = operations.some(({ kind }) => kind === 'keep-token')
    if (urgent || this.waiting.length >= GROUP_SIZE) this.commit()
    else this.timer ??= setTimeout(() => this.commit(), GROUP_WAIT)
  }

  lastFire(timer: string): number | undefined {
    const last = this.lastTick.get(timer)!['last']
    return last === null ? undefined : Number(last)
  }

  tokens(credential: string | undefined): readonly SealedToken[] {
    const rows = credential === undefined ? this.allTokens.all() : this.tokensOf.all(credential)
    return rows.map((row) => ({
      credential: String(row['credential']),
      kind: row['kind'] as SealedToken['kind'],
      origin: String(row['origin']),
      at: Number(row['at']),
      recipients: String(row['recipients']),
      sealed: String(row['sealed']),
      orphanedAt: row['orphaned'] === null ? undefined : Number(row['orphaned']),
    }))
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

  private applyOne(operation: StateOperation): boolean {
    switch (operation.kind) {
      case 'fire':
        return this.fire(operation.timer, operation.scheduledAt)
      case 'keep-token': {
        const { credential, kind, origin, at, recipients, sealed, orphanedAt } = operation.token
        this.keepToken.run(credential, kind, origin, at, recipients, sealed, orphanedAt ?? null)
        return true
      }
      case 'replace-token': {
        const { credential, kind, origin, at, recipients, sealed, orphanedAt } = operation.token
        const orphaned = orphanedAt ?? null
        const { before } = operation
        const set = [origin, at, recipients, sealed, orphaned] as const
        return this.replaceToken.run(...set, credential, kind, before).changes === 1
      }
      case 'drop-token':
        this.dropToken.run(operation.credential, operation.token)
        return true
    }
  }

  private fire(timer: string, scheduledAt: number): boolean {
    if (this.addTick.run(timer, scheduledAt).changes === 0) return false
    this.forgetTicks.run(timer, scheduledAt - KEPT_TICKS)
    return true
  }
}
