import type { Static, TObject, TSchema } from '@sinclair/typebox'
import type { Actor, AuditEvent } from '../../core/audit.ts'
import type { ManagementRole } from '../../core/management-role.ts'
import type { ManagedEngine } from './managed-engine.ts'

/** What an operation gets of a request. */
export interface ApiCall<Params, Query, Body> {
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly engine: ManagedEngine
  readonly actor: Actor
  /** Aborts when the caller has gone. */
  readonly gone: AbortSignal
}

/** One thing that the management API does. */
export interface Operation<
  Params extends TObject = TObject,
  Query extends TObject = TObject,
  Body extends TSchema = TSchema,
> {
  /** `listFlows` */
  readonly id: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** `/flows/{flow}`, below `/api`. */
  readonly path: string
  readonly role: ManagementRole
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly params?: Params
  readonly query?: Query
  readonly body?: Body
  /** Under which it is on record; those that only read have none. */
  readonly event?: AuditEvent
  /** When the answer is 409. */
  readonly conflict?: string
  /** Whether the body holds a message, which may be as large as those of endpoints. */
  readonly takesMessage?: true
  /** Of the answer 200; left out: the answer is 204, or bytes. */
  readonly result?: TSchema
  /** The answer is what it is, not JSON. */
  readonly bytes?: true
  /** Undefined: there is no such thing. */
  handle(call: ApiCall<Static<Params>, Static<Query>, Static<Body>>): unknown
}

/** Keeps what the parts of an operation are typed by. */
export function operation<
  Params extends TObject = TObject,
  Query extends TObject = TObject,
  Body extends TSchema = TSchema,
>(one: Operation<Params, Query, Body>): Operation {
  return one
}

/** Done, and nothing to tell. */
export const DONE = Symbol('done')

/** An answer that is no JSON. */
export class Bytes {
  readonly content: Uint8Array
  readonly contentType: string
  readonly name: string

  constructor(content: Uint8Array, contentType: string, name: string) {
    this.content = content
    this.contentType = contentType
    this.name = name
  }
}

/** A request that cannot be done, in words for the caller. */
export class ApiRefusal extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, detail: string) {
    super(detail)
    this.status = status
    this.code = code
  }
}
