import type { Static } from '@sinclair/typebox'
import { printDuration } from '../core/duration.ts'
import type { Flow } from '../core/flow.ts'
import { defineTrigger, type Deployment } from '../core/kinds.ts'
import { didYouMean } from '../core/problem.ts'
import { Choice, Duration, Flag, Keys, Moment, OneOrMore, Optional, Text } from '../core/schema.ts'
import { isTimeZone, momentIn, timeZones } from '../core/zone.ts'
import { cronSchedule, everySchedule, listSchedule, NEVER, type Schedule } from './schedule.ts'
import { explainTimer } from './timer-explain.ts'
import { Ticker } from './ticker.ts'
import { checkJitter, checkTicks, type Way } from './timer-check.ts'
import type { TimerPlan } from './timer-plan.ts'

const WAYS: readonly Way[] = ['cron', 'every', 'at', 'once']
const CRON_HINT =
  'Five fields, "minute hour day-of-month month day-of-week", or six with seconds first: "0 2 * * *" is every day at 02:00, "*/15 * * * *" every quarter of an hour.'

/** ms: a hundred years. */
const LONGEST_PERIOD = 36_525 * 24 * 60 * 60 * 1000

const options = Keys({
  cron: Optional(
    Text({
      description: 'Five fields (minute hour day-of-month month day-of-week), or six with seconds first.',
      examples: ['0 2 * * *', '*/15 8-18 * * MON-FRI'],
    }),
  ),
  every: Optional(
    Duration({
      description: 'A period, at least 100ms; the first tick is at once, or at `startAt`.',
      minimum: 100,
      maximum: LONGEST_PERIOD,
      examples: ['5m'],
    }),
  ),
  at: Optional(
    OneOrMore(Moment({ description: 'A date and time.' }), {
      description: 'A date and time, or a list of them.',
      examples: ['2026-12-01T02:00'],
    }),
  ),
  once: Optional(Flag({ description: 'Once, when this version of the flow is first deployed.' })),
  timezone: Optional(
    Text({
      description: 'The time zone of the pattern and of times without an offset.',
      default: 'UTC',
      examples: ['Europe/Brussels'],
    }),
  ),
  startAt: Optional(
    Moment({
      description: 'No tick is due before; `every` counts from here.',
      examples: ['2026-12-01T02:00'],
    }),
  ),
  endAt: Optional(Moment({ description: 'No tick is due after.', examples: ['2026-12-31T23:59'] })),
  jitter: Optional(
    Duration({
      description:
        'Each tick is delayed by a random time up to this; `trigger.scheduledAt` stays when it was due.',
      examples: ['30s'],
    }),
  ),
  overlap: Optional(
    Choice(['skip', 'queue', 'allow'], {
      description:
        "What happens with a tick that is due while the run before it is not over: it is skipped; it waits its turn, in order (1,000 at most, in memory); or it runs beside it (100 at most). Ticks that are not run are told in the engine's log.",
      default: 'skip',
    }),
  ),
  misfire: Optional(
    Choice(['skip', 'last', 'all'], {
      description:
        "What happens with ticks that are more than a minute late or were passed over, because the engine was down, the computer slept, or the disk refused to record them: none is made up for, only the last, or all, one after the other (the newest 1,000). What is left out is told in the engine's log.",
      default: 'last',
    }),
  ),
})

type Options = Static<typeof options>

export const timer = defineTrigger({
  name: 'timer',
  summary: 'Starts the flow at times: by a cron pattern, a period, a list of times, or once.',
  description:
    'Each occurrence is recorded on disk before its run begins, so that it fires once. A time that the clocks of the time zone skip is due when they go on; one that they show twice is due once; a cron pattern for every hour goes on evenly. `every` fires at once when the engine starts, and counts from there; with `startAt` it counts from that moment.',
  timeout: 24 * 60 * 60 * 1000,
  options,
  examples: [
    {
      title: 'Every night at two',
      yaml: 'steps:\n  - timer: { cron: "0 2 * * *", timezone: Europe/Brussels }\n  - log: good night\n',
    },
    {
      title: 'At the start and then every five minutes',
      yaml: 'steps:\n  - timer: { every: 5m }\n  - log: tick\n',
    },
  ],
  concurrency: ({ overlap = 'skip' }) => CONCURRENCY[overlap],
  explain: explainTimer,
  prepare(options, deployment) {
    const plan = planOf(options, deployment)
    const { world, services } = deployment
    let ticker: Ticker | undefined
    return {
      summary: summaryOf(options),
      start(host) {
        ticker = new Ticker(plan, host, { world, state: services.state, log: services.log })
      },
      stop: () => ticker?.stop() ?? Promise.resolve(),
      next: () => ticker?.next,
    }
  },
})

