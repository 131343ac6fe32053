import { Failure } from '../core/failure.ts'

export interface Turn {
  /** Resolves when it is this one's turn; it has then entered. Rejects with the reason it was given up for. */
  readonly come: Promise<void>
  giveUp(reason: Failure): void
}

/** How many messages of a flow run and wait at once. */
export class Gate {
  running = 0
  private readonly limits: { running: number; waiting: number }
  private readonly queue: Set<{ enter: () => void }> = new Set()
  private empty: (() => void) | undefined

  constructor(limits: { readonly running: number; readonly waiting: number }) {
    this.limits = limits
  }

  get waiting(): number {
    return this.queue.size
  }

  /** True: entered. */
  enter(): boolean {
    if (this.running >= this.limits.running) return false
    this.running++
    return true
  }

  /** A place in the queue; undefined when that is full, too. */
  wait(): Turn | undefined {
    if (this.queue.size >= this.limits.waiting) return undefined
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const entry = { enter: resolve }
    this.queue.add(entry)
    return {
      come: promise,
      giveUp: (reason) => {
        if (this.queue.delete(entry)) reject(reason)
      },
    }
  }

  leave(): void {
    const next = this.queue.values().next().value
    if (next) {
      this.queue.delete(next)
      next.enter()
      return
    }
    this.running--
    if (this.running === 0) this.empty?.()
  }

  /** Calls `action` once nothing runs and nothing waits. */
  whenEmpty(action: () => void): void {
    if (this.running === 0) action()
    else this.empty = action
  }
}

export function full(flow: string, { running, waiting }: Gate): Failure {
  return new Failure('flow.overload', `"${flow}" has ${running} messages running and ${waiting} waiting`, {
    hint: 'Send less at once, or raise `concurrency` of the flow.',
  })
}

export function waitedTooLong(flow: string): Failure {
  return new Failure('flow.timeout', `the message waited for its turn until the time of "${flow}" was up`, {
    hint: 'Send less at once, or raise `concurrency` or `timeout` of the flow.',
  })
}
