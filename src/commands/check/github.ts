import { PROBLEM_CODES } from '../../core/problem-codes.ts'
import type { Problem } from '../../core/problem.ts'
import type { CheckReport } from './report.ts'

/**
 * A line for each problem that GitHub shows at its place in the files of a pull request.
 * @see https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 */
export function toGithub({ problems, prefix }: CheckReport): string {
  return problems.map((problem) => `${commandOf(problem, prefix)}\n`).join('')
}

function commandOf({ code, severity, file, line, column, message, hint }: Problem, prefix: string): string {
  const title = `${PROBLEM_CODES[code].title} [${code}]`
  const place = line === 0 ? {} : { file: prefix + file, line, col: column }
  const properties = Object.entries({ ...place, title }).map(
    ([name, value]) => `${name}=${escapeProperty(String(value))}`,
  )
  const text = [line === 0 ? `${file}: ${message}` : message, ...(hint === undefined ? [] : [hint])].join(
    '\n',
  )
  return `::${severity} ${properties.join(',')}::${escapeData(text)}`
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
