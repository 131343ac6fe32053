import type { ProblemCode } from '../core/problem-codes.ts'
import type { DestinationProperties } from '../core/findable.ts'
import { defineOwn } from '../core/json.ts'
import type { ProblemReport } from '../core/kinds.ts'
import { guess, nearest } from '../core/problem.ts'
import { isMap } from '../core/shape-values.ts'

/** A mistake at a property of a destination. */
export interface DestinationMistake extends Omit<ProblemReport, 'at' | 'place'> {
  /** Undefined: the destination as a whole. */
  readonly property?: string
}

/**
 * A destination on its way to a credential: hands out its properties, gathers the fields of the credential with where each
 * came from, and what is wrong. What nobody asked for is told at the end.
 */
export class Translation {
  readonly fields: Record<string, unknown> = {}
  /** Property of a field, by its path as JSON. */
  readonly origins = new Map<string, string>()
  readonly mistakes: DestinationMistake[] = []
  /** Folder of key and trust stores, as references name it. */
  readonly keystores: string
  /** Those that are there. */
  readonly properties: DestinationProperties
  readonly #used = new Set<string>()

  /**
   * @param properties null and empty ones count as left out
   * @param assumed those that hold where they are asked for and left out
   */
  constructor(
    properties: Readonly<Record<string, unknown>>,
    keystores: string,
    assumed: DestinationProperties = {},
  ) {
    for (const name of Object.keys(assumed)) this.#used.add(name)
    const given = Object.entries(properties).flatMap(([name, value]): [string, string][] => {
      if (value === null || value === undefined || value === '') return []
      if (typeof value !== 'object') return [[name, String(value)]]
      this.#used.add(name)
      this.mistake(
        'destination/value',
        name,
        `"${name}" is no text`,
        'Properties of a destination are texts.',
      )
      return []
    })
    this.properties = { ...assumed, ...Object.fromEntries(given) }
    this.keystores = keystores
  }

  /** Undefined where it is left out. */
  read(name: string): string | undefined {
    this.#used.add(name)
    return Object.hasOwn(this.properties, name) ? this.properties[name] : undefined
  }

  /** As `read`; what is left out is a mistake. */
  need(name: string, why: string): string | undefined {
    const value = this.read(name)
    if (value === undefined)
      this.mistake(
        'destination/missing',
        undefined,
        `"${name}" is missing; ${why}`,
        `Add ${name} to the destination, or to "override".`,
      )
    return value
  }

  /** `true` and `false`, in any case. */
  flag(name: string, preset: boolean): boolean {
    const value = this.read(name)?.toLowerCase()
    if (value === undefined || value === 'true' || value === 'false')
      return value === undefined ? preset : value === 'true'
    this.mistake('destination/value', name, `"${name}" is "${value}"; true or false is wanted`)
    return preset
  }

  /** Sets a field of the credential. @param property where it came from */
  set(path: readonly string[], value: unknown, property: string): void {
    let at = this.fields
    for (const key of path.slice(0, -1)) {
      if (!isMap(at[key])) defineOwn(at, key, {})
      at = at[key] as Record<string, unknown>
    }
    defineOwn(at, path.at(-1)!, value)
    this.origins.set(JSON.stringify(path), property)
  }

  /** Sets a field to a property as it stands, if it is there. */
  copy(name: string, ...path: string[]): void {
    const value = this.read(name)
    if (value !== undefined) this.set(path, value, name)
  }

  /** Copies all properties whose names begin alike into a map; the rest of the name is the key. */
  copyAll(prefix: string, ...path: string[]): void {
    for (const name of Object.keys(this.properties))
      if (name.startsWith(prefix) && name.length > prefix.length && !this.#used.has(name))
        this.copy(name, ...path, name.slice(prefix.length))
  }

  mistake(
    code: ProblemCode,
    property: string | undefined,
    message: string,
    hint?: string,
    severity?: 'warning',
  ): void {
    this.mistakes.push({
      code,
      ...(property !== undefined && { property }),
      message,
      ...(hint !== undefined && { hint }),
      ...(severity && { severity }),
    })
  }

  /** Tells of properties that nobody asked for. */
  tellUnused(known: readonly string[]): void {
    for (const name of Object.keys(this.properties)) {
      if (this.#used.has(name) || FOREIGN.test(name)) continue
      const near = known.includes(name) ? '' : guess(inFamily(name) ?? nearest(name, known))
      this.mistake(
        'destination/unused',
        name,
        `"${name}" is not used${near}`,
        near === '' ? 'Nothing here asks for it; requests do not change by it.' : undefined,
        'warning',
      )
    }
  }
}

/** Beginnings of properties whose ends are free. */
const FAMILIES = [
  'URL.headers.',
  'URL.queries.',
  'tokenServiceURL.headers.',
  'tokenServiceURL.queries.',
  'tokenService.body.',
]

/** What a property with a slip in its beginning should be called; all families have two words before the free end. */
function inFamily(name: string): string | undefined {
  const [, begin, end] = /^([^.]+\.[^.]+\.)(.+)$/s.exec(name) ?? []
  const family = begin === undefined ? undefined : nearest(begin, FAMILIES)
  return family === undefined ? undefined : family + end
}

/** Properties for other programs: they say nothing about how a request goes out. */
const FOREIGN =
  /^(HTML5\.|WebIDE|sap-|sap\.|product\.|XFSystemName$|MDI\.|CI\.|SystemId$|DisplayName$|oauth2AuthCode|x_user_token\.|forwardAuthToken$|setXForwardedHeaders$)/i
