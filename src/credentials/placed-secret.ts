/** Where on a request a token or key goes. */
export interface Placement {
  readonly in: 'header' | 'query' | 'cookie'
  readonly name: string
  /** Before the secret, with its space where it wants one. */
  readonly prefix: string
}

/** The ready-made header lines and query of a secret at its place. */
export function placeSecret(
  placement: Placement,
  secret: string,
): { readonly headers: readonly string[]; readonly query: string } {
  const text = placement.prefix + secret
  if (placement.in === 'query')
    return { headers: [], query: new URLSearchParams([[placement.name, text]]).toString() }
  if (placement.in === 'cookie') return { headers: ['cookie', `${placement.name}=${text}`], query: '' }
  return { headers: [placement.name, text], query: '' }
}
