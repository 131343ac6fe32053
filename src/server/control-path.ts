import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** Bytes of a socket's path, the smallest limit of all systems (macOS). */
const LONGEST = 103

/** Where the engine of a data folder can be talked to. */
export function controlPath(folder: string): string {
  const path = join(resolve(folder), 'sluice.sock')
  if (Buffer.byteLength(path) <= LONGEST) return path
  const hash = createHash('sha256').update(path).digest('hex').slice(0, 16)
  return join(tmpdir(), `sluice-${hash}.sock`)
}
