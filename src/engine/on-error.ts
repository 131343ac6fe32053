import { Failure } from '../core/failure.ts'
import type { Flow } from '../core/flow.ts'
import { END } from '../core/kinds.ts'
import type { Message } from '../core/message.ts'
import type { Line } from './line.ts'
import { runSteps, type ReadyStep } from './run.ts'

/** ms that `onError` has, whatever the flow had left. */
const TIME = 60_000

export interface Handled {
  /** What the caller is told: the failure, or the one that a `fail` step of `onError` made of it. */
  readonly told: Failure
  /** The message is the reply. */
  readonly replied: boolean
}

/** Runs what a flow does when it failed. Never rejects: a failure in here is a line of the log. */
export async function runOnError(
  steps: readonly ReadyStep[],
  flow: Flow,
  message: Message,
  line: Line,
  failure: Failure,
): Promise<Handled> {
  const own = line.fork({ error: failure })
  own.deadline = line.runtime.clock.ticks() + TIME
  try {
    const outcome = await runSteps(steps, message, own)
    return { told: failure, replied: outcome === END }
  } catch (thrown) {
    const second = Failure.from(thrown)
    const byFail = flow.allSteps.find(({ id }) => id === second.step)?.kind === 'fail'
    if (!byFail)
      own.log('error', `onError failed: ${second.message}`, { code: second.code, step: second.step })
    return { told: byFail ? second : failure, replied: false }
  }
}
