import { FILES, type Audit } from './core/audit.ts'
import type { ReloadReport } from './core/control.ts'
import type { CredentialChange, Outcome } from './security/credential-change.ts'

const EVENTS: {
  readonly [outcome in Outcome]?: 'credential.added' | 'credential.changed' | 'credential.removed'
} = {
  added: 'credential.added',
  changed: 'credential.changed',
  removed: 'credential.removed',
}

/** What somebody changed about credentials by their files or secrets. */
export function auditCredentials(changes: readonly CredentialChange[], audit: Audit): void {
  for (const { name, outcome } of changes) {
    const what = EVENTS[outcome]
    if (what) audit.record({ ...FILES, what, object: name, outcome: 'done' })
  }
}

/** Flows that took effect because their files changed; what changed nothing is no news. */
export function auditReload({ changed, added, removed }: ReloadReport, audit: Audit): void {
  const names = [...changed, ...added, ...removed]
  if (names.length === 0) return
  audit.record({ ...FILES, what: 'reload', outcome: 'done', detail: names.join(', ') })
}
