import type { Throttle } from '../core/http.ts'
import type { Deployment } from '../core/kinds.ts'
import type { ThrottleOptions } from './http-options.ts'

/** ms, where a rate says nothing of its time. */
const PER = 1000

/** What the requests of a step keep to; reports what does not fit together. */
export function prepareThrottle(
  { rate, per, concurrency, by }: ThrottleOptions,
  credential: string | undefined,
  deployment: Deployment,
): Throttle {
  const problem = (message: string, hint: string, at: readonly string[], on: 'key' | 'value' = 'key') =>
    deployment.problem({ code: 'flow/throttle', message, hint, at: ['throttle', ...at], on })
  if (rate === undefined && concurrency === undefined)
    problem(
      '"throttle" has neither "rate" nor "concurrency": nothing is limited',
      'Write `rate: 10, per: 1s`, or `concurrency: 4`, or both.',
      [],
    )
  if (per !== undefined && rate === undefined)
    problem('"per" has no "rate" that it belongs to', 'Write `rate`, such as `rate: 10`.', ['per'])
  if (by === 'credential' && credential === undefined)
    problem(
      'the step has no credential whose requests could be counted',
      'Write `by: host`, or name a credential.',
      ['by'],
      'value',
    )
  return {
    per: per ?? PER,
    ...(by !== 'host' && credential !== undefined && { credential }),
    ...(rate !== undefined && { rate }),
    ...(concurrency !== undefined && { concurrency }),
  }
}
