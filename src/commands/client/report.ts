import type { Client } from '../../access/client-file.ts'
import { printDuration } from '../../core/duration.ts'

/** A client as JSON. No hash is in it: who has one can try secrets on it. */
export function reportOf(client: Client): object {
  const { name, file, clientId, callerId, description, roles, enabled } = client
  const { hashes, apiKeys, keys, certificates } = client
  return {
    name,
    file,
    clientId,
    callerId,
    description,
    roles,
    tokenLifetime: lifetimeOf(client),
    enabled,
    secrets: hashes.length,
    apiKeys: apiKeys.length,
    publicKeys: keys.length,
    certificates: certificates.map((rule) =>
      'issuer' in rule ? rule.written : { fingerprint: rule.fingerprint, subject: rule.subject },
    ),
  }
}

/** As it is written in its file; undefined: it gets no tokens, because it has an API key only. */
export function lifetimeOf({ tokenLifetime, hashes, keys, certificates }: Client): string | undefined {
  if (hashes.length + keys.length + certificates.length === 0) return undefined
  return tokenLifetime === 'untilNext' ? tokenLifetime : printDuration(tokenLifetime)
}

export function asJson(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}
