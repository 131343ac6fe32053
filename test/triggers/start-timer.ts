import assert from 'node:assert/strict'
import type { Failure } from '../../src/core/failure.ts'
import type { RunRequest } from '../../src/core/kinds.ts'
import { timer } from '../../src/triggers/timer.ts'
import { ManualClock, settle } from '../support/clock.ts'
import { host, MemoryState, prepare, type PrepareSetting } from './deployment.ts'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE

/** A timer that goes; `times` are the occurrences that were run, as `hh:mm` of UTC or with the day. */
export async function start(
  options: object,
  setting: PrepareSetting & { run?: (request: RunRequest) => void | Promise<void> | Failure } = {},
) {
  const clock = setting.clock ?? new ManualClock('2026-11-21T12:00:00Z')
  const state = (setting.state ?? new MemoryState()) as MemoryState
  const flow = host((_message, request) => setting.run?.(request))
  const made = prepare(timer, options, { ...setting, clock, state })
  assert.deepEqual(
    made.problems.filter(({ severity }) => severity !== 'warning'),
    [],
  )
  made.prepared.start(flow)
  await settle()
  const { requests, missedTicks } = flow
  const scheduled = () => requests.map(({ trigger }) => String(trigger.data['scheduledAt']))
  return {
    ...made,
    clock,
    state,
    requests,
    /** What the engine was told of ticks that are not run. */
    missedTicks,
    times: () => scheduled().map((at) => at.slice(11, 16)),
    days: () => scheduled().map((at) => at.slice(5, 16)),
    next: () => made.prepared.next!(),
    stop: () => made.prepared.stop(),
  }
}
