import { isBigInteger, parseJson } from '../core/json.ts'
import type { FunctionKind } from './function-kind.ts'
import type { Site } from './site.ts'
import { compare, nameOf } from './values.ts'

const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/
const MOST_DIGITS = 20

export const NUMBER_FUNCTIONS: readonly FunctionKind[] = [
  {
    name: 'number',
    signature: 'number(x)',
    summary: 'The number that a text holds, written as in JSON.',
    example: { expression: 'number("12.50")', result: '12.5' },
    least: 1,
    most: 1,
    bind: (site) => (value) => {
      if (typeof value === 'number' || isBigInteger(value)) return value
      if (typeof value !== 'string') {
        return site.unfit('text or number', value, 0)
      }
      if (!JSON_NUMBER.test(value)) {
        site.fail(
          '"number" takes a text that is a number as JSON writes it, and this text is not',
          'A point before decimals, no separator of thousands, no blanks: trim(x) and replace(x, ",", ".") help.',
          0,
        )
      }
      const number = parseJson(value)
      return typeof number === 'number' ? site.finite(number) : number
    },
  },
  {
    name: 'round',
    signature: 'round(x, digits = 0)',
    summary: 'A number rounded to so many decimals; halves away from zero.',
    example: { expression: 'round(2.345, 2)', result: '2.35' },
    least: 1,
    most: 2,
    bind: (site) => (value, digits) =>
      round(site.number(value, 0), digits === undefined ? 0 : decimals(site, digits)),
  },
  {
    name: 'floor',
    signature: 'floor(x)',
    summary: 'The next whole number below.',
    example: { expression: 'floor(-2.5)', result: '-3' },
    least: 1,
    most: 1,
    bind: (site) => (value) => Math.floor(site.number(value, 0)),
  },
  {
    name: 'ceil',
    signature: 'ceil(x)',
    summary: 'The next whole number above.',
    example: { expression: 'ceil(2.1)', result: '3' },
    least: 1,
    most: 1,
    bind: (site) => (value) => Math.ceil(site.number(value, 0)),
  },
  {
    name: 'min',
    signature: 'min(list) or min(a, b, ...)',
    summary: 'The least of a list or of the arguments: all numbers, texts or dates; null of an empty list.',
    example: { expression: 'min(3, 1, 2)', result: '1' },
    least: 1,
    most: 32,
    bind: (site) => extreme(site, -1),
  },
  {
    name: 'max',
    signature: 'max(list) or max(a, b, ...)',
    summary:
      'The greatest of a list or of the arguments: all numbers, texts or dates; null of an empty list.',
    example: { expression: 'max([3, 1, 2])', result: '3' },
    least: 1,
    most: 32,
    bind: (site) => extreme(site, 1),
  },
]

function decimals(site: Site, digits: unknown): number {
  const count = site.number(digits, 1)
  return Number.isInteger(count) && Math.abs(count) <= MOST_DIGITS
    ? count
    : site.fail(
        `"round" takes a whole number from -${MOST_DIGITS} to ${MOST_DIGITS} as "digits"`,
        undefined,
        1,
      )
}

/** Rounds the decimal number as it is printed: 1.005 is a half, though its binary value is a little less. */
function round(value: number, digits: number): number {
  const [mantissa, exponent = '0'] = String(Math.abs(value)).split('e')
  const scaled = Number(`${mantissa}e${Number(exponent) + digits}`)
  if (!Number.isFinite(scaled) || scaled >= 2 ** 53) return value
  const [whole, power = '0'] = String(Math.round(scaled)).split('e')
  return Math.sign(value) * Number(`${whole}e${Number(power) - digits}`)
}

function extreme(site: Site, sign: 1 | -1): (...values: unknown[]) => unknown {
  return (...values) => {
    const list = values.length > 1 ? values : site.list(values[0], 0)
    if (list.length === 0) return null
    let best = list[0]
    for (const value of list) {
      const order = compare(value, best)
      if (order === undefined) {
        site.fail(
          `"${site.name}" takes numbers only, texts only or dates only, not ${nameOf(best)} and ${nameOf(value)}`,
        )
      }
      if (order * sign > 0) best = value
    }
    return best
  }
}
