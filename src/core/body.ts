import { isUtf8 } from 'node:buffer'
import type { Readable } from 'node:stream'
import { consumed, jsonMistake, tooLarge } from './body-failure.ts'
import { charsetOf, decodeText, encodeJson, encodeText, isUtf16 } from './charset.ts'
import { Failure } from './failure.ts'
import { ListText, type Items } from './items.ts'
import { parseJson } from './json.ts'

const JSON_TYPE = /^application\/json\b|^[\w.-]+\/[\w.-]+\+json\b/i
const TEXT_TYPE =
  /^text\/|^application\/(xml|javascript|ecmascript|yaml|x-yaml|x-www-form-urlencoded|graphql|sql)\b|\+(xml|yaml|text)\b/i

export function isJsonType(contentType: string | undefined): boolean {
  return contentType !== undefined && JSON_TYPE.test(contentType)
}

export function isTextType(contentType: string | undefined): boolean {
  return contentType !== undefined && TEXT_TYPE.test(contentType)
}

const EMPTY = Buffer.alloc(0)

/**
 * What a message carries. It holds one representation (bytes, text, JSON value, byte stream or stream of items),
 * converts when somebody asks, once, and remembers. A body that nobody looks into is never parsed or copied.
 */
export class Body {
  readonly contentType: string | undefined
  /** Bytes, where known before reading. */
  readonly length: number | undefined
  /** Host of the receiver whose answer it is: it is to blame when the body is bad. */
  private from: string | undefined
  private held: Buffer | undefined
  private heldText: string | undefined
  private heldValue: unknown
  private source: Readable | undefined
  private items: Items | undefined
  private taken = false
  /** `held` was made of the text. */
  private encoded = false

  private constructor(contentType: string | undefined, length: number | undefined) {
    this.contentType = contentType
    this.length = length
  }

  static empty(contentType?: string): Body {
    return Body.ofBytes(EMPTY, contentType)
  }

  static ofBytes(bytes: Uint8Array, contentType?: string): Body {
    const body = new Body(contentType, bytes.byteLength)
    body.held = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return body
  }

  static ofText(text: string, contentType = 'text/plain; charset=utf-8'): Body {
    const body = new Body(contentType, undefined)
    body.heldText = text
    return body
  }

  /** `value` is plain JSON data; it is not copied, so it must not be changed afterwards. */
  static ofJson(value: unknown, contentType = 'application/json'): Body {
    const body = new Body(contentType, undefined)
    body.heldValue = value === undefined ? null : value
    return body
  }

  /**
   * A value of an expression as a body: lists and maps are JSON, text is text, bytes are bytes, null is empty.
   * Without a content type the former one stays where it fits.
   */
  static of(value: unknown, contentType?: string, former?: string): Body {
    if (value === null || value === undefined) return Body.empty(contentType)
    if (value instanceof Uint8Array)
      return Body.ofBytes(value, contentType ?? former ?? 'application/octet-stream')
    if (typeof value === 'string')
      return Body.ofText(value, contentType ?? (isTextType(former) ? former : undefined))
    return Body.ofJson(value, contentType ?? (isJsonType(former) ? former : undefined))
  }

  /** Marks it as a receiver's answer. @param host of the receiver */
  answeredBy(host: string): this {
    this.from = host
    return this
  }

  static ofStream(source: Readable, contentType?: string, length?: number): Body {
    const body = new Body(contentType, length)
    body.source = source
    return body
  }

  /** Items that are fetched as somebody takes them. Read as bytes they are a JSON list. */
  static ofItems(items: Items, contentType = 'application/json'): Body {
    const body = new Body(contentType, undefined)
    body.items = items
    return body
  }

  /** The same content under another content type. A stream moves to the new body. */
  as(contentType: string | undefined): Body {
    const body = new Body(contentType, this.length)
    body.from = this.from
    if (this.source || this.items) {
      body.source = this.source
      body.items = this.items
      body.taken = this.taken
      this.taken = true
      return body
    }
    if (this.heldValue !== undefined && this.held === undefined && this.heldText === undefined) {
      if (isJsonType(contentType)) body.heldValue = this.heldValue
      else body.heldText = this.text()
    } else {
      const same = body.charset === this.charset
      if (same || !this.encoded) body.held = this.held
      if (same || body.held === undefined) body.heldText = this.heldText
    }
    return body
  }

  /** The same text under another content type, in its charset. A stream stays as it is, and so does what is no text. */
  recoded(contentType: string): Body {
    if (this.isStream || (!isTextType(this.contentType) && !isJsonType(this.contentType))) return this
    const body = Body.ofText('', contentType)
    if (body.charset === this.charset) return this
    body.heldText = this.text()
    return body
  }

  /** What its text is written in; undefined: UTF-8. */
  private get charset(): string | undefined {
    return charsetOf(this.contentType, this.held ?? this.heldText ?? '')
  }

  /** A stream that has not been loaded: its value cannot be looked at yet. */
  get isStream(): boolean {
    return this.source !== undefined || this.items !== undefined
  }

  get isItems(): boolean {
    return this.items !== undefined
  }

