import type { Place, Problem } from './problem.ts'

/** Keys and indexes from the document's root to a value. */
export type Path = readonly (string | number)[]

export interface Target {
  /** `value` when left out. A path whose last key is not there gives the place of the nearest parent's key. */
  on?: 'key' | 'value'
  /** UTF-16 offset in the text of a scalar as it was parsed (block scalars, escapes and quotes are accounted for). */
  offset?: number
  /** UTF-16 units from the offset on. */
  length?: number
}

/** A YAML text, parsed, that knows where each of its values stands. */
export interface Document {
  /** As shown to people: relative to the project folder. */
  readonly file: string
  readonly text: string
  /** Plain data, before any checking. */
  readonly value: unknown
  place(path: Path, target?: Target): Place
}

export type ReadDocument = { readonly document?: Document; readonly problems: readonly Problem[] }
