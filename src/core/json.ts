/** Levels of nesting that a JSON text may have. */
export const MAX_DEPTH = 1000

/** An integer beyond 2^53, kept exactly as it was written. It can be passed on and printed, not calculated with. */
export type BigInteger = { readonly rawJSON: string }

interface RawJson {
  rawJSON(text: string): BigInteger
  isRawJSON(value: unknown): value is BigInteger
}
const { rawJSON, isRawJSON } = JSON as unknown as RawJson

export { isRawJSON as isBigInteger }

/**
 * Parses a JSON text. Integers beyond 2^53 stay exact (as {@link BigInteger}).
 * @throws SyntaxError when it is no JSON, or nested deeper than {@link MAX_DEPTH}
 */
export function parseJson(text: string): unknown {
  if (text.length > 2 * MAX_DEPTH) checkDepth(text)
  return /\d{16}/.test(text) ? JSON.parse(text, keepBigIntegers) : JSON.parse(text)
}

function keepBigIntegers(_key: string, value: unknown, context?: { source: string }): unknown {
  return typeof value === 'number' &&
    !Number.isSafeInteger(value) &&
    context !== undefined &&
    /^-?\d{16,}$/.test(context.source)
    ? rawJSON(context.source)
    : value
}

/** @throws SyntaxError when a JSON text is nested deeper than {@link MAX_DEPTH} */
export function checkDepth(text: string): void {
  let depth = 0
  let inText = false
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (inText) {
      if (c === 92) i++
      else if (c === 34) inText = false
    } else if (c === 34) inText = true
    else if (c === 123 || c === 91) {
      if (++depth > MAX_DEPTH) throw new SyntaxError(`nested deeper than ${MAX_DEPTH} levels`)
    } else if (c === 125 || c === 93) depth--
  }
}

/** Sets an own property, whatever its name: `__proto__` too. */
export function defineOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true })
  else target[key] = value
}

/** `null`, `boolean`, `number`, `text`, `list`, `map` or `bytes`: a value's type as people call it. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return 'text'
  if (Array.isArray(value)) return 'list'
  if (value instanceof Uint8Array) return 'bytes'
  if (isRawJSON(value)) return 'number'
  return typeof value === 'object' ? 'map' : typeof value
}

/** A value as it stands in a text: null as nothing, lists and maps as JSON, whole numbers without a point. */
export function toText(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value
  if (isRawJSON(value)) return value.rawJSON
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
