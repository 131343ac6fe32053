import { isProblemCode, PROBLEM_CODES, type ProblemCode } from '../../core/problem-codes.ts'
import type { ProblemText } from '../../core/problem-codes/problem-text.ts'
import { nearest } from '../../core/problem.ts'
import { UsageError } from '../command.ts'
import { wrap } from '../wrap.ts'

const WIDTH = 80

/** The page of a code as plain text. */
export function explain(code: ProblemCode): string {
  const { title, meaning, wrong, right, onlyTold }: ProblemText = PROBLEM_CODES[code]
  const indented = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => `  ${line}`.trimEnd())
  const lines = [
    ...wrap(`${title} [${code}]`, WIDTH),
    '',
    ...wrap(meaning, WIDTH),
    '',
    onlyTold === undefined ? 'Wrong:' : 'For example:',
    '',
    ...indented(wrong),
    '',
    'Right:',
    '',
    ...indented(right),
  ]
  return `${lines.join('\n')}\n`
}

/**
 * The code that somebody means: brackets around it are left out.
 * @throws UsageError where there is none, with those that are near
 */
export function codeMeant(given: string): ProblemCode {
  const text = given
    .trim()
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase()
  if (isProblemCode(text)) return text
  const codes = Object.keys(PROBLEM_CODES)
  const last = text.slice(text.indexOf('/') + 1)
  const near = nearest(text, codes)
  const alike = codes.filter((code) => code.slice(code.indexOf('/') + 1) === last)
  const parts = codes.filter((code) => last.length > 2 && code.includes(last))
  const found = [...new Set([...(near === undefined ? [] : [near]), ...alike, ...parts])].slice(0, 8)
  throw new UsageError(
    found.length === 0
      ? `there is no code "${given}"; codes stand in brackets behind a problem, such as [key/unknown]`
      : `there is no code "${given}"; did you mean ${found.join(', ')}?`,
  )
}
