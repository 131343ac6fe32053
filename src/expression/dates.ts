import { readDatePattern } from './date-pattern.ts'
import { remembered, type FunctionKind } from './function-kind.ts'
import type { Site } from './site.ts'
import { isDate, type DateValue } from './values.ts'

const DATE_TEXT =
  /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d)?)(?:\.(\d+))?)?(?:([Zz])|([+-]\d\d):?(\d\d))?$/
const ZONE = /^(?:[A-Za-z][A-Za-z0-9_+\-/]*|[+-]\d\d:\d\d)$/

export const DATE_FUNCTIONS: readonly FunctionKind[] = [
  {
    name: 'now',
    signature: 'now()',
    summary: 'The date and time at which it is evaluated.',
    example: { expression: 'now()', result: '2026-11-21T12:00:00.000Z' },
    least: 0,
    most: 0,
    changes: true,
    bind: (site) => () => Temporal.Instant.fromEpochMilliseconds(Math.floor(site.setting.world.clock.now())),
  },
  {
    name: 'date',
    signature: 'date(text, zone?)',
    summary: 'The date of an RFC 3339 text: with an offset, or without one and with the zone it is meant in.',
    example: {
      expression: 'date("2026-11-21T12:00:00", "Europe/Brussels")',
      result: '2026-11-21T11:00:00.000Z',
    },
    least: 1,
    most: 2,
    bind(site, [, zone]) {
      if (zone) checkZone(site, zone.value, 1)
      return (text, zone) => {
        const checked = zone === undefined ? undefined : checkZone(site, zone, 1)
        return isDate(text) ? text : readDate(site, site.text(text, 0), checked)
      }
    },
  },
  {
    name: 'formatDate',
    signature: 'formatDate(t, pattern, zone = UTC)',
    summary:
      'A date as text, by a Unicode date pattern with English names. Takes RFC 3339 text with offset, too.',
    example: {
      expression: 'formatDate(date("2026-11-21T12:00:00Z"), "dd.MM.yyyy HH:mm", "Europe/Brussels")',
      result: '21.11.2026 13:00',
    },
    least: 2,
    most: 3,
    bind(site, [, pattern, zone]) {
      const printer = remembered((text) => readPattern(site, text))
      if (zone) checkZone(site, zone.value, 2)
      if (pattern) {
        const { warning } = printer(site.text(pattern.value, 1))
        if (warning) site.warn(warning.message, warning.hint, 1)
      }
      return (date, pattern, zone) => {
        const { print } = printer(site.text(pattern, 1))
        const where = zone === undefined ? 'UTC' : checkZone(site, zone, 2)
        return site.bounded(print(toDate(site, date).toZonedDateTimeISO(where)))
      }
    },
  },
  {
    name: 'addDuration',
    signature: 'addDuration(t, duration, zone = UTC)',
    summary:
      'A date so much later: an ISO 8601 duration, negative to go back; days and months are those of the zone.',
    example: {
      expression: 'addDuration(date("2026-01-31T00:00:00Z"), "P1M")',
      result: '2026-02-28T00:00:00.000Z',
    },
    least: 2,
    most: 3,
    bind(site, [, duration, zone]) {
      const read = remembered((text) => readDuration(site, text))
      if (duration) read(site.text(duration.value, 1))
      if (zone) checkZone(site, zone.value, 2)
      return (date, duration, zone) => {
        const span = read(site.text(duration, 1))
        const where = zone === undefined ? 'UTC' : checkZone(site, zone, 2)
        const start = toDate(site, date)
        try {
          return start.toZonedDateTimeISO(where).add(span).toInstant()
        } catch {
          return site.fail('"addDuration" leaves the range of dates')
        }
      }
    },
  },
]

/** A date, or RFC 3339 text with its offset. */
function toDate(site: Site, value: unknown): DateValue {
  if (isDate(value)) return value
  if (typeof value === 'string') return readDate(site, value, undefined)
  return site.unfit('date', value, 0, 'date(text) makes a date of RFC 3339 text.')
}

function readDate(site: Site, text: string, zone: string | undefined): DateValue {
  const [, day, time = '00:00', fraction, utc, offsetHours, offsetMinutes] = DATE_TEXT.exec(text) ?? []
  if (day === undefined) {
    return site.fail(
      `"${site.name}" takes RFC 3339 text, and this text is none`,
      'Such as 2026-11-21T12:00:00Z or 2026-11-21T13:00:00+01:00.',
      0,
    )
  }
  const wall =
    fraction === undefined ? `${day}T${time}` : `${day}T${withSeconds(time)}.${fraction.slice(0, 9)}`
  try {
    if (utc !== undefined) return Temporal.Instant.from(`${wall}Z`)
    if (offsetHours !== undefined) return Temporal.Instant.from(`${wall}${offsetHours}:${offsetMinutes}`)
    if (zone !== undefined) return Temporal.PlainDateTime.from(wall).toZonedDateTime(zone).toInstant()
  } catch {
    return site.fail(`"${site.name}" got a day or a time that does not exist`, undefined, 0)
  }
  return site.fail(
    `"${site.name}" got a date without an offset, and no zone to read it in`,
    'Name the zone that it is meant in: date(text, "Europe/Brussels").',
    0,
  )
}

function withSeconds(time: string): string {
  return time.length === 5 ? `${time}:00` : time
}

function readDuration(site: Site, text: string): Temporal.Duration {
  try {
    return Temporal.Duration.from(text)
  } catch {
    return site.fail(
      '"addDuration" takes an ISO 8601 duration, and this text is none',
      'Such as "PT1H" (an hour), "P1D" (a day), "-P1M" (a month back), "P1DT12H".',
      1,
    )
  }
}

function readPattern(site: Site, text: string) {
  const pattern = readDatePattern(text)
  return 'mistake' in pattern ? site.fail(pattern.mistake, pattern.hint, 1) : pattern
}

const knownZones = new Set(['UTC'])

function checkZone(site: Site, zone: unknown, operand: number): string {
  const name = site.text(zone, operand)
  if (knownZones.has(name)) return name
  try {
    if (!ZONE.test(name)) throw new RangeError(name)
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name)
  } catch {
    return site.fail(
      `"${site.name}" takes the name of a time zone as "zone", and this is none`,
      'Such as "Europe/Brussels", "UTC" or "+02:00".',
      operand,
    )
  }
  if (knownZones.size < 1000) knownZones.add(name)
  return name
}
