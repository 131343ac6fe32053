import { readFileSync, statSync } from 'node:fs'
import { isAbsolute, join, normalize } from 'node:path'
import { docsOf, FAILURES, type RunFailure } from '../core/failure.ts'
import { versionOf } from '../flow/load.ts'
import { excerptOf } from '../flow/print.ts'
import type { RunDetail } from '../store/rows.ts'
import type { Paint } from './paint.ts'
import { oneLine } from './plain-text.ts'

/** Text of a file as failures name it, or why it cannot be shown. Undefined: there is nothing to say. */
export type Source = (file: string) => string | { readonly note: string } | undefined

/** Below a failure: the line of the source that it is about, and where the documentation tells more. */
export function aboutFailure(failure: RunFailure, source: Source, colors: Paint, columns: number): string[] {
  return [
    ...excerpt(failure, source, colors, columns),
    ...(Object.hasOwn(FAILURES, failure.code) ? [colors.dim(`see ${docsOf(failure.code)}`)] : []),
  ]
}

/** The project's files as a run went through them: what has changed since is not shown. */
export function sourceOf(
  run: Pick<RunDetail, 'flow' | 'version' | 'file' | 'startedAt'>,
  projectFolder: string,
): Source {
  return (file) => {
    const inside = normalize(file)
    if (isAbsolute(inside) || inside.startsWith('..') || inside === '.env') return undefined
    const path = join(projectFolder, inside)
    try {
      const text = readFileSync(path, 'utf8')
      const same =
        file === run.file
          ? versionOf(run.flow, text) === run.version
          : statSync(path).mtimeMs <= run.startedAt
      return same ? text : { note: `${oneLine(file)} has changed since; its line is not shown` }
    } catch {
      return { note: `${oneLine(file)} is not in this project` }
    }
  }
}

function excerpt({ position }: RunFailure, source: Source, colors: Paint, columns: number): string[] {
  const match = /^(.+):(\d+):(\d+)$/.exec(position ?? '')
  if (!match) return []
  const [, file, line, column] = match
  const found = source(file!)
  if (typeof found === 'object') return [colors.dim(found.note)]
  const text = found?.split(/\r?\n/)[Number(line) - 1]
  if (text === undefined || text.trim() === '') return []
  const gutter = ' '.repeat(line!.length)
  const place = { file: file!, line: Number(line), column: Number(column) }
  const [shown, caret] = excerptOf(text, place, Math.max(40, columns - gutter.length - 3))
  return [`${colors.dim(`${line} |`)} ${shown}`, `${colors.dim(`${gutter} |`)} ${colors.red(caret)}`]
}
