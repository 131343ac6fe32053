import { Readable } from 'node:stream'
import type { Body } from '../core/body.ts'
import type { Answer } from '../core/http.ts'

/** Bytes that wait for a reader before the receiver is held back. */
const HIGH_WATER = 64 * 1024

/** Where the bytes come from. */
export interface Source {
  /** Somebody wants more. */
  resume(): void
  /** Nobody wants the rest. */
  abandon(): void
}

/** A stream may break while no step reads it yet; whoever reads it later gets the error then. */
function ignore(): void {}

/** The body of an answer that is not kept in memory. Destroying it ends the connection. */
export class AnswerStream extends Readable {
  private readonly source: Source

  constructor(source: Source) {
    super({ highWaterMark: HIGH_WATER })
    this.source = source
    this.on('error', ignore)
  }

  override _read(): void {
    this.source.resume()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.source.abandon()
    callback(error)
  }
}

/** Ends an answer that nobody will read. */
export function discard({ body }: Answer): void {
  if (body instanceof Readable) body.destroy()
}

/** Ends an answer that is still a stream and that nobody will read. Other streams belong to others. */
export function letGo(body: Body): void {
  void body.unreadItems?.return?.()
  const stream = body.unread
  if (stream instanceof AnswerStream) stream.destroy()
}
