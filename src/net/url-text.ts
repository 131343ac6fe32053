import { Failure } from '../core/failure.ts'
import type { Context } from '../core/context.ts'
import { toText } from '../core/json.ts'
import type { Template, TemplatePart } from '../core/kinds.ts'
import type { Message } from '../core/message.ts'

type UrlText = (message: Message, context: Context) => string

/**
 * A URL with `${}` in it: each value is encoded as one path segment or query value, except one that the URL begins
 * with.
 */
export function urlText(parts: readonly TemplatePart[]): UrlText {
  const [first, ...rest] = parts
  if (rest.length === 0) {
    if (first === undefined || typeof first === 'string') {
      const fixed = (first ?? '').trim()
      return () => fixed
    }
    return (message, context) => toText(first.evaluate(message, context)).trim()
  }
  const last = parts.length - 1
  return (message, context) => {
    let url = ''
    let dotted = false
    for (let i = 0; i <= last; i++) {
      const part = parts[i]!
      if (typeof part === 'string') {
        url += part
        continue
      }
      const value = toText(part.evaluate(message, context))
      if (i === 0) url += value
      else {
        if (value === '.' || value === '..') dotted = true
        url += encode(value)
      }
    }
    if (dotted) checkDots(url)
    return url.trim()
  }
}

/** One value of a message must not become a step up in the path. */
function checkDots(url: string): void {
  if (!/(^|[/\\])\.{1,2}([/\\?#]|$)/.test(url.replace(/[?#].*$/s, ''))) return
  throw new Failure(
    'request.invalid',
    'a value in the path of the URL is "." or "..", which would lead to another path',
    {
      hint: 'Check the value before the request: `if: ...`.',
    },
  )
}

export interface QueryPart {
  readonly name: string
  readonly value: Template
}

/** Appends a query to a URL: names as they are, values encoded; null leaves an entry out, a list repeats its name. */
export function withQuery(
  url: string,
  parts: readonly QueryPart[],
  message: Message,
  context: Context,
): string {
  let query = ''
  for (const { name, value } of parts) {
    const given = value.evaluate(message, context)
    if (Array.isArray(given)) for (const item of given) query += pair(name, item)
    else query += pair(name, given)
  }
  return query === '' ? url : appendQuery(url, query.slice(1))
}

function pair(name: string, value: unknown): string {
  return value === null || value === undefined ? '' : `&${name}=${encode(toText(value))}`
}

/** @param query `name=value&...`, encoded, not empty */
export function appendQuery(url: string, query: string): string {
  const hash = url.indexOf('#')
  const base = hash < 0 ? url : url.slice(0, hash)
  const mark = base.indexOf('?')
  return base + (mark < 0 ? '?' : mark === base.length - 1 || base.endsWith('&') ? '' : '&') + query
}

/** The name of a query entry: what a query may hold stays readable (`$filter`, `@p`). */
export function encodeName(name: string): string {
  return encode(name).replace(/%(24|40|3A|2F|2C)/g, (text) => decodeURIComponent(text))
}

function encode(text: string): string {
  return encodeURIComponent(text.isWellFormed() ? text : text.toWellFormed())
}
