import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { sayDuration } from '../../core/duration.ts'
import type { Secret } from '../../core/secret.ts'

/** How a sender signs. */
export interface Signing {
  /** In lower case, as `timestamp` is. */
  readonly header: string
  readonly algorithm: 'sha256' | 'sha384' | 'sha512' | 'sha1'
  readonly encoding: 'hex' | 'base64'
  readonly prefix: string
  /** The header with the time; `stripe`: it stands in the header of the signature (`t=...,v1=...`). Undefined: none. */
  readonly timestamp: { readonly header: string } | 'stripe' | undefined
  /** Texts, and names in braces. */
  readonly signs: readonly string[]
  /** ms */
  readonly tolerance: number
}

/** What the headers say, once they can be right. */
export interface Signed {
  readonly signatures: readonly Buffer[]
  /** As it was sent; empty where there is none. */
  readonly timestamp: string
}

const LENGTHS = { sha256: 32, sha384: 48, sha512: 64, sha1: 20 } as const
/** Signatures in one header that are looked at. */
const MOST = 10

/** `v0:{timestamp}:{body}` in its parts. */
export function partsOf(signs: string): string[] {
  return signs.split(/(\{[^{}]+\})/).filter((part) => part !== '')
}

/**
 * Reads what can be judged before the body is there.
 * @param now epoch ms
 */
export function readSignature(
  headers: IncomingHttpHeaders,
  signing: Signing,
  now: number,
): Signed | { readonly why: string } {
  const { header, timestamp: from, tolerance } = signing
  const text = headers[header]
  if (typeof text !== 'string') return { why: `it has no signature (${header})` }
  const fields = from === 'stripe' ? text.split(',').map((field) => field.trim()) : [text.trim()]
  const signatures = fields
    .filter((field) => field.startsWith(signing.prefix))
    .slice(0, MOST)
    .flatMap((field) => decoded(field.slice(signing.prefix.length), signing) ?? [])
  if (signatures.length === 0) return { why: `its signature (${header}) cannot be read` }
  if (from === undefined) return { signatures, timestamp: '' }
  const timestamp =
    from === 'stripe' ? fields.find((field) => field.startsWith('t='))?.slice(2) : headers[from.header]
  if (typeof timestamp !== 'string' || !/^\d{1,12}$/.test(timestamp))
    return { why: 'the time of its signature is missing or cannot be read' }
  const age = now - Number(timestamp) * 1000
  if (Math.abs(age) <= tolerance) return { signatures, timestamp }
  const far = sayDuration(Math.abs(age))
  return { why: age > 0 ? `it was signed ${far} ago` : `it was signed ${far} ahead of now` }
}

/** Whether one of the signatures is made with one of the secrets; constant in time. */
export function fitsSignature(
  { signatures, timestamp }: Signed,
  { algorithm, signs }: Signing,
  secrets: readonly Secret[],
  headers: IncomingHttpHeaders,
  body: Buffer,
): boolean {
  let fits = false
  for (const secret of secrets) {
    const hmac = createHmac(algorithm, secret.reveal())
    for (const part of signs) hmac.update(signedPart(part, timestamp, headers, body))
    const wanted = hmac.digest()
    for (const signature of signatures) if (timingSafeEqual(signature, wanted)) fits = true
  }
  return fits
}

function signedPart(
  part: string,
  timestamp: string,
  headers: IncomingHttpHeaders,
  body: Buffer,
): string | Buffer {
  if (!part.startsWith('{') || part.length < 3) return part
  if (part === '{body}') return body
  if (part === '{timestamp}') return timestamp
  return String(headers[part.slice(1, -1).toLowerCase()] ?? '')
}

function decoded(text: string, { algorithm, encoding }: Signing): Buffer | undefined {
  const form = encoding === 'hex' ? /^[0-9a-f]+$/i : /^[A-Za-z0-9+/_-]+={0,2}$/
  const bytes = form.test(text) ? Buffer.from(text, encoding) : undefined
  return bytes?.length === LENGTHS[algorithm] ? bytes : undefined
}
