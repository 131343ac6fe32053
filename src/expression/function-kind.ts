import type { Site } from './site.ts'

/** An argument whose value is known when the expression is compiled. */
export interface Constant {
  readonly value: unknown
}

type Implementation = (...values: unknown[]) => unknown

/** A function or method of the expression language: one entry of the reference, and how it is carried out. */
export interface FunctionKind {
  /** `split`, `base64.encode` */
  readonly name: string
  /** `split(s, sep)`; of a method `text.contains(part)`. A `?` marks what may be left out. */
  readonly signature: string
  /** One line. */
  readonly summary: string
  readonly example: { readonly expression: string; readonly result: string }
  /** Number of arguments; of a method without the value before the dot. */
  readonly least: number
  readonly most: number
  /** It gives something else each time. */
  readonly changes?: true
  /**
   * Prepares one use of it; arguments with a known value are checked and taken apart here.
   * The value before the dot of a method is the first one. None: the compiler itself carries it out.
   */
  readonly bind?: (site: Site, constants: readonly (Constant | undefined)[]) => Implementation
}

/** `['s', 'sep']` of `split(s, sep)`; the value before the dot of a method is `.`. */
export function parametersOf(kind: FunctionKind, method: boolean): string[] {
  const inside = /\(([^)]*)\)/.exec(kind.signature)?.[1] ?? ''
  const names = inside.split(',').map((name) => name.replace(/[?]|=.*$/g, '').trim())
  const own = names.filter((name) => name !== '')
  return method ? ['.', ...own] : own
}

/** What `make` gives for a text, remembered for the last text: most texts are the same in every message. */
export function remembered<T>(make: (text: string) => T): (text: string) => T {
  let lastText: string | undefined
  let last: T | undefined
  return (text) => {
    if (text !== lastText) {
      last = make(text)
      lastText = text
    }
    return last as T
  }
}
