import { cloudConnector } from './destination-cloud-connector.ts'
import { client } from './destination-client.ts'
import { jwtBearer, refreshToken, tokenExchange } from './destination-grants.ts'
import { keyStore, UNCHECKED } from './destination-proofs.ts'
import { samlAssertion, samlClient, SAML_PROPERTIES } from './destination-saml.ts'
import { readStore } from './destination-stores.ts'
import type { Translation } from './destination-translation.ts'

/** Seconds that a time-out may have, and what counts when it has more. */
const CONNECT_LIMIT = 60
const READ_LIMIT = 600
const PRESET = 10

/**
 * The properties of a destination as the fields of a credential.
 * @see https://help.sap.com/docs/connectivity/sap-btp-connectivity-cf/oauth-client-credentials-authentication
 */
export function translate(destination: Translation): void {
  common(destination)
  const authentication = destination.need('Authentication', 'it says how requests are authenticated') ?? ''
  const row = Object.hasOwn(AUTHENTICATIONS, authentication) ? AUTHENTICATIONS[authentication]! : undefined
  if (row) row(destination)
  else if (authentication !== '') refuseAuthentication(destination, authentication)
  if (row) destination.tellUnused(KNOWN)
}

const KNOWN = [
  'Name',
  'Type',
  'URL',
  'ProxyType',
  'tokenServiceURL.ProxyType',
  'CloudConnectorLocationId',
  'Authentication',
  'Description',
  'TrustAll',
  'HostnameVerifier',
  'TrustStoreLocation',
  'TrustStorePassword',
  'User',
  'Password',
  'clientId',
  'clientSecret',
  'scope',
  'tokenServiceURL',
  'tokenServiceURLType',
  'tokenServiceUser',
  'tokenServicePassword',
  'tokenService.addClientCredentialsInBody',
  'tokenService.KeyStoreLocation',
  'tokenService.KeyStorePassword',
  'clientAssertion.type',
  'clientAssertion.destinationName',
  'tokenServiceURL.ConnectionTimeoutInSeconds',
  'tokenServiceURL.SocketReadTimeoutInSeconds',
  'subjectToken.destinationName',
  'assertion.destinationName',
  ...SAML_PROPERTIES,
]

const AUTHENTICATIONS: Readonly<Record<string, (destination: Translation) => void>> = {
  OAuth2ClientCredentials: (destination) => oauth2(destination),
  OAuth2Password: password,
  OAuth2TokenExchange: (destination) => oauth2(destination, tokenExchange),
  OAuth2JWTBearer: (destination) => oauth2(destination, jwtBearer),
  OAuth2RefreshToken: (destination) => oauth2(destination, refreshToken),
  OAuth2TechnicalUserPropagation: technicalUser,
  ClientCertificateAuthentication: certificate,
  OAuth2SAMLBearerAssertion: samlBearer,
  BasicAuthentication: basic,
  NoAuthentication: none,
}

function common(destination: Translation): void {
  destination.read('Name')
  const type = destination.read('Type') ?? 'HTTP'
  if (type.toUpperCase() !== 'HTTP')
    destination.mistake(
      'destination/type',
      'Type',
      `"Type" is ${type}; an http step calls destinations of the type HTTP`,
      'RFC, MAIL, LDAP and TCP destinations have no counterpart here.',
    )
  if (destination.need('URL', 'it is where requests go') !== undefined) destination.copy('URL', 'baseUrl')
  destination.copy('Description', 'description')
  destination.copyAll('URL.headers.', 'apiHeaders')
  destination.copyAll('URL.queries.', 'apiQuery')
  cloudConnector(destination)
  trust(destination)
}

/** Trust settings hold for the token service and the target. */
function trust(destination: Translation): void {
  if (destination.flag('TrustAll', false))
    destination.mistake(
      'destination/unsafe',
      'TrustAll',
      '"TrustAll" would let anybody on the way read the token and the secret; certificates are always verified',
      'Take it out ("override": TrustAll: null), and name the certificate of the server or of its authority: TrustStoreLocation, or tls.ca of the credential.',
    )
  const verifier = destination.read('HostnameVerifier') ?? 'Strict'
  if (verifier !== 'Strict')
    destination.mistake(
      'destination/unsafe',
      'HostnameVerifier',
      `"HostnameVerifier" is ${verifier}; host names are always compared strictly`,
      'Take it out ("override": HostnameVerifier: null), and call the server by a name that its certificate has.',
    )
  const store = readStore(destination, 'TrustStoreLocation')
  destination.read('TrustStorePassword')
  if (!store || store.kind === 'unusable') return
  destination.set(['tls', 'ca'], store.reference, 'TrustStoreLocation')
  if (store.kind === 'pkcs12') destination.copy('TrustStorePassword', 'tls', 'caPassphrase')
}

function none(destination: Translation): void {
  destination.set(['type'], 'none', 'Authentication')
}

function basic(destination: Translation): void {
  destination.set(['type'], 'basic', 'Authentication')
  if (destination.need('User', 'BasicAuthentication sends it') !== undefined)
    destination.copy('User', 'username')
  if (
    destination.need('Password', 'BasicAuthentication sends it; an exported destination leaves it out') !==
    undefined
  )
    destination.copy('Password', 'password')
}

