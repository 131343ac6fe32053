import { cutAtWord } from '../../cut.ts'
import { LIMITS } from '../../protocol.ts'
import { base64, isBytes, OutputError, toJson } from './message.ts'

const { stringify } = JSON

let lines: string[] = []
let dropped = 0
let attachments: string[] = []

/** As pieces of the result's head. */
export function takeRecords(): string {
  let records = ''
  if (lines.length > 0) {
    if (dropped > 0)
      lines.push(
        `["warn","${dropped} more lines were left out: a script may write ${LIMITS.logLines} lines a message"]`,
      )
    records += `,"l":[${lines.join()}]`
  }
  if (attachments.length > 0) records += `,"a":[${attachments.join()}]`
  clearRecords()
  return records
}

export function clearRecords(): void {
  if (lines.length === 0 && attachments.length === 0) return
  lines = []
  attachments = []
  dropped = 0
}

function write(level: string, text: unknown, fields: unknown): void {
  if (lines.length >= LIMITS.logLines) {
    dropped++
    return
  }
  const line = cut(asText(text))
  const more = fields === undefined ? '' : toJson(fields, 'the fields of a log line')
  if (more.length > LIMITS.logLine)
    lines.push(`["${level}",${stringify(line)},${stringify({ fields: cut(more) })}]`)
  else lines.push(more === '' ? `["${level}",${stringify(line)}]` : `["${level}",${stringify(line)},${more}]`)
}

function asText(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (typeof value === 'object' && value !== null) return toJson(value, 'a log line')
  return String(value)
}

function cut(text: string): string {
  return cutAtWord(text, LIMITS.logLine)
}

export const log = {
  debug: (text: unknown, fields?: unknown) => write('debug', text, fields),
  info: (text: unknown, fields?: unknown) => write('info', text, fields),
  warn: (text: unknown, fields?: unknown) => write('warn', text, fields),
  error: (text: unknown, fields?: unknown) => write('error', text, fields),
}

const say =
  (level: string) =>
  (...values: unknown[]) =>
    write(level, values.map(asText).join(' '), undefined)

export const console = {
  debug: say('debug'),
  trace: say('debug'),
  log: say('info'),
  info: say('info'),
  warn: say('warn'),
  error: say('error'),
}

/** Keeps a payload in the message log. Lists and maps are kept as JSON. */
export function attach(name: unknown, content: unknown, contentType?: unknown): void {
  if (attachments.length >= LIMITS.attachments)
    throw new OutputError(`a script may attach ${LIMITS.attachments} payloads a message`)
  if (typeof name !== 'string' || name === '')
    throw new TypeError('attach(name, content, contentType): the name is missing')
  const bytes = isBytes(content)
  const text = bytes
    ? base64(content)
    : typeof content === 'string'
      ? content
      : toJson(content, 'an attachment')
  const type =
    contentType === undefined
      ? bytes
        ? 'application/octet-stream'
        : typeof content === 'string'
          ? 'text/plain; charset=utf-8'
          : 'application/json'
      : String(contentType)
  attachments.push(`[${stringify(name)},${stringify(type)},${stringify(text)},${bytes}]`)
}
