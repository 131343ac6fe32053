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
  'msg',
  'detail',
]

/**
 * The error and its description, where an answer holds them under one of the usual names, also one level down in
 * `error`, or as the first of `errors`, which may stand in `response`.
 * @param failed it is known that there is an error; else a `code` or `message` may mean success
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5.2
 */
export function errorOf(content: object | string | undefined, failed: boolean, hide: Hide): ServiceWords {
  if (typeof content !== 'object') return {}
  const nested = asObject(own(content, 'error')) ?? firstError(content, hide)
  const error = firstOf(nested ?? content, nested || failed ? [...CODES, 'code'] : CODES, 64, hide)
  if (error === undefined && nested === undefined && !failed) return {}
  const description = firstOf(nested ?? content, DESCRIPTIONS, 300, hide)
  return { ...(error !== undefined && { error }), ...(description !== undefined && { description }) }
}

function asObject(value: unknown): object | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
}

/** Of a list, where the answer itself says nothing. */
function firstError(content: object, hide: Hide): object | undefined {
  if (firstOf(content, [...CODES, ...DESCRIPTIONS], 64, hide) !== undefined) return undefined
  const outer = asObject(own(content, 'response')) ?? content
  const errors = own(outer, 'errors')
  return Array.isArray(errors) ? asObject(errors[0]) : undefined
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

const PLAIN = /^[a-z]+([ _.,:-]+[a-z]+)*[.!]?$/i

/**
 * Beside secrets that are too short to be searched for, only plain words are told that hold none of them.
 * @param short those of the credential; empty: everything is told as `hide` leaves it
 */
export function hideBeside(short: readonly string[], hide: Hide): Hide {
  if (short.length === 0) return hide
  const spellings = short.flatMap((secret) => [secret, Buffer.from(secret, 'utf8').toString('base64url')])
  const never = spellings.filter((text) => text !== '').map((text) => text.toLowerCase())
  return (text) =>
    PLAIN.test(text) && !never.some((one) => text.toLowerCase().includes(one)) ? hide(text) : ''
}

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