function password(destination: Translation): void {
  oauth2(destination)
  destination.set(['grantType'], 'password', 'Authentication')
  destination.copy('User', 'username')
  destination.copy('Password', 'password')
}

function certificate(destination: Translation): void {
  const proof = keyStore(destination, '')
  destination.set(['type'], proof === 'usable' ? 'certificate' : UNCHECKED, 'Authentication')
  if (!proof)
    destination.mistake(
      'destination/missing',
      undefined,
      '"KeyStoreLocation" is missing; ClientCertificateAuthentication shows the certificate in it',
      `Add KeyStoreLocation to the destination, or to "override", and put the file into ${destination.keystores}.`,
    )
}

/** What differs from client_credentials; parameters that it takes are not sent twice. False where it lacks what it needs. */
type Grant = (destination: Translation) => boolean

function oauth2(destination: Translation, grant?: Grant): void {
  tokenService(destination)
  client(destination)
  if (tokenRequest(destination, grant)) destination.set(['type'], 'oauth2', 'Authentication')
}

/**
 * The token stands for a technical user, whom the Cloud Connector logs on at the system behind it.
 * @see https://help.sap.com/docs/connectivity/sap-btp-connectivity-cf/oauth-technical-user-propagation-authentication
 */
function technicalUser(destination: Translation): void {
  oauth2(destination)
  destination.set(
    ['tokenIn'],
    { in: 'header', name: 'SAP-Connectivity-Technical-Authentication', prefix: 'Bearer ' },
    'Authentication',
  )
}

function samlBearer(destination: Translation): void {
  tokenService(destination)
  samlClient(destination)
  keyStore(destination, 'tokenService.')
  tokenRequest(destination)
  if (samlAssertion(destination)) destination.set(['type'], 'oauth2', 'Authentication')
}

function tokenService(destination: Translation): void {
  if (destination.need('tokenServiceURL', 'tokens come from there') !== undefined)
    destination.copy('tokenServiceURL', 'tokenServiceUrl')
  const type = destination.read('tokenServiceURLType') ?? 'Dedicated'
  if (/^common$/i.test(type)) destination.set(['tokenServiceUrlType'], 'common', 'tokenServiceURLType')
  else if (!/^dedicated$/i.test(type))
    destination.mistake(
      'destination/value',
      'tokenServiceURLType',
      `"tokenServiceURLType" is "${type}"; Dedicated or Common is wanted`,
    )
}

function tokenRequest(destination: Translation, grant?: Grant): boolean {
  destination.copy('scope', 'scope')
  seconds(destination, 'tokenServiceURL.ConnectionTimeoutInSeconds', 'connectTimeout', CONNECT_LIMIT)
  seconds(destination, 'tokenServiceURL.SocketReadTimeoutInSeconds', 'readTimeout', READ_LIMIT)
  const isPossible = grant?.(destination) ?? true
  bodyParameters(destination)
  grantInQuery(destination)
  destination.copyAll('tokenServiceURL.headers.', 'parameters', 'headers')
  destination.copyAll('tokenServiceURL.queries.', 'parameters', 'query')
  return isPossible
}

/** Parameters that have a field of their own take its place. */
function bodyParameters(destination: Translation): void {
  destination.copy('tokenService.body.grant_type', 'grantType')
  destination.copy('tokenService.body.scope', 'scope')
  if (destination.fields['clientAuthentication'] === 'body')
    destination.copy('tokenService.body.client_id', 'clientId')
  destination.copyAll('tokenService.body.', 'parameters', 'body')
}

/** Neo's style; the grant of another `Authentication` is known already. */
function grantInQuery(destination: Translation): void {
  const property = 'tokenServiceURL.queries.grant_type'
  if (destination.read(property) === undefined) return
  destination.set(['grantTypeIn'], 'query', property)
  if (destination.fields['grantType'] === undefined) destination.copy(property, 'grantType')
}

function seconds(destination: Translation, property: string, field: string, limit: number): void {
  const given = destination.read(property)
  if (given === undefined) return
  const count = /^\d+$/.test(given) ? Number(given) : Number.NaN
  if (count <= limit) destination.set([field], `${count}s`, property)
  else
    destination.mistake(
      'destination/value',
      property,
      `"${property}" is ${given}; 0 to ${limit} is possible, and ${PRESET} seconds hold`,
      undefined,
      'warning',
    )
}

/** They carry who is logged in at a browser; a flow has nobody there. */
const OF_A_USER = [
  'OAuth2UserTokenExchange',
  'OAuth2AuthorizationCode',
  'PrincipalPropagation',
  'SAMLAssertion',
  'AppToAppSSO',
]

function refuseAuthentication(destination: Translation, given: string): void {
  const possible = `Possible: ${Object.keys(AUTHENTICATIONS).join(', ')}.`
  if (OF_A_USER.includes(given))
    destination.mistake(
      'destination/user',
      'Authentication',
      `"Authentication" is ${given}: it passes on who is logged in, and a flow has nobody there`,
      `Take a destination for a technical user. ${possible}`,
    )
  else destination.mistake('destination/value', 'Authentication', `"Authentication" is "${given}"`, possible)
}
