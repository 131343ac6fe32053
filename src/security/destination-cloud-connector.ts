import type { Translation } from './destination-translation.ts'

/** Its token is for the Cloud Connector, and its token service is not behind it. */
const TECHNICAL_USER = 'OAuth2TechnicalUserPropagation'

/** Token requests go as the calls do, where nothing else is said of them. */
export function cloudConnector(destination: Translation): void {
  const calls = isOnPremise(destination, 'ProxyType') ?? false
  const authentication = destination.read('Authentication') ?? ''
  const own = isOnPremise(destination, 'tokenServiceURL.ProxyType')
  const isTechnicalUser = authentication === TECHNICAL_USER
  if (isTechnicalUser) checkTechnicalUser(destination, calls, own === true)
  const tokens = authentication.startsWith('OAuth2') && !isTechnicalUser && (own ?? calls)
  const locationId = destination.read('CloudConnectorLocationId')
  if (!calls && !tokens) return
  const property = calls ? 'ProxyType' : 'tokenServiceURL.ProxyType'
  destination.set(['cloudConnector'], {}, property)
  if (!calls || !tokens)
    destination.set(['cloudConnector', 'carries'], calls ? 'calls' : 'tokenRequests', property)
  if (locationId !== undefined)
    destination.set(['cloudConnector', 'locationId'], locationId, 'CloudConnectorLocationId')
}

function checkTechnicalUser(destination: Translation, calls: boolean, tokens: boolean): void {
  if (!calls)
    destination.mistake(
      'destination/value',
      'Authentication',
      `"Authentication" is ${TECHNICAL_USER}, which is for systems behind the Cloud Connector only`,
      'Add ProxyType: OnPremise; for a system outside take OAuth2ClientCredentials.',
    )
  if (tokens)
    destination.mistake(
      'destination/value',
      'tokenServiceURL.ProxyType',
      `"tokenServiceURL.ProxyType" is OnPremise; with ${TECHNICAL_USER} the token service is called from the Internet`,
      'Take it out: "override": { tokenServiceURL.ProxyType: null }.',
    )
}

/** Undefined: it does not say. */
function isOnPremise(destination: Translation, property: string): boolean | undefined {
  const given = destination.read(property)
  if (given === undefined) return undefined
  if (given === 'OnPremise') return true
  if (given !== 'Internet' && given !== 'PrivateLink')
    destination.mistake(
      'destination/value',
      property,
      `"${property}" is "${given}"; Internet, OnPremise or PrivateLink is wanted`,
    )
  return false
}
