import { hash } from 'node:crypto'
import type { ClientKey } from './client-keys.ts'
import type { SecretHash } from './secret-hash.ts'

/**
 * Of which a client's tokens may be. Another client under the same id has other ones, so that tokens of the one before are
 * not its own: the salt of its secrets, which a rotation keeps; where it has no secret its public keys, one of which a
 * rotation keeps.
 */
export function generationsOf(hashes: readonly SecretHash[], keys: readonly ClientKey[]): readonly string[] {
  const [first] = hashes
  if (first) return [hash('sha256', first.salt, 'base64url').slice(0, 12)]
  return keys.length > 0 ? keys.map(({ mark }) => mark) : ['']
}
