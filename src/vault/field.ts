import { nearest } from '../core/problem.ts'
import type { BackendValue } from '../core/secret-backend.ts'
import type { KeptSecret } from './kv.ts'
import type { VaultReference } from './reference.ts'

/** What a field of a secret gives. */
export function fieldOf(
  { fields }: KeptSecret,
  { path, field }: VaultReference,
  mount: string,
): BackendValue {
  const value = Object.hasOwn(fields, field) ? fields[field] : undefined
  if (value === undefined || value === null) {
    const near = nearest(field, Object.keys(fields))
    return {
      why: 'is a field that the secret in Vault does not have',
      hint: `${near === undefined ? 'Put' : `Did you mean "${near}"? If not, put`} it there: vault kv patch -mount=${mount} ${path} ${field}=-`,
    }
  }
  if (typeof value === 'object')
    return { why: 'is no text in Vault but a map or a list', hint: 'Keep the secret as a text of its own.' }
  const text = String(value)
  return text === '' ? { why: 'is empty in Vault', hint: 'Put the secret there.' } : { value: text }
}
