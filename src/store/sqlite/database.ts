import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname, isAbsolute, relative } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { StoreError } from '../store-error.ts'

/** The only file that knows `node:sqlite`. */
export type Database = DatabaseSync
export type Statement = StatementSync

/** By version of older tables: what makes them look like the newest ones. */
export type Views = Readonly<Record<number, string>>

export interface DatabaseSetting {
  /** ms to wait for a lock. */
  readonly timeout: number
  /** Set before anything is read. */
  readonly pragmas: readonly string[]
  /** One script a version; `PRAGMA user_version` says how many have run. */
  readonly migrations: readonly string[]
}

/**
 * Opens a file for writing, made with mode 0600 when it is not there, and brings its tables up to date.
 * @throws StoreError `store.*`; `store.in-use` when another process holds its lock
 */
export function openDatabase(file: string, setting: DatabaseSetting): Database {
  let database: Database | undefined
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    closeSync(openSync(file, 'a', 0o600))
    database = new DatabaseSync(file, { timeout: setting.timeout })
    for (const pragma of setting.pragmas) database.exec(`PRAGMA ${pragma}`)
    migrate(database, file, setting.migrations)
    return database
  } catch (error) {
    database?.close()
    throw toStoreError(error, file)
  }
}

/**
 * Opens a file that another process may be writing. Undefined: there is none yet.
 * @throws StoreError `store.damaged`, `store.newer`, `store.unwritable`
 */
export function openForReading(file: string, newest: number, views: Views): Database | undefined {
  if (!existsSync(file)) return undefined
  let database: Database | undefined
  try {
    database = new DatabaseSync(file, { readOnly: true, timeout: 2000 })
    if (readAs(database, file, newest, views)) return database
    database.close()
    return undefined
  } catch (error) {
    database?.close()
    if (errcode(error) === CANTOPEN && !existsSync(`${file}-wal`))
      return openUnchanging(file, newest, views, error)
    throw toStoreError(error, file)
  }
}

/** A folder without the right to write: SQLite reads the file when it is told that nobody changes it. */
function openUnchanging(file: string, newest: number, views: Views, first: unknown): Database {
  try {
    const database = new DatabaseSync(new URL(`${pathToFileURL(file).href}?immutable=1`), { readOnly: true })
    readAs(database, file, newest, views)
    return database
  } catch {
    throw toStoreError(first, file)
  }
}

/** False: there are no tables yet. */
function readAs(database: Database, file: string, newest: number, views: Views): boolean {
  const found = version(database, file, newest)
  const view = views[found]
  if (view !== undefined) database.exec(view)
  return found > 0
}

/** Runs `work` in a transaction of its own: all of it, or nothing. */
export function transaction<T>(database: Database, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

/** Reads with one view of the file, whatever is written meanwhile. */
export function snapshot<T>(database: Database, read: () => T): T {
  database.exec('BEGIN')
  try {
    return read()
  } finally {
    database.exec('COMMIT')
  }
}

function migrate(database: Database, file: string, migrations: readonly string[]): void {
  if (version(database, file, migrations.length) === migrations.length) return
  transaction(database, () => {
    const from = version(database, file, migrations.length)
    for (const script of migrations.slice(from)) database.exec(script)
    database.exec(`PRAGMA user_version = ${migrations.length}`)
  })
}

function version(database: Database, file: string, newest: number): number {
  const found = Number(database.prepare('PRAGMA user_version').get()!['user_version'])
  if (found > newest)
    throw new StoreError(
      'store.newer',
      `"${shown(file)}" was written by a newer Sluice (version ${found} of its tables; this Sluice knows ${newest})`,
      'Start the newer Sluice again, or choose another data folder.',
    )
  return found
}

const BUSY = 5
const LOCKED = 6
const NOMEM = 7
const READONLY = 8
const IOERR = 10
const CORRUPT = 11
const FULL = 13
const CANTOPEN = 14
const NOTADB = 26

const NO_RIGHT = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'EEXIST', 'ENOENT', 'ELOOP'])

/** The primary result code of SQLite, where it is an error of SQLite. @see https://www.sqlite.org/rescode.html */
function errcode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown }).errcode
  return typeof code === 'number' ? code & 0xff : undefined
}

/** Whether what was to be written or read is to blame, not the disk or the file. */
export function isOfTheRecord(error: unknown): boolean {
  const code = errcode(error)
  return (
    code === undefined ||
    ![BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB].includes(code)
  )
}

/** Any error of opening, reading or writing `file`, in words for people. */
export function toStoreError(error: unknown, file: string): StoreError {
  if (error instanceof StoreError) return error
  const name = shown(file)
  const text = error instanceof Error ? error.message : String(error)
  const system = (error as { code?: string }).code ?? ''
  const code = errcode(error)
  if (code === BUSY || code === LOCKED)
    return new StoreError('store.in-use', `"${name}" is locked by another process`)
  if (code === CORRUPT || code === NOTADB)
    return new StoreError(
      'store.damaged',
      `"${name}" is damaged or is no database (${text})`,
      `Move it away, together with ${name}-wal and ${name}-shm if they are there, and start again: a new one is made.`,
    )
  if (code === FULL || system === 'ENOSPC' || system === 'EDQUOT')
    return new StoreError(
      'store.full',
      `no room on the disk for "${name}"`,
      'Make room, or choose a data folder on another disk.',
    )
  if (code === READONLY || code === CANTOPEN || NO_RIGHT.has(system))
    return new StoreError(
      'store.unwritable',
      `"${name}" cannot be opened for reading and writing (${text})`,
      'Give the user that runs Sluice the right to write in the data folder, or choose another one (setting `data`, SLUICE_DATA).',
    )
  return new StoreError(
    'store.fault',
    `"${name}" could not be read or written (${text})`,
    'Look whether its disk works and has room.',
  )
}

/** A path as people know it: from the working folder on, where it is inside. */
export function shown(path: string): string {
  const near = relative(process.cwd(), path)
  return near === '' || near.startsWith('..') || isAbsolute(near) ? path : near
}
