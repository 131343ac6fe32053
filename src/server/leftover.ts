import type { IncomingMessage } from 'node:http'

/** ms that the rest of a body which nobody wants may take before its connection is closed. */
export const LEFTOVER_TIME = 30_000

/** Reads what is left of a body after its answer and throws it away, so that the connection can be used again; for `ms` at most. */
export function readLeftover(raw: IncomingMessage, ms = LEFTOVER_TIME): void {
  if (raw.complete || raw.destroyed) return
  const timer = setTimeout(() => raw.socket.destroy(), ms).unref()
  raw.once('close', () => clearTimeout(timer)).resume()
}

/** Whether a request says that it has a body. */
export function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length']
  return (length !== undefined && length !== '0') || headers['transfer-encoding'] !== undefined
}
