import { Readable } from 'node:stream'
import type { Exchange } from '../core/http.ts'

/** @see https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2 */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

/**
 * Whether a request that lost its connection before the first byte of an answer may be sent once more: the
 * connection was an old one that the receiver had closed meanwhile, and nothing is done twice by it.
 */
export function mayBeSentAgain({ method, body }: Exchange, error: Error): boolean {
  const { code = '', socket } = error as { code?: string; socket?: { bytesRead?: number } }
  const isNew = socket?.bytesRead === 0
  return code === 'UND_ERR_SOCKET' && !isNew && IDEMPOTENT.has(method) && !(body instanceof Readable)
}
