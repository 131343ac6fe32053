/** What is on record of those who change something or get access. */
export const AUDIT_EVENTS = {
  'client.created': 'a client was made',
  'client.removed': 'a client was removed; its tokens ended',
  'client.changed':
    'something else of a client was changed: its id, its description, how long its tokens live',
  'client.enabled': 'a disabled client may call again',
  'client.disabled': 'a client may call no more',
  'role.granted': 'a client was given a role',
  'role.revoked': 'a role was taken from a client',
  'secret.rotated': 'a secret, an API key or a key of a client was added or taken away',
  'token.issued': 'a client got a token',
  'token.refused': 'the token service refused somebody',
  'token.revoked': 'a client ended a token',
  'key.rotated': 'a signing key was made: the first one, or the next',
  'credential.added': 'a credential was added',
  'credential.changed': 'a credential or its secret was changed',
  'credential.removed': 'a credential was removed',
  'credential.tested': 'a credential was tried by a person',
  'credential.invalidated': 'what was kept for a credential was forgotten',
  'credential.revoked': 'the token service was told that a token is no longer wanted',
  'destination.found': 'another program got a destination, with or without its token',
  'flow.run': 'a flow was run by a person',
  'flow.level': 'the log level of a flow was set',
  'run.cancelled': 'a run was cancelled by a person',
  reload: 'flows were read again',
  login: 'the link of `sluice dev` was used',
} as const

export type AuditEvent = keyof typeof AUDIT_EVENTS

/**
 * What stays in the audit log for its whole time once it was done. Everything else callers can cause as often as they
 * like, so that of it only the last entries are kept.
 */
export const LASTING_EVENTS: readonly AuditEvent[] = [
  'client.created',
  'client.removed',
  'client.changed',
  'client.enabled',
  'client.disabled',
  'role.granted',
  'role.revoked',
  'secret.rotated',
  'key.rotated',
  'credential.added',
  'credential.changed',
  'credential.removed',
]

/** Who does something, and from where. */
export interface Actor {
  /** `oauth_client_shop`, `local user (socket)`, `a file`. */
  readonly who: string
  readonly address?: string | undefined
}

/** Whoever changes a file of the project. */
export const FILES: Actor = { who: 'a file' }
/** Whoever may use the engine's socket. */
export const SOCKET: Actor = { who: 'local user (socket)' }
/** Whoever sits at the terminal in which the engine runs. */
export const TERMINAL: Actor = { who: 'local user (terminal)' }
/** Whoever sent the engine's process a signal. */
export const SIGNAL: Actor = { who: 'a signal' }
/** Nobody asked for it. */
export const ENGINE: Actor = { who: 'the engine' }

export interface AuditEntry extends Actor {
  readonly what: AuditEvent
  /** Name of the client, flow, credential or run. */
  readonly object?: string | undefined
  readonly outcome: 'done' | 'refused' | 'failed'
  /** A few words. */
  readonly detail?: string | undefined
}

/** Which entries are wanted; one fits one of each kind that is given. */
export interface AuditSelection {
  /** Epoch ms, inclusive. */
  readonly since?: number
  /** Epoch ms, exclusive. */
  readonly until?: number
  /** Names; `*` stands for any text. */
  readonly who?: readonly string[]
  readonly what?: readonly string[]
  readonly object?: readonly string[]
  readonly outcome?: readonly string[]
  readonly limit: number
  /** Those recorded before this one. */
  readonly before?: { readonly at: number; readonly number: number }
}

/** The record of who did what. Never waits and never throws. */
export interface Audit {
  record(entry: AuditEntry): void
  /**
   * Of what callers can cause as often as they like: the first of a kind in a minute is recorded at once, further ones
   * are counted and recorded together.
   */
  count(entry: AuditEntry): void
}

/** Nothing is recorded: nothing is served either. */
export const NO_AUDIT: Audit = { record() {}, count() {} }
