import type { FindableDestinations } from '../core/findable.ts'
import type { CredentialEntry } from './credential-entry.ts'
import { partsOf } from './destination-shown.ts'

/** The credentials that say `findable: true`. It is the one door, besides that of the sender, to what they authenticate with. */
export function createFindableDestinations(
  entries: { of(name: string): CredentialEntry | undefined; inOrder(): readonly CredentialEntry[] },
  hide: (text: string) => string,
): FindableDestinations {
  return {
    names: () => entries.inOrder().flatMap(({ name, loaded }) => (loaded?.findable ? name : [])),
    find(name) {
      const entry = entries.of(name)
      if (!entry?.examined) return 'there is no such credential'
      const { loaded } = entry
      if (!loaded) return 'the credential is not loaded: sluice check tells why'
      if (!loaded.findable) return 'the credential does not say `findable: true`'
      const { properties, extras } = loaded.destination()
      return {
        properties: Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, hide(value)])),
        async lend(until, tenant) {
          return [...partsOf(await loaded.authorizer.authorize(until, tenant)), ...extras]
        },
      }
    },
  }
}
