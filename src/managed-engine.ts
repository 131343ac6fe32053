import { onBehalfOf } from './control-audit.ts'
import type { ClientChanges } from './client-changes.ts'
import type { UnnamedControl } from './control.ts'
import type { Audit } from './core/audit.ts'
import type { ManagedEngine } from './server/api/managed-engine.ts'
import { ApiRefusal } from './server/api/operation.ts'
import { LogBusy, LogOverdue, type LogReading } from './store/log-reading.ts'

/** ms that one request may search the message log. */
const PATIENCE = 3000

export interface ManagedEngineSetting {
  readonly control: UnnamedControl
  readonly audit: Audit
  readonly log: LogReading
  /** Resolves when all that was recorded so far can be read. */
  readonly flush: () => Promise<void>
  readonly clients: ClientChanges
}

/** The engine as the management API sees it: what it does is on record, what it reads is read in another thread. */
export function managedEngine({ control, audit, log, flush, clients }: ManagedEngineSetting): ManagedEngine {
  const ask: LogReading['ask'] = async (kind, given) => {
    await flush()
    return await log.ask(kind, given).catch((error: unknown) => {
      if (error instanceof LogBusy)
        throw new ApiRefusal(
          503,
          'request.busy',
          'too many read the message log at once; try again in a second',
        )
      if (error instanceof LogOverdue) throw new ApiRefusal(503, 'request.slow', 'ask for less at once')
      throw error
    })
  }
  return {
    control,
    onBehalfOf: (actor) => onBehalfOf(actor, control, audit),
    runs: (filter) => ask('runs', { filter, patience: PATIENCE }),
    run: (id) => ask('run', { id }),
    snapshots: (id) => ask('snapshots', { id }),
    attachment: (run, name) => ask('attachment', { run, name }),
    audit: (search) => ask('audit', search),
    clients: () => clients.all(),
    changeClient: (name, change, actor) => clients.change(name, change, actor),
  }
}
