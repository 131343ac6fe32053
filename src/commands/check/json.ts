import type { Place, Problem } from '../../core/problem.ts'
import { countOf, type CheckReport } from './report.ts'

/** The problems with counts; fields are added to it, none of them changes. */
export function toJson({ problems, checked }: CheckReport): string {
  const report = {
    ...checked,
    errors: countOf(problems, 'error'),
    warnings: countOf(problems, 'warning'),
    problems: problems.map(entryOf),
  }
  return `${JSON.stringify(report, undefined, 2)}\n`
}

function entryOf(problem: Problem) {
  const { code, severity, message, hint, related } = problem
  return {
    ...placeOf(problem),
    severity,
    code,
    message,
    ...(hint !== undefined && { hint }),
    ...(related && { related: related.map((other) => ({ ...placeOf(other), message: other.message })) }),
  }
}

function placeOf({ file, line, column, endLine, endColumn }: Place): Place {
  return {
    file,
    line,
    column,
    ...(endLine !== undefined && { endLine }),
    ...(endColumn !== undefined && { endColumn }),
  }
}
