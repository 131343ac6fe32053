import { Cancellable } from '../core/cancellation.ts'
import type { Cancellation } from '../core/context.ts'
import type { Failure } from '../core/failure.ts'
import type { Clock } from '../core/world.ts'

/** One piece of work that many wait for. Whoever gives up ends only its own wait; the work has a deadline of its own. */
export class Flight<Result> extends Cancellable {
  #work: Promise<() => Result> | undefined

  /** @param work never rejects; what it gives is asked for the result, or throws, once for everyone who waits */
  follow(work: Promise<() => Result>): void {
    this.#work = work
  }

  /** The result, or a rejection when the waiting caller is called off or out of time. */
  wait(until: Cancellation, clock: Clock, late: () => Failure): Promise<Result> {
    if (until.cancelled) return Promise.reject(until.cancelled)
    return new Promise((resolve, reject) => {
      const end = () => {
        timer?.cancel()
        release()
      }
      const release = until.onCancel((reason) => {
        end()
        reject(reason)
      })
      const left = until.deadline - clock.ticks()
      const timer = Number.isFinite(left)
        ? clock.after(Math.max(0, left), () => {
            end()
            reject(late())
          })
        : undefined
      void this.#work!.then((result) => {
        end()
        try {
          resolve(result())
        } catch (error) {
          reject(error)
        }
      })
    })
  }
}
