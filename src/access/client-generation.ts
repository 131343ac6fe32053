import { hash } from 'node:crypto'
import type { ClientKey } from './client-keys.ts'
import type { SecretHash } from './secret-hash.ts'

/**
 * Of which a client's tokens may be; new ones are of the last. Another client under the same id has other ones, so that
 * tokens of the one before are not its own: the salt of its secrets, which a rotation keeps, and its public keys, one of
 * which a rotation keeps.
 */
export function generationsOf(hashes: readonly SecretHash[], keys: readonly ClientKey[]): readonly string[] {
  const [first] = hashes
  const marks = keys.map(({ mark }) => mark)
  if (first) marks.push(hash('sha256', first.salt, 'base64url').slice(0, 12))
  return marks.length > 0 ? marks : ['']
}
