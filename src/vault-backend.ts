import type { Settings } from './config.ts'
import { SETTINGS_FILE } from './config.ts'
import type { Problem } from './core/problem.ts'
import type { SecretBackend } from './core/secret-backend.ts'
import type { EgressRules, Logger } from './core/services.ts'
import type { World } from './core/world.ts'
import type { Redactor } from './security/redaction.ts'
import { placeless } from './setting-source.ts'
import { unaskedVault } from './vault/unasked.ts'
import type { VaultSetting } from './vault-setting.ts'

interface VaultGround {
  readonly world: World
  readonly log: Logger
  readonly redactor: Redactor
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** The Vault of the settings; one that gives nothing where there is none, or where it is not to be asked. */
export async function vaultOf(
  settings: Settings,
  isAsked: boolean,
  { environment, ...ground }: VaultGround,
): Promise<SecretBackend> {
  const { address, namespace, mount, refresh, auth } = settings.vault
  if (address === undefined) return unaskedVault('unset')
  if (!isAsked) return unaskedVault('left alone')
  const { VaultBackend } = await import('./vault/backend.ts')
  const from = { environment, projectFolder: settings.projectFolder }
  return new VaultBackend({ address, namespace, mount, refresh, auth, from, ...ground })
}

/** That the engine certainly may not connect to it. */
export function vaultRefused({ address }: VaultSetting, egress: EgressRules): Problem[] {
  const refused = address === undefined ? undefined : egress.refusal(new URL(address))
  if (!refused) return []
  const message = `"vault.address": ${refused.message}`
  return [{ code: 'setting/vault', severity: 'error', ...refused, message, ...placeless(SETTINGS_FILE) }]
}
