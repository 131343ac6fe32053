import { Body, isJsonType, isTextType } from '../core/body.ts'
import type { Context, Level } from '../core/context.ts'
import { Failure } from '../core/failure.ts'
import { isHeaderName, isHeaderValue } from '../core/header.ts'
import { checkDepth, parseJson, typeName } from '../core/json.ts'
import type { Message } from '../core/message.ts'
import { BODY, SAME, type ResultHead } from './protocol.ts'
import { dropUnsafeKeys, mayHoldUnsafeKeys } from './unsafe-keys.ts'

/** What came back is no result at all: the process is not to be trusted any more. */
export class MalformedReply extends Error {}

const LINE_FEED = 10
const ONLY_BODY = '{"b":1}'
const CHANGED: ResultHead = { b: BODY.json }
const LEVELS: readonly unknown[] = ['debug', 'info', 'warn', 'error'] satisfies Level[]

export interface Result {
  readonly head: ResultHead
  /** Of the same memory as the frame. */
  readonly body: Buffer
}

/** Takes a result apart. @throws MalformedReply */
export function readResult(frame: Buffer, start: number, end: number): Result {
  const line = frame.indexOf(LINE_FEED, start)
  if (line < 0 || line >= end) throw new MalformedReply('a result without a head')
  const text = frame.toString('utf8', start, line)
  const body = frame.subarray(line + 1, end)
  if (text === ONLY_BODY) return { head: CHANGED, body }
  return { head: readHead(text), body }
}

function readHead(text: string): ResultHead {
  let head: ResultHead
  try {
    if (text.length > 2000) checkDepth(text)
    head = JSON.parse(text) as ResultHead
  } catch {
    throw new MalformedReply('a head that is no JSON')
  }
  if (
    typeof head !== 'object' ||
    head === null ||
    !Number.isInteger(head.b) ||
    head.b < BODY.none ||
    head.b > SAME
  )
    throw new MalformedReply('a head of another shape')
  if (!isListOf(head.l, isLogLine) || !isListOf(head.a, isAttachment))
    throw new MalformedReply('log lines or attachments of another shape')
  return mayHoldUnsafeKeys(text) ? (dropUnsafeKeys(head) as ResultHead) : head
}

/** Checks all of a result, then changes the message. @throws Failure `script.output` */
export function applyResult({ head, body }: Result, message: Message): void {
  const headers = head.h === undefined ? undefined : checkHeaders(head.h)
  const properties = head.p === undefined ? undefined : checkProperties(head.p)
  const former = message.body.contentType
  const type = headers === undefined ? former : headers['content-type']
  if (headers) delete headers['content-type']
  const made =
    head.b === SAME ? undefined : makeBody(head.b, body, former, type === former ? undefined : type)
  if (made) message.body = made
  else if (type !== former) message.body = message.body.as(type)
  if (headers) message.headers = headers
  if (properties) message.properties = properties
}

function makeBody(
  kind: number,
  content: Buffer,
  former: string | undefined,
  wanted: string | undefined,
): Body {
  if (kind === BODY.json) {
    const type = wanted ?? (isJsonType(former) ? inUtf8(former!) : 'application/json')
    if (!mayHoldUnsafeKeys(content)) return Body.ofBytes(content, type)
    return Body.ofBytes(Buffer.from(JSON.stringify(dropUnsafeKeys(parsed(content)))), type)
  }
  if (kind === BODY.text) {
    const text = content.toString('utf8')
    if (wanted !== undefined) return Body.ofText(text, wanted)
    if (isTextType(former) || (isJsonType(former) && isJsonText(text)))
      return Body.ofText(text, inUtf8(former!))
    return Body.ofText(text)
  }
  if (kind === BODY.bytes) {
    const bytes = Buffer.from(content.toString('latin1'), 'base64')
    const fits = former !== undefined && !isJsonType(former) && !isTextType(former)
    return Body.ofBytes(bytes, wanted ?? (fits ? former : 'application/octet-stream'))
  }
  return Body.empty(wanted)
}

function parsed(content: Buffer): unknown {
  try {
    return parseJson(content.toString('utf8'))
  } catch (error) {
    throw unusable(`the body is not usable JSON: ${(error as Error).message}`)
  }
}

/** A script that writes its JSON itself means JSON. */
function isJsonText(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false
  try {
    parseJson(text)
    return true
  } catch {
    return false
  }
}

function inUtf8(type: string): string {
  return /charset=/i.test(type) ? type.replace(/charset="?[\w-]+"?/i, 'charset=utf-8') : type
}

function checkHeaders(value: unknown): Record<string, string> {
  if (!isMap(value)) throw unusable(`message.headers is ${nameOf(value)}; names and texts were expected`)
  const headers = Object.create(null) as Record<string, string>
  for (const [name, entry] of Object.entries(value)) {
    if (!isHeaderName(name))
      throw unusable(
        `"${printable(name)}" cannot be the name of a header`,
        'Letters, digits and hyphens are fine.',
      )
    const lower = name.toLowerCase()
    if (entry === null) {
      delete headers[lower]
      continue
    }
    if (typeof entry === 'object')
      throw unusable(
        `the header "${name}" is ${nameOf(entry)}; a text was expected`,
        'Write lists and maps as a text (JSON.stringify), or keep them in message.properties.',
      )
    const text = String(entry)
    if (!isHeaderValue(text))
      throw unusable(
        `the value of the header "${name}" holds a line end or another character that headers cannot have`,
        'Headers are one line of Latin characters; put other text into the body, or encode it.',
      )
    headers[lower] = text
  }
  return headers
}

function checkProperties(value: unknown): Record<string, unknown> {
  if (!isMap(value)) throw unusable(`message.properties is ${nameOf(value)}; names and values were expected`)
  const properties = Object.create(null) as Record<string, unknown>
  for (const [name, entry] of Object.entries(value)) if (entry !== null) properties[name] = entry
  return properties
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function nameOf(value: unknown): string {
  const name = typeName(value)
  return name === 'null' || name === 'text' ? name : `a ${name}`
}

function printable(text: string): string {
  return text.slice(0, 100).replace(/[^\x20-\x7e]/g, '?')
}

function unusable(message: string, hint?: string): Failure {
  return new Failure('script.output', message, hint === undefined ? {} : { hint })
}

function isListOf(value: unknown, check: (entry: unknown[]) => boolean): boolean {
  return (
    value === undefined ||
    (Array.isArray(value) && value.every((entry) => Array.isArray(entry) && check(entry)))
  )
}

function isLogLine([level, text]: unknown[]): boolean {
  return LEVELS.includes(level) && typeof text === 'string'
}

function isAttachment([name, type, content]: unknown[]): boolean {
  return typeof name === 'string' && typeof type === 'string' && typeof content === 'string'
}

/** Log lines and attachments, of a script that failed, too. */
export function applyRecords({ l: lines, a: attachments }: ResultHead, context: Context): void {
  if (lines) for (const [level, text, fields] of lines) context.log(level as Level, text, fieldsOf(fields))
  if (attachments)
    for (const [name, type, content, base64] of attachments)
      context.attach(
        name,
        base64 === true ? Buffer.from(content, 'base64') : content,
        isHeaderValue(type) ? type : 'application/octet-stream',
      )
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (value === undefined || value === null) return undefined
  return isMap(value) ? value : { value }
}
