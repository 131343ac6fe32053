import { X509Certificate } from 'node:crypto'

/** What a proxy says of the certificate of a caller. */
export interface ForwardedCertificate {
  /** SHA-256 of it, hex. */
  readonly fingerprint: string
  /** Undefined: it says no more than that. */
  readonly certificate: X509Certificate | undefined
}

/** Characters of the longest value that is looked at: a chain of certificates in PEM. */
const LONGEST = 64 * 1024

/**
 * Reads the header: Envoy's form (`Hash=...;Cert="..."`), PEM, encoded as in URLs or not, or DER in base64. Undefined: it holds none.
 * @see https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#x-forwarded-client-cert
 */
export function readCertificateHeader(text: string): ForwardedCertificate | undefined {
  if (text === '' || text.length > LONGEST) return undefined
  if (/(?:^|[;,])\s*(?:By|Hash|Cert|Chain|Subject|URI|DNS)=/i.test(text)) return ofEnvoy(text)
  const decoded = decodedUrl(text)
  if (decoded === undefined) return undefined
  return ofText(decoded.includes('-----BEGIN') ? decoded : decoded.split(',')[0]!)
}

/** Each proxy adds an element: the last one is what the nearest one has seen. */
function ofEnvoy(text: string): ForwardedCertificate | undefined {
  const elements = splitOutsideQuotes(text, ',')
  const pairs = new Map(
    splitOutsideQuotes(elements.at(-1)!, ';').map((pair) => {
      const at = pair.indexOf('=')
      const value = pair.slice(at + 1).trim()
      return [
        pair.slice(0, at).trim().toLowerCase(),
        value.startsWith('"') ? value.slice(1, -1).replaceAll('\\"', '"') : value,
      ]
    }),
  )
  const encoded = pairs.get('cert') ?? pairs.get('chain')
  const pem = encoded === undefined ? undefined : decodedUrl(encoded)
  const found = pem === undefined ? undefined : ofText(pem)
  const hash = pairs.get('hash')?.toLowerCase()
  if (found || encoded !== undefined)
    return found?.fingerprint === (hash ?? found?.fingerprint) ? found : undefined
  return hash !== undefined && /^[0-9a-f]{64}$/.test(hash)
    ? { fingerprint: hash, certificate: undefined }
    : undefined
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
