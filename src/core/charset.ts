import { Failure } from './failure.ts'

/** What says how the characters of a text are written as bytes; names in lower case. */
const CHARSET = /;\s*charset\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s;,]*))/i
const XML_TYPE = /^(text|application)\/xml\b|\+xml\b/i
/** In the first bytes of a document, read as ASCII. @see https://www.w3.org/TR/xml/#NT-EncodingDecl */
const XML_DECLARATION = /^<\?xml\s[^>]*?\sencoding\s*=\s*["']([a-z][\w.:-]*)["']/i
/** Bytes that a declaration of XML may take. */
const DECLARATION_LENGTH = 256
const REMEMBERED = 500
const LATIN1 = /^(iso[-_]?8859-1(:1987)?|iso8859-?1|latin-?1|l1|cp819|ibm819|iso-ir-100)$/
const ASCII = /^(us-ascii|ascii|ansi_x3\.4-1968|iso646-us)$/
/** Encodings of one byte a character, by the names of the Encoding Standard. */
const ONE_BYTE = /^(windows-|iso-8859-|koi8-|ibm866$|macintosh$|x-mac-cyrillic$)/

const named = new Map<string, string>()

/** The charset that a content type names, in lower case; empty where it names none. */
function namedCharset(contentType: string): string {
  const known = named.get(contentType)
  if (known !== undefined) return known
  const [, double, single, bare] = CHARSET.exec(contentType) ?? []
  const charset = (double ?? single ?? bare ?? '').trim().toLowerCase()
  if (named.size >= REMEMBERED) named.clear()
  named.set(contentType, charset)
  return charset
}

/** The charset of a text: what the content type says, else what an XML document says of itself; undefined: UTF-8. */
export function charsetOf(contentType: string | undefined, content: Buffer | string): string | undefined {
  if (contentType === undefined) return undefined
  const charset = namedCharset(contentType)
  if (charset !== '') return charset === 'utf-8' || charset === 'utf8' ? undefined : charset
  if (!XML_TYPE.test(contentType)) return undefined
  const head =
    typeof content === 'string'
      ? content.slice(0, DECLARATION_LENGTH)
      : content.toString('latin1', 0, DECLARATION_LENGTH)
  const declared = XML_DECLARATION.exec(head)?.[1]!.toLowerCase()
  return declared === undefined || /^utf-?(8|16|32)|^ucs-|^iso-10646/.test(declared) ? undefined : declared
}

/** Fails where a content type names a charset that text cannot be sent in. @throws Failure `body.invalid` */
export function checkCharset(contentType: string): void {
  const charset = namedCharset(contentType)
  if (charset !== '') encodeText('', charset)
}

/** Whether a byte order mark says that it is UTF-16. */
export function isUtf16([first, second]: Buffer): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
}

/**
 * Bytes as text. A byte order mark says more than the charset, and is left out.
 * @param charset undefined: UTF-8
 * @throws RangeError when the charset is not known
 * @see https://encoding.spec.whatwg.org/#decode
 */
export function decodeText(bytes: Buffer, charset: string | undefined): string {
  const [first, second] = bytes
  if (first === 0xef && second === 0xbb && bytes[2] === 0xbf) return bytes.toString('utf8', 3)
  if (first === 0xff && second === 0xfe) return bytes.toString('utf16le', 2)
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  if (charset === undefined) return bytes.toString('utf8')
  return new TextDecoder(charset).decode(bytes)
}

/**
 * Text as bytes.
 * @param charset undefined: UTF-8
 * @throws Failure `body.invalid` when the charset is not known, or lacks a character of the text
 */
export function encodeText(text: string, charset: string | undefined): Buffer {
  if (charset === undefined) return Buffer.from(text, 'utf8')
  if (LATIN1.test(charset)) return encodeUpTo(0xff, text, charset)
  if (ASCII.test(charset)) return encodeUpTo(0x7f, text, charset)
  const encoding = encodingOf(charset)
  if (encoding === 'utf-8') return Buffer.from(text, 'utf8')
  if (encoding === 'utf-16le') return Buffer.from(charset === 'utf-16le' ? text : `\ufeff${text}`, 'utf16le')
  if (encoding === 'utf-16be') return Buffer.from(text, 'utf16le').swap16()
  if (ONE_BYTE.test(encoding)) return encodeByTable(text, encoding, charset)
  throw new Failure('body.invalid', `text cannot be written in the charset "${charset}"`, {
    hint: 'Use UTF-8, UTF-16, or a charset of one byte a character (iso-8859-1, windows-1252).',
    reply: 500,
  })
}

/** JSON text in a charset: what it lacks is escaped. */
export function encodeJson(text: string, charset: string | undefined): Buffer {
  if (charset === undefined || /^utf/.test(encodingOf(charset))) return encodeText(text, charset)
  const escaped = text.replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return Buffer.from(escaped, 'latin1')
}

/** Its name in the Encoding Standard. */
function encodingOf(charset: string): string {
  try {
    return new TextDecoder(charset).encoding
  } catch {
    throw new Failure('body.invalid', `the charset "${charset}" is not known`, {
      hint: 'Leave `charset` out of the content type: text is then sent as UTF-8.',
      reply: 500,
    })
  }
}

function encodeUpTo(last: number, text: string, charset: string): Buffer {
  for (let i = 0; i < text.length; i++)
    if (text.charCodeAt(i) > last) throw lacking(text.codePointAt(i)!, charset)
  return Buffer.from(text, 'latin1')
}

const tables = new Map<string, ReadonlyMap<string, number>>()

function encodeByTable(text: string, encoding: string, charset: string): Buffer {
  const table = tableOf(encoding)
  const bytes = Buffer.allocUnsafe(text.length)
  for (let i = 0; i < text.length; i++) {
    const byte = table.get(text[i]!)
    if (byte === undefined) throw lacking(text.codePointAt(i)!, charset)
    bytes[i] = byte
  }
  return bytes
}

function tableOf(encoding: string): ReadonlyMap<string, number> {
  let table = tables.get(encoding)
  if (!table) {
    const all = new TextDecoder(encoding).decode(Uint8Array.from({ length: 256 }, (_, byte) => byte))
    const entries = Array.from(all, (character, byte) => [character, byte] as const)
    table = new Map(entries.filter(([character]) => character !== '\ufffd'))
    tables.set(encoding, table)
  }
  return table
}

function lacking(codePoint: number, charset: string): Failure {
  const point = codePoint.toString(16).toUpperCase().padStart(4, '0')
  return new Failure('body.invalid', `the charset "${charset}" does not have the character U+${point}`, {
    hint: 'Use UTF-8 (leave `charset` out), or replace the character: replace(text, from, to).',
    reply: 500,
  })
}
