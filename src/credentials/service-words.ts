/** What a token service says of its refusal, fit for people: without secrets. */
export interface ServiceWords {
  /** The OAuth error code or what stands in its place, printable, at most 64 characters. */
  readonly error?: string
  /** Printable, at most 300 characters. */
  readonly description?: string
}

/** Names of error codes: RFC 6749's, then those of services that have their own. */
const CODES = ['error', 'errorCode', 'error_code', 'errcode']
const DESCRIPTIONS = [
  'error_description',
  'errorDescription',
  'error_message',
  'errorMessage',
  'errmsg',
  'message',
  'detail',
]

/**
 * The error and its description, where an answer holds them under one of the usual names, also one level down in `error`.
 * @param failed it is known that there is an error; else a `code` or `message` may mean success
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5.2
 */
export function errorOf(content: object | string | undefined, failed: boolean, hide: Hide): ServiceWords {
  if (typeof content !== 'object') return {}
  const inner = own(content, 'error')
  const nested = typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? inner : undefined
  const error = firstOf(nested ?? content, nested || failed ? [...CODES, 'code'] : CODES, 64, hide)
  if (error === undefined && nested === undefined && !failed) return {}
  const description = firstOf(nested ?? content, DESCRIPTIONS, 300, hide)
  return { ...(error !== undefined && { error }), ...(description !== undefined && { description }) }
}

/** The first of these members that says something; a code of 0 says that nothing went wrong. */
function firstOf(content: object, names: readonly string[], length: number, hide: Hide): string | undefined {
  for (const name of names) {
    const text = cleanText(own(content, name), length, hide)
    if (text !== undefined && text !== '0') return text
  }
  return undefined
}

/** Own members only: `__proto__` in an answer is a name like any other. */
function own(content: object, name: string): unknown {
  return Object.hasOwn(content, name) ? (content as Record<string, unknown>)[name] : undefined
}

/** Takes secrets out of a text. */
export type Hide = (text: string) => string

/** One printable ASCII line of a text or number, secrets taken out before; undefined where nothing is left. */
export function cleanText(value: unknown, length: number, hide: Hide): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  const text = hide(String(value))
    .replace(/[^\x20-\x7e]+/g, ' ')
    .replace(/ {2,}/g, ' ')
    .trim()
  if (text === '') return undefined
  return text.length > length ? `${text.slice(0, length - 3)}...` : text
}
