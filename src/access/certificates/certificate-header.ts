import { X509Certificate } from 'node:crypto'

/** What a proxy says of the certificate of a caller. */
export interface ForwardedCertificate {
  /** SHA-256 of it, hex. */
  readonly fingerprint: string
  /** Undefined: it says no more than that. */
  readonly certificate: X509Certificate | undefined
}

/** Why a header is not taken, for the log. */
export interface BadHeader {
  readonly why: string
}

/** Characters of the longest value that is looked at: a chain of certificates in PEM. */
const LONGEST = 64 * 1024

/**
 * Reads the header: Envoy's form (`Hash=...;Cert="..."`), PEM, encoded as in URLs or not, or DER in base64.
 * @see https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#x-forwarded-client-cert
 */
export function readCertificateHeader(text: string): ForwardedCertificate | BadHeader {
  if (text.length > LONGEST) return { why: `is longer than ${LONGEST} characters` }
  if (/(?:^|[;,])\s*(?:By|Hash|Cert|Chain|Subject|URI|DNS)=/i.test(text)) return ofEnvoy(text)
  const decoded = decodedUrl(text)
  if (decoded === undefined) return NONE
  return ofText(decoded.includes('-----BEGIN') ? decoded : decoded.split(',')[0]!) ?? NONE
}

const NONE: BadHeader = { why: 'holds no certificate that can be read' }
/** What a certificate may have several of; the proxy's own may, too. */
const SEVERAL: ReadonlySet<string> = new Set(['uri', 'dns', 'by'])

/**
 * Names in a certificate are written without quotes, so that a caller's own may look like a further pair or element: where
 * anything could be said twice nothing is believed.
 */
function ofEnvoy(text: string): ForwardedCertificate | BadHeader {
  const elements = splitOutsideQuotes(text, ',')
  if (elements.length > 1) return { why: 'holds more than one element' }
  const pairs = new Map<string, string>()
  for (const pair of splitOutsideQuotes(text, ';')) {
    const at = pair.indexOf('=')
    const key = pair.slice(0, at).trim().toLowerCase()
    if (pairs.has(key) && !SEVERAL.has(key)) return { why: `says "${key.slice(0, 20)}" more than once` }
    const value = pair.slice(at + 1).trim()
    pairs.set(key, value.startsWith('"') ? value.slice(1, -1).replaceAll('\\"', '"') : value)
  }
  const hash = pairs.get('hash')?.toLowerCase()
  const encoded = pairs.get('cert') ?? pairs.get('chain')
  if (encoded !== undefined) {
    const found = ofText(decodedUrl(encoded) ?? '')
    if (!found) return NONE
    return hash === undefined || hash === found.fingerprint
      ? found
      : { why: 'holds a certificate with another hash than it says' }
  }
  return hash !== undefined && /^[0-9a-f]{64}$/.test(hash)
    ? { fingerprint: hash, certificate: undefined }
    : NONE
}

/** PEM, of which line ends may have become spaces; or base64, between colons as RFC 9440 writes it. */
function ofText(text: string): ForwardedCertificate | undefined {
  const base64 = (
    /-----BEGIN CERTIFICATE-----([^-]*)-----END/.exec(text)?.[1] ?? text.replace(/^:|:$/g, '')
  ).replaceAll(/[\s]/g, '')
  if (!/^[A-Za-z0-9+/]+=*$/.test(base64)) return undefined
  try {
    const certificate = new X509Certificate(Buffer.from(base64, 'base64'))
    return { fingerprint: fingerprintOf(certificate), certificate }
  } catch {
    return undefined
  }
}

/** SHA-256, hex without colons. */
export function fingerprintOf({ fingerprint256 }: X509Certificate): string {
  return fingerprint256.replaceAll(':', '').toLowerCase()
}

/** A `+` is itself: base64 has it. */
function decodedUrl(text: string): string | undefined {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = ['']
  let isQuoted = false
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!
    if (character === '\\' && isQuoted) parts[parts.length - 1] += character + (text[++i] ?? '')
    else if (character === separator && !isQuoted) parts.push('')
    else {
      if (character === '"') isQuoted = !isQuoted
      parts[parts.length - 1] += character
    }
  }
  return parts
}
