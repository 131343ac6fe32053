import type { Place } from './problem.ts'

/**
 * Every code that a failure can have: what it is called, and the status that a caller of an endpoint gets.
 * Codes are never reused for something else. `fail` steps bring their own code and status.
 */
export const FAILURES = {
  'receiver.status': { title: 'The receiver answered with an error status', reply: 502 },
  'receiver.unreachable': { title: 'The receiver could not be reached', reply: 502 },
  'receiver.broken': { title: 'The receiver broke off or answered badly', reply: 502 },
  'receiver.timeout': { title: 'The receiver took too long', reply: 504 },
  'receiver.too-large': { title: "The receiver's answer is too large", reply: 502 },
  'receiver.unauthorized': { title: 'The receiver refused the credential', reply: 502 },
  'receiver.redirect': { title: 'The receiver redirected too often or badly', reply: 502 },
  'receiver.pages': { title: "The receiver's pages do not come to their end", reply: 502 },
  'request.type': { title: 'The content type is not taken here', reply: 415 },
  'request.rate': { title: 'The caller calls too often', reply: 429 },
  'request.invalid': { title: 'The request could not be built', reply: 500 },
  'request.throttled': { title: 'The request waited too long for its turn', reply: 503 },
  'credential.missing': { title: 'The credential is not there', reply: 502 },
  'credential.incomplete': { title: 'The credential lacks a secret', reply: 502 },
  'credential.type': { title: 'The credential is of another type', reply: 502 },
  'credential.tenant': { title: 'The credential has no such tenant', reply: 400 },
  'credential.host': { title: 'The credential may not go to this host', reply: 502 },
  'credential.refused': { title: 'The token service refused the credential', reply: 502 },
  'credential.unreachable': { title: 'The token service could not be reached', reply: 502 },
  'credential.answer': { title: "The token service's answer is not usable", reply: 502 },
  'credential.timeout': { title: 'The token service took too long', reply: 504 },
  'credential.kept': { title: 'A token that is kept cannot be read', reply: 502 },
  'egress.denied': { title: 'The engine may not connect to this address', reply: 502 },
  'script.error': { title: 'The script failed', reply: 500 },
  'script.timeout': { title: 'The script took too long', reply: 504 },
  'script.crashed': { title: 'The script used up its memory or crashed', reply: 500 },
  'script.input': { title: 'The message is too large for the script', reply: 500 },
  'script.output': { title: "The script's result is not usable", reply: 500 },
  'script.disabled': { title: 'The script failed too often and is paused', reply: 503 },
  'expression.failed': { title: 'An expression failed', reply: 500 },
  'body.invalid': { title: 'The body is not what its content type says', reply: 400 },
  'body.schema': { title: 'The body does not fit the schema', reply: 400 },
  'body.too-large': { title: 'The body is too large', reply: 413 },
  'body.consumed': { title: 'The body was a stream and is used up', reply: 500 },
  'body.cut-off': { title: 'The body ended too early', reply: 400 },
  'flow.failed': { title: 'The flow failed', reply: 500 },
  'flow.timeout': { title: 'The flow took too long', reply: 504 },
  'flow.overload': { title: 'Too many messages at once', reply: 503 },
  'flow.stopped': { title: 'The engine is shutting down', reply: 503 },
  'flow.cancelled': { title: 'The run was cancelled', reply: 499 },
  'flow.unavailable': { title: 'The flow is not running', reply: 503 },
  'engine.fault': { title: 'A fault in the engine', reply: 500 },
} as const satisfies Record<string, { title: string; reply: number }>

export type FailureCode = keyof typeof FAILURES

/** Where the documentation tells more of a code; that of a `fail` step is told where `fail` is. From the package on. */
export function docsOf(code: string): string {
  return `docs/reference/failures/${Object.hasOwn(FAILURES, code) ? code : 'flow.failed'}.md`
}

/** A failure as data: what the message log keeps of it. */
export interface RunFailure {
  readonly code: string
  readonly message: string
  readonly hint?: string
  readonly step?: string
  /** `flows/a.yaml:9:19` */
  readonly position?: string
  readonly receiver?: { readonly status?: number; readonly host: string }
  /** Of the innermost `forEach` that it happened in. */
  readonly item?: FailedItem
}

/** The item that failed. */
export interface FailedItem {
  /** From 0. */
  readonly index: number
  /** What the `key` of the `forEach` says of it. */
  readonly key?: string
}

export interface FailureDetails {
  /** What to do about it. */
  hint?: string
  receiver?: { status?: number; host: string }
  /** Status for the caller of an endpoint, where it is not the code's own. */
  reply?: number
  /** Where in the flow or script it happened. */
  place?: Place
  /** ms that the receiver asks to wait before the next attempt. */
  retryAfter?: number
  /** What is wrong with which part of the caller's body: a JSON pointer, and what was wanted there. */
  part?: { readonly pointer: string; readonly detail: string }
  cause?: unknown
}

/** What went wrong while a message was processed. Its message never holds a secret, a token or a receiver's body. */
export class Failure extends Error {
  override readonly name = 'Failure'
  /** One of `FAILURES`, or what a `fail` step said. */
  readonly code: string
  readonly hint: string | undefined
  readonly receiver: { status?: number; host: string } | undefined
  /** HTTP status for the caller of an endpoint. */
  readonly reply: number
  /** ms that the receiver asks to wait before the next attempt. */
  readonly retryAfter: number | undefined
  /** What is wrong with which part of the caller's body. */
  readonly part: { readonly pointer: string; readonly detail: string } | undefined
  place: Place | undefined
  /** Set by the `forEach` that it happened in. */
  item: FailedItem | undefined
  /** Id of the step that failed; set by the runner. */
  step: string | undefined

  constructor(code: FailureCode | (string & {}), message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.hint = details.hint
    this.receiver = details.receiver
    this.reply = details.reply ?? FAILURES[code as FailureCode]?.reply ?? 500
    this.retryAfter = details.retryAfter
    this.part = details.part
    this.place = details.place
  }

  /** Short, the same for every failure of this code: what a caller may read. */
  get title(): string {
    return FAILURES[this.code as FailureCode]?.title ?? 'The flow failed'
  }

  /** The same, told as a part of something: `page 3 of "items"`. */
  within(what: string): Failure {
    const { code, message, hint, receiver, reply, retryAfter, place } = this
    return new Failure(code, `${what}: ${message}`, {
      ...(hint !== undefined && { hint }),
      ...(receiver && { receiver }),
      ...(retryAfter !== undefined && { retryAfter }),
      ...(place && { place }),
      reply,
      cause: this,
    })
  }

  /** As the message log keeps it. */
  record(): RunFailure {
    const { code, message, hint, step, place, receiver, item } = this
    return {
      code,
      message,
      ...(hint === undefined ? {} : { hint }),
      ...(step === undefined ? {} : { step }),
      ...(place === undefined ? {} : { position: `${place.file}:${place.line}:${place.column}` }),
      ...(receiver === undefined ? {} : { receiver }),
      ...(item === undefined ? {} : { item }),
    }
  }

  /** Any thrown value as a failure; what is no failure is a fault of the engine. */
  static from(thrown: unknown): Failure {
    if (thrown instanceof Failure) return thrown
    const text = thrown instanceof Error ? thrown.message : String(thrown)
    return new Failure('engine.fault', text, {
      cause: thrown,
      hint: 'This is a mistake in Sluice; please report it with the stack trace of the engine log.',
    })
  }
}
