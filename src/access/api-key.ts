import { hash, randomBytes } from 'node:crypto'

/** The header that carries it. */
export const API_KEY_HEADER = 'x-api-key'
/** What is recognised by people and by scanners for secrets. */
const MADE = /^sluice_[A-Za-z0-9_-]{43}$/
const WRITTEN = /^\$sha256\$[A-Za-z0-9+/]{43}$/

/** A key that nobody can guess: 256 bits of chance, which is why a fast hash is enough for it. */
export function makeApiKey(): string {
  return `sluice_${randomBytes(32).toString('base64url')}`
}

/** As it stands in the file of a client; undefined where the text is no key that was made here. */
export function apiKeyHash(key: string): string | undefined {
  if (!MADE.test(key)) return undefined
  return `$sha256$${hash('sha256', key, 'base64').replace(/=+$/, '')}`
}

export function isApiKeyHash(text: string): boolean {
  return WRITTEN.test(text)
}
