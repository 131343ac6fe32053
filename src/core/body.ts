import type { Readable } from 'node:stream'
import { Failure } from './failure.ts'
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
 * What a message carries. It holds one representation (bytes, text, JSON value or byte stream), converts when
 * somebody asks, once, and remembers. A body that nobody looks into is never parsed or copied.
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
  private taken = false

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

  /** The same content under another content type. A stream moves to the new body. */
  as(contentType: string | undefined): Body {
    const body = new Body(contentType, this.length)
    body.from = this.from
    if (this.source) {
      body.source = this.source
      body.taken = this.taken
      this.taken = true
      return body
    }
    if (this.heldValue !== undefined && this.held === undefined && this.heldText === undefined) {
      if (isJsonType(contentType)) body.heldValue = this.heldValue
      else body.heldText = this.text()
    } else {
      body.held = this.held
      body.heldText = this.heldText
    }
    return body
  }

  /** A stream that has not been loaded: its value cannot be looked at yet. */
  get isStream(): boolean {
    return this.source !== undefined
  }

  /** The stream while nobody has taken it; for those who let go of it. */
  get unread(): Readable | undefined {
    return this.taken ? undefined : this.source
  }

  /** True when there is certainly nothing in it. */
  get isEmpty(): boolean {
    if (this.source) return this.length === 0
    return this.held ? this.held.length === 0 : this.heldText === ''
  }

  /** Whether it can be read or sent more than once. */
  get repeatable(): boolean {
    return this.source === undefined
  }

  /**
   * Reads a stream into memory; afterwards it can be looked at any number of times.
   * @param limit bytes
   * @throws Failure `body.too-large`, `body.consumed`, and what the stream fails with
   */
  async load(limit: number): Promise<void> {
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

  /** The stream, once. @throws Failure `body.consumed` */
  take(): Readable {
    if (this.taken || !this.source) throw consumed()
    this.taken = true
    return this.source
  }

  bytes(): Buffer {
    if (this.held === undefined) this.held = Buffer.from(this.text(), 'utf8')
    return this.held
  }

  /** Bytes or text, whichever is at hand: for what hands it on without looking into it. */
  content(): Buffer | string {
    return this.held ?? this.text()
  }

  text(): string {
    if (this.heldText !== undefined) return this.heldText
    if (this.held !== undefined) return (this.heldText = this.decoded(this.held))
    if (this.source) throw consumed()
    return (this.heldText = JSON.stringify(this.heldValue))
  }

  /**
   * What expressions see: the JSON value where the content type says JSON, text for text types, else bytes;
   * null when empty.
   * @throws Failure `body.invalid` when it should be JSON and is not
   */
  value(): unknown {
    if (this.heldValue !== undefined) return this.heldValue
    if (this.source) throw consumed()
    if (this.isEmpty) return null
    if (isJsonType(this.contentType)) return (this.heldValue = this.parsed())
    if (this.heldText !== undefined || isTextType(this.contentType)) return this.text()
    return this.held
  }

  private parsed(): unknown {
    try {
      return parseJson(this.text())
    } catch (error) {
      if (error instanceof Failure) throw error
      throw this.invalid(
        `is not JSON, though its content type is "${this.contentType}": ${jsonMistake(error)}`,
        'Send JSON, or another content type.',
      )
    }
  }

  private decoded(bytes: Buffer): string {
    const charset = this.contentType && /charset="?([\w-]+)/i.exec(this.contentType)?.[1]?.toLowerCase()
    if (charset === undefined || charset === '' || charset === 'utf-8' || charset === 'utf8') {
      const text = bytes.toString('utf8')
      return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
    }
    try {
      return new TextDecoder(charset).decode(bytes)
    } catch {
      throw this.invalid(`has the charset "${charset}", which is not known`, 'Send UTF-8.')
    }
  }

  /** Whose body it is decides who is told: the caller, or the receiver whose answer it was. */
  private invalid(what: string, hint: string): Failure {
    const host = this.from
    return host === undefined
      ? new Failure('body.invalid', `the body ${what}`, { hint })
      : new Failure('receiver.broken', `the answer of "${host}" ${what}`, { receiver: { host } })
  }
}

/** The parser's words without the piece of the text that it quotes: a receiver's text goes into no message. */
function jsonMistake(error: unknown): string {
  const text = (error as Error).message
  return /nested deeper/.test(text)
    ? text
    : (/at position \d+( \(line \d+ column \d+\))?/.exec(text)?.[0] ?? 'it ends too early or holds no JSON')
}

function tooLarge(limit: number, host: string | undefined): Failure {
  const details = {
    hint: 'Raise the limit (limits.body), or hand the body on without looking into it: it is then streamed, whatever its size.',
  }
  return host === undefined
    ? new Failure('body.too-large', `the body is larger than ${limit} bytes`, details)
    : new Failure('receiver.too-large', `the answer of "${host}" is larger than ${limit} bytes`, {
        ...details,
        receiver: { host },
      })
}

function consumed(): Failure {
  return new Failure('body.consumed', 'the body was a stream and has been read already', {
    hint: 'A stream is read once. Look at the body before the step that sends it (for example with `set: { body: ${body} }`), so that it is kept in memory.',
  })
}
