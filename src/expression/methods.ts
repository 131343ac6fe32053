import { RE2JS, RE2JSException } from 're2js'
import { remembered, type FunctionKind } from './function-kind.ts'
import type { Site } from './site.ts'

const LONGEST_PATTERN = 1000

/** Functions that are written after a dot. */
export const METHODS: readonly FunctionKind[] = [
  {
    name: 'contains',
    signature: 'text.contains(part)',
    summary: 'Whether a text has another one in it. For lists and maps there is "x in list".',
    example: { expression: '"Ghent".contains("hen")', result: 'true' },
    least: 1,
    most: 1,
    bind: (site) => (text, part) => {
      if (Array.isArray(text)) return site.unfit('text', text, 0, 'For lists there is: x in list.')
      return site.text(text, 0).includes(site.text(part, 1))
    },
  },
  {
    name: 'startsWith',
    signature: 'text.startsWith(start)',
    summary: 'Whether a text begins with another one.',
    example: { expression: '"Ghent".startsWith("Gh")', result: 'true' },
    least: 1,
    most: 1,
    bind: (site) => (text, start) => site.text(text, 0).startsWith(site.text(start, 1)),
  },
  {
    name: 'endsWith',
    signature: 'text.endsWith(end)',
    summary: 'Whether a text ends with another one.',
    example: { expression: '"Ghent".endsWith("t")', result: 'true' },
    least: 1,
    most: 1,
    bind: (site) => (text, end) => site.text(text, 0).endsWith(site.text(end, 1)),
  },
  {
    name: 'matches',
    signature: 'text.matches(pattern)',
    summary: 'Whether an RE2 pattern is found in a text; ^ and $ stand for its ends.',
    example: { expression: '"AB-12".matches("^[A-Z]+-[0-9]+$")', result: 'true' },
    least: 1,
    most: 1,
    bind(site, [, pattern]) {
      const compile = remembered((text) => compilePattern(site, text))
      if (pattern) compile(site.text(pattern.value, 1))
      return (text, pattern) => {
        const subject = site.text(text, 0)
        return compile(site.text(pattern, 1)).test(subject)
      }
    },
  },
]

/** What goes over a list, or over the keys of a map, with a variable for the element. */
export const MACROS: readonly FunctionKind[] = [
  {
    name: 'map',
    signature: 'list.map(x, value)',
    summary:
      'A list of what the expression gives for each element; list.map(x, test, value) leaves out those that fail the test.',
    example: { expression: '[1, 2].map(x, x * 10)', result: '[10,20]' },
    least: 2,
    most: 3,
  },
  {
    name: 'filter',
    signature: 'list.filter(x, test)',
    summary: 'The elements for which the test is true.',
    example: { expression: '[1, 2, 3].filter(x, x > 1)', result: '[2,3]' },
    least: 2,
    most: 2,
  },
  {
    name: 'exists',
    signature: 'list.exists(x, test)',
    summary: 'Whether the test is true for an element; ends at the first one.',
    example: { expression: '[1, 2].exists(x, x > 1)', result: 'true' },
    least: 2,
    most: 2,
  },
  {
    name: 'exists_one',
    signature: 'list.exists_one(x, test)',
    summary: 'Whether the test is true for exactly one element.',
    example: { expression: '[1, 2].exists_one(x, x > 0)', result: 'false' },
    least: 2,
    most: 2,
  },
  {
    name: 'all',
    signature: 'list.all(x, test)',
    summary: 'Whether the test is true for every element; ends at the first for which it is not.',
    example: { expression: '[1, 2].all(x, x > 0)', result: 'true' },
    least: 2,
    most: 2,
  },
]

function compilePattern(site: Site, pattern: string): RE2JS {
  if (pattern.length > LONGEST_PATTERN) {
    site.fail(`the pattern is longer than ${LONGEST_PATTERN} characters`, undefined, 1)
  }
  try {
    return RE2JS.compile(pattern)
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    const reason = /error parsing regexp: ([^:`]+)/.exec(error.message)?.[1] ?? 'it cannot be read'
    return site.fail(
      `"matches" takes an RE2 pattern, and this is none: ${reason}`,
      'RE2 has no look-around and no back references: https://github.com/google/re2/wiki/Syntax.',
      1,
    )
  }
}
