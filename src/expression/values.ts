import { checkDepth, isBigInteger, MAX_DEPTH, toText, typeName } from '../core/json.ts'

/** Dates are only there inside an expression; what leaves it, or enters a list or map, is their text. */
export type DateValue = Temporal.Instant
const { Instant } = Temporal

export function isDate(value: unknown): value is DateValue {
  return value instanceof Instant
}

/** RFC 3339 in UTC with milliseconds. */
export function printDate(date: DateValue): string {
  return date.toString({ fractionalSecondDigits: 3 })
}

/** A value's type as people call it. */
export function nameOf(value: unknown): string {
  return isDate(value) ? 'date' : typeName(value)
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array) &&
    !isDate(value) &&
    !isBigInteger(value)
  )
}

/** The own member of a map; null where there is none. */
export function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) && isMap(value)
    ? (value[key] ?? null)
    : null
}

export function hasMember(value: unknown, key: string): boolean {
  return isMap(value) && Object.hasOwn(value, key)
}

/** A member of a map, or an element of a list. */
export function elementOf(value: unknown, key: unknown): unknown {
  if (typeof key === 'string') return memberOf(value, key)
  if (typeof key === 'number' && Array.isArray(value) && Number.isInteger(key)) return value[key] ?? null
  return null
}

/** Equal by content; values of different types are unequal. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' && typeof b !== 'object') return false
  if (a === null || b === null || a === undefined || b === undefined) return false
  if (isBigInteger(a) || isBigInteger(b)) return isNumber(a) && isNumber(b) && compareNumbers(a, b) === 0
  if (typeof a !== 'object' || typeof b !== 'object') return false
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((element, i) => equal(element, b[i]))
  }
  if (isDate(a)) return isDate(b) && a.equals(b)
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0
  if (!isMap(a) || !isMap(b)) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key]))
  )
}

/** Below, at or above zero; undefined where the two cannot be ordered (not two numbers, texts or dates). */
export function compare(a: unknown, b: unknown): number | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b)
  if (isDate(a) && isDate(b)) return Instant.compare(a, b)
  return isNumber(a) && isNumber(b) ? compareNumbers(a, b) : undefined
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' || isBigInteger(value)
}

function compareNumbers(a: unknown, b: unknown): number {
  const x = isBigInteger(a) ? BigInt(a.rawJSON) : (a as number)
  const y = isBigInteger(b) ? BigInt(b.rawJSON) : (b as number)
  return x < y ? -1 : x > y ? 1 : 0
}

/** By code point, where JavaScript's own order is by UTF-16 unit. */
function compareTexts(a: string, b: string): number {
  const end = Math.min(a.length, b.length)
  for (let i = 0; i < end; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

function rank(unit: number): number {
  return unit < 0xd800 ? unit : unit >= 0xe000 ? unit - 0x800 : unit + 0x2000
}

/** Number of code points. */
export function codePoints(text: string): number {
  let count = text.length
  for (let i = 1; i < text.length; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xdc00 && (text.charCodeAt(i - 1) & 0xfc00) === 0xd800) count--
  }
  return count
}

/**
 * JSON text of a value without dates and bytes in it.
 * @throws SyntaxError when it is nested deeper than `MAX_DEPTH`
 */
export function jsonOf(value: unknown): string {
  const text = JSON.stringify(value)
  if (text.length > 2 * MAX_DEPTH) checkDepth(text)
  return text
}

/** A value as it stands in a text; undefined for bytes, which have none. @throws SyntaxError as `jsonOf` */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null || isBigInteger(value)) return toText(value)
  if (isDate(value)) return printDate(value)
  return value instanceof Uint8Array ? undefined : jsonOf(value)
}
