import type { IncomingHttpHeaders } from 'node:http'

/** A request, read to its end. */
export interface Call {
  readonly method: string
  /** Absolute. */
  readonly url: URL
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface Reply {
  readonly status: number
  /** Sent as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** One of the systems that the partner stands in for. */
export interface Service {
  /** Nothing: the path is not one of its own. */
  handle(call: Call): Reply | undefined
}

export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Reply {
  return { status, body, headers }
}

/** @see https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
export function oauthError(
  status: number,
  error: string,
  description: string,
  headers: Record<string, string> = {},
): Reply {
  return { status, body: { error, error_description: description }, headers }
}

/** A mistake in a call of an API, in the manner of OData. */
export function apiError(status: number, code: string, message: string): Reply {
  return { status, body: { error: { code, message } } }
}

export function onlyMethod(call: Call, ...methods: string[]): Reply | undefined {
  if (methods.includes(call.method)) return undefined
  return {
    ...apiError(405, 'method_not_allowed', `${call.method} is not taken here; ${methods.join(' or ')} is`),
    headers: { allow: methods.join(', ') },
  }
}

/** Without its parameters, lower case; empty where there is none. */
export function contentType(call: Call): string {
  return (call.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase()
}

/** The body as a JSON object; undefined when it is none. */
export function jsonObject(call: Call): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(call.body.toString('utf8'))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A whole number >= 0 of the query, or what is wrong with it. */
export function count(call: Call, name: string, otherwise: number): number | Reply {
  const text = call.url.searchParams.get(name)
  if (text === null) return otherwise
  if (/^\d{1,9}$/.test(text)) return Number(text)
  return apiError(400, 'invalid_query', `"${name}" wants a whole number, found "${text}"`)
}

/** Refuses query options that this stand-in does not have, so that nobody trusts an answer that ignored one. */
export function onlyOptions(call: Call, known: readonly string[]): Reply | undefined {
  const other = [...call.url.searchParams.keys()].find((name) => !known.includes(name))
  return other === undefined
    ? undefined
    : apiError(400, 'invalid_query', `"${other}" is not known here; there are ${known.join(', ')}`)
}

/**
 * Client id and secret of a Basic header, or nothing.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1
 */
export function basicOf(call: Call): { id: string; secret: string } | undefined {
  const encoded = /^Basic ([\w+/-]+=*)$/i.exec(call.headers.authorization ?? '')?.[1]
  const pair = encoded && /^([^:]*):([^]*)$/.exec(Buffer.from(encoded, 'base64').toString('utf8'))
  if (!pair) return undefined
  try {
    return { id: formDecode(pair[1]!), secret: formDecode(pair[2]!) }
  } catch {
    return undefined
  }
}

function formDecode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}

/** Every client id that a request for a token names: in its Basic header, its body or its query. */
export function clientIdsOf(call: Call): ReadonlySet<string> {
  const form = new URLSearchParams(call.body.toString('utf8'))
  const named = [
    basicOf(call)?.id,
    contentType(call) === 'application/json' ? jsonObject(call)?.['client_id'] : form.get('client_id'),
    call.url.searchParams.get('client_id'),
  ]
  return new Set(named.filter((id) => typeof id === 'string'))
}