  /** The stream while nobody has taken it; for those who let go of it. */
  get unread(): Readable | undefined {
    return this.taken ? undefined : this.source
  }

  /** The items while nobody has taken them. */
  get unreadItems(): Items | undefined {
    return this.taken ? undefined : this.items
  }

  /** True when there is certainly nothing in it. */
  get isEmpty(): boolean {
    if (this.source) return this.length === 0
    return this.held ? this.held.length === 0 : this.heldText === ''
  }

  /** Whether it can be read or sent more than once. */
  get repeatable(): boolean {
    return !this.isStream
  }

  /**
   * Reads a stream into memory; afterwards it can be looked at any number of times.
   * @param limit bytes
   * @throws Failure `body.too-large`, `body.consumed`, and what the stream fails with
   */
  async load(limit: number): Promise<void> {
    if (this.items) return this.loadItems(limit)
    if (!this.source) return
    if (this.length !== undefined && this.length > limit) {
      this.source.destroy()
      throw tooLarge(limit, this.from)
    }
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of this.take()) {
      size += (chunk as Buffer).length
      if (size > limit) throw tooLarge(limit, this.from)
      chunks.push(chunk as Buffer)
    }
    this.held = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size)
    this.source = undefined
  }

  private async loadItems(limit: number): Promise<void> {
    const all: unknown[] = []
    let size = 0
    const items = this.takeItems()
    for (let page = await items.next(); page.done !== true; page = await items.next()) {
      size += JSON.stringify(page.value).length
      if (size > limit) {
        await items.return?.()
        throw tooLarge(limit, this.from)
      }
      for (const item of page.value) all.push(item)
    }
    this.items = undefined
    this.heldValue = all
  }

  /** The stream, once. @throws Failure `body.consumed` */
  take(): Readable {
    if (this.items) return new ListText(this.takeItems())
    if (this.taken || !this.source) throw consumed()
    this.taken = true
    return this.source
  }

  /** The items, once. @throws Failure `body.consumed` */
  takeItems(): Items {
    if (this.taken || !this.items) throw consumed()
    this.taken = true
    return this.items
  }

  /** @throws Failure `body.invalid` when it is text that its charset cannot hold */
  bytes(): Buffer {
    if (this.held === undefined) {
      const text = this.text()
      const encode = isJsonType(this.contentType) ? encodeJson : encodeText
      this.held = encode(text, charsetOf(this.contentType, text))
      this.encoded = true
    }
    return this.held
  }

  /** Bytes in UTF-8 or text, whichever is at hand: for what hands it on without looking into it. */
  content(): Buffer | string {
    const { held } = this
    return held === undefined || this.charset !== undefined || isUtf16(held) ? this.text() : held
  }

  text(): string {
    if (this.heldText !== undefined) return this.heldText
    if (this.held !== undefined) return (this.heldText = this.decoded(this.held))
    if (this.isStream) throw consumed()
    return (this.heldText = JSON.stringify(this.heldValue))
  }

  /**
   * What expressions see: the JSON value where the content type says JSON, text for text types, else bytes;
   * null when empty.
   * @throws Failure `body.invalid` when it should be JSON and is not
   */
  value(): unknown {
    if (this.heldValue !== undefined) return this.heldValue
    if (this.isStream) throw consumed()
    if (this.isEmpty) return null
    if (isJsonType(this.contentType)) return (this.heldValue = this.parsed())
    if (this.heldText !== undefined || isTextType(this.contentType)) return this.text()
    return this.held
  }

  private parsed(): unknown {
    if (this.held !== undefined && !this.encoded) this.checkUtf8(this.held)
    try {
      return parseJson(this.text())
    } catch (error) {
      if (error instanceof Failure) throw error
      throw this.invalid(
        `is not JSON, though its content type is "${this.contentType}": ${jsonMistake(error)}`,
        { caller: 'Send JSON, or another content type.' },
      )
    }
  }

  /** JSON in another charset that is not named would be changed without a word. */
  private checkUtf8(bytes: Buffer): void {
    if (isUtf8(bytes) || this.charset !== undefined || isUtf16(bytes)) return
    throw this.invalid(`is not UTF-8, though its content type "${this.contentType}" names no other charset`, {
      flow: 'If it is another charset, name it before a step looks at the body: `set: { contentType: "application/json; charset=iso-8859-1" }`.',
    })
  }

  private decoded(bytes: Buffer): string {
    const { charset } = this
    try {
      return decodeText(bytes, charset)
    } catch {
      throw this.invalid(`has the charset "${charset}", which is not known`, {
        flow: 'If it is a charset under another name, say so before a step looks at the body: `set: { contentType: "text/plain; charset=utf-8" }`.',
      })
    }
  }

  /** Whose body it is decides who is told: the caller, or the receiver whose answer it was; or what the flow can do. */
  private invalid(what: string, hint: { caller?: string; flow?: string }): Failure {
    const { from: host } = this
    if (host === undefined)
      return new Failure('body.invalid', `the body ${what}`, { hint: hint.flow ?? hint.caller! })
    return new Failure('receiver.broken', `the answer of "${host}" ${what}`, {
      receiver: { host },
      ...(hint.flow !== undefined && { hint: hint.flow }),
    })
  }
}
