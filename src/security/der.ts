/** One element of DER: its tag, its content, and it as a whole. */
export interface DerElement {
  readonly tag: number
  readonly content: Buffer
  readonly bytes: Buffer
}

export const SEQUENCE = 0x30
export const INTEGER = 0x02
export const OCTET_STRING = 0x04
export const OID = 0x06

/** Thrown where bytes are no DER; BER with lengths left open is none. */
export class NoDer extends Error {}

/**
 * The elements that stand one after the other.
 * @throws NoDer
 * @see https://www.itu.int/rec/T-REC-X.690
 */
export function readDer(bytes: Buffer): DerElement[] {
  const found: DerElement[] = []
  for (let at = 0; at < bytes.length;) {
    const element = elementAt(bytes, at)
    found.push(element)
    at += element.bytes.length
  }
  return found
}

function elementAt(bytes: Buffer, at: number): DerElement {
  const [tag, first] = [bytes[at], bytes[at + 1]]
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f || first === 0x80) throw new NoDer()
  const more = first < 0x80 ? 0 : first - 0x80
  const from = at + 2 + more
  if (more > 4 || from > bytes.length) throw new NoDer()
  const length = more === 0 ? first : bytes.readUIntBE(at + 2, more)
  const end = from + length
  if (end > bytes.length) throw new NoDer()
  return { tag, content: bytes.subarray(from, end), bytes: bytes.subarray(at, end) }
}

/**
 * What stands in an element of this tag.
 * @throws NoDer where it is another one
 */
export function within(element: DerElement | undefined, tag: number = SEQUENCE): DerElement[] {
  return readDer(contentOf(element, tag))
}

/** @throws NoDer where it is an element of another tag */
export function contentOf(element: DerElement | undefined, tag: number): Buffer {
  if (element?.tag !== tag) throw new NoDer()
  return element.content
}

/** `1.2.840.113549.1.7.1` @throws NoDer */
export function oidOf(element: DerElement | undefined): string {
  const parts: number[] = []
  let value = 0
  for (const byte of contentOf(element, OID)) {
    value = value * 128 + (byte & 0x7f)
    if (byte >= 0x80) continue
    parts.push(value)
    value = 0
  }
  const [first = 0, ...rest] = parts
  const top = Math.min(2, Math.floor(first / 40))
  return [top, first - top * 40, ...rest].join('.')
}

/** A small one that is not negative. @throws NoDer */
export function integerOf(element: DerElement | undefined): number {
  const bytes = contentOf(element, INTEGER)
  if (bytes.length === 0 || bytes.length > 5 || bytes[0]! >= 0x80) throw new NoDer()
  return bytes.readUIntBE(0, bytes.length)
}
