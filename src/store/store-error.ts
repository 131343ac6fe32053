/**
 * What can be wrong with the data folder:
 * - `store.in-use`: another engine has it (exit code 3)
 * - `store.newer`: a newer Sluice wrote it
 * - `store.damaged`: a file in it is no longer readable as a database
 * - `store.unwritable`: the folder or a file in it cannot be made, read or written
 * - `store.full`: the disk has no room
 * - `store.fault`: anything else; also the state store after its thread ended
 */
export type StoreErrorCode =
  | 'store.in-use'
  | 'store.newer'
  | 'store.damaged'
  | 'store.unwritable'
  | 'store.full'
  | 'store.fault'

/** A store error as plain data: it crosses threads. */
export interface StoreTrouble {
  readonly code: StoreErrorCode
  readonly message: string
  readonly hint?: string
}

/** The data folder cannot be used. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode
  /** What to do about it. */
  readonly hint: string | undefined

  constructor(code: StoreErrorCode, message: string, hint?: string) {
    super(message)
    this.code = code
    this.hint = hint
  }

  static of(trouble: StoreTrouble): StoreError {
    return new StoreError(trouble.code, trouble.message, trouble.hint)
  }
}
