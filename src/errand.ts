import type { Branching, Context, RunInfo } from './core/context.ts'
import { Failure } from './core/failure.ts'
import type { World } from './core/world.ts'

/** What a person has asked the engine to do: a line of work without a flow around it, which leaves no record. */
export class Errand implements Context {
  readonly run: RunInfo
  readonly trigger = { kind: 'manual', data: {} }
  readonly parameters = {}
  readonly step = ''
  readonly item = undefined
  readonly index = undefined
  readonly error = undefined
  deadline = Infinity
  cancelled: Failure | undefined = undefined
  readonly #world: World
  readonly #actions = new Set<(reason: Failure) => void>()
  readonly #abort = new AbortController()
  readonly #release: () => void

  /** @param signal calls it off */
  constructor(world: World, signal?: AbortSignal) {
    const id = world.newId()
    this.#world = world
    this.run = {
      id,
      flow: '',
      correlationId: id,
      attempt: 1,
      startedAt: world.clock.now(),
      traceparent: '',
    }
    const cancel = () => this.#cancel()
    signal?.addEventListener('abort', cancel, { once: true })
    this.#release = () => signal?.removeEventListener('abort', cancel)
    if (signal?.aborted) cancel()
  }

  /** What comes next has so much time (ms). */
  within(time: number): void {
    this.deadline = this.#world.clock.ticks() + time
  }

  onCancel(action: (reason: Failure) => void): () => void {
    if (this.cancelled) {
      action(this.cancelled)
      return () => {}
    }
    this.#actions.add(action)
    return () => this.#actions.delete(action)
  }

  signal(): AbortSignal {
    return this.#abort.signal
  }

  log(): void {}
  attach(): void {}
  used(): void {}
  progress(): void {}

  fork(): this {
    return this
  }

  branch(): Branching {
    return { fork: () => this, cancel: () => {}, end: () => {} }
  }

  /** Lets go of the signal. */
  end(): void {
    this.#release()
  }

  #cancel(): void {
    const reason = new Failure('flow.cancelled', 'it was called off by the one who asked for it')
    this.cancelled = reason
    this.#abort.abort(reason)
    for (const action of this.#actions) action(reason)
    this.#actions.clear()
  }
}
