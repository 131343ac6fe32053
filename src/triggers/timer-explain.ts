import { sayDuration } from '../core/duration.ts'
import type { Explaining, TriggerExplanation } from '../core/explanation.ts'
import { codeInWords, inWords } from '../core/plain-words.ts'
import { isTimeZone, momentIn } from '../core/zone.ts'
import { cronInWords } from './cron-words.ts'
import { cronSchedule, everySchedule, listSchedule, NEVER, within, type Schedule } from './schedule.ts'

interface TimerOptions {
  readonly cron?: string
  readonly every?: number
  readonly at?: readonly string[]
  readonly once?: boolean
  readonly timezone?: string
  readonly startAt?: string
  readonly endAt?: string
  readonly jitter?: number
  readonly overlap?: 'skip' | 'queue' | 'allow'
  readonly misfire?: 'skip' | 'last' | 'all'
}

/** Times that are told. */
const COUNT = 3

const OVERLAP = {
  skip: 'A tick that is due while the run before it goes on is skipped (overlap: skip).',
  queue:
    'A tick that is due while the run before it goes on waits for its turn, 1,000 at most (overlap: queue).',
  allow: 'A tick that is due while another run goes on runs beside it, 100 at most (overlap: allow).',
}
const MISFIRE = {
  skip: 'Ticks that were missed (the engine down, the computer asleep) are not made up for (misfire: skip).',
  last: 'Of ticks that were missed (the engine down, the computer asleep) the last is made up for (misfire: last).',
  all: 'Ticks that were missed (the engine down, the computer asleep) are all made up for, one after the other (misfire: all).',
}

/** A timer in words. What is wrong in its options is left out. */
export function explainTimer(options: TimerOptions, { now }: Explaining): TriggerExplanation {
  const { jitter, overlap = 'skip', misfire = 'last', startAt, endAt } = options
  const zone = isTimeZone(options.timezone ?? 'UTC') ? (options.timezone ?? 'UTC') : 'UTC'
  const schedule = within(
    scheduleOf(options, zone),
    startAt === undefined ? undefined : momentIn(zone, startAt),
    endAt === undefined ? undefined : momentIn(zone, endAt),
  )
  return {
    text: timesInWords(options, zone),
    details: [
      ...(options.once === true || options.every === undefined || startAt !== undefined
        ? []
        : ['It counts from the start of the engine; the first tick is at once.']),
      ...(startAt === undefined ? [] : [`No tick is due before ${startAt}.`]),
      ...(endAt === undefined ? [] : [`No tick is due after ${endAt}.`]),
      ...(jitter ? [`Each tick is delayed by chance, by ${sayDuration(jitter)} at most.`] : []),
      ...(options.once === true ? [] : [OVERLAP[overlap], MISFIRE[misfire]]),
    ],
    next: nextTimes(schedule, now),
    zone,
    outcome: { failure: 'nobody waits for it: the message log tells (status FAILED)' },
  }
}

function timesInWords({ cron, every, at, once }: TimerOptions, zone: string): string {
  if (cron !== undefined) {
    const words = cronInWords(cron)
    return words === undefined
      ? `at the times of the cron pattern ${codeInWords(cron)} (${zone})`
      : `${words} (${zone})`
  }
  if (every !== undefined) return `every ${UNITS[every] ?? sayDuration(every)}`
  if (at !== undefined) return `at ${inWords(at)} (${zone})`
  return once === true
    ? 'once, when this version of the flow is first deployed'
    : 'by a timer that does not say when'
}

const UNITS: Readonly<Record<number, string>> = {
  1000: 'second',
  60_000: 'minute',
  3_600_000: 'hour',
  86_400_000: 'day',
}

/** `every` without `startAt` counts from the start of an engine: its times are not known. */
function scheduleOf({ cron, every, at, startAt }: TimerOptions, zone: string): Schedule {
  if (every !== undefined)
    return startAt === undefined ? NEVER : everySchedule(every, momentIn(zone, startAt))
  if (at !== undefined) return listSchedule(at.map((text) => momentIn(zone, text)))
  if (cron === undefined) return NEVER
  try {
    return cronSchedule(cron, zone)
  } catch {
    return NEVER
  }
}

function nextTimes(schedule: Schedule, now: number): number[] {
  const times: number[] = []
  for (let time = schedule.next(now); time !== undefined && times.length < COUNT; time = schedule.next(time))
    times.push(time)
  return times
}
