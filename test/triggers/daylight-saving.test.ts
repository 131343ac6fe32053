import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cronSchedule, listSchedule } from '../../src/triggers/schedule.ts'
import { momentIn } from '../../src/core/zone.ts'

const MINUTE = 60_000
const QUARTER = 15 * MINUTE
const HOUR = 60 * MINUTE

/** What the clocks of the zone show at each minute of the year, as if it were UTC, by `Intl` alone. */
function clocksOf(zone: string, year: number): Float64Array {
  const format = new Intl.DateTimeFormat('en', {
    timeZone: zone,
    calendar: 'gregory',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  })
  const start = Date.UTC(year, 0, 1)
  const shown = new Float64Array((Date.UTC(year + 1, 0, 1) - start) / MINUTE)
  for (let i = 0; i < shown.length; i += QUARTER / MINUTE) {
    const parts = format.formatToParts(start + i * MINUTE)
    const part = (type: string) => Number(parts.find((entry) => entry.type === type)!.value)
    const wall = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'))
    for (let j = 0; j < QUARTER / MINUTE; j++) shown[i + j] = wall + j * MINUTE
  }
  return shown
}

const NAMES = 'SUN MON TUE WED THU FRI SAT'.split(' ')

/** The numbers that a field of a cron pattern stands for. */
function numbers(field: string, from: number, to: number): Set<number> {
  const found = new Set<number>()
  for (const part of field.split(',')) {
    const [range = '', step = '1'] = part.split('/')
    const [first, last = first] = range.split('-').map((word) => {
      const name = NAMES.indexOf(word)
      return name < 0 ? Number(word) : name
    })
    const [low, high] = range === '*' ? [from, to] : [first!, last!]
    for (let i = low; i <= high; i += Number(step)) found.add(i)
  }
  return found
}

/** Whether a time on the clocks, as if it were UTC, matches a pattern of five fields. */
function matcher(pattern: string): (wall: number) => boolean {
  const [minute, hour, day, month, weekday] = pattern.split(' ') as [string, string, string, string, string]
  const minutes = numbers(minute, 0, 59)
  const hours = numbers(hour, 0, 23)
  const days = numbers(day, 1, 31)
  const months = numbers(month, 1, 12)
  const weekdays = numbers(weekday, 0, 6)
  return (wall) => {
    if (!minutes.has((wall / MINUTE) % 60) || !hours.has(Math.floor(wall / HOUR) % 24)) return false
    const time = new Date(wall)
    if (!months.has(time.getUTCMonth() + 1)) return false
    const byDay = days.has(time.getUTCDate())
    const byWeekday = weekdays.has(time.getUTCDay())
    return day === '*' ? byWeekday : weekday === '*' ? byDay : byDay || byWeekday
  }
}

/** When a pattern is due, minute by minute, by the words of the documentation. */
function* dueMinutes(pattern: string, shown: Float64Array, start: number): Generator<number> {
  const matches = matcher(pattern)
  const everyHour = numbers(pattern.split(' ')[1]!, 0, 23).size === 24
  let latest = shown[0]! - MINUTE
  for (let i = 0; i < shown.length; i++) {
    const wall = shown[i]!
    let due = matches(wall) && (everyHour || wall > latest)
    if (!everyHour)
      for (let skipped = latest + MINUTE; skipped < wall; skipped += MINUTE) due ||= matches(skipped)
    latest = Math.max(latest, wall)
    if (due) yield start + i * MINUTE
  }
}

const ZONES: [zone: string, year: number, why: string][] = [
  ['Europe/Brussels', 2026, 'an hour, at two and three'],
  ['America/New_York', 2026, 'an hour, at two'],
  ['Australia/Lord_Howe', 2026, 'half an hour, at two'],
  ['Africa/Casablanca', 2026, 'winter time in Ramadan'],
  ['Asia/Beirut', 2026, 'no midnight in spring, two in autumn'],
  ['America/Sao_Paulo', 2018, 'no midnight in November, two in February'],
  ['Pacific/Apia', 2011, 'a day that did not exist'],
  ['Asia/Kolkata', 2026, 'no change, half an hour off'],
]

const PATTERNS = [
  '*/30 * * * *',
  '45 0-23/1 * * *',
  '0 0 * * *',
  '30 0,23 * * *',
  '*/20 1-3 * * *',
  '30 2 * * SUN',
  '15 */2 1 * MON',
  '0 12 29-31 3,10,12 *',
]

for (const [zone, year, why] of ZONES)
  test(`every minute of ${year} in ${zone} (${why}): a pattern is due when its words say so`, () => {
    const start = Date.UTC(year, 0, 1)
    const shown = clocksOf(zone, year)
    for (const pattern of PATTERNS) {
      const schedule = cronSchedule(pattern, zone)
      let at = start - 1
      let count = 0
      for (const due of dueMinutes(pattern, shown, start)) {
        const next = schedule.next(at)!
        if (next !== due)
          assert.equal(
            new Date(next).toISOString(),
            new Date(due).toISOString(),
            `"${pattern}" after ${new Date(at).toISOString()}`,
          )
        at = next
        count++
      }
      assert.ok(count > 5, pattern)
    }
  })

void listSchedule
void momentIn
