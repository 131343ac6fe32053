import type { Failure } from '../core/failure.ts'

/** Work that can be called off: a run, or lines of work inside one of its steps. */
export class Scope {
  /** Why it was called off. */
  cancelled: Failure | undefined = undefined
  private actions: Set<(reason: Failure) => void> | undefined = undefined

  cancel(reason: Failure): void {
    if (this.cancelled) return
    this.cancelled = reason
    const { actions } = this
    this.actions = undefined
    if (actions) for (const action of actions) action(reason)
  }

  onCancel(action: (reason: Failure) => void): () => void {
    if (this.cancelled) {
      action(this.cancelled)
      return () => {}
    }
    const actions = (this.actions ??= new Set())
    actions.add(action)
    return () => actions.delete(action)
  }
}

/** A scope that ends with the one around it. */
export class InnerScope extends Scope {
  private readonly release: () => void

  constructor(outer: Scope) {
    super()
    this.release = outer.onCancel((reason) => this.cancel(reason))
  }

  /** Nothing is under way any more: the outer one forgets it. */
  end(): void {
    this.release()
  }
}
