import type { SealedToken, StateOperation } from '../../core/stores.ts'
import type { Records } from '../records.ts'
import type { StoreTrouble } from '../store-error.ts'

/** How the store's thread is started. */
export interface ThreadSetting {
  readonly folder: string
  /** Runs found open belong to an engine that is gone; false when only the thread was started again. */
  readonly abandon: boolean
}

/** What is kept of `log.db`. */
export interface RetentionLimits {
  /** Epoch ms; runs that started before are deleted. */
  readonly before: number
  /** The oldest runs are deleted while the file holds more beside the audit log. */
  readonly bytes: number
  /** Epoch ms; entries of the audit log from before are deleted. */
  readonly auditBefore: number
}

/** What the engine's thread asks of the store's thread. Answered in order, state requests in groups. */
export type StoreRequest =
  | { readonly kind: 'write'; readonly batch: number; readonly records: Records }
  | {
      readonly kind: 'atomically'
      readonly request: number
      readonly operations: readonly StateOperation[]
    }
  | { readonly kind: 'last-fire'; readonly request: number; readonly timer: string }
  /** Of one credential, or of all. */
  | { readonly kind: 'tokens'; readonly request: number; readonly credential: string | undefined }
  | ({ readonly kind: 'retain' } & RetentionLimits)
  | { readonly kind: 'close' }

export type StoreAnswer = boolean | number | readonly SealedToken[] | undefined

export type StoreReport =
  | { readonly kind: 'ready'; readonly abandoned: number }
  | { readonly kind: 'refused'; readonly trouble: StoreTrouble }
  /** `lost`: records of the batch that no database would take. */
  | { readonly kind: 'written'; readonly batch: number; readonly lost: number }
  | { readonly kind: 'unwritten'; readonly batch: number; readonly trouble: StoreTrouble }
  | { readonly kind: 'answer'; readonly request: number; readonly value: StoreAnswer }
  | { readonly kind: 'failed'; readonly request: number; readonly trouble: StoreTrouble }
  | { readonly kind: 'retained'; readonly runs: number }
  | { readonly kind: 'retention-failed'; readonly trouble: StoreTrouble }
  | { readonly kind: 'closed' }
