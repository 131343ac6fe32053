import { PROBLEM_CODES, type ProblemCode } from '../../core/problem-codes.ts'
import type { Place, Problem } from '../../core/problem.ts'
import { problemMarkdown } from '../../reference/problem-pages.ts'
import { version } from '../../version.ts'
import { explain } from './explain.ts'
import type { CheckReport } from './report.ts'

/**
 * The problems as static analysis tools exchange them; rules are those that were broken.
 * @see https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 */
export function toSarif({ problems, prefix }: CheckReport): string {
  const codes = [...new Set(problems.map(({ code }) => code))].toSorted()
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'Sluice', semanticVersion: version, rules: codes.map(ruleOf) } },
        columnKind: 'utf16CodeUnits',
        results: problems.map((problem) => resultOf(problem, codes, prefix)),
      },
    ],
  }
  return `${JSON.stringify(log, undefined, 2)}\n`
}

function ruleOf(code: ProblemCode) {
  const { title, meaning } = PROBLEM_CODES[code]
  return {
    id: code,
    shortDescription: { text: `${title}.` },
    fullDescription: { text: meaning },
    help: { text: explain(code), markdown: problemMarkdown(code) },
  }
}

function resultOf(problem: Problem, codes: readonly ProblemCode[], prefix: string) {
  const { code, severity, message, hint, related, line, file } = problem
  const text = [line === 0 ? `${file}: ${message}` : message, ...(hint === undefined ? [] : [hint])].join(
    '\n',
  )
  return {
    ruleId: code,
    ruleIndex: codes.indexOf(code),
    level: severity,
    message: { text },
    locations: [
      line === 0
        ? { logicalLocations: [{ name: file }] }
        : { physicalLocation: physicalLocation(problem, prefix) },
    ],
    ...(related && {
      relatedLocations: related.map((other, index) => ({
        id: index + 1,
        message: { text: other.message },
        physicalLocation: physicalLocation(other, prefix),
      })),
    }),
  }
}

function physicalLocation({ file, line, column, endLine, endColumn }: Place, prefix: string) {
  return {
    artifactLocation: {
      uri: (prefix + file).split('/').map(encodeURIComponent).join('/'),
      uriBaseId: '%SRCROOT%',
    },
    region: {
      startLine: line,
      startColumn: column,
      ...(endLine !== undefined && { endLine }),
      ...(endColumn !== undefined && { endColumn }),
    },
  }
}
