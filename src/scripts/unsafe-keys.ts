const PROTO = Buffer.from('__proto__')
const CONSTRUCTOR = Buffer.from('"constructor"')
const ESCAPE = Buffer.from('\\u')
const HARMLESS_ESCAPE = /\\u00[01][0-9a-f]|\\ud[89a-f][0-9a-f]{2}/gi

/**
 * Whether a JSON text may hold keys that could reach a prototype where somebody copies them carelessly.
 * `JSON.stringify` escapes control characters and lone surrogates only: any other escape may hide such a key.
 */
export function mayHoldUnsafeKeys(text: Buffer | string): boolean {
  if (typeof text === 'string')
    return text.includes('__proto__') || text.includes('"constructor"') || hidesLetters(text)
  return (
    text.includes(PROTO) ||
    text.includes(CONSTRUCTOR) ||
    (text.includes(ESCAPE) && hidesLetters(text.toString('latin1')))
  )
}

function hidesLetters(text: string): boolean {
  return text.includes('\\u') && text.replace(HARMLESS_ESCAPE, '').includes('\\u')
}

/** Takes `__proto__` out at every depth, and `constructor` where it holds a `prototype`. Changes the value. */
export function dropUnsafeKeys(value: unknown): unknown {
  const waiting = [value]
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (typeof next !== 'object' || next === null) continue
    const object = next as Record<string, unknown>
    for (const key of Object.keys(object)) {
      const inner = object[key]
      if (key === '__proto__' || (key === 'constructor' && holdsPrototype(inner))) delete object[key]
      else if (typeof inner === 'object') waiting.push(inner)
    }
  }
  return value
}

function holdsPrototype(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype')
}
