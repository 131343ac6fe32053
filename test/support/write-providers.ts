import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describedServices, providersPage, servicesJson } from './provider-page.ts'
import { readProviders } from './providers.ts'

const services = describedServices(readProviders())

/** What is made of the fixtures, by its path in the package. */
export const PROVIDER_FILES: Readonly<Record<string, string>> = {
  'docs/guide/providers.md': providersPage(services),
  'starter/services.json': servicesJson(services),
}

if (import.meta.main)
  for (const [path, text] of Object.entries(PROVIDER_FILES))
    writeFileSync(join(import.meta.dirname, '..', '..', path), text)
