import { printDuration } from '../core/duration.ts'
import type { Deployment } from '../core/kinds.ts'
import { shortestGap, within, type Schedule } from './schedule.ts'
import type { TimerPlan } from './timer-plan.ts'

/** How a timer says when it fires. */
export type Way = 'cron' | 'every' | 'at' | 'once'

/**
 * Whether there are ticks at all, and some to come.
 * @param schedule undefined for `once`, and where a mistake was reported
 */
export function checkTicks(
  way: Way,
  schedule: Schedule | undefined,
  { from, to }: Pick<TimerPlan, 'from' | 'to'>,
  deployment: Deployment,
): void {
  const now = deployment.world.clock.now()
  if (from !== undefined && to !== undefined && to < from)
    return deployment.problem({
      code: 'timer/window',
      message: '`endAt` is not after `startAt`: the timer never fires',
      hint: 'Correct one of them.',
      at: ['endAt'],
    })
  if (way === 'cron' && schedule && schedule.next(now) === undefined)
    return deployment.problem({
      code: 'timer/never',
      message: 'the cron pattern never fires: no date matches it',
      hint: 'Change its day or its month: there is no 30 February, for example.',
      at: ['cron'],
    })
  const noneLeft = way === 'at' && schedule?.next(now - 1) === undefined
  if (noneLeft && schedule?.next(-1) !== undefined) over('all times in `at` are over', 'at', deployment)
  if (to !== undefined && to < now) return over('`endAt` is over', 'endAt', deployment)
  if (!schedule || noneLeft || (way === 'every' && from === undefined)) return undefined
  const ticks = within(schedule, from, to)
  if (ticks.next((from ?? 0) - 1) === undefined)
    return deployment.problem({
      code: 'timer/window',
      message: `the timer never fires: \`${way}\` has no time ${windowText(from, to)}`,
      hint: 'Correct one of them.',
      at: [to === undefined ? 'startAt' : 'endAt'],
    })
  if (ticks.next(now - 1) === undefined) over('the last tick before `endAt` is over', 'endAt', deployment)
}

function windowText(from: number | undefined, to: number | undefined): string {
  if (to === undefined) return 'after `startAt`'
  return from === undefined ? 'before `endAt`' : 'between `startAt` and `endAt`'
}

function over(what: string, option: string, deployment: Deployment): void {
  deployment.problem({
    code: 'timer/over',
    severity: 'warning',
    message: `${what}: the timer does not fire any more`,
    hint:
      option === 'at'
        ? 'Add a time, or delete the flow if it is not needed any more.'
        : 'Set `enabled: false`, or delete the flow, if it is not needed any more.',
    at: [option],
  })
}

export function checkJitter(schedule: Schedule, jitter: number, deployment: Deployment): void {
  const gap = shortestGap(schedule, deployment.world.clock.now())
  if (jitter > gap)
    deployment.problem({
      code: 'timer/jitter',
      message: `the jitter of ${printDuration(jitter)} is longer than the ${printDuration(gap)} between two ticks`,
      hint: 'Make it shorter.',
      at: ['jitter'],
    })
}
