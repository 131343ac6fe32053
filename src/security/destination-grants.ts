import type { Translation } from './destination-translation.ts'

/** Tokens that are given for another token, where the destination or "override" has that one; false where it has not. */
export function tokenExchange(destination: Translation): boolean {
  const other = destination.read('subjectToken.destinationName')
  const given = destination.read('tokenService.body.subject_token')
  const isThere = other !== undefined || given !== undefined
  if (!isThere)
    destination.mistake(
      'destination/user',
      'Authentication',
      '"Authentication" is OAuth2TokenExchange: it exchanges the token of who is logged in, and a flow has nobody there',
      'Say in "override" what is exchanged in its place: subjectToken.destinationName: NAME for the token of another credential, or tokenService.body.subject_token with a reference.',
    )
  if (other !== undefined)
    destination.set(['subjectToken', 'fromCredential'], other, 'subjectToken.destinationName')
  else destination.copy('tokenService.body.subject_token', 'subjectToken', 'token')
  if (isThere) destination.copy('tokenService.body.subject_token_type', 'subjectToken', 'type')
  if (destination.read('tokenService.body.actor_token') !== undefined) {
    destination.copy('tokenService.body.actor_token', 'actorToken', 'token')
    destination.copy('tokenService.body.actor_token_type', 'actorToken', 'type')
  }
  destination.copy('tokenService.body.requested_token_type', 'requestedTokenType')
  destination.read('tokenService.body.grant_type')
  destination.set(['grantType'], 'token-exchange', 'Authentication')
  return isThere
}

/** The token of a technical user as the assertion, where the destination or "override" has one; false where it has not. */
export function jwtBearer(destination: Translation): boolean {
  const other = destination.read('assertion.destinationName')
  const given = destination.read('tokenService.body.assertion')
  const isThere = other !== undefined || given !== undefined
  if (other !== undefined)
    destination.set(['assertion', 'fromCredential'], other, 'assertion.destinationName')
  else destination.copy('tokenService.body.assertion', 'assertion', 'token')
  if (!isThere)
    destination.mistake(
      'destination/user',
      'Authentication',
      '"Authentication" is OAuth2JWTBearer: it passes on who is logged in, and a flow has nobody there',
      'Name in "override" who stands in for them: assertion.destinationName: NAME, a credential whose token is the assertion, or tokenService.body.assertion with a reference to a JWT.',
    )
  destination.read('tokenService.body.grant_type')
  destination.set(['grantType'], 'jwt-bearer', 'Authentication')
  return isThere
}

/** Tokens by a refresh token, where the destination or "override" has one; false where it has not. */
export function refreshToken(destination: Translation): boolean {
  const isThere = destination.read('tokenService.body.refresh_token') !== undefined
  if (!isThere)
    destination.mistake(
      'destination/user',
      'Authentication',
      '"Authentication" is OAuth2RefreshToken: whoever calls brings a refresh token, and a flow has none',
      'Say it in "override": tokenService.body.refresh_token: ${env:NAME}, with the refresh token of one login.',
    )
  destination.copy('tokenService.body.refresh_token', 'refreshToken')
  destination.read('tokenService.body.grant_type')
  destination.set(['grantType'], 'refresh_token', 'Authentication')
  return isThere
}