const CONCURRENCY = {
  skip: { running: 1, waiting: 0 },
  queue: { running: 1, waiting: 1000 },
  allow: { running: 100, waiting: 0 },
}

function planOf(options: Options, deployment: Deployment): TimerPlan {
  const { timezone = 'UTC', jitter = 0, overlap = 'skip', misfire = 'last' } = options
  const { flow } = deployment
  const known = isTimeZone(timezone)
  if (!known)
    deployment.problem({
      code: 'timer/timezone',
      message: `the time zone "${timezone}" is not known${didYouMean(timezone, timeZones())}`,
      hint: 'Names are those of the IANA time zone database: "Europe/Brussels", "UTC".',
      at: ['timezone'],
    })
  const zone = known ? timezone : 'UTC'
  const [from, to] = [options.startAt, options.endAt].map((text) =>
    text === undefined ? undefined : momentIn(zone, text),
  )
  const way = wayOf(options, deployment)
  const schedule = way && scheduleOf(options, zone, from, deployment)
  const window = { from, to }
  if (way !== undefined) checkTicks(way, schedule, window, deployment)
  if (schedule && jitter > 0) checkJitter(schedule, jitter, deployment)
  return {
    key: keyOf(options, way, flow),
    times:
      way === 'once'
        ? { once: true }
        : way === 'every' && from === undefined
          ? { every: options.every! }
          : { schedule: schedule ?? NEVER },
    ...window,
    jitter,
    overlap,
    misfire,
  }
}

function wayOf(options: Options, deployment: Deployment): Way | undefined {
  const given = WAYS.filter((way) => options[way] !== undefined && options[way] !== false)
  if (given.length === 1) return given[0]
  const choice = 'one of `cron`, `every`, `at` and `once: true`'
  if (given.length === 0)
    deployment.problem({
      code: 'timer/schedule',
      message: `the timer does not say when it fires: ${choice} is needed`,
      hint: 'For example `every: 5m`, or `cron: "0 2 * * *"`.',
    })
  else
    deployment.problem({
      code: 'timer/schedule',
      message: `the timer has ${given.map((way) => `\`${way}\``).join(' and ')}; exactly ${choice} is needed`,
      hint: 'Make two flows of it, or leave one out.',
      at: [given[1]!],
      on: 'key',
    })
  return undefined
}

/** Undefined for `once`, and where a mistake was reported. */
function scheduleOf(
  { cron, every, at }: Options,
  zone: string,
  from: number | undefined,
  deployment: Deployment,
): Schedule | undefined {
  if (every !== undefined) return everySchedule(every, from ?? 0)
  if (cron !== undefined) return cronOption(cron, zone, deployment)
  if (at === undefined) return undefined
  return listSchedule(at.map((text) => momentIn(zone, text)))
}

function cronOption(pattern: string, zone: string, deployment: Deployment): Schedule | undefined {
  try {
    return cronSchedule(pattern, zone)
  } catch (error) {
    deployment.problem({
      code: 'timer/cron',
      message: `the cron pattern "${pattern}" is not valid: ${(error as Error).message}`,
      hint: CRON_HINT,
      at: ['cron'],
    })
    return undefined
  }
}

/** For people: `every 1m`, `cron 0 2 * * * Europe/Brussels`. */
function summaryOf({ cron, every, at, timezone = 'UTC' }: Options): string {
  if (cron !== undefined) return `cron ${cron} ${timezone}`
  if (every !== undefined) return `every ${printDuration(every)}`
  return at === undefined ? 'once' : `at ${at.join(', ')} ${timezone}`
}

/** What it is known by in the state store: another schedule is another timer. */
function keyOf(options: Options, way: Way | undefined, { name, version }: Flow): string {
  if (way === 'once') return `${name}@${version}`
  const { startAt, endAt } = options
  return `${name} ${summaryOf(options)}${startAt === undefined ? '' : ` from ${startAt}`}${endAt === undefined ? '' : ` to ${endAt}`}`
}
