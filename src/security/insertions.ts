import type { Problem } from '../core/problem.ts'
import type { Insertion } from './references.ts'

/** Messages quote what they found; what came from the environment or a file is named instead of shown. */
export function hideInsertions(problem: Problem, insertions: readonly Insertion[]): Problem {
  const hide = (text: string) =>
    insertions.reduce((hidden, { value, reference }) => {
      const shown = value.split('\n', 1)[0]!.slice(0, 60)
      if (shown.length < 4) return hidden
      return withoutCut(
        hidden.replaceAll(value, () => reference).replaceAll(shown, () => reference),
        shown,
        reference,
      )
    }, text)
  return {
    ...problem,
    message: hide(problem.message),
    ...(problem.hint !== undefined && { hint: hide(problem.hint) }),
  }
}

/** Without the beginning of a value that stands before an ellipsis. */
function withoutCut(text: string, value: string, reference: string): string {
  for (let length = value.length - 1; length >= 4; length--) {
    const cut = `${value.slice(0, length)}…`
    if (text.includes(cut)) return text.replaceAll(cut, () => `${reference}…`)
  }
  return text
}
