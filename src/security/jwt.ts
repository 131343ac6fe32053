import type { KeyObject } from 'node:crypto'
import type { JWTHeaderParameters } from 'jose'
import { SignJWT } from 'jose/jwt/sign'

export type JwtHeader = JWTHeaderParameters

/**
 * A signed JWT; claims without a value are left out.
 * @param key a private key that fits the header's `alg`, or the bytes of a shared secret
 * @see https://www.rfc-editor.org/rfc/rfc7519
 */
export function signJwt(
  header: JwtHeader,
  claims: Readonly<Record<string, unknown>>,
  key: KeyObject | Uint8Array,
): Promise<string> {
  return new SignJWT({ ...claims }).setProtectedHeader(header).sign(key)
}
