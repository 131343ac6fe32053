import type { DestinationProperties } from '../core/findable.ts'
import { readGrantType } from './grants.ts'
import { BEARER, type OAuth2Options } from './oauth2-options.ts'
import { readScope } from './oauth2-scope.ts'
import { placementOf } from './placed-secret.ts'

/** The header in which the Cloud Connector takes the token of a technical user. */
const TECHNICAL_USER = 'sap-connectivity-technical-authentication'

/**
 * The properties of a destination that say the same. Other programs take the ready token, so that all grants without a user look
 * alike; a token that does not go into the header authorization is left to those that look at `authTokens`.
 */
export function destinationOf(given: OAuth2Options): DestinationProperties {
  const { scope } = readScope(given.scope, given.scopeSeparator ?? ' ')
  return {
    Authentication: authenticationOf(given),
    ...(given.tokenServiceUrl !== undefined && {
      tokenServiceURL: given.tokenServiceUrl,
      tokenServiceURLType: given.tokenServiceUrlType === 'common' ? 'Common' : 'Dedicated',
    }),
    ...(given.clientId !== undefined && { clientId: given.clientId }),
    ...(scope !== undefined && { scope: typeof scope === 'string' ? scope : JSON.stringify(scope) }),
    ...(given.username !== undefined && { User: given.username }),
  }
}

function authenticationOf({ tokenIn, grantType }: OAuth2Options): string {
  const { in: where, name } = placementOf(tokenIn, BEARER)
  const header = where === 'header' ? name.toLowerCase() : undefined
  if (header === TECHNICAL_USER) return 'OAuth2TechnicalUserPropagation'
  if (header !== BEARER.name) return 'NoAuthentication'
  return readGrantType(grantType).kind === 'password' ? 'OAuth2Password' : 'OAuth2ClientCredentials'
}
