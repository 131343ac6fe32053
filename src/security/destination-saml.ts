import { readStore } from './destination-stores.ts'
import type { Translation } from './destination-translation.ts'

/** What only destinations with a SAML assertion have. */
export const SAML_PROPERTIES = [
  'audience',
  'clientKey',
  'SystemUser',
  'KeyStoreLocation',
  'KeyStorePassword',
  'authnContextClassRef',
  'nameIdFormat',
  'nameQualifier',
  'userIdSource',
  'assertionIssuer',
  'assertionRecipient',
  'companyId',
  'apiKey',
]
/** They say what is told of a person who is logged in. */
const OF_A_PERSON = [
  'userIdSource',
  'skipUserAttributesPrefixInSAMLAttributes',
  'skipUserUuidInSAMLAttributes',
]

/** Who asks: the key of the client goes into the body, the user of the token service, if there is one, into the header. */
export function samlClient(destination: Translation): void {
  destination.set(['clientAuthentication'], 'none', 'clientKey')
  if (destination.need('clientKey', 'the token service knows the client by it') !== undefined)
    destination.copy('clientKey', 'clientId')
  if (destination.read('tokenServiceUser') === undefined) return
  destination.copy('tokenServiceUser', 'basicAuth', 'username')
  if (destination.need('tokenServicePassword', 'it goes with tokenServiceUser') !== undefined)
    destination.copy('tokenServicePassword', 'basicAuth', 'password')
}

/**
 * The assertion of a destination for a technical user; false where there can be none.
 * @see https://help.sap.com/docs/connectivity/sap-btp-connectivity-cf/oauth-saml-bearer-assertion-authentication
 */
export function samlAssertion(destination: Translation): boolean {
  destination.set(['grantType'], 'saml2-bearer', 'Authentication')
  const isPossible = [subject(destination), signingKey(destination)].every(Boolean)
  if (destination.need('audience', 'the token service looks whether it is meant') !== undefined)
    destination.copy('audience', 'assertion', 'audience')
  destination.copy('assertionIssuer', 'assertion', 'issuer')
  destination.copy('assertionRecipient', 'assertion', 'recipient')
  destination.copy('nameIdFormat', 'assertion', 'nameIdFormat')
  destination.copy('nameQualifier', 'assertion', 'nameQualifier')
  destination.copy('authnContextClassRef', 'assertion', 'authnContext')
  const company = destination.read('companyId')
  destination.copy('companyId', 'parameters', 'body', 'company_id')
  destination.copy(
    destination.read('apiKey') === undefined && company !== undefined ? 'clientKey' : 'apiKey',
    'assertion',
    'attributes',
    'api_key',
  )
  return isPossible
}

/** It passes on who is logged in, unless a technical user is named. */
function subject(destination: Translation): boolean {
  for (const property of OF_A_PERSON) destination.read(property)
  destination.copy('SystemUser', 'assertion', 'subject')
  const isThere = destination.read('SystemUser') !== undefined
  if (!isThere)
    destination.mistake(
      'destination/user',
      'Authentication',
      '"Authentication" is OAuth2SAMLBearerAssertion without a "SystemUser": it passes on who is logged in, and a flow has nobody there',
      'Name a technical user, as the token service knows it: "override": { SystemUser: NAME }.',
    )
  return isThere
}

/** BTP signs with the key of the subaccount where a destination has none; that one cannot be had. */
function signingKey(destination: Translation): boolean {
  const store = readStore(destination, 'KeyStoreLocation')
  const withCertificate = destination.flag('includeSigningCertificateInSAMLAssertion', false)
  destination.read('KeyStorePassword')
  const { keystores } = destination
  if (!store)
    destination.mistake(
      'destination/missing',
      undefined,
      '"KeyStoreLocation" is missing; the assertion is signed with its key, and the key of the BTP subaccount cannot be had',
      `Make a key with its certificate: openssl req -x509 -newkey rsa:2048 -nodes -days 730 -subj /CN=NAME -keyout ${keystores}/saml.pem -out saml.crt, register saml.crt at the token service, and write "override": { KeyStoreLocation: saml.pem }.`,
    )
  if (!store || store.kind === 'unusable') return false
  destination.set(['assertion', 'key'], store.reference, 'KeyStoreLocation')
  destination.copy('KeyStorePassword', 'assertion', 'passphrase')
  if (withCertificate)
    destination.set(['assertion', 'certificate'], store.reference, 'includeSigningCertificateInSAMLAssertion')
  return true
}
