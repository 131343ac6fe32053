import type { Readable } from 'node:stream'
import type { Cancellation } from './context.ts'
import type { Body } from './body.ts'
import type { TimeLimit } from './time-limit.ts'

/** One HTTP request as it goes over the wire. */
export interface Exchange {
  /** `https://api.example.com` */
  readonly origin: string
  /** Who answers, for messages, where that is not the host of `origin`: a virtual host behind a proxy. */
  readonly host?: string
  /** Path and query, encoded. */
  readonly path: string
  readonly method: string
  /** Flat: name, value, name, value. Built per request only where they differ. */
  readonly headers: readonly string[]
  /** A stream is sent chunked, or with `bodyLength`. */
  readonly body: Buffer | string | Readable | null
  readonly bodyLength?: number
  /** The deadline covers everything up to the headers, and the body where it is collected. */
  readonly until: Cancellation
  /** Whose time the deadline is, for messages; the step's own where left out. */
  readonly deadlineOf?: TimeLimit
  /** ms for the connection alone. */
  readonly connectTimeout?: number
  /** ms from the end of the request to the headers. */
  readonly readTimeout?: number
  /** Answers that say they are at most so long arrive in memory (bytes); others as a stream. `Infinity`: all in memory. */
  readonly collect: number
  /** Bytes; an answer beyond fails with `receiver.too-large`, a streamed one when it gets there. `Infinity`: none. */
  readonly limit: number
}

export interface Answer {
  readonly status: number
  /** Lower-case names; repeated ones joined by `, ` (`set-cookie` by a line feed). */
  readonly headers: Record<string, string>
  readonly body: Buffer | Readable
  /** Of a streamed body, where the receiver said it. */
  readonly length?: number
}

/** What a step asks for; the sender adds the credential, checks hosts, and renews once after 401. */
export interface OutgoingRequest {
  readonly method: string
  /** Absolute, or relative to the credential's `baseUrl`. Encoded. */
  readonly url: string
  /** Flat: name in lower case, value. */
  readonly headers: readonly string[]
  /** `headers` says what becomes of `user-agent`; the sender adds none. */
  readonly ownUserAgent?: boolean
  readonly body: Body | null
  /** Whose token the credential puts on it, where it has several tenants. */
  readonly tenant?: string
  /** Whose time the run's deadline is, for messages; the step's own where left out. */
  readonly deadlineOf?: TimeLimit
  readonly followRedirects: number
  /** Bytes; an answer beyond fails, collected or streamed. `Infinity`: none. */
  readonly maxResponse: number
  /** Bytes up to which an answer arrives in memory; 64 KiB where left out. `Infinity`: whatever its size. */
  readonly collect?: number
  /** Statuses that the caller takes as they are, also when they mean that the credential was refused. */
  readonly accepts?: (status: number) => boolean
  /** Each request waits for its turn, also one that is sent again or redirected. */
  readonly throttle?: Throttle
}

/** How often, and how many at once, requests may go out with one credential or to one host. */
export interface Throttle {
  /** Whose requests are counted together; left out: those to the host that it goes to. */
  readonly credential?: string
  /** Requests that may begin within `per`; any number where left out. */
  readonly rate?: number
  /** ms */
  readonly per: number
  /** Requests that may be under way; any number where left out. */
  readonly concurrency?: number
}

export interface ReceiverAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly url: string
  readonly body: Body
}
