import type { Cancellation } from '../core/context.ts'
import type { Failure } from '../core/failure.ts'
import type { Clock } from '../core/world.ts'

/** One piece of work that many wait for. Whoever gives up ends only its own wait; the work has a deadline of its own. */
export class Flight<Result> implements Cancellation {
  readonly deadline: number
  #cancelled: Failure | undefined
  readonly #actions = new Set<(reason: Failure) => void>()
  #work: Promise<() => Result> | undefined

  /** @param deadline monotonic ms */
  constructor(deadline: number) {
    this.deadline = deadline
  }

  get cancelled(): Failure | undefined {
    return this.#cancelled
  }

  onCancel(action: (reason: Failure) => void): () => void {
    this.#actions.add(action)
    return () => this.#actions.delete(action)
  }

  cancel(reason: Failure): void {
    this.#cancelled = reason
    for (const action of [...this.#actions]) action(reason)
  }

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
