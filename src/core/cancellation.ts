import type { Cancellation } from './context.ts'
import type { Failure } from './failure.ts'

/** Something that is called off from outside. */
export class Cancellable implements Cancellation {
  readonly deadline: number
  #cancelled: Failure | undefined
  readonly #actions = new Set<(reason: Failure) => void>()

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
}

/** Something that has its time, and cannot be called off. @param deadline monotonic ms */
export function uninterrupted(deadline: number): Cancellation {
  return { deadline, cancelled: undefined, onCancel: () => () => {} }
}
