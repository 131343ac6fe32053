import { inWords } from '../core/plain-words.ts'
import { isMap } from '../core/shape-values.ts'
import { BEARER, clientAuthenticationOf, type OAuth2Options } from './oauth2-options.ts'
import { readScope } from './oauth2-scope.ts'
import { placeInWords, placementOf } from './placed-secret.ts'

/** What an oauth2 credential puts on a request, in words. References may still stand in its texts. */
export function explainToken(given: OAuth2Options): string {
  const how = [
    (given.grantType ?? 'client_credentials').replaceAll('_', ' '),
    authenticationInWords(given),
    ...(given.username === undefined ? [] : [`user ${given.username}`]),
    ...(given.assertion?.subject === undefined ? [] : [`for ${given.assertion.subject}`]),
    ...othersInWords(given),
    ...(given.tenants ? [`for the tenant of the step: ${inWords(given.tenants)}`] : []),
    ...(given.revocationUrl === undefined ? [] : [`revoked at ${withoutQuery(given.revocationUrl)}`]),
    ...(given.exclusive ? ['one token at a time'] : []),
    ...scopeInWords(given),
    ...(given.audience === undefined ? [] : [`audience ${given.audience}`]),
    ...(given.resource ? [`resource ${inWords(given.resource)}`] : []),
  ]
  const place = placeInWords(placementOf(given.tokenIn, BEARER))
  return `an access token of ${serviceInWords(given)} (${how.join(', ')}), ${place}`
}

function authenticationInWords(given: OAuth2Options): string {
  const way = clientAuthenticationOf(given)
  if (way === 'none') return 'client not authenticated'
  if (way === 'certificate') return 'client authenticated by its certificate'
  if (way === 'bearer') return 'client authenticated by a JWT as bearer'
  if (given.clientAssertion?.format === 'saml2') return 'client authenticated by a SAML assertion'
  if (given.basicAuth) return `client authenticated by ${way}, user ${given.basicAuth.username} by header`
  return `client authenticated by ${way}`
}

/** What is made with the token of another credential. */
function othersInWords(given: OAuth2Options): string[] {
  const words: Readonly<Record<string, string>> = {
    assertion: 'assertion',
    clientAssertion: 'client assertion',
    subjectToken: 'subject token',
    actorToken: 'actor token',
  }
  return Object.entries(words).flatMap(([field, what]) => {
    const { fromCredential } = (given[field as keyof OAuth2Options] ?? {}) as { fromCredential?: string }
    return fromCredential === undefined ? [] : [`${what} from credential ${fromCredential}`]
  })
}

function scopeInWords({ scope: written, scopeSeparator = ' ' }: OAuth2Options): string[] {
  const scope = scopeOf(written, scopeSeparator)
  if (scope === undefined) return []
  if (!isMap(scope)) return [`scope ${String(scope)}`]
  const entries = Object.entries(scope).map(([name, value]) => `${name}: ${textOf(value)}`)
  return [`scope { ${entries.join(', ')} }`]
}

/** A text with a reference in it may not be JSON yet. */
function scopeOf(written: unknown, separator: string): unknown {
  try {
    return readScope(written, separator).scope
  } catch {
    return String(written)
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function serviceInWords({ tokenServiceUrl, issuer }: OAuth2Options): string {
  return tokenServiceUrl === undefined
    ? `the token service that ${issuer ?? 'its issuer'} names`
    : withoutQuery(tokenServiceUrl)
}

/** A query may hold a key. */
function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/s, '').replace(/^([a-z]+:\/\/)[^/?#${]*@/i, '$1')
}
