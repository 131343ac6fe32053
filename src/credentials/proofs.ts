import type { CredentialSetting } from '../core/kinds.ts'
import type { Secret } from '../core/secret.ts'
import { createAssertion, type AssertionDefaults } from './assertion.ts'
import { CLIENT_ASSERTION_TYPE } from './assertion-options.ts'
import { clientAuthenticationOf, isJwt, type OAuth2Options } from './oauth2-options.ts'
import type { Proof } from './token-request.ts'

/** What a client's own assertion says unless it is told otherwise. @see https://www.rfc-editor.org/rfc/rfc7523#section-3 */
export function clientDefaults(given: OAuth2Options, secret: Secret | undefined): AssertionDefaults {
  return {
    issuer: given.clientId,
    subject: given.clientId,
    tokenUrl: new URL(given.tokenServiceUrl),
    sharedSecret: secret,
  }
}

/** How the client proves who it is with a JWT; undefined where it does otherwise. */
export function clientProofOf(
  given: OAuth2Options,
  secret: Secret | undefined,
  setting: CredentialSetting,
): Proof | undefined {
  if (!isJwt(clientAuthenticationOf(given))) return undefined
  const { clientAssertion = {} } = given
  const make = createAssertion(clientAssertion, clientDefaults(given, secret), setting)
  const type = clientAssertion.type ?? CLIENT_ASSERTION_TYPE
  return async () => [
    ['client_assertion_type', type],
    ['client_assertion', await make()],
  ]
}
