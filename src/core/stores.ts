import type { Level } from './context.ts'
import type { RunFailure } from './failure.ts'
import type { LogLevel } from './flow.ts'
import type { Secret } from './secret.ts'

/** CPI's statuses of a message. */
export type RunStatus =
  | 'PROCESSING'
  | 'COMPLETED'
  | 'FAILED'
  | 'RETRY'
  | 'CANCELLED'
  | 'DISCARDED'
  | 'ABANDONED'

/** A version of a flow that was deployed: what the packed step timings of its runs refer to. */
export interface DeployedVersion {
  readonly flow: string
  readonly version: string
  readonly steps: readonly {
    readonly id: string
    readonly kind: string
    readonly line: number
    readonly parent: number
  }[]
  readonly file: string
}

/** A run as the engine keeps it; handed to the log as it is, twice at the most. */
export interface RunRecord {
  readonly id: string
  readonly flow: string
  readonly version: string
  readonly trigger: string
  readonly correlationId: string
  readonly caller: string | undefined
  /** Id of the run that called it. */
  readonly calledBy: string | undefined
  /** Epoch ms. */
  readonly startedAt: number
  /** ms with fractions. */
  readonly duration: number
  readonly status: RunStatus
  readonly failure: RunFailure | undefined
  /** Names; empty where none was used. */
  readonly credentials: readonly string[]
  readonly hosts: readonly string[]
  /** How far its longest step has come, where it tells. */
  readonly progress: RunProgress | undefined
  /** Values of the flow's `searchable` headers. */
  readonly searchable: Readonly<Record<string, string>> | undefined
  /** Four numbers a step that ran: index in the version's steps, start and duration (µs from the run's start), 0 done, 1 failed, 2 skipped, 3 ended the flow. */
  readonly timings: readonly number[]
  /** Steps in the middle of `timings` that were left out. */
  readonly omittedSteps: number
}

/** Items of a `forEach`. */
export interface RunProgress {
  /** Id of the step. */
  readonly step: string
  readonly done: number
  readonly failed: number
}

/** What `debug` and `trace` keep after each step. */
export interface Snapshot {
  readonly headers: Readonly<Record<string, string>>
  readonly properties: Readonly<Record<string, unknown>>
  /** At `trace`; capped. */
  readonly body?: string
  readonly contentType?: string
}

/**
 * The record of runs. Writing is handed to another thread in batches and never holds up a run; texts are redacted on
 * the way in. After a kill -9 at most the last 20 ms are missing. While the disk takes nothing, records are kept in
 * memory and tried again; what finds no room there is lost, with a warning.
 */
export interface MessageLog {
  deployed(version: DeployedVersion): void
  /** The run has begun. Resolves when that is on disk; also when the disk refused it for now, or it is lost. */
  open(run: RunRecord): Promise<void>
  /** The run, which is on record as open, has come further. */
  progress(run: string, progress: RunProgress): void
  close(run: RunRecord): void
  line(
    run: string,
    at: number,
    level: Level,
    step: string,
    text: string,
    fields: Readonly<Record<string, unknown>> | undefined,
  ): void
  attachment(
    run: string,
    at: number,
    step: string,
    name: string,
    content: string | Uint8Array,
    contentType: string,
  ): void
  snapshot(run: string, at: number, step: string, level: LogLevel, snapshot: Snapshot): void
  /** Resolves when all that was said before is on disk, or was refused by it for now, or is lost. */
  flush(): Promise<void>
  /** Records of runs (one as each begins, one as it ends) that are not on disk yet. */
  readonly backlog: number
  /** Records of any kind that will never be on disk. */
  readonly lost: number
  /** Why nothing is written at the moment, since when, for people; undefined while the disk takes what it is given. */
  readonly trouble: string | undefined
}

export type StateOperation =
  /** A guard: fails the whole group when this occurrence (epoch ms) was recorded before. */
  | { readonly kind: 'fire'; readonly timer: string; readonly scheduledAt: number }
  /** Takes the place of what is kept of the same credential and kind. It is written without waiting for others. */
  | { readonly kind: 'keep-token'; readonly token: SealedToken }
  /** A guard: only where the one that is kept is still this one (its encrypted text). */
  | { readonly kind: 'replace-token'; readonly before: string; readonly token: SealedToken }
  | { readonly kind: 'drop-token'; readonly credential: string; readonly token: SealedToken['kind'] }

/** What must survive a crash: timer ticks and tokens now; variables and queues later. */
export interface StateStore {
  /** All or nothing, on disk when it resolves; rejects when the disk refused it. False: a guard said no. */
  atomically(operations: readonly StateOperation[]): Promise<boolean>
  /** Epoch ms of the last recorded occurrence. */
  lastFire(timer: string): Promise<number | undefined>
  /** What is kept of this credential, or of all. */
  tokens(credential?: string): Promise<readonly SealedToken[]>
}

/** A token as a state store holds it: nothing of it can be read without the key. */
export interface SealedToken {
  /** With its tenant, where the credential has several. */
  readonly credential: string
  /** `asked`: there is no token; a request with the refresh token was sent, and no answer has come yet. */
  readonly kind: StoredKind | 'asked'
  /** Tells what the token goes back to, without giving it away. */
  readonly origin: string
  /** Epoch ms when the token came, or the request was sent. */
  readonly at: number
  /** Public parts of the keys that open it, a space between them. */
  readonly recipients: string
  /** An age file in base64. */
  readonly sealed: string
  /** Epoch ms when it was first seen that there is no such credential any more. */
  readonly orphanedAt: number | undefined
}

/**
 * Tokens that outlive the engine: refresh tokens that services gave in the place of those in credential files, and
 * access tokens of credentials for which a new token ends the one before.
 */
export type StoredKind = 'refresh' | 'access'

/** Where a token of a credential is kept. */
export interface TokenSlot {
  /** With its tenant, where it has several. */
  readonly credential: string
  readonly kind: StoredKind
  /** Tells what the token goes back to, without giving it away: one of another origin does not count. */
  readonly origin: string
}

export interface StoredToken {
  readonly content: Secret
  /** Epoch ms since when it is kept. */
  readonly at: number
}

/**
 * Keeps tokens beyond the end of the engine, encrypted. The one before may be dead as soon as a new one is handed out:
 * what is not kept is lost. One engine at a time works on a store.
 */
export interface StoredTokens {
  /**
   * The one that is kept, or undefined where there is none.
   * @throws Failure `credential.kept` when there is one that cannot be read, or nobody can tell
   */
  read(slot: TokenSlot): Promise<StoredToken | undefined>
  /**
   * A request with the refresh token is about to be sent: gets ready to keep what its answer brings.
   * @returns epoch ms of an earlier request that no answer followed, if there was one
   */
  asking(slot: TokenSlot): Promise<number | undefined>
  /** The answer is there, and brought no token to keep. */
  answered(slot: TokenSlot): Promise<void>
  /** From now on this one; it is on disk when it resolves. Takes the place of one of another origin, too. */
  keep(slot: TokenSlot, content: Secret): Promise<void>
  drop(slot: Pick<TokenSlot, 'credential' | 'kind'>): Promise<void>
  /** Does the work when nobody else works with the token: a service that gives a new one with each request takes each once. */
  inTurn<Result>(slot: Pick<TokenSlot, 'credential' | 'kind'>, work: () => Promise<Result>): Promise<Result>
}
