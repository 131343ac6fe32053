import type { Failure } from './failure.ts'
import type { ParameterValue } from './flow.ts'

/** What started a run; expressions see it as `trigger`. */
export interface TriggerInfo {
  /** `endpoint`, `timer` or `manual`. */
  readonly kind: string
  /** Plain data: for an endpoint `method, path, params, query, headers, caller`; for a timer `scheduledAt, firedAt`. May be computed when first asked for. */
  readonly data: Readonly<Record<string, unknown>>
}

/** Something that may be called off: a run, or one request of it. */
export interface Cancellation {
  /** Monotonic ms (`clock.ticks()`) after which nothing is waited for. */
  readonly deadline: number
  /** Why it was called off; undefined while it goes on. */
  readonly cancelled: Failure | undefined
  /** Calls `action` when it is called off (not when the deadline passes). Returns how to take that back. */
  onCancel(action: (reason: Failure) => void): () => void
}

export interface RunInfo {
  readonly id: string
  readonly flow: string
  readonly correlationId: string
  /** 1-based. */
  readonly attempt: number
  /** Epoch ms. */
  readonly startedAt: number
  /** The caller's `traceparent`, or one made for this run. Made when first asked for. */
  readonly traceparent: string
}

export type Level = 'debug' | 'info' | 'warn' | 'error'

/** One line of work in a run. Items and branches get a `fork()`. */
export interface Context extends Cancellation {
  readonly run: RunInfo
  readonly trigger: TriggerInfo
  readonly parameters: Readonly<Record<string, ParameterValue>>
  /** Id of the step that runs now. */
  readonly step: string
  /** In `forEach`. */
  readonly item: unknown
  readonly index: number | undefined
  /** In `catch` and `onError`. */
  readonly error: Failure | undefined
  /** Aborts when the run is called off. Made on demand; prefer `onCancel` where many messages pass. */
  signal(): AbortSignal
  /** Writes a line to the message log. */
  log(level: Level, text: string, fields?: Readonly<Record<string, unknown>>): void
  /** Keeps a payload in the message log. */
  attach(name: string, content: string | Uint8Array, contentType: string): void
  /** Notes in the run's record which credential and receiver were used. */
  used(credential: string | undefined, host: string): void
  /** Tells how far a long step has come. Shown while the run goes on. */
  progress(done: number, failed: number): void
  /** A context of its own for an item or a branch. */
  fork(own: ForkedWith): Context
  /** Lines of work that can be called off together while the run goes on. */
  branch(): Branching
}

export interface ForkedWith {
  readonly item?: unknown
  readonly index?: number
  readonly error?: Failure
  /** Monotonic ms; it only shortens the time that there is. */
  readonly deadline?: number
}

/** Several lines of work inside one step. */
export interface Branching {
  fork(own: ForkedWith): Context
  /** Ends those that still go on; each of them fails with this reason. */
  cancel(reason: Failure): void
  /** All have ended: nothing is listened to any more. */
  end(): void
}
