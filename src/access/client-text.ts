import { parseDocument } from 'yaml'
import type { Client } from './client-file.ts'
import { makeSecretHash } from './secret-hash.ts'

export interface NewClient {
  readonly clientId: string
  readonly description: string | undefined
  /** Of its secret. */
  readonly hash?: string
  readonly apiKeyHash?: string
  /** Public keys. */
  readonly jwks?: { readonly keys: readonly object[] }
  readonly certificates?: readonly { readonly fingerprint: string; readonly subject: string }[]
  readonly roles: readonly string[]
  /** As it is written: `10m`, `untilNext`. */
  readonly tokenLifetime: string | undefined
}

/** The file of a new client. */
export function newClientText(made: NewClient): string {
  const { clientId, description, hash, apiKeyHash, jwks, certificates, roles, tokenLifetime } = made
  const document = parseDocument('type: client\n')
  if (description !== undefined) document.set('description', description)
  document.set('clientId', clientId)
  if (hash !== undefined) document.set('secretHash', hash)
  if (apiKeyHash !== undefined) document.set('apiKeyHash', apiKeyHash)
  if (jwks !== undefined) document.set('jwks', document.createNode(jwks))
  if (certificates) document.set('certificates', document.createNode(certificates))
  document.set('roles', document.createNode(roles, { flow: true }))
  if (tokenLifetime !== undefined) document.set('tokenLifetime', tokenLifetime)
  return document.toString({ lineWidth: 0, flowCollectionPadding: false })
}

/** How secrets are replaced: beside the one before, by taking that away, or all at once with every token. */
export type Rotation = 'add' | 'finish' | 'now'

/** The hashes that a client has with a further secret. */
export async function rotatedHashes(
  { hashes }: Client,
  rotation: Exclude<Rotation, 'finish'>,
  secret: string,
): Promise<string | string[]> {
  const newest = hashes.at(-1)
  if (rotation === 'now' || !newest) return makeSecretHash(secret)
  return [newest.text, await makeSecretHash(secret, newest)]
}
