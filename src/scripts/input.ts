import type { Body } from '../core/body.ts'
import { isJsonType } from '../core/body.ts'
import type { Context } from '../core/context.ts'
import { Failure } from '../core/failure.ts'
import type { Message } from '../core/message.ts'
import { BODY, type Uses } from './protocol.ts'
import type { Input } from './task.ts'

const EMPTY = Buffer.alloc(0)

/** What of a message travels to a script: only what the script mentions, as the text or bytes that it already is. */
export class InputMaker {
  private readonly uses: Uses
  private readonly limit: number
  private type: string | undefined = ''
  private typeIsJson = false
  private typePrefix = '{'
  private parameters: object | undefined
  private parametersText = '{}'

  /** @param limit bytes */
  constructor(uses: Uses, limit: number) {
    this.uses = uses
    this.limit = limit
  }

  /** @throws Failure `script.input`, and what the body fails with */
  make(message: Message, context: Context): Input {
    const { uses } = this
    const type = message.body.contentType
    if (type !== this.type) this.learn(type)
    const headers = uses.headers ? this.headers(message) : ''
    const properties = uses.properties ? toJson(message.properties) : ''
    const extras = uses.extras.length === 0 ? '' : this.extras(message, context)
    let kind: number = BODY.absent
    let body: Buffer | string = EMPTY
    if (uses.body) {
      kind = this.kindOf(message.body)
      if (kind !== BODY.none) body = message.body.content()
    }
    const sizes = [
      byteLength(headers),
      byteLength(properties),
      byteLength(extras),
      typeof body === 'string' ? Buffer.byteLength(body) : body.length,
    ] as const
    if (sizes[0] + sizes[1] + sizes[2] + sizes[3] > this.limit) throw tooLarge(sizes[3], this.limit)
    return { kind, headers, properties, extras, body, sizes }
  }

  private learn(type: string | undefined): void {
    this.type = type
    this.typeIsJson = isJsonType(type)
    this.typePrefix = type === undefined ? '{' : `{"content-type":${JSON.stringify(type)}`
  }

  private headers(message: Message): string {
    const text = JSON.stringify(message.headers)
    if (this.type === undefined) return text
    return text.length === 2 ? `${this.typePrefix}}` : `${this.typePrefix},${text.slice(1)}`
  }

  private kindOf(body: Body): number {
    if (body.isEmpty) return BODY.none
    if (this.typeIsJson) return BODY.json
    const value = body.value()
    if (typeof value === 'string') return BODY.text
    return value instanceof Uint8Array ? BODY.bytes : BODY.json
  }

  private extras(message: Message, context: Context): string {
    const parts = this.uses.extras.map((name) => `"${name}":${this.extra(name, message, context)}`)
    return `{${parts.join()}}`
  }

  private extra(name: string, message: Message, context: Context): string {
    if (name === 'trigger') return toJson(context.trigger.data)
    if (name === 'response') return toJson(message.response)
    if (name === 'run') {
      const { id, correlationId, attempt, startedAt } = context.run
      return toJson({ id, correlationId, attempt, startedAt: new Date(startedAt).toISOString() })
    }
    if (context.parameters !== this.parameters) {
      this.parameters = context.parameters
      this.parametersText = toJson(context.parameters)
    }
    return this.parametersText
  }
}

function toJson(value: unknown): string {
  return JSON.stringify(value) ?? 'null'
}

function byteLength(text: string): number {
  return text === '' ? 0 : Buffer.byteLength(text)
}

function tooLarge(size: number, limit: number): Failure {
  return new Failure('script.input', `the message is too large for a script: its body has ${size} bytes`, {
    hint: `A script takes messages of at most ${limit} bytes with headers and properties. Split the message first, or do without the body in the script: what a script does not mention does not travel to it.`,
  })
}
