import { hash } from 'node:crypto'
import type { Context } from '../core/context.ts'
import { Failure } from '../core/failure.ts'
import type { Message } from '../core/message.ts'

/** What a page is asked for with: a URL of its own, or what is added to the step's request. */
export type Asking = { readonly url: string } | { readonly entries: readonly Entry[] }
export type Entry = readonly [name: string, value: unknown]

/** A page, as its walk sees it. */
export interface PageView {
  /** From 1. */
  readonly number: number
  readonly items: readonly unknown[]
  /** What expressions about the page see. */
  readonly message: Message
  readonly context: Context
  /** Of the page's own request. */
  readonly url: string
}

/** The way from page to page, in one run of a step. */
export interface Walk {
  readonly first: Asking
  /** What the next page is asked for with; undefined: this was the last. @throws Failure `receiver.pages`, `expression.failed` */
  after(page: PageView): Asking | undefined
}

/** Something about a page that an expression tells; null where there is no such expression. */
export type Told<T> = (page: PageView) => T | null

/** Pages, or what they are asked for with, that are remembered. */
const REMEMBERED = 10_000
/** Items of a page that are looked at to know it again. */
const SAMPLES = 16

/** Each page says where the next one is. */
export class LinkedWalk implements Walk {
  readonly first: Asking = { entries: [] }
  private readonly next: Told<string>
  private readonly origin: string | undefined
  private readonly seen = new Seen()

  /** @param origin where all pages must be; undefined: a credential says where they may be */
  constructor(next: Told<string>, origin: string | undefined) {
    this.next = next
    this.origin = origin
  }

  after(page: PageView): Asking | undefined {
    this.seen.add(page.url)
    const found = this.next(page)
    if (found === null) return undefined
    const url = this.target(found, page.url)
    if (!this.seen.has(url)) return { url }
    throw endless('the next page that it names is one that was there before', {
      hint: 'Look at what the receiver answers: `next` (or the `Link` header) must name another page each time, and nothing on the last one.',
    })
  }

  private target(found: string, from: string): string {
    const base = new URL(from)
    const url = URL.parse(found, base)
    if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:'))
      throw endless('the next page that it names is no URL of http or https', {
        hint: 'Check `next`: it gives the whole URL of the next page, or one relative to this page.',
      })
    if (base.protocol === 'https:' && url.protocol === 'http:' && url.host === base.hostname)
      url.protocol = 'https:'
    url.hash = ''
    if (this.origin === undefined || url.origin === this.origin) return url.href
    throw endless(`the next page that it names is at "${url.host}", another host than the step's own`, {
      hint: 'The headers of a step go to the host of its `url` only. If the receiver has several hosts, name a credential: its `allowedHosts` say where requests may go.',
    })
  }
}

export interface NumberedSetting {
  readonly param: string
  readonly start: number
  /** What is added for a page: always 1, or the number of its items. */
  readonly counts: 'pages' | 'items'
  readonly size: number | undefined
  readonly sizeParam: string | undefined
  readonly total: Told<number>
  readonly pages: Told<number>
  readonly more: Told<boolean>
}

/** Pages are numbered, or begin after so many items. */
export class NumberedWalk implements Walk {
  private readonly setting: NumberedSetting
  private readonly repetition: Repetition
  private position: number
  private taken = 0
  /** Items of the first page. */
  private full = 0

  constructor(setting: NumberedSetting) {
    this.setting = setting
    this.position = setting.start
    this.repetition = new Repetition(setting.param)
  }

  get first(): Asking {
    return this.asking()
  }

  after(page: PageView): Asking | undefined {
    const count = page.items.length
    if (page.number === 1) this.full = count
    this.repetition.check(page)
    this.taken += count
    if (this.isLast(page, count)) return undefined
    const step = this.setting.counts === 'pages' ? 1 : count
    if (step === 0)
      throw endless('it holds no items and says that there are more', {
        hint: 'Check `more` of `paginate`.',
      })
    this.position += step
    return this.asking()
  }

  private isLast(page: PageView, count: number): boolean {
    const { more, pages, total, size } = this.setting
    const isMore = more(page)
    if (isMore !== null) return !isMore
    if (count === 0) return true
    const allPages = pages(page)
    if (allPages !== null) return page.number >= allPages
    const all = total(page)
    if (all !== null) return this.taken >= all
    return size !== undefined && page.number > 1 && count < Math.min(size, this.full)
  }

  private asking(): Asking {
    const { param, size, sizeParam } = this.setting
    const entries: Entry[] = [[param, this.position]]
    if (sizeParam !== undefined) entries.push([sizeParam, size])
    return { entries }
  }
}

export interface CursorSetting {
  readonly param: string
  /** Null: the first page is asked for without one. */
  readonly start: unknown
  readonly value: Told<unknown>
  readonly more: Told<boolean>
}

/** Each page says what the next one is asked for with. */
export class CursorWalk implements Walk {
  readonly first: Asking
  private readonly setting: CursorSetting
  private readonly repetition: Repetition
  private readonly seen = new Seen()
  private sent: string | undefined

  constructor(setting: CursorSetting) {
    this.setting = setting
    this.repetition = new Repetition(setting.param)
    this.first = setting.start === null ? { entries: [] } : this.asking(setting.start)
  }

  after(page: PageView): Asking | undefined {
    this.repetition.check(page)
    if (this.setting.more(page) === false) return undefined
    const value = this.setting.value(page)
    if (value === null || value === '' || value === false) return undefined
    const key = JSON.stringify(value)
    if (key === this.sent && page.items.length === 0) return undefined
    if (!this.seen.has(key)) return this.asking(value)
    throw endless('the cursor of the next page is one that was there before', {
      hint: 'Check `cursor.value`: it must be another one on each page, and nothing on the last one; where the receiver says it in another way, write `more`.',
    })
  }

  private asking(value: unknown): Asking {
    this.sent = JSON.stringify(value)
    this.seen.add(this.sent)
    return { entries: [[this.setting.param, value]] }
  }
}

/** What was there before; of very many the oldest are forgotten. */
class Seen {
  private readonly hashes = new Set<string>()

  has(text: string): boolean {
    return this.hashes.has(hashOf(text))
  }

  add(text: string): void {
    this.hashes.add(hashOf(text))
    if (this.hashes.size > REMEMBERED) this.hashes.delete(this.hashes.values().next().value!)
  }
}

/** Knows a page again: a receiver that does not look at the parameter gives the same one for ever. */
class Repetition {
  private readonly param: string
  private former: string | undefined

  constructor(param: string) {
    this.param = param
  }

  check({ number, items }: PageView): void {
    if (items.length === 0) return
    const mark = markOf(items)
    if (mark === this.former)
      throw endless(`it holds the same items as page ${number - 1}`, {
        hint: `The receiver may not know the parameter "${this.param}", or give its last page again and again: check \`param\`, and say where the end is (\`more\`, \`total\` or \`pages\`).`,
      })
    this.former = mark
  }
}

/** Of some items, evenly spread. */
function markOf(items: readonly unknown[]): string {
  const count = Math.min(items.length, SAMPLES)
  const samples = Array.from({ length: count }, (_, i) =>
    JSON.stringify(items[count === 1 ? 0 : Math.floor((i * (items.length - 1)) / (count - 1))]),
  )
  return hashOf(`${items.length}\n${samples.join('\n')}`)
}

function hashOf(text: string): string {
  return hash('sha1', text, 'base64')
}

function endless(message: string, details: { hint: string }): Failure {
  return new Failure('receiver.pages', message, details)
}
