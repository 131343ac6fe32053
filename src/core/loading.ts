import type { Body } from './body.ts'
import type { Cancellation } from './context.ts'
import { Failure } from './failure.ts'
import type { Clock } from './world.ts'

/**
 * Reads a streamed body into memory while there is time. What is called off stops reading.
 * @param limit bytes
 * @throws Failure `flow.timeout`, `body.too-large`, `body.consumed`, and what the stream fails with
 */
export async function loadBody(body: Body, limit: number, clock: Clock, until: Cancellation): Promise<void> {
  const source = body.unread
  const stop = (reason: Failure) => void source?.destroy(reason)
  const late = () =>
    stop(
      new Failure('flow.timeout', 'the body had not arrived when the time was up', {
        hint: 'Raise `timeout` of the step or the flow, or look at the sender.',
      }),
    )
  const timer = clock.after(Math.max(0, until.deadline - clock.ticks()), late)
  const release = until.onCancel(stop)
  try {
    await body.load(limit)
  } finally {
    timer.cancel()
    release()
  }
}
