import type { Secret } from '../core/secret.ts'
import type { RefreshTokens } from '../core/stores.ts'

/** Refresh tokens in memory: they last as long as the engine runs. */
export function createRefreshTokens(): RefreshTokens {
  const kept = new Map<string, { readonly origin: string; readonly token: Secret }>()
  return {
    newest(credential, origin) {
      const known = kept.get(credential)
      return Promise.resolve(known?.origin === origin ? known.token : undefined)
    },
    keep(credential, origin, token) {
      kept.set(credential, { origin, token })
      return Promise.resolve()
    },
  }
}
