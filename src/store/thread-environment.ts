import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'

/** Nothing of the engine's environment but where compiled code is kept: without it, a thread would need twice the memory. */
export function threadEnvironment(): Record<string, string> {
  const folder = getCompileCacheDir()
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) }
}
