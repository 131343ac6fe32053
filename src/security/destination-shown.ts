import type { DestinationProperties, LentPart } from '../core/findable.ts'
import type { Grant } from '../core/kinds.ts'
import { Secret } from '../core/secret.ts'
import type { CredentialSource } from './credential-file.ts'
import { hasSecretName } from './secret-names.ts'
import { withoutQuery } from '../core/url-query.ts'

const HEADERS = 'URL.headers.'
const QUERIES = 'URL.queries.'
/** They are for whoever asks the token service, and hold secrets more often than not. */
const OF_TOKEN_REQUESTS = /^(tokenService\.body\.|tokenServiceURL\.(headers|queries)\.)/
/** A credential as a destination of BTP, for other programs. */
export interface ShownDestination {
  /** No secret. */
  readonly properties: DestinationProperties
  /** What goes along with each call and holds a secret; nothing of the credential itself. */
  readonly extras: readonly LentPart[]
}

/**
 * What other programs see of a credential: what it is here goes before what was exported, and neither secrets nor references are shown.
 * The query of the token service is for requests to it.
 */
export function showDestination({
  name,
  kind,
  options,
  frame,
  secrets,
  destination,
}: CredentialSource): ShownDestination {
  const holdsSecret = (property: string, value: string) =>
    hasSecretName(property) || secrets.some((secret) => secret !== '' && value.includes(secret))
  const { onPremise } = frame
  const known: DestinationProperties = {
    Type: 'HTTP',
    Authentication: 'NoAuthentication',
    ...(frame.baseUrl && { URL: frame.baseUrl.href.replace(/\/$/, '') }),
    ProxyType: onPremise?.calls ? 'OnPremise' : 'Internet',
    ...(onPremise?.locationId !== undefined && { CloudConnectorLocationId: onPremise.locationId }),
    ...(frame.description !== undefined && { Description: frame.description }),
    ...kind.asDestination?.(options as never),
  }
  const properties: Record<string, string> = { Name: name }
  for (const [property, value] of Object.entries({ ...destination, ...known })) {
    const isStatic = property.startsWith(HEADERS) || property.startsWith(QUERIES)
    if (property === 'Name' || isStatic || OF_TOKEN_REQUESTS.test(property)) continue
    if (value.includes('${') || holdsSecret(property, value)) continue
    properties[property] = property === 'tokenServiceURL' ? withoutQuery(value) : value
  }
  const extras: LentPart[] = []
  for (const [at, prefix, pairs] of [
    ['header', HEADERS, pairsOf(frame.apiHeaders)],
    ['query', QUERIES, [...new URLSearchParams(frame.apiQuery)]],
  ] as const)
    for (const [key, value] of pairs)
      if (holdsSecret(key, value)) extras.push(partOf(at, key, value))
      else properties[prefix + key] = value
  return { properties, extras }
}

/** What a grant puts on a request. */
export function partsOf(grant: Grant): LentPart[] {
  const { left, scope } = grant.life?.() ?? {}
  const parts = [
    ...pairsOf(grant.headers).map(([name, value]) => partOf('header', name, value)),
    ...[...new URLSearchParams(grant.query)].map(([name, value]) => partOf('query', name, value)),
  ]
  return parts.map((part) => ({ ...part, left, scope }))
}

function partOf(at: LentPart['in'], name: string, value: string): LentPart {
  return { in: at, name, value: new Secret(value), left: undefined, scope: undefined }
}

function pairsOf(flat: readonly string[]): [name: string, value: string][] {
  return flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1]!]] : []))
}
