import { readFileSync } from 'node:fs'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { basename, dirname, join } from 'node:path'

/** The package runs bundles; a checkout the files themselves. */
const bundles = import.meta.filename.endsWith('.ts') ? undefined : import.meta.dirname

const maps = new Map<string, SourceMap | undefined>()

/**
 * A stack with the files it was written in, in place of the bundles that ran: `src/engine/run.ts:88:5`. Maps are read when they are
 * first needed: Node's own `--enable-source-maps` would cost 20 MB and 0.1 s at each start.
 * @param folder of the bundles
 */
export function withSourcePlaces(text: string, folder = bundles): string {
  if (folder === undefined || !text.includes(folder)) return text
  return text.replaceAll(
    /(?:file:\/\/)?([^\s()]+\.js):(\d+):(\d+)/g,
    (whole, file: string, line: string, column: string) =>
      file.startsWith(folder) ? (sourcePlace(file, Number(line), Number(column)) ?? whole) : whole,
  )
}

function sourcePlace(file: string, line: number, column: number): string | undefined {
  if (!maps.has(file)) maps.set(file, readMap(file))
  const found = maps.get(file)?.findEntry(line - 1, column - 1)
  if (!found || !('originalSource' in found)) return undefined
  const source = join(basename(dirname(file)), found.originalSource).replace(/^(?:[^/]+\/)?(?:\.\.\/)+/, '')
  return `${source}:${found.originalLine + 1}:${found.originalColumn + 1}`
}

function readMap(file: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')) as SourceMapPayload)
  } catch {
    return undefined
  }
}
