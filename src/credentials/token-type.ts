const URN = 'urn:ietf:params:oauth:token-type:'

/** What a token that is exchanged may be. @see https://www.rfc-editor.org/rfc/rfc8693#section-3 */
export const TOKEN_TYPES = ['access_token', 'refresh_token', 'id_token', 'saml1', 'saml2', 'jwt'] as const

/** As it goes to the service. */
export function tokenTypeOf(written: string): string {
  return TOKEN_TYPES.some((name) => name === written) ? URN + written : written
}

/** A known name, or an absolute URI. */
export function isTokenType(written: string): boolean {
  return TOKEN_TYPES.some((name) => name === written) || /^[a-z][a-z0-9+.-]*:[^\s]+$/i.test(written)
}
