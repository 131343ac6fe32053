import type { Static } from '@sinclair/typebox'
import type { Actor, AuditSelection } from '../../core/audit.ts'
import type { Control } from '../../core/control.ts'
import type { RunSelection } from '../../core/run-filter.ts'
import type { Client } from './schemas.ts'

/** Of a run, what operations look at; the rest is as its schema says. */
export interface ApiRun {
  readonly id: string
}

/** The same of an entry of the audit log. */
export interface ApiAuditEntry {
  readonly at: number
  readonly number: number
}

export type ApiClient = Static<typeof Client>

export interface RunSearch extends RunSelection {
  /** Epoch ms. */
  readonly since?: number
  readonly until?: number
  readonly limit: number
  /** Id of a run: only those that started before it. */
  readonly before?: string
}

/** What is changed about a client; secrets are only made on the command line. */
export type ClientChange =
  | { readonly kind: 'grant' | 'revoke'; readonly role: string }
  | { readonly kind: 'enable' | 'disable' | 'remove' }

/** The engine as the management API sees it. What rejects with `code` `store.*` is trouble with the disk. */
export interface ManagedEngine {
  readonly control: Pick<Control, 'status' | 'health' | 'flows' | 'credentials'>
  /** What is done through it is on record as done by this one. */
  onBehalfOf(actor: Actor): Control
  /** Newest first; `reached`: epoch ms back to which it was looked where the time was up before. */
  runs(search: RunSearch): Promise<{ readonly runs: readonly ApiRun[]; readonly reached: number | undefined }>
  /** Without its snapshots. */
  run(id: string): Promise<ApiRun | undefined>
  snapshots(run: string): Promise<readonly object[] | undefined>
  attachment(
    run: string,
    name: string,
  ): Promise<
    { readonly content: Uint8Array; readonly contentType: string; readonly name: string } | undefined
  >
  /** Newest first. */
  audit(search: AuditSelection): Promise<readonly ApiAuditEntry[]>
  clients(): readonly ApiClient[]
  /** As it is then, or was when it was removed; undefined: there is none. @throws ApiRefusal where its file cannot be changed */
  changeClient(name: string, change: ClientChange, actor: Actor): Promise<ApiClient | undefined>
}
