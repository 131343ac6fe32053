import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { assemble, lay, type AppSetting } from './assembly.ts'
import type { CredentialInvalidation, CredentialTestReport, CredentialTestRequest } from './core/control.ts'
import { revoke } from './credential-revocation.ts'
import { testCredential } from './credential-test.ts'
import { loadedAuthorizer } from './loaded-authorizer.ts'
import { STATE_FILE } from './store/sqlite/data-folder.ts'
import { StoresAlone } from './stores-alone.ts'

/**
 * The same where no engine runs: loads the credentials, and nothing else is started. Tokens that are kept are used and
 * kept on.
 * @throws StoreError `store.in-use` when the credential keeps tokens and another process works with the data folder
 */
export function testCredentialAlone(
  name: string,
  request: CredentialTestRequest,
  setting: AppSetting,
  signal: AbortSignal,
): Promise<{ report: CredentialTestReport | undefined; names: readonly string[] }> {
  return withCredentials(setting, async (parts, stores) => {
    const { world, material, services, redactor } = parts
    if (loadedAuthorizer(name, material)?.keepsTokens) await stores.open()
    const { send } = services
    const { settings } = setting
    const report = await testCredential(name, request, { material, send, world, redactor, settings }, signal)
    return { report, names: material.names() }
  })
}

/**
 * Drops the token that is kept for a credential, where no engine runs.
 * @param wantsRevocation the token service is told, too
 * @throws StoreError `store.in-use` when another process works with the data folder
 */
export function dropKeptToken(
  name: string,
  setting: AppSetting,
  wantsRevocation: boolean,
): Promise<{
  isThere: boolean
  dropped: boolean
  names: readonly string[]
  revocation?: CredentialInvalidation['revocation']
}> {
  return withCredentials(setting, async ({ material, world }, stores) => {
    const names = material.names()
    if (!names.includes(name)) return { isThere: false, dropped: false, names }
    if (!existsSync(join(setting.settings.data, STATE_FILE))) return { isThere: true, dropped: false, names }
    const { state } = await stores.open()
    const kept = (await state.tokens()).filter(
      ({ credential, kind }) => kind === 'access' && credential.replace(/ \(.*$/, '') === name,
    )
    const revocation =
      wantsRevocation && kept.length > 0
        ? await revoke(loadedAuthorizer(name, material), world.clock)
        : undefined
    await state.atomically(
      kept.map(({ credential, kind }) => ({ kind: 'drop-token', credential, token: kind })),
    )
    return { isThere: true, dropped: kept.length > 0, names, ...(revocation && { revocation }) }
  })
}

async function withCredentials<T>(
  setting: AppSetting,
  use: (parts: Awaited<ReturnType<typeof assemble>>, stores: StoresAlone) => Promise<T>,
): Promise<T> {
  const ground = lay(setting)
  const stores = new StoresAlone(setting, ground)
  try {
    const parts = await assemble(setting, ground, stores.state)
    try {
      const { files } = await parts.material.read(setting.settings.securityMaterial)
      parts.material.load(files)
      return await use(parts, stores)
    } finally {
      await parts.close()
    }
  } finally {
    await stores.close()
  }
}
