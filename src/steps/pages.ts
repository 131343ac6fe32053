import type { Branching, Context } from '../core/context.ts'
import { Failure } from '../core/failure.ts'
import type { Items } from '../core/items.ts'

/** A page that has come. */
export interface Page<Asking> {
  readonly items: readonly unknown[]
  /** What the next one is asked for with; undefined: it is the last. */
  readonly next: Asking | undefined
}

export interface PagesSetting<Asking> {
  /** Pages fetched ahead of the one that was taken. */
  readonly prefetch: number
  /** Fetches one page; stops when `scope` is called off. */
  fetch(asking: Asking, scope: Branching): Promise<Page<Asking>>
}

const DONE = { done: true, value: undefined } as const

function ignore(): void {}

/**
 * Pages of items, fetched one after the other as they are taken, and so many ahead: nothing is fetched before the
 * first one is taken, and nothing goes on after `return`.
 */
export class Pages<Asking> implements Items {
  private readonly setting: PagesSetting<Asking>
  private readonly context: Context
  /** Asked for and not taken yet, in order. */
  private ahead: Promise<Page<Asking> | undefined>[]
  private last: Promise<Page<Asking> | undefined>
  private scope: Branching | undefined
  private over = false

  constructor(first: Page<Asking>, context: Context, setting: PagesSetting<Asking>) {
    this.setting = setting
    this.context = context
    this.last = Promise.resolve(first)
    this.ahead = [this.last]
  }

  async next(): Promise<IteratorResult<readonly unknown[], void>> {
    if (this.over) return DONE
    const wanted = this.ahead.shift() ?? this.ask()
    while (this.ahead.length < this.setting.prefetch) this.ahead.push(this.ask())
    try {
      const page = await wanted
      if (page !== undefined && !this.over) return { done: false, value: page.items }
    } catch (thrown) {
      if (!this.over) {
        this.end()
        throw thrown
      }
    }
    this.end()
    return DONE
  }

  return(): Promise<IteratorResult<readonly unknown[], void>> {
    this.end()
    return Promise.resolve(DONE)
  }

  /** The page after the last one that was asked for; undefined when there is none. */
  private ask(): Promise<Page<Asking> | undefined> {
    const asked = this.last.then((page) => {
      if (page?.next === undefined || this.over) return undefined
      this.scope ??= this.context.branch()
      return this.setting.fetch(page.next, this.scope)
    })
    asked.catch(ignore)
    this.last = asked
    return asked
  }

  private end(): void {
    if (this.over) return
    this.over = true
    this.ahead = []
    this.last = Promise.resolve(undefined)
    this.scope?.cancel(new Failure('flow.cancelled', 'no more pages are wanted'))
    this.scope?.end()
  }
}
