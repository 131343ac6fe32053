import type { Authorizer } from './core/kinds.ts'
import type { SecurityMaterial } from './security/material.ts'

/** Of a credential by its name; undefined where it is not there, or not loaded. */
export function loadedAuthorizer(name: string, material: SecurityMaterial): Authorizer | undefined {
  try {
    return material.reference(name).current().authorizer
  } catch {
    return undefined
  }
}
