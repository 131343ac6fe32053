import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StoreError } from '../store-error.ts'
import { openDatabase, shown, toStoreError, type Database } from './database.ts'
import { LOG_MIGRATIONS, STATE_MIGRATIONS } from './schema.ts'

export const LOG_FILE = 'log.db'
export const STATE_FILE = 'state.db'
/** Says who holds the lock on `state.db`; the lock itself is the database's, and ends with its process. */
const PID_FILE = 'engine.pid'

export interface DataFolder {
  readonly log: Database
  readonly state: Database
  close(): void
}

/**
 * Opens both files of a data folder, for this engine alone.
 * @throws StoreError `store.*`; `store.in-use` names the other engine's process
 */
export function openDataFolder(folder: string): DataFolder {
  const state = openState(folder)
  const pid = join(folder, PID_FILE)
  try {
    writeFileSync(`${pid}.new`, `${process.pid}\n`, { mode: 0o600 })
    renameSync(`${pid}.new`, pid)
    const log = openDatabase(join(folder, LOG_FILE), {
      timeout: 250,
      pragmas: [
        'auto_vacuum = INCREMENTAL',
        'journal_mode = WAL',
        'synchronous = NORMAL',
        'temp_store = MEMORY',
        'journal_size_limit = 16777216',
      ],
      migrations: LOG_MIGRATIONS,
    })
    const close = (): void => {
      log.close()
      rmSync(pid, { force: true })
      state.close()
    }
    return { log, state, close }
  } catch (error) {
    rmSync(pid, { force: true })
    state.close()
    throw toStoreError(error, pid)
  }
}

function openState(folder: string): Database {
  try {
    const state = openDatabase(join(folder, STATE_FILE), {
      timeout: 250,
      pragmas: [
        'locking_mode = EXCLUSIVE',
        'journal_mode = WAL',
        'synchronous = FULL',
        'temp_store = MEMORY',
      ],
      migrations: STATE_MIGRATIONS,
    })
    state.exec('BEGIN IMMEDIATE; COMMIT')
    return state
  } catch (error) {
    const problem = toStoreError(error, join(folder, STATE_FILE))
    throw problem.code === 'store.in-use' ? inUse(folder) : problem
  }
}

function inUse(folder: string): StoreError {
  let pid = ''
  try {
    pid = readFileSync(join(folder, PID_FILE), 'utf8').trim()
  } catch {}
  const who = /^\d+$/.test(pid) ? `another engine (pid ${pid})` : 'another engine'
  return new StoreError(
    'store.in-use',
    `${who} uses "${shown(folder)}"`,
    'Stop it first, or give this one a data folder of its own (setting `data`, SLUICE_DATA).',
  )
}
