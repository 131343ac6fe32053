import { Cron } from 'croner'
import { stretchAt, wallClockIn, wallTimeIn } from '../core/zone.ts'

/** When something is due. All times are epoch ms. */
export interface Schedule {
  /** The first occurrence after this moment. */
  next(after: number): number | undefined
}

export const NEVER: Schedule = { next: () => undefined }

/** The fields' names, seconds left out when there are five. */
const FIELDS = 'minute hour day-of-month month day-of-week'

/**
 * Five fields, or six with seconds first. A pattern that names hours means times on the clocks of `zone`: one that
 * the clocks skip is due when they go on, one that they show twice is due once. A pattern for every hour is due
 * whenever the clocks show one of its minutes, so that it goes on evenly.
 * @throws Error whose message says what is wrong with the pattern
 */
export function cronSchedule(pattern: string, zone: string): Schedule {
  const fields = pattern.trim() === '' ? [] : pattern.trim().split(/\s+/)
  if (fields.length < 5 || fields.length > 6)
    throw new Error(
      `it has ${fields.length} fields; five are expected (${FIELDS}), or six with seconds first`,
    )
  const cron = parseCron(pattern)
  return forEveryHour(fields.at(-4)!) ? evenSchedule(cron, zone) : wallSchedule(cron, zone)
}

/** What it matches is what clocks show, taken as UTC. */
function parseCron(pattern: string): Cron {
  try {
    return new Cron(pattern, { mode: '5-or-6-parts', timezone: 'UTC', paused: true })
  } catch (error) {
    throw new Error(
      (error as Error).message.replace(/^CronPattern: /, '').replace(/^./, (c) => c.toLowerCase()),
      { cause: error },
    )
  }
}

function forEveryHour(hours: string): boolean {
  if (hours === '*') return true
  if (/^\d+$/.test(hours)) return false
  return parseCron(`0 ${hours} * * *`).nextRuns(24, new Date(-1)).at(-1)!.getTime() < 24 * 60 * 60 * 1000
}

function evenSchedule(cron: Cron, zone: string): Schedule {
  let stretch = stretchAt(zone, 0)
  return {
    next(after) {
      for (let from = after; ; from = stretch.to - 1) {
        if (!(from + 1 >= stretch.from && from + 1 < stretch.to)) stretch = stretchAt(zone, from + 1)
        const { to, offset } = stretch
        const match = cron.nextRun(new Date(from + offset))
        if (!match) return undefined
        if (match.getTime() - offset < to) return match.getTime() - offset
      }
    },
  }
}

function wallSchedule(cron: Cron, zone: string): Schedule {
  return {
    next(after) {
      let wall = new Date(wallClockIn(zone, after))
      for (;;) {
        const match = cron.nextRun(wall)
        if (!match) return undefined
        const at = wallTimeIn(zone, Temporal.PlainDateTime.from(match.toISOString().slice(0, -1)))
        if (at > after) return at
        wall = match
      }
    },
  }
}

/** Due at `first`, and every `period` ms from there on. */
export function everySchedule(period: number, first: number): Schedule {
  return {
    next: (after) => (after < first ? first : first + (Math.floor((after - first) / period) + 1) * period),
  }
}

export function listSchedule(times: readonly number[]): Schedule {
  const sorted = times.toSorted((a, b) => a - b)
  return { next: (after) => sorted.find((time) => time > after) }
}

/** The occurrences from `from` to `to`, both included. */
export function within(schedule: Schedule, from = -Infinity, to = Infinity): Schedule {
  return {
    next(after) {
      const time = schedule.next(Math.max(after, from - 1))
      return time !== undefined && time <= to ? time : undefined
    },
  }
}

/** What is due before `turn` by the one schedule, from then on by the other. */
export function joined(before: Schedule, turn: number, after: Schedule): Schedule {
  return {
    next(moment) {
      const time = before.next(moment)
      return time !== undefined && time < turn ? time : after.next(Math.max(moment, turn - 1))
    },
  }
}

/** The newest `count` occurrences after `after`, up to and with `until`; oldest first. */
export function newest(schedule: Schedule, after: number, until: number, count: number): number[] {
  for (let span = 60_000; ; span *= 4) {
    const from = Math.max(after, until - span)
    const found: number[] = []
    for (let time = schedule.next(from); time !== undefined && time <= until; time = schedule.next(time))
      found.push(time)
    if (found.length >= count || from === after) return found.slice(-count)
  }
}

/** The shortest time between two of the next occurrences, ms; `Infinity` where there are not two. */
export function shortestGap(schedule: Schedule, after: number): number {
  let shortest = Infinity
  let last = schedule.next(after)
  for (let i = 0; i < 50 && last !== undefined; i++) {
    const next = schedule.next(last)
    if (next !== undefined) shortest = Math.min(shortest, next - last)
    last = next
  }
  return shortest
}
