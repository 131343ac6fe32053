import type { Transform } from 'node:stream'
import {
  brotliDecompressSync,
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from 'node:zlib'

/** Makes a decoder for a body whose first byte is this one. */
type MakeDecoder = (firstByte: number) => Transform

interface Encoding {
  readonly decoder: MakeDecoder
  /** @param maxOutputLength bytes */
  decode(bytes: Buffer, maxOutputLength: number): Buffer
}

/** Bytes that a decoder gives at once. */
const chunkSize = 32 * 1024
/** What a receiver may have us keep for zstd: 8 MiB. @see https://www.rfc-editor.org/rfc/rfc9659 */
const params = { [constants.ZSTD_d_windowLogMax]: 23 }
/** Bits of the first byte of zlib's format that tell its method. @see https://www.rfc-editor.org/rfc/rfc1950 */
const ZLIB_METHOD = 0x0f
const ZLIB_DEFLATE = 0x08

/** What `deflate` means is zlib's format; some send the bare one. */
function isZlib(firstByte: number): boolean {
  return (firstByte & ZLIB_METHOD) === ZLIB_DEFLATE
}

const GZIP: Encoding = {
  decoder: () => createGunzip({ chunkSize }),
  decode: (bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength }),
}

const KNOWN: Readonly<Record<string, Encoding>> = {
  gzip: GZIP,
  'x-gzip': GZIP,
  deflate: {
    decoder: (first) => (isZlib(first) ? createInflate({ chunkSize }) : createInflateRaw({ chunkSize })),
    decode: (bytes, maxOutputLength) =>
      (isZlib(bytes[0]!) ? inflateSync : inflateRawSync)(bytes, { maxOutputLength }),
  },
  br: {
    decoder: () => createBrotliDecompress({ chunkSize }),
    decode: (bytes, maxOutputLength) => brotliDecompressSync(bytes, { maxOutputLength }),
  },
  zstd: {
    decoder: () => createZstdDecompress({ chunkSize, params }),
    decode: (bytes, maxOutputLength) => zstdDecompressSync(bytes, { maxOutputLength, params }),
  },
}

/** Encodings one over the other that are taken off. */
const MOST = 4

/** What a request that wants its answer compressed says in `accept-encoding`. */
export const COMPRESSED = 'gzip, deflate, br, zstd'

/** For messages to people. */
export const ENCODINGS = ['gzip', 'deflate', 'br', 'zstd', 'identity'] as const

/**
 * The encodings of a body, in the order in which they were put on; those that change nothing are left out.
 * @param header `content-encoding`
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-8.4
 */
export function encodingsIn(header: string): readonly string[] {
  return header
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity')
}

/** The same, in the order in which they are taken off; undefined when one is not known, or they are too many. */
function known(encodings: readonly string[]): readonly Encoding[] | undefined {
  if (encodings.length > MOST || encodings.some((name) => !Object.hasOwn(KNOWN, name))) return undefined
  return encodings.toReversed().map((name) => KNOWN[name]!)
}

/** Makers of decoders, in the order in which they work; undefined when one is not known, or they are too many. */
export function decodersFor(encodings: readonly string[]): readonly MakeDecoder[] | undefined {
  return known(encodings)?.map(({ decoder }) => decoder)
}

/**
 * A small body as it was before it was encoded; undefined when it cannot be decoded, or is larger.
 * @param header `content-encoding`
 * @param limit bytes
 */
export function decodedSmall(bytes: Buffer, header: string, limit: number): Buffer | undefined {
  try {
    return known(encodingsIn(header))?.reduce((body, encoding) => encoding.decode(body, limit), bytes)
  } catch {
    return undefined
  }
}
