type Zoned = Temporal.ZonedDateTime
type Field = (date: Zoned) => string

/** A date pattern taken apart, or what is wrong with it. */
export interface DatePattern {
  readonly print: (date: Zoned) => string
  /** It can be meant, but rarely is. */
  readonly warning?: { readonly message: string; readonly hint: string }
}
export interface DatePatternMistake {
  readonly mistake: string
  readonly hint: string
}

const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
)
const DAYS = 'Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split(' ')

/**
 * Fields of Unicode date patterns by letter; undefined for a count of letters that has no meaning.
 * @see https://www.unicode.org/reports/tr35/tr35-dates.html#Date_Field_Symbol_Table
 */
const FIELDS: Readonly<Record<string, (count: number) => Field | undefined>> = {
  y: (count) => (date) => year(date.year, count),
  u: (count) => (date) => year(date.year, count === 2 ? 1 : count),
  Y: (count) => (date) => year(date.yearOfWeek ?? date.year, count),
  Q: (count) =>
    count <= 2 ? padded((date) => Math.ceil(date.month / 3), count) : count === 3 ? quarter : undefined,
  M: (count) =>
    count <= 2 ? padded((date) => date.month, count) : named(MONTHS, (date) => date.month, count),
  L: (count) => FIELDS['M']!(count),
  w: (count) => (count <= 2 ? padded((date) => date.weekOfYear ?? 0, count) : undefined),
  d: (count) => (count <= 2 ? padded((date) => date.day, count) : undefined),
  D: (count) => (count <= 3 ? padded((date) => date.dayOfYear, count) : undefined),
  E: (count) => named(DAYS, (date) => date.dayOfWeek, Math.max(3, count)),
  a: (count) => (count <= 3 ? (date) => (date.hour < 12 ? 'AM' : 'PM') : undefined),
  H: (count) => (count <= 2 ? padded((date) => date.hour, count) : undefined),
  h: (count) => (count <= 2 ? padded((date) => date.hour % 12 || 12, count) : undefined),
  K: (count) => (count <= 2 ? padded((date) => date.hour % 12, count) : undefined),
  k: (count) => (count <= 2 ? padded((date) => date.hour || 24, count) : undefined),
  m: (count) => (count <= 2 ? padded((date) => date.minute, count) : undefined),
  s: (count) => (count <= 2 ? padded((date) => date.second, count) : undefined),
  S: (count) => (date) => fraction(date).padEnd(count, '0').slice(0, count),
  V: (count) => (count === 2 ? (date) => date.timeZoneId : undefined),
  X: (count) =>
    count <= 3 ? (date) => (date.offsetNanoseconds === 0 ? 'Z' : offset(date, count)) : undefined,
  x: (count) => (count <= 3 ? (date) => offset(date, count) : undefined),
  Z: (count) =>
    count <= 3
      ? (date) => offset(date, 2)
      : count === 4
        ? (date) => (date.offsetNanoseconds === 0 ? 'GMT' : `GMT${offset(date, 3)}`)
        : count === 5
          ? FIELDS['X']!(3)
          : undefined,
}

/** Takes a Unicode date pattern apart: `yyyy-MM-dd'T'HH:mm:ssXXX`. Names are English. */
export function readDatePattern(pattern: string): DatePattern | DatePatternMistake {
  const parts: (string | Field)[] = []
  const letters = new Set<string>()
  for (const [token] of pattern.matchAll(/'(?:[^']|'')*'|'|([A-Za-z])\1*|[^A-Za-z']+/g)) {
    if (token === "'")
      return { mistake: `a quote of the date pattern is not closed`, hint: "'' is one quote." }
    if (token.startsWith("'")) parts.push(token === "''" ? "'" : token.slice(1, -1).replaceAll("''", "'"))
    else if (/^[A-Za-z]/.test(token)) {
      const field = Object.hasOwn(FIELDS, token[0]!) ? FIELDS[token[0]!]!(token.length) : undefined
      if (!field) {
        return {
          mistake: `"${token}" means nothing in a date pattern`,
          hint: "Letters that stand for themselves are in quotes: yyyy-MM-dd'T'HH:mm:ss.",
        }
      }
      letters.add(token[0]!)
      parts.push(field)
    } else parts.push(token)
  }
  const warning = suspicion(letters)
  return { print: (date) => print(parts, date), ...(warning && { warning }) }
}

function print(parts: readonly (string | Field)[], date: Zoned): string {
  let text = ''
  for (const part of parts) text += typeof part === 'string' ? part : part(date)
  return text
}

function suspicion(letters: ReadonlySet<string>): DatePattern['warning'] {
  if (letters.has('Y') && !letters.has('w')) {
    return {
      message: '"Y" in a date pattern is the year of the week, which differs around New Year',
      hint: 'The calendar year is yyyy.',
    }
  }
  if (letters.has('D') && letters.has('M')) {
    return { message: '"D" in a date pattern is the day of the year', hint: 'The day of the month is dd.' }
  }
  return undefined
}

function year(value: number, count: number): string {
  const text = String(Math.abs(value)).padStart(count, '0')
  return `${value < 0 ? '-' : ''}${count === 2 ? text.slice(-2) : text}`
}

function padded(value: (date: Zoned) => number, count: number): Field {
  return (date) => String(value(date)).padStart(count, '0')
}

function named(names: readonly string[], value: (date: Zoned) => number, count: number): Field | undefined {
  if (count > 5) return undefined
  const length = count === 3 ? 3 : count === 5 ? 1 : Infinity
  return (date) => names[value(date) - 1]!.slice(0, length)
}

function quarter(date: Zoned): string {
  return `Q${Math.ceil(date.month / 3)}`
}

function fraction(date: Zoned): string {
  return String(date.millisecond * 1e6 + date.microsecond * 1e3 + date.nanosecond).padStart(9, '0')
}

/** `+01` or `+0130` (1), `+0100` (2), `+01:00` (3). */
function offset(date: Zoned, form: number): string {
  const minutes = Math.round(date.offsetNanoseconds / 60e9)
  const hour = String(Math.floor(Math.abs(minutes) / 60)).padStart(2, '0')
  const minute = String(Math.abs(minutes) % 60).padStart(2, '0')
  const sign = minutes < 0 ? '-' : '+'
  if (form === 1) return `${sign}${hour}${minute === '00' ? '' : minute}`
  return `${sign}${hour}${form === 3 ? ':' : ''}${minute}`
}
