import type { AnyCredentialKind } from '../core/kinds.ts'
import { apiKey } from './api-key.ts'
import { basic } from './basic.ts'
import { bearer } from './bearer.ts'
import { certificate } from './certificate.ts'
import { jwt } from './jwt.ts'
import { none } from './none.ts'
import { oauth2 } from './oauth2.ts'

/** Every kind of credential that a request may have. */
export const credentials: readonly AnyCredentialKind[] = [
  oauth2,
  basic,
  bearer,
  apiKey,
  certificate,
  jwt,
  none,
]
