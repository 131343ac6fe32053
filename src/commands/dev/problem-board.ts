import type { Problem } from '../../core/problem.ts'
import { inOrder } from '../../core/problem.ts'

/** What is different since the time before. */
export interface BoardChange {
  /** Problems that were not there. */
  readonly added: readonly Problem[]
  /** Files of which problems are gone: how many, and how many are left. */
  readonly mended: readonly { readonly file: string; readonly gone: number; readonly left: number }[]
}

/** All problems that there are, from everyone who finds some; the same problem on another line is no news. */
export class ProblemBoard {
  readonly #sources = new Map<string, readonly Problem[]>()
  #keyed: ReadonlyMap<string, Problem> = new Map()

  get current(): readonly Problem[] {
    return [...this.#keyed.values()]
  }

  /** These are all the problems from this source now. */
  take(source: string, problems: readonly Problem[]): BoardChange {
    this.#sources.set(source, problems)
    const before = this.#keyed
    const now = keyed(inOrder([...this.#sources.values()].flat()))
    this.#keyed = now
    const added = [...now].flatMap(([key, problem]) => (before.has(key) ? [] : [problem]))
    const gone = Map.groupBy(
      [...before].flatMap(([key, problem]) => (now.has(key) ? [] : [problem])),
      ({ file }) => file,
    )
    const left = Map.groupBy(now.values(), ({ file }) => file)
    const mended = [...gone]
      // One problem in the place of another is not mended.
      .filter(([file]) => !added.some((problem) => problem.file === file))
      .map(([file, { length }]) => ({ file, gone: length, left: left.get(file)?.length ?? 0 }))
    return { added, mended }
  }
}

/** The same mistake may be made several times in one file. */
function keyed(problems: readonly Problem[]): Map<string, Problem> {
  const seen = new Map<string, number>()
  return new Map(
    problems.map((problem) => {
      const key = `${problem.file} ${problem.code} ${problem.message}`
      const count = (seen.get(key) ?? 0) + 1
      seen.set(key, count)
      return [`${key} ${count}`, problem]
    }),
  )
}
