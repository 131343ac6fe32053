import { inWords } from '../core/plain-words.ts'

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']
const PLACES = ['', 'first', 'second', 'third', 'fourth', 'fifth']

/** Times of a day that are listed one by one. */
const LISTED = 6

/**
 * What a pattern of five or six fields means: `every Monday to Friday at 02:00`. Undefined: there is something in it
 * that cannot be said in words.
 */
export function cronInWords(pattern: string): string | undefined {
  const fields = pattern.trim().split(/\s+/)
  if (fields.length < 5 || fields.length > 6) return undefined
  const [minute, hour, day, month, weekday] = fields.slice(-5) as [string, string, string, string, string]
  const times = timesInWords(fields.length === 6 ? fields[0]! : '0', minute, hour)
  const days = daysInWords(day, weekday)
  const months = isAny(month) ? '' : listInWords(month, (text) => wordOf(text, MONTHS, 1))
  if (times === undefined || days === undefined || months === undefined) return undefined
  const said = times.startsWith('at')
    ? `${days} ${times}`
    : `${times}${days === 'every day' ? '' : `, ${days}`}`
  return months === '' ? said : `${said}, in ${months}`
}

function timesInWords(second: string, minute: string, hour: string): string | undefined {
  const seconds = numbersIn(second, 0, 59)
  const minutes = numbersIn(minute, 0, 59)
  const hours = numbersIn(hour, 0, 23)
  if (!seconds || !minutes || !hours) return undefined
  if (seconds.length > 1) {
    if (!isAny(minute) || !isAny(hour)) return undefined
    return periodInWords(second, 'second')
  }
  const at = seconds[0] === 0 ? '' : `:${two(seconds[0]!)}`
  if (minutes.length * hours.length <= LISTED)
    return `at ${inWords(hours.flatMap((h) => minutes.map((m) => `${two(h)}:${two(m)}${at}`)))}`
  const within = isAny(hour) ? '' : hoursInWords(hour, hours)
  if (within === undefined) return undefined
  const late = at === '' ? '' : `, at second ${seconds[0]}`
  if (minutes.length > 1) {
    const period = periodInWords(minute, 'minute')
    return period === undefined ? undefined : `${period}${late}${within}`
  }
  const [past] = minutes
  const when = past === 0 ? 'on the hour' : `at minute ${past}`
  const step = /^\*\/(\d+)$/.exec(hour)?.[1]
  if (step !== undefined) return `every ${step} hours from 00:00 on, ${when}${late}`
  return `every hour, ${when}${late}${within}`
}

/** `, from 08:00 to 18:59`; undefined where the hours are no range. */
function hoursInWords(written: string, hours: readonly number[]): string | undefined {
  if (/^\d+-\d+$/.test(written)) return `, from ${two(hours[0]!)}:00 to ${two(hours.at(-1)!)}:59`
  return `, in the hours ${inWords(hours.map(String))}`
}

function periodInWords(written: string, unit: string): string | undefined {
  if (isAny(written)) return `every ${unit}`
  const step = /^(?:\*|0)\/(\d+)$/.exec(written)?.[1]
  if (step !== undefined) return step === '1' ? `every ${unit}` : `every ${step} ${unit}s`
  const said = listInWords(written, (text) => text)
  return said === undefined ? undefined : `every hour, at the ${unit}s ${said}`
}

function daysInWords(day: string, weekday: string): string | undefined {
  if (isAny(day) && isAny(weekday)) return 'every day'
  const ofMonth = isAny(day)
    ? undefined
    : day === 'L'
      ? 'on the last day of the month'
      : prefixed('on day', ' of the month', listInWords(day, numberOf))
  const ofWeek = isAny(weekday) ? undefined : weekdaysInWords(weekday)
  if ((!isAny(day) && ofMonth === undefined) || (!isAny(weekday) && ofWeek === undefined)) return undefined
  return ofMonth !== undefined && ofWeek !== undefined ? `${ofMonth} and ${ofWeek}` : (ofMonth ?? ofWeek)
}

function weekdaysInWords(weekday: string): string | undefined {
  const place = /^(\w+)#([1-5L])$/i.exec(weekday)
  if (place) {
    const name = wordOf(place[1]!, DAYS, 0)
    const which = place[2] === 'L' ? 'last' : PLACES[Number(place[2])]
    return name && `on the ${which} ${name} of the month`
  }
  return prefixed(
    'every',
    '',
    listInWords(weekday, (text) => wordOf(text, DAYS, 0)),
  )
}

function prefixed(before: string, after: string, text: string | undefined): string | undefined {
  return text === undefined ? undefined : `${before} ${text}${after}`
}

/** `1,15-20` item by item; undefined where one cannot be said. */
function listInWords(field: string, say: (text: string) => string | undefined): string | undefined {
  const said = field.split(',').map((item) => {
    const range = /^([A-Za-z\d]+)-([A-Za-z\d]+)$/.exec(item)
    if (!range) return say(item)
    const [from, to] = [say(range[1]!), say(range[2]!)]
    return from === undefined || to === undefined ? undefined : `${from} to ${to}`
  })
  return said.includes(undefined) ? undefined : inWords(said as string[])
}

function wordOf(text: string, words: readonly string[], first: number): string | undefined {
  if (/^\d+$/.test(text)) return words[Number(text) - first]
  return /^[A-Za-z]{3,}$/.test(text)
    ? words.find((word) => word.toLowerCase().startsWith(text.toLowerCase()))
    : undefined
}

function numberOf(text: string): string | undefined {
  return /^\d+$/.test(text) ? text : undefined
}

function isAny(field: string): boolean {
  return field === '*' || field === '*/1'
}

/** All that a field means: `0-10/5,30` is 0, 5, 10 and 30. */
function numbersIn(field: string, least: number, most: number): number[] | undefined {
  const found = new Set<number>()
  for (const item of field.split(',')) {
    const match = /^(?:\*|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(item)
    if (!match) return undefined
    const [, low, high, step] = match
    const from = low === undefined ? least : Number(low)
    const to = high !== undefined ? Number(high) : low !== undefined && step === undefined ? from : most
    for (let n = from; n <= Math.min(to, most); n += Math.max(1, Number(step ?? 1))) found.add(n)
  }
  return found.size === 0 ? undefined : [...found].toSorted((a, b) => a - b)
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
