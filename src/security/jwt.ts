import type { KeyObject } from 'node:crypto'
import type { JWTHeaderParameters } from 'jose'

export type JwtHeader = JWTHeaderParameters

/**
 * A signed JWT; claims without a value are left out.
 * @param key a private key that fits the header's `alg`, or the bytes of a shared secret
 * @see https://www.rfc-editor.org/rfc/rfc7519
 */
export async function signJwt(
  header: JwtHeader,
  claims: Readonly<Record<string, unknown>>,
  key: KeyObject | Uint8Array,
): Promise<string> {
  // Loaded by the first one who signs: most commands never do.
  const { SignJWT } = await import('jose/jwt/sign')
  return new SignJWT({ ...claims }).setProtectedHeader(header).sign(key)
}
