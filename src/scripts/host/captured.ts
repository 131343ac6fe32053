import fs from 'node:fs'

/** What this process needs of Node once everything else has been taken away. */
const { readSync, writeSync } = fs
const host = process
const { _tickCallback } = host as unknown as { _tickCallback(): void }
const { reallyExit } = host as unknown as { reallyExit(code: number): never }
const now = performance.now.bind(performance)
const { WebAssembly } = globalThis as unknown as { WebAssembly: unknown }

export const captured = {
  read: (buffer: Buffer, offset: number, length: number): number => readSync(3, buffer, offset, length, null),
  write: (buffer: Uint8Array, offset: number, length: number): number => writeSync(3, buffer, offset, length),
  exit: (code: number): never => reallyExit.call(host, code),
  /** Does what Node does between two turns of its event loop. */
  tick: _tickCallback,
  /** ms */
  now,
  /** Node's type stripper is a WebAssembly module, loaded when it is first used. */
  withWebAssembly<T>(action: () => T): T {
    const all = globalThis as unknown as Record<string, unknown>
    all['WebAssembly'] = WebAssembly
    try {
      return action()
    } finally {
      delete all['WebAssembly']
    }
  },
}
