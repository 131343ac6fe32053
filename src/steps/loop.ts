import { Body } from '../core/body.ts'
import type { Branching, Context } from '../core/context.ts'
import { Failure } from '../core/failure.ts'
import type { Items } from '../core/items.ts'
import { typeName } from '../core/json.ts'
import type { Run, Template } from '../core/kinds.ts'
import { loadBody } from '../core/loading.ts'
import { Message } from '../core/message.ts'
import type { Clock } from '../core/world.ts'
import { letGo } from '../net/answer-stream.ts'

export interface LoopSetting {
  readonly steps: Run
  readonly key: Template | undefined
  readonly collect: Template | undefined
  readonly concurrency: number
  /** A failed item is counted, and the others go on. */
  readonly goesOn: boolean
  /** Bytes. */
  readonly bodyLimit: number
  readonly clock: Clock
}

/** Failed items that are told one by one. */
const TOLD_FAILURES = 100
/** ms of items that never wait, after which others get their turn. */
const SHARE = 10

interface Taken {
  readonly item: unknown
  readonly index: number
}

/** One `forEach` over one message: at most so many items at once, each fetched when it is its turn. */
export class Loop {
  private readonly setting: LoopSetting
  private readonly message: Message
  private readonly context: Context
  private readonly branch: Branching
  private readonly items: Items | undefined
  private page: readonly unknown[]
  private position = 0
  private index = 0
  private fetching: Promise<void> | undefined
  private over: boolean
  private done = 0
  private failed = 0
  private failure: Failure | undefined
  private readonly collected: unknown[] | undefined
  private readonly left = new Set<number>()
  private since: number

  /** @param source a list, a stream of items, or null for none */
  constructor(setting: LoopSetting, message: Message, context: Context, source: unknown) {
    this.setting = setting
    this.message = message
    this.context = context
    this.branch = context.branch()
    this.items = isItems(source) ? source : undefined
    this.page = this.items || source === null ? [] : listOf(source)
    this.over = this.items === undefined
    this.collected = setting.collect ? [] : undefined
    this.since = setting.clock.ticks()
  }

  /** What becomes of the body. */
  async run(): Promise<unknown> {
    const { concurrency } = this.setting
    const most = this.items ? concurrency : Math.min(concurrency, this.page.length)
    try {
      if (most <= 1) await this.work()
      else await Promise.all(Array.from({ length: most }, () => this.work()))
    } finally {
      this.branch.end()
      if (this.failure) void this.items?.return?.()
    }
    if (this.failed > TOLD_FAILURES)
      this.context.log('error', `${this.failed - TOLD_FAILURES} more items failed`)
    if (this.failure) throw this.failure
    if (!this.collected) return { count: this.done + this.failed, failed: this.failed }
    return this.left.size === 0 ? this.collected : this.collected.filter((_, index) => !this.left.has(index))
  }

  /** Takes one item after the other until there are none, or one has failed. */
  private async work(): Promise<void> {
    for (;;) {
      const next = this.take()
      const taken = next instanceof Promise ? await next : next
      if (taken === undefined) return
      const outcome = this.begin(taken)
      if (outcome instanceof Promise) await outcome
      else if (this.setting.clock.ticks() - this.since >= SHARE) {
        await new Promise((resolve) => setImmediate(resolve))
        this.since = this.setting.clock.ticks()
      }
    }
  }

  /** The next item; undefined when there is none, or the step has failed. */
  private take(): Taken | undefined | Promise<Taken | undefined> {
    if (this.failure) return undefined
    if (this.position < this.page.length) return { item: this.page[this.position++], index: this.index++ }
    if (this.over) return undefined
    this.fetching ??= this.fetch()
    return this.fetching.then(() => this.take())
  }

  private async fetch(): Promise<void> {
    try {
      const next = await this.items!.next()
      this.over = next.done === true
      this.page = next.done === true ? [] : next.value
      this.position = 0
    } catch (thrown) {
      this.over = true
      this.stop(Failure.from(thrown))
    } finally {
      this.fetching = undefined
    }
  }

  private begin(taken: Taken): void | Promise<void> {
    const own = this.ownMessage(taken.item)
    const line = this.branch.fork(taken)
    try {
      const outcome = this.setting.steps(own, line)
      if (!(outcome instanceof Promise)) return this.end(taken, own, line)
      return outcome.then(
        () => this.end(taken, own, line),
        (thrown: unknown) => this.fail(taken, own, line, thrown),
      )
    } catch (thrown) {
      this.fail(taken, own, line, thrown)
    }
  }

  private ownMessage(item: unknown): Message {
    const own = new Message(Body.of(item))
    Object.assign(own.headers, this.message.headers)
    Object.assign(own.properties, this.message.properties)
    own.response = this.message.response
    return own
  }

  private end(taken: Taken, own: Message, line: Context): void | Promise<void> {
    if (this.collected && own.body.isStream)
      return loadBody(own.body, this.setting.bodyLimit, this.setting.clock, line).then(
        () => this.collect(taken, own, line),
        (thrown: unknown) => this.fail(taken, own, line, thrown),
      )
    this.collect(taken, own, line)
  }

  private collect(taken: Taken, own: Message, line: Context): void {
    try {
      if (this.collected) this.collected[taken.index] = storable(this.setting.collect!.evaluate(own, line))
    } catch (thrown) {
      return this.fail(taken, own, line, thrown)
    }
    letGo(own.body)
    this.done++
    this.context.progress(this.done, this.failed)
  }

  private fail(taken: Taken, own: Message, line: Context, thrown: unknown): void {
    letGo(own.body)
    const failure = Failure.from(thrown)
    if (line.cancelled) {
      if (this.context.cancelled) this.failure ??= this.context.cancelled
      return
    }
    const { index } = taken
    const key = this.keyOf(own, line)
    failure.item ??= key === undefined ? { index } : { index, key }
    const late = this.setting.clock.ticks() >= this.context.deadline
    if (!this.setting.goesOn || late) return this.stop(failure)
    this.left.add(index)
    if (++this.failed <= TOLD_FAILURES) this.tell(failure)
    this.context.progress(this.done, this.failed)
  }

  /** The first failure that counts: the items that are under way are called off. */
  private stop(failure: Failure): void {
    if (this.failure) return
    this.failure = failure
    void this.items?.return?.()
    this.branch.cancel(new Failure('flow.cancelled', 'another item of the forEach failed'))
  }

  private keyOf(own: Message, line: Context): string | undefined {
    const { key } = this.setting
    if (!key) return undefined
    try {
      const value = key.evaluate(own, line)
      return value === null ? undefined : String(value)
    } catch {
      return undefined
    }
  }

  private tell(failure: Failure): void {
    const { code, message, hint, step, item, receiver } = failure
    const name = item!.key === undefined ? `item ${item!.index}` : `item ${item!.index} ("${item!.key}")`
    this.context.log('error', `${name} failed: ${message}`, {
      code,
      ...(step !== undefined && { step }),
      ...(receiver?.status !== undefined && { status: receiver.status }),
      ...(hint !== undefined && { hint }),
    })
  }
}

function isItems(source: unknown): source is Items {
  return typeof source === 'object' && source !== null && typeof (source as Items).next === 'function'
}

function listOf(source: unknown): readonly unknown[] {
  if (Array.isArray(source)) return source
  throw new Failure('expression.failed', `forEach takes a list, not ${typeName(source)}`, {
    hint: 'Name the list inside it: `items: body.value`.',
  })
}

function storable(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value
  throw new Failure('expression.failed', '"collect" gives bytes, which cannot stand in a list', {
    hint: 'base64.encode(x) makes text of bytes.',
  })
}
