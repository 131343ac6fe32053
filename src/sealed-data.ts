import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { sealSigningKeysAnew, SIGNING_KEYS_FILE } from './access/signing-keys.ts'
import { lay, type AppSetting } from './assembly.ts'
import { SecretsRefusal, type MoveSealed } from './security/secret-changes.ts'
import { STATE_FILE } from './store/sqlite/data-folder.ts'
import { StoreError } from './store/store-error.ts'
import { sealTokensAnew } from './store/token-seals.ts'
import { StoresAlone } from './stores-alone.ts'

/** All of the data folder that is encrypted with the keys of the secrets, by its file. */
const SEALED: Readonly<Record<string, (setting: AppSetting) => MoveSealed>> = {
  [STATE_FILE]: moveTokens,
  [SIGNING_KEYS_FILE]: moveSigningKeys,
}

/**
 * Encrypts what is in the data folder for the keys that stay, where no engine has it.
 * @throws SecretsRefusal when an engine has it, or it cannot be read or written
 */
export function movingSealed(setting: AppSetting): MoveSealed {
  const moves = Object.entries(SEALED)
    .filter(([file]) => existsSync(join(setting.settings.data, file)))
    .map(([, move]) => move(setting))
  return (here, staying, drop) =>
    moves.reduceRight<() => Promise<void>>((next, move) => () => move(here, staying, next), drop)()
}

function moveTokens(setting: AppSetting): MoveSealed {
  return async (here, staying, drop) => {
    const stores = new StoresAlone(setting, lay(setting))
    try {
      await stores.open().catch((error: unknown) => {
        if (!(error instanceof StoreError)) throw error
        throw new SecretsRefusal(
          `nothing was changed: the tokens that are kept may need the old key, and ${error.message}`,
          error.code === 'store.in-use'
            ? 'Stop the engine, finish, and start it again.'
            : (error.hint ?? 'Mend that first.'),
        )
      })
      await sealTokensAnew(stores.state, here, staying)
      await drop()
    } finally {
      await stores.close()
    }
  }
}

function moveSigningKeys({ settings }: AppSetting): MoveSealed {
  return async (here, staying, drop) => {
    await sealSigningKeysAnew(join(settings.data, SIGNING_KEYS_FILE), here, staying).catch((error: Error) => {
      throw new SecretsRefusal(`nothing was changed: ${error.message}`, 'Mend that first.')
    })
    await drop()
  }
}
