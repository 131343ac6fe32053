import { BODY, SAME } from '../../protocol.ts'

const { parse, stringify } = JSON
const { fromBase64 } = Uint8Array as unknown as { fromBase64(text: string): Uint8Array }
const toBase64 = Uint8Array.prototype as unknown as { toBase64(): string }

/** The body was to be JSON and is not; the engine says why. */
export class BodyError extends Error {}
/** What the script made of the message cannot be taken. */
export class OutputError extends Error {}

/** What a script sees of a message. What it does not mention is left out. */
export class Message {
  body: unknown
  headers: Record<string, unknown>
  properties: Record<string, unknown>

  constructor(body: unknown, headers: Record<string, unknown>, properties: Record<string, unknown>) {
    this.body = body
    this.headers = headers
    this.properties = properties
  }

  getBody(): unknown {
    return this.body
  }
  setBody(value: unknown): void {
    this.body = value
  }
  getHeaders(): Record<string, unknown> {
    return this.headers
  }
  getHeader(name: string): unknown {
    const exact = this.headers[name]
    return exact === undefined ? this.headers[String(name).toLowerCase()] : exact
  }
  setHeader(name: string, value: unknown): void {
    this.headers[String(name).toLowerCase()] = value
  }
  setHeaders(values: Record<string, unknown>): void {
    for (const name of Object.keys(values)) this.setHeader(name, values[name])
  }
  getProperties(): Record<string, unknown> {
    return this.properties
  }
  getProperty(name: string): unknown {
    return this.properties[name]
  }
  setProperty(name: string, value: unknown): void {
    this.properties[name] = value
  }
  setProperties(values: Record<string, unknown>): void {
    for (const name of Object.keys(values)) this.properties[name] = values[name]
  }
}

export function readBody(kind: number, text: string): unknown {
  if (kind === BODY.json)
    try {
      return parse(text) as unknown
    } catch {
      throw new BodyError()
    }
  if (kind === BODY.text) return text
  if (kind === BODY.bytes) return fromBase64(text)
  return kind === BODY.none ? null : undefined
}

/** Spaces and line ends that {@link stringify} would not write: a text may differ without any change of its value. */
const SPACED = /[[{,:]\s|^\s/

/** The kind of body that a value is, and its text; `SAME` where it is as it came. */
export function writeBody(
  value: unknown,
  kind: number,
  before: string,
  big: boolean,
): [kind: number, text: string] {
  if (kind === BODY.json) {
    const text = toJson(value, 'the body')
    if (text === before) return [SAME, '']
    if ((big || SPACED.test(before.slice(0, 256))) && text === stringify(parse(before))) return [SAME, '']
    return typeof value === 'object' && value !== null && !isBytes(value)
      ? [BODY.json, text]
      : written(value, text)
  }
  if (value === undefined || value === null) return kind === BODY.none ? [SAME, ''] : [BODY.none, '']
  const [made, text] = written(value)
  return made === kind && text === before ? [SAME, ''] : [made, text]
}

export function hasBigNumbers(text: string): boolean {
  return /\d{16}/.test(text) && /[[:,\s]-?\d{16,}\s*[,}\]]|^\s*-?\d{16,}\s*$/.test(text)
}

function written(value: unknown, json?: string): [kind: number, text: string] {
  if (value === undefined || value === null) return [BODY.none, '']
  if (typeof value === 'string') return [BODY.text, value]
  if (isBytes(value)) return [BODY.bytes, base64(value)]
  return [BODY.json, json ?? toJson(value, 'the body')]
}

export function isBytes(value: unknown): value is Uint8Array | ArrayBuffer {
  return value instanceof Uint8Array || value instanceof ArrayBuffer
}

export function base64(value: Uint8Array | ArrayBuffer): string {
  return toBase64.toBase64.call(value instanceof ArrayBuffer ? new Uint8Array(value) : value)
}

/** @throws OutputError when it cannot be written as JSON */
export function toJson(value: unknown, what: string): string {
  if (value === undefined) return 'null'
  if (typeof value === 'function' || typeof value === 'symbol')
    throw new OutputError(`${what} is a ${typeof value}; JSON data, a text or bytes were expected`)
  let text: string | undefined
  try {
    text = stringify(value)
  } catch (error) {
    throw new OutputError(`${what} cannot be written as JSON: ${firstLine(error)}`)
  }
  if (typeof text !== 'string') throw new OutputError(`${what} cannot be written as JSON`)
  return text
}

function firstLine(error: unknown): string {
  const text = error instanceof Error && typeof error.message === 'string' ? error.message : 'it fails'
  return text.split('\n', 1)[0]!
}
