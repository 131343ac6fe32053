import type { Actor, Audit, AuditEntry } from './core/audit.ts'
import type { UnnamedControl } from './control.ts'
import { whyStopped, type Control, type CredentialInvalidation } from './core/control.ts'

/** The same control for one who uses it: what it changes or starts goes into the audit log. */
export function onBehalfOf(actor: Actor, control: UnnamedControl, audit: Audit): Control {
  const tell = (entry: Omit<AuditEntry, 'who' | 'address'>) => audit.record({ ...actor, ...entry })

  /** Tells how it ended, also where it failed or there was no such thing. */
  async function told<Result>(
    entry: Pick<AuditEntry, 'what' | 'object'>,
    work: () => Promise<Result>,
    end: (result: NonNullable<Result>) => Pick<AuditEntry, 'outcome' | 'detail'>,
    none: () => Pick<AuditEntry, 'outcome' | 'detail'> = () => NO_SUCH_THING,
  ): Promise<Result> {
    try {
      const result = await work()
      tell({ ...entry, ...(result == null ? none() : end(result)) })
      return result
    } catch (error) {
      tell({ ...entry, outcome: 'failed', detail: (error as Error).message })
      throw error
    }
  }

  return {
    ...control,
    setLevel(flow, request) {
      const result = control.setLevel(flow, request)
      const { level, duration } = request
      tell({
        what: 'flow.level',
        object: flow,
        ...(result
          ? { outcome: 'done', detail: level === undefined ? 'its own' : `${level} for ${duration / 1000} s` }
          : NO_SUCH_THING),
      })
      return result
    },
    reload: () =>
      told(
        { what: 'reload' },
        () => control.reload(),
        ({ changed, added, removed, broken }) => ({
          outcome: broken.length > 0 ? 'failed' : 'done',
          detail: `${changed.length} changed, ${added.length} added, ${removed.length} removed, ${broken.length} broken`,
        }),
      ),
    run: (flow, request, signal) =>
      told(
        { what: 'flow.run', object: flow },
        () => control.run(flow, request, signal),
        ({ id, status }) => ({
          outcome: status === 'COMPLETED' ? 'done' : 'failed',
          detail: id === undefined ? 'it was not let in' : `run ${id}`,
        }),
        () => ({ outcome: 'failed', detail: whyStopped(flow, control.flows()) ?? NO_SUCH_THING.detail }),
      ),
    announceClientChange(client) {
      control.announceClientChange(client, actor)
      return { client }
    },
    withdrawClientChange(client) {
      control.withdrawClientChange(client, actor)
      return { client }
    },
    cancelRun(id) {
      const result = control.cancelRun(id)
      tell({
        what: 'run.cancelled',
        object: id,
        ...(result ? { outcome: 'done', detail: `flow ${result.flow}` } : NO_SUCH_THING),
      })
      return result
    },
    testCredential: (name, request, signal) =>
      told(
        { what: 'credential.tested', object: name },
        () => control.testCredential(name, request, signal),
        ({ ok }) => ({ outcome: ok ? 'done' : 'failed', detail: undefined }),
      ),
    invalidateCredential(name) {
      const result = control.invalidateCredential(name)
      tell({
        what: 'credential.invalidated',
        object: name,
        ...(result ? { outcome: 'done' } : NO_SUCH_THING),
      })
      return result
    },
    revokeCredential: (name) =>
      told(
        { what: 'credential.revoked', object: name },
        () => control.revokeCredential(name),
        ({ revocation }) => revocationTold(revocation),
      ),
  }
}

function revocationTold(
  revocation: CredentialInvalidation['revocation'],
): Pick<AuditEntry, 'outcome' | 'detail'> {
  switch (revocation?.outcome) {
    case 'failed':
      return { outcome: 'failed', detail: revocation.reason }
    case 'impossible':
      return { outcome: 'failed', detail: 'the credential does not say where' }
    case 'nothing':
      return { outcome: 'done', detail: 'there was no token' }
    default:
      return { outcome: 'done' }
  }
}

const NO_SUCH_THING = { outcome: 'failed', detail: 'there is no such thing' } as const
