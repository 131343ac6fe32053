export type TokenClaims = Readonly<Record<string, unknown>>

/** The claim of this name, or at the end of this way: `realm_access.roles`. Names may have dots of their own. */
export function claimAt(claims: unknown, path: string): unknown {
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) return undefined
  const map = claims as TokenClaims
  if (Object.hasOwn(map, path)) return map[path]
  for (let dot = path.indexOf('.'); dot !== -1; dot = path.indexOf('.', dot + 1)) {
    const name = path.slice(0, dot)
    if (!Object.hasOwn(map, name)) continue
    const found = claimAt(map[name], path.slice(dot + 1))
    if (found !== undefined) return found
  }
  return undefined
}

/** The words of a text, or the texts of a list. */
export function wordsOf(claim: unknown): string[] {
  if (typeof claim === 'string') return claim.split(/\s+/).filter(Boolean)
  return Array.isArray(claim) ? claim.filter((word) => typeof word === 'string' && word !== '') : []
}

/** @param prefix stands before each role that counts, and is taken away */
export function rolesIn(
  claims: TokenClaims,
  paths: readonly string[],
  prefix: string | undefined,
): readonly string[] {
  const words = new Set(paths.flatMap((path) => wordsOf(claimAt(claims, path))))
  if (prefix === undefined) return [...words]
  return [...words].flatMap((word) =>
    word.length > prefix.length && word.startsWith(prefix) ? [word.slice(prefix.length)] : [],
  )
}

/** Whether a claim says one of the values: is it, or is a list that has it. */
export function saysOneOf(claim: unknown, wanted: readonly unknown[]): boolean {
  const said: readonly unknown[] = Array.isArray(claim) ? claim : [claim]
  return wanted.some((value) => said.includes(value))
}
