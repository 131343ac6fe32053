import type { Path } from '../core/document.ts'

/** Names of properties, headers and parameters whose values are taken for secrets. */
const SECRET_NAME =
  /secret|passw|passphrase|private|api[-_.]?key|subscription-key|authori[sz]ation|cookie|(^|[-_.])(key|token|code)$/i
/** What is said about a secret, codes of countries and companies, and the header that no credential may set itself. */
const NO_SECRET = /[-_.](code|type|name|id|format)$|^authorization$/i

/** Whether what goes by this name is for nobody else's eyes. */
export function hasSecretName(name: string): boolean {
  return SECRET_NAME.test(name)
}

/** The maps of a credential that take any name. */
const FREE: readonly Path[] = [
  ['apiHeaders'],
  ['apiQuery'],
  ['parameters', 'body'],
  ['parameters', 'query'],
  ['parameters', 'headers'],
]

/** Texts and numbers in the free maps of a credential that go by the name of a secret, or stand below one. */
export function namedSecrets(credential: unknown): { readonly path: Path; readonly text: string }[] {
  return FREE.flatMap((path) => {
    const map = path.reduce<unknown>((at, part) => membersOf(at).get(part), credential)
    return leaves(map, path, false)
  })
}

function leaves(value: unknown, path: Path, isSecret: boolean): { path: Path; text: string }[] {
  if (typeof value === 'string' || typeof value === 'number')
    return isSecret && value !== '' ? [{ path, text: String(value) }] : []
  return [...membersOf(value)].flatMap(([name, member]) =>
    leaves(member, [...path, name], isSecret || (typeof name === 'string' && namesSecret(name))),
  )
}

function namesSecret(name: string): boolean {
  return hasSecretName(name) && !NO_SECRET.test(name)
}

function membersOf(value: unknown): Map<string | number, unknown> {
  if (typeof value !== 'object' || value === null) return new Map()
  return new Map<string | number, unknown>(Array.isArray(value) ? value.entries() : Object.entries(value))
}
