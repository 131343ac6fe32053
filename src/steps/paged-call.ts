import { Body } from '../core/body.ts'
import type { Branching, Context } from '../core/context.ts'
import { sayDuration } from '../core/duration.ts'
import { Failure } from '../core/failure.ts'
import type { Retry } from '../core/flow.ts'
import type { ReceiverAnswer } from '../core/http.ts'
import { defineOwn, toText, typeName } from '../core/json.ts'
import { Message } from '../core/message.ts'
import { afterAttempts, waitBefore } from '../core/retry.ts'
import { limitOf, type TimeLimit } from '../core/time-limit.ts'
import { pause, type World } from '../core/world.ts'
import { requestBody } from '../net/request-body.ts'
import { appendQuery, encodeName } from '../net/url-text.ts'
import type { Paging } from './http-paginate.ts'
import type { Asking, Entry, Walk } from './page-walks.ts'
import { Pages, type Page } from './pages.ts'

const NO_CONTENT = 204

/** A request as it was built for one message. */
export interface BuiltRequest {
  readonly url: string
  readonly headers: readonly string[]
  readonly body: Body | null
}

export interface PagedSetting {
  readonly paging: Paging
  /** Id of the step. */
  readonly id: string
  /** ms, of each page. */
  readonly timeout: number
  readonly retry: Retry | undefined
  readonly world: Pick<World, 'clock' | 'random'>
  /** Sends it and gives the answer if it is one that the step takes. */
  ask(request: BuiltRequest, limit: TimeLimit, context: Context): Promise<ReceiverAnswer>
}

/** What a body is made of, for requests that say there which page is wanted. */
export interface BodyParts {
  readonly value: unknown
  readonly type: string | undefined
}

/** One run of a step with `paginate`: asks for the first page, then gives the items of all of them. */
export class PagedCall {
  private readonly setting: PagedSetting
  private readonly request: BuiltRequest
  private readonly parts: BodyParts
  private readonly context: Context
  private readonly walk: Walk
  private readonly properties: Record<string, unknown>
  /** Of the last page that came. */
  private number = 0

  constructor(
    setting: PagedSetting,
    request: BuiltRequest,
    parts: BodyParts,
    message: Message,
    context: Context,
  ) {
    this.setting = setting
    this.request = request
    this.parts = parts
    this.context = context
    this.walk = setting.paging.begin(request.url, message, context)
    this.properties = { ...message.properties }
  }

  /** The answer with the first page, and the items of it and of those behind it. */
  async first(): Promise<{ answer: ReceiverAnswer; body: Body }> {
    const { paging, timeout, world } = this.setting
    const limit = limitOf(this.context.deadline, timeout, world.clock.ticks())
    const answer = await this.setting.ask(this.requestFor(this.walk.first), limit, this.context)
    const page = this.take(this.read(answer))
    const items = new Pages(page, this.context, {
      prefetch: paging.prefetch,
      fetch: (asking, scope) => this.fetch(asking, scope),
    })
    return { answer, body: Body.ofItems(items) }
  }

  /** A page behind the first one. Its failure tells which one it is. */
  private async fetch(asking: Asking, scope: Branching): Promise<Page<Asking>> {
    const what = `page ${this.number + 1} of "${this.setting.id}"`
    try {
      return this.take(await this.attempts(what, this.requestFor(asking), scope))
    } catch (thrown) {
      const failure = Failure.from(thrown)
      throw failure === this.context.cancelled ? failure : failure.within(what)
    }
  }

  /** Asks until a page comes, as often as the step's `retry` says; each time it has the step's whole time. */
  private async attempts(what: string, request: BuiltRequest, scope: Branching): Promise<ReadPage> {
    const { timeout, retry, world, ask } = this.setting
    const { clock } = world
    const { context } = this
    for (let attempt = 1; ; attempt++) {
      const now = clock.ticks()
      const line = scope.fork({ deadline: now + timeout })
      try {
        return this.read(await ask(request, limitOf(context.deadline, timeout, now), line))
      } catch (thrown) {
        if (line.cancelled) throw line.cancelled
        const failure = Failure.from(thrown)
        const wait = retry && waitBefore(retry, attempt, failure, world.random())
        if (wait === undefined || clock.ticks() + wait >= context.deadline)
          throw attempt === 1 ? failure : afterAttempts(failure, attempt)
        const again = `attempt ${attempt} failed: ${failure.message}; again in ${sayDuration(wait)}`
        context.log('warn', `${what}: ${again}`, { code: failure.code })
        await pause(clock, wait, line)
      }
    }
  }

  /** The items of an answer. @throws Failure `receiver.broken`, `expression.failed` */
  private read({ body, headers, status, url }: ReceiverAnswer): ReadPage {
    const message = new Message(body)
    message.headers = headers
    message.properties = this.properties
    message.response = { status, headers, url }
    const items = this.setting.paging.items.evaluate(message, this.context)
    if (Array.isArray(items)) return { items, message, url }
    if (items !== null)
      throw new Failure(
        'expression.failed',
        `"items" of \`paginate\` gives a ${typeName(items)}; a list is wanted`,
        { hint: 'Name the list inside it, such as `items: body.value`.' },
      )
    if (body.isEmpty && status < 300 && status !== NO_CONTENT) throw emptyAnswer(status, url)
    if (this.number === 0)
      this.context.log('warn', '"items" of `paginate` finds no list on the first page: taken for none')
    return { items: [], message, url }
  }

  private take({ items, message, url }: ReadPage): Page<Asking> {
    const { maxPages } = this.setting.paging
    const number = ++this.number
    const next = this.walk.after({ number, items, message, url, context: this.context })
    this.context.log('debug', `page ${number}: ${items.length} items`)
    if (next === undefined || number < maxPages) return { items, next }
    throw new Failure('receiver.pages', `there are more than the ${maxPages} pages of \`maxPages\``, {
      hint: 'Raise `maxPages`, or ask for less (`query`). Pages that are left out would go unnoticed, so the step fails.',
    })
  }

  private requestFor(asking: Asking): BuiltRequest {
    const { request } = this
    if ('url' in asking) return { ...request, url: asking.url }
    if (this.setting.paging.inBody) {
      const { value, type } = this.parts
      return { ...request, body: requestBody(withFields(value, asking.entries), type) }
    }
    if (asking.entries.length === 0) return request
    const query = asking.entries.map(
      ([name, value]) => `${encodeName(name)}=${encodeURIComponent(toText(value).toWellFormed())}`,
    )
    return { ...request, url: appendQuery(request.url, query.join('&')) }
  }
}

/** A page whose way on has not been looked at. */
interface ReadPage {
  readonly items: readonly unknown[]
  /** What expressions about the page see. */
  readonly message: Message
  readonly url: string
}

/** A copy of the map with these fields; dots in a name lead into maps. */
function withFields(value: unknown, entries: readonly Entry[]): unknown {
  return entries.reduce((map, [name, field]) => withField(map, name.split('.'), field), value)
}

function withField(value: unknown, [name = '', ...rest]: readonly string[], field: unknown): unknown {
  const copy: Record<string, unknown> = typeName(value) === 'map' ? { ...(value as object) } : {}
  const inner = Object.hasOwn(copy, name) ? copy[name] : undefined
  defineOwn(copy, name, rest.length === 0 ? field : withField(inner, rest, field))
  return copy
}

function emptyAnswer(status: number, url: string): Failure {
  const { host } = new URL(url)
  return new Failure('receiver.broken', `"${host}" answered ${status} without a body; a page is wanted`, {
    receiver: { status, host },
    hint: 'Check `url`. No items at all are a list without entries, or the status 204.',
  })
}
