import { Body } from '../core/body.ts'
import { Failure } from '../core/failure.ts'
import { toText, typeName } from '../core/json.ts'

const FORM = /^application\/x-www-form-urlencoded\b/i
const MULTIPART = /^multipart\//i
const TOKEN_FIELDS = ['grant_type', 'client_secret']

/** `multipart/...`: parts cannot be sent in this version. */
export function isMultipart(contentType: string): boolean {
  return MULTIPART.test(contentType)
}

/**
 * A value of a flow as the body of a request: a map with a form content type as fields, other maps and lists as
 * JSON, text as text, bytes as bytes.
 * @throws Failure `request.invalid`
 */
export function requestBody(value: unknown, contentType: string | undefined): Body {
  if (contentType !== undefined && typeName(value) === 'map') {
    if (FORM.test(contentType)) return Body.ofText(formText(value as Record<string, unknown>), contentType)
    if (isMultipart(contentType))
      throw new Failure('request.invalid', `a map cannot be sent as "${contentType}" in this version`, {
        hint: 'Send JSON or form fields; or build the whole body as text, with its boundaries.',
      })
  }
  return Body.of(value, contentType)
}

/** Null leaves a field out, a list repeats it, a map in it is JSON. */
function formText(fields: Readonly<Record<string, unknown>>): string {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(fields))
    for (const item of Array.isArray(value) ? value : [value])
      if (item !== null && item !== undefined) form.append(name, toText(item))
  return form.toString()
}

/** A field of a token request in something that a flow wrote: the name of the field. */
export function tokenField(written: unknown): string | undefined {
  if (typeof written === 'string')
    return TOKEN_FIELDS.find((name) => new RegExp(`(^|[?&{,\\s"'])${name}["']?\\s*[=:]`).test(written))
  if (typeName(written) !== 'map') return undefined
  return TOKEN_FIELDS.find((name) => Object.hasOwn(written as object, name))
}
