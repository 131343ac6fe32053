import { Buffer } from 'node:buffer'
import { REPLY_HEADER, REQUEST_HEADER } from '../protocol.ts'
import { captured } from './captured.ts'

/** Bytes of replies that are sent together, and ms after which they are sent at the latest. */
const BATCH = 64 * 1024
const PATIENCE = 1

let output = Buffer.allocUnsafeSlow(4 * BATCH)
let filled = 0
let since = 0

/** Sends a reply with the next batch. @param started ms */
export function reply(type: number, id: number, started: number, payload: string): void {
  const most = REPLY_HEADER + payload.length * 3
  if (most > output.length - filled) flush()
  if (most > output.length) output = Buffer.allocUnsafeSlow(most)
  const size = output.write(payload, filled + REPLY_HEADER)
  output.writeUInt32LE(REPLY_HEADER - 4 + size, filled)
  output.writeUInt32LE(type, filled + 4)
  output.writeUInt32LE(id, filled + 8)
  const now = captured.now()
  output.writeUInt32LE(Math.min(0xffffffff, Math.round((now - started) * 1000)), filled + 12)
  if (filled === 0) since = now
  filled += REPLY_HEADER + size
  if (filled >= BATCH || now - since > PATIENCE) flush()
}

export function flush(): void {
  let sent = 0
  while (sent < filled) sent += captured.write(output, sent, filled - sent)
  filled = 0
  if (output.length > 16 * BATCH) output = Buffer.allocUnsafeSlow(4 * BATCH)
}

export type Handle = (type: number, frame: Buffer, start: number, end: number) => void

/** Reads requests and hands them over until the engine closes the connection. */
export function serve(handle: Handle): never {
  let input = Buffer.allocUnsafeSlow(4 * BATCH)
  let start = 0
  let end = 0
  for (;;) {
    while (end - start >= 4) {
      const next = start + 4 + input.readUInt32LE(start)
      if (next > end) break
      handle(input[start + 4]!, input, start, next)
      start = next
    }
    flush()
    if (start === end) start = end = 0
    const needed = end - start >= 4 ? 4 + input.readUInt32LE(start) : REQUEST_HEADER
    if (start > 0 && (needed > input.length - start || input.length - end < BATCH)) {
      input.copy(input, 0, start, end)
      end -= start
      start = 0
    }
    if (needed > input.length) {
      const larger = Buffer.allocUnsafeSlow(needed + BATCH)
      input.copy(larger, 0, start, end)
      input = larger
    }
    const read = captured.read(input, end, input.length - end)
    if (read === 0) captured.exit(0)
    end += read
  }
}
