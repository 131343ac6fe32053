import { Body } from '../core/body.ts'
import { charsetOf, encodeText } from '../core/charset.ts'
import { Failure } from '../core/failure.ts'
import { toText, typeName } from '../core/json.ts'

const FORM = /^application\/x-www-form-urlencoded\b/i
const MULTIPART = /^multipart\//i
const TOKEN_FIELDS = ['grant_type', 'client_secret']

export function isMultipart(contentType: string): boolean {
  return MULTIPART.test(contentType)
}

/**
 * A value of a flow as the body of a request: a map with a form content type as fields, other maps and lists as
 * JSON, text as text, bytes as bytes.
 * @throws Failure `request.invalid`; `body.invalid` when a text does not fit into the charset
 */
export function requestBody(value: unknown, contentType: string | undefined): Body {
  if (contentType !== undefined && typeName(value) === 'map') {
    if (FORM.test(contentType))
      return Body.ofText(formText(value as Record<string, unknown>, charsetOf(contentType, '')), contentType)
    if (isMultipart(contentType))
      throw new Failure('request.invalid', `a map cannot be sent as "${contentType}"`, {
        hint: 'The step builds parts where it says itself `contentType: multipart/form-data` and has the parts as a map under `body`.',
      })
  }
  return Body.of(value, contentType)
}

/** Null leaves a field out, a list repeats it, a map in it is JSON. */
function formText(fields: Readonly<Record<string, unknown>>, charset: string | undefined): string {
  const pairs: [name: string, value: string][] = []
  for (const [name, value] of Object.entries(fields))
    for (const item of Array.isArray(value) ? value : [value])
      if (item !== null && item !== undefined) pairs.push([name, fieldText(name, item)])
  if (charset === undefined) return new URLSearchParams(pairs).toString()
  if (charset.startsWith('utf-16'))
    throw new Failure('request.invalid', `a form cannot be sent in the charset "${charset}"`, {
      hint: 'Leave `charset` out of the content type: forms are then sent as UTF-8.',
    })
  return pairs.map(([name, value]) => `${encoded(name, charset)}=${encoded(value, charset)}`).join('&')
}

function fieldText(name: string, value: unknown): string {
  if (typeName(value) !== 'bytes') return toText(value)
  throw new Failure('request.invalid', `the field "${name}" of the form is bytes, which a form cannot hold`, {
    hint: 'base64.encode(x) makes text of bytes; `contentType: multipart/form-data` takes them as they are.',
  })
}

/** @see https://url.spec.whatwg.org/#urlencoded-serializing */
function encoded(text: string, charset: string): string {
  return encodeText(text, charset)
    .toString('latin1')
    .replace(/[^A-Za-z0-9*._-]/g, (byte) =>
      byte === ' ' ? '+' : `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    )
}

/** A field of a token request in something that a flow wrote: the name of the field. */
export function tokenField(written: unknown): string | undefined {
  if (typeof written === 'string')
    return TOKEN_FIELDS.find((name) => new RegExp(`(^|[?&{,\\s"'])${name}["']?\\s*[=:]`).test(written))
  if (typeName(written) !== 'map') return undefined
  return TOKEN_FIELDS.find((name) => Object.hasOwn(written as object, name))
}
