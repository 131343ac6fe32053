import type { AssertionDefaults } from './assertion.ts'
import type { AssertionOptions } from './assertion-options.ts'

/** The address of the service without its query: that belongs to the request. In words where it is not known yet. */
export function addressOf(tokenUrl: URL | undefined): string {
  return tokenUrl === undefined ? 'the token service' : tokenUrl.origin + tokenUrl.pathname
}

/** For whom an assertion is. */
export function audiencesOf(
  given: AssertionOptions,
  { serviceIssuer, isToken }: AssertionDefaults,
  tokenUrl: URL | undefined,
): string[] {
  const audience = given.audience ?? (isToken ? [] : ['tokenUrl'])
  return audience.map((text) => {
    if (text === 'tokenUrl') return addressOf(tokenUrl)
    return text === 'issuer' ? (serviceIssuer ?? text) : text
  })
}
