import { inspect } from 'node:util'
import { defineOwn } from '../core/json.ts'

/** Levels below an error that are shown. */
const DEPTH = 8
/** Of a list or a map. */
const ENTRIES = 100

/**
 * A copy of an error, or of anything, that a printer may have: each text redacted by itself, so that none hides in a
 * printer's escapes, line breaks and cuts; bytes only counted; getters not asked.
 */
export function showable(value: unknown, redact: (text: string) => string): unknown {
  const copies = new Map<object, object>()

  function copy(value: unknown, depth: number): unknown {
    if (typeof value === 'string') return redact(value)
    if (typeof value === 'function') return '[function]'
    if (typeof value !== 'object' || value === null) return value
    if (ArrayBuffer.isView(value) || isBuffer(value)) return `[${value.byteLength} bytes]`
    const known = copies.get(value)
    if (known !== undefined) return known
    if (depth > DEPTH) return '[...]'
    if (value instanceof Error) return copyError(value, depth)
    const plain = 'toJSON' in value && typeof value.toJSON === 'function' ? value.toJSON() : value
    if (plain !== value) return copy(plain, depth + 1)
    if (Array.isArray(value) || value instanceof Set) return copyList([...value], value, depth)
    if (value instanceof Map) return copyList([...value.entries()], value, depth)
    const made: Record<string, unknown> = {}
    copies.set(value, made)
    copyMembers(value, made, depth)
    return made
  }

  function copyList(list: readonly unknown[], original: object, depth: number): unknown[] {
    const made: unknown[] = []
    copies.set(original, made)
    for (const item of list.slice(0, ENTRIES)) made.push(copy(item, depth + 1))
    if (list.length > ENTRIES) made.push(`... ${list.length - ENTRIES} more`)
    return made
  }

  /** Of the same class, for its name. */
  function copyError(error: Error, depth: number): Error {
    const made = Object.create(Object.getPrototypeOf(error) as object) as Error
    copies.set(error, made)
    copyMembers(error, made as unknown as Record<string, unknown>, depth)
    const { message, stack, cause, errors } = error as Partial<AggregateError>
    const hide = (name: PropertyKey, value: unknown) =>
      Object.defineProperty(made, name, { value, enumerable: false, configurable: true, writable: true })
    hide('message', redact(String(message)))
    hide('stack', redact(String(stack ?? error)))
    hide(inspect.custom, undefined)
    if (cause !== undefined) hide('cause', copy(cause, depth + 1))
    if (errors !== undefined) hide('errors', copy(errors, depth + 1))
    return made
  }

  function copyMembers(from: object, to: Record<string, unknown>, depth: number): void {
    const names = Object.keys(from)
    for (const name of names.slice(0, ENTRIES)) {
      const member = Object.getOwnPropertyDescriptor(from, name)
      defineOwn(to, redact(name), member && 'value' in member ? copy(member.value, depth + 1) : '[getter]')
    }
    if (names.length > ENTRIES) to['...'] = `${names.length - ENTRIES} more`
  }

  return copy(value, 0)
}

function isBuffer(value: object): value is ArrayBuffer | SharedArrayBuffer {
  return value instanceof ArrayBuffer || value instanceof SharedArrayBuffer
}
