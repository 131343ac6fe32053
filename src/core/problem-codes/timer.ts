import type { ProblemText } from './problem-text.ts'

/** When timers fire. */
export const TIMER_PROBLEMS = {
  'timer/cron': {
    title: 'A cron pattern is not valid',
    meaning:
      'Five fields, `minute hour day-of-month month day-of-week`, or six with seconds first. `*/15 * * * *` is every quarter of an hour.',
    wrong: `steps:
  - timer: { cron: "61 2 * * *" }
  - log: tick
`,
    right: `steps:
  - timer: { cron: "1 2 * * *" }
  - log: tick
`,
  },
  'timer/jitter': {
    title: 'The jitter is longer than the time between two ticks',
    meaning: 'Ticks would overtake each other.',
    wrong: `steps:
  - timer: { every: 5m, jitter: 10m }
  - log: tick
`,
    right: `steps:
  - timer: { every: 5m, jitter: 30s }
  - log: tick
`,
  },
  'timer/never': {
    title: 'The timer never fires',
    meaning: 'No date matches the cron pattern: a day that its month does not have, for example.',
    wrong: `steps:
  - timer: { cron: "0 0 30 2 *" }
  - log: tick
`,
    right: `steps:
  - timer: { cron: "0 0 28 2 *" }
  - log: tick
`,
  },
  'timer/over': {
    title: 'All times of the timer are over',
    meaning: 'The flow loads, but its timer does not fire any more.',
    wrong: `steps:
  - timer: { at: [2020-12-01T02:00] }
  - log: tick
`,
    right: `steps:
  - timer: { at: [2999-12-01T02:00] }
  - log: tick
`,
  },
  'timer/schedule': {
    title: 'The timer does not say when it fires, or says it twice',
    meaning: 'Exactly one of `cron`, `every`, `at` and `once: true` is needed.',
    wrong: `steps:
  - timer: { timezone: Europe/Brussels }
  - log: tick
`,
    right: `steps:
  - timer: { cron: "0 2 * * *", timezone: Europe/Brussels }
  - log: tick
`,
  },
  'timer/timezone': {
    title: 'A time zone is not known',
    meaning: 'Names are those of the IANA time zone database, such as `Europe/Brussels` or `UTC`.',
    wrong: `steps:
  - timer: { cron: "0 2 * * *", timezone: Europe/Brussel }
  - log: tick
`,
    right: `steps:
  - timer: { cron: "0 2 * * *", timezone: Europe/Brussels }
  - log: tick
`,
  },
  'timer/window': {
    title: 'The timer has no tick between its start and its end',
    meaning:
      '`endAt` comes after `startAt`, and there is at least one tick between them; otherwise it never fires.',
    wrong: `steps:
  - timer: { every: 1h, startAt: 2030-06-01T00:00, endAt: 2030-05-01T00:00 }
  - log: tick
`,
    right: `steps:
  - timer: { every: 1h, startAt: 2030-05-01T00:00, endAt: 2030-06-01T00:00 }
  - log: tick
`,
  },
} as const satisfies Record<string, ProblemText>
