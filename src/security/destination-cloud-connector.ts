import type { Translation } from './destination-translation.ts'

/** Token requests go as the calls do, where nothing else is said of them. */
export function cloudConnector(destination: Translation): void {
  const calls = isOnPremise(destination, 'ProxyType') ?? false
  const asks = destination.read('Authentication')?.startsWith('OAuth2') === true
  const own = isOnPremise(destination, 'tokenServiceURL.ProxyType')
  const tokens = asks && (own ?? calls)
  const locationId = destination.read('CloudConnectorLocationId')
  if (!calls && !tokens) return
  const property = calls ? 'ProxyType' : 'tokenServiceURL.ProxyType'
  destination.set(['cloudConnector'], {}, property)
  if (!calls || !tokens)
    destination.set(['cloudConnector', 'carries'], calls ? 'calls' : 'tokenRequests', property)
  if (locationId !== undefined)
    destination.set(['cloudConnector', 'locationId'], locationId, 'CloudConnectorLocationId')
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
