import type { TSchema } from '@sinclair/typebox'
import type { Document } from '../core/document.ts'
import type { AnyCredentialKind } from '../core/kinds.ts'
import { didYouMean, type Place, type Problem } from '../core/problem.ts'
import { credentialFields } from './secret-fields.ts'

/** One credential names another one that it is made with. */
export interface CredentialLink {
  readonly name: string
  /** The only type that is taken, where one is written. */
  readonly type: string | undefined
  readonly place: Place
}

/** What is linked with what. */
export interface Linked {
  readonly name: string
  readonly type: string | undefined
  readonly links: readonly CredentialLink[]
  /** Each of its tenants has a token of its own; empty where there are none. */
  readonly tenants: readonly string[]
}

/** @param options decoded */
export function linksIn(schema: TSchema, options: unknown, document: Document): CredentialLink[] {
  return credentialFields(schema, options).flatMap((path) => {
    const named = path.reduce<unknown>(
      (at, part) => (at as Record<string, unknown> | undefined)?.[part],
      options,
    )
    if (named === undefined) return []
    const { name, type } = named as { name: string; type?: string }
    return { name, type, place: document.place(path) }
  })
}

/** What is wrong with whom one credential is made with, where all are known. */
export function linkProblems(
  of: Linked,
  all: ReadonlyMap<string, Linked>,
  kinds: ReadonlyMap<string, AnyCredentialKind>,
): Problem[] {
  return of.links.flatMap((link) => {
    const problem = mistakeOf(link, of, all, kinds)
    return problem ? { code: 'credential/link', severity: 'error' as const, ...problem, ...link.place } : []
  })
}

function mistakeOf(
  { name, type: wanted }: CredentialLink,
  of: Linked,
  all: ReadonlyMap<string, Linked>,
  kinds: ReadonlyMap<string, AnyCredentialKind>,
): { message: string; hint: string } | undefined {
  const other = all.get(name)
  if (!other) {
    const others = [...all.keys()].filter((one) => one !== of.name)
    return {
      message: `there is no credential "${name}"${didYouMean(name, others)}`,
      hint: `Add security-material/${name}.yaml.`,
    }
  }
  const ring = ringFrom(of.name, name, all)
  if (ring)
    return {
      message: `a ring of credentials, each made with the token of the next: ${ring.join(' -> ')}`,
      hint: 'One of them has to get its token in another way.',
    }
  const { type } = other
  if (type === undefined) return undefined
  if (kinds.get(type)?.lends !== true)
    return {
      message: `"${name}" is a "${type}" credential and has no token to give; ${lenders(kinds)} is wanted here`,
      hint: 'Name another credential; a text that does not change can be written as token: ${file:/path}.',
    }
  const { tenants } = other
  if (tenants.length > 1)
    return {
      message: `"${name}" has a token for each of its ${tenants.length} tenants, and nothing says which one is wanted here`,
      hint: `Give the tenant a credential of its own (tenants: [${tenants[0]!}]), and name it here.`,
    }
  if (wanted !== undefined && wanted !== type)
    return {
      message: `"${name}" is a "${type}" credential; "${wanted}" is wanted here`,
      hint: 'Leave the type out.',
    }
  return undefined
}

function lenders(kinds: ReadonlyMap<string, AnyCredentialKind>): string {
  return [...kinds.values()]
    .filter(({ lends }) => lends)
    .map(({ name }) => `"${name}"`)
    .join(' or ')
}

/** The way from a credential over the one it names back to itself. */
function ringFrom(start: string, first: string, all: ReadonlyMap<string, Linked>): string[] | undefined {
  const seen = new Set<string>()
  const walk = (at: string, way: readonly string[]): string[] | undefined => {
    if (at === start) return [...way, at]
    if (seen.has(at)) return undefined
    seen.add(at)
    for (const { name } of all.get(at)?.links ?? []) {
      const ring = walk(name, [...way, at])
      if (ring) return ring
    }
    return undefined
  }
  return walk(first, [start])
}

/** All that a credential is made with, over others as well. */
export function madeWith(name: string, linksOf: (name: string) => readonly CredentialLink[]): Set<string> {
  const found = new Set<string>()
  const walk = (at: string): void => {
    for (const link of linksOf(at)) {
      if (found.has(link.name)) continue
      found.add(link.name)
      walk(link.name)
    }
  }
  walk(name)
  return found
}
