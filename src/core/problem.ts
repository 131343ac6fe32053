import type { ProblemCode } from './problem-codes.ts'

/**
 * Where something stands in a file. Lines and columns are 1-based; columns count UTF-16 units, as editors do. Both are
 * 0 where `file` names something without lines, such as an environment variable.
 */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly endLine?: number
  readonly endColumn?: number
}

/** A mistake in what the integrator wrote: data, returned and collected, never thrown. */
export interface Problem extends Place {
  /** Stable; each has a page in the reference. */
  readonly code: ProblemCode
  readonly severity: 'error' | 'warning'
  /** What is there, and what could be there. */
  readonly message: string
  /** What to do. */
  readonly hint?: string
  readonly related?: readonly (Place & { readonly message: string })[]
}

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.severity === 'error')
}

/** Sorts by file, line and column, and drops what is said twice at one place. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>()
  return problems
    .toSorted(
      (a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column,
    )
    .filter((problem) => {
      const key = `${problem.file}:${problem.line}:${problem.column}:${problem.code}:${problem.message}`
      return !seen.has(key) && seen.add(key)
    })
}

/** The known word nearest to `word`, if one is near enough to have been meant. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 3))
  let best: string | undefined
  let bestDistance = limit + 1
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) > limit) continue
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** `; did you mean "x"?`, or nothing where no known word is near. */
export function didYouMean(word: string, known: Iterable<string>): string {
  return guess(nearest(word, known))
}

/** `; did you mean "x"?` of a word that was found already, or nothing where none was. */
export function guess(meant: string | undefined): string {
  return meant === undefined ? '' : `; did you mean "${meant}"?`
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, beforeLast[j - 2]! + 1)
      row.push(cost)
    }
    beforeLast = last
    last = row
  }
  return last[b.length]!
}
