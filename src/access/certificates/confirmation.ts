/** A certificate as the claim `cnf` of a token names it. @param fingerprint hex @see https://www.rfc-editor.org/rfc/rfc8705#section-3.1 */
export function confirmationOf(fingerprint: string): { readonly 'x5t#S256': string } {
  return { 'x5t#S256': Buffer.from(fingerprint, 'hex').toString('base64url') }
}

/** The certificate that a token is bound to: its SHA-256, hex; undefined: to none. */
export function boundIn(confirmation: unknown): string | undefined {
  const thumbprint = (confirmation as { 'x5t#S256'?: unknown } | null | undefined)?.['x5t#S256']
  return thumbprint === undefined ? undefined : Buffer.from(String(thumbprint), 'base64url').toString('hex')
}
