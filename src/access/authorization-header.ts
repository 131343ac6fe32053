import type { IncomingMessage } from 'node:http'
import type { Claim } from './secret-check.ts'

/** What a request carries as its authorization. */
export type Carried =
  | { readonly scheme: 'none' }
  | { readonly scheme: 'bearer'; readonly token: string }
  | { readonly scheme: 'basic'; readonly claim: Claim }
  /** Why it cannot be judged, for the log. */
  | { readonly scheme: 'unreadable'; readonly why: string; readonly ambiguous: boolean }

/** RFC 6750 2.1. */
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i
const BASIC = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i

/** Reads the header `authorization`; a request has at most one. */
export function readAuthorization(raw: IncomingMessage): Carried {
  const text = raw.headers.authorization
  if (text === undefined) return { scheme: 'none' }
  if (countOf(raw, 'authorization') > 1)
    return { scheme: 'unreadable', why: 'it has more than one authorization header', ambiguous: true }
  const token = BEARER.exec(text)?.[1]
  if (token !== undefined) return { scheme: 'bearer', token }
  const encoded = BASIC.exec(text)?.[1]
  const claim = encoded === undefined ? undefined : readBasic(encoded)
  if (claim) return { scheme: 'basic', claim }
  const scheme = /^(Bearer|Basic)(?![^ ])/i.exec(text)?.[1]
  const why = scheme
    ? `what comes after "${scheme}" cannot be read`
    : 'its scheme is neither Bearer nor Basic'
  return { scheme: 'unreadable', why, ambiguous: false }
}

/** How often a request has a header: of several Node keeps the first, or joins them. @param name lower case */
export function countOf({ rawHeaders }: IncomingMessage, name: string): number {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (rawHeaders[i]!.length === name.length && rawHeaders[i]!.toLowerCase() === name) count++
  return count
}

/**
 * As it stands, as curl and Postman send it; or form-encoded, as RFC 6749 2.3.1 wants it. An id has no `%` and no `+` of its
 * own, so that it is one id however it is written; of a secret that has them it is not known which way it was meant.
 */
function readBasic(encoded: string): Claim | undefined {
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 1) return undefined
  const [id, secret] = [text.slice(0, colon), text.slice(colon + 1)]
  const clientId = formDecoded(id) ?? id
  const decoded = formDecoded(secret)
  if (decoded === undefined || decoded === secret) return { clientId, secrets: [secret] }
  return { clientId, secrets: clientId === id ? [secret, decoded] : [decoded] }
}

function formDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
