import type { AppSetting, Ground } from './assembly.ts'
import { makeDataFolder } from './data-folder.ts'
import type { StateStore } from './core/stores.ts'
import { openStores, type Stores } from './store/message-log.ts'
import { realClock } from './world.ts'

/** The stores of a data folder that no engine uses, opened when something is asked of them. */
export class StoresAlone {
  readonly #setting: AppSetting
  readonly #ground: Ground
  #opened: Promise<Stores> | undefined

  constructor(setting: AppSetting, ground: Ground) {
    this.#setting = setting
    this.#ground = ground
  }

  readonly state: StateStore = {
    atomically: async (operations) => (await this.open()).state.atomically(operations),
    lastFire: async (timer) => (await this.open()).state.lastFire(timer),
    tokens: async (credential) => (await this.open()).state.tokens(credential),
  }

  /** @throws StoreError `store.in-use` when an engine has the data folder, other `store.*` */
  open(): Promise<Stores> {
    return (this.#opened ??= this.#open())
  }

  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined)
    await opened?.close()
  }

  async #open(): Promise<Stores> {
    const { data, messageLog } = this.#setting.settings
    const { redactor, log } = this.#ground
    await makeDataFolder(data)
    return openStores({
      folder: data,
      clock: realClock,
      redactor,
      log,
      retention: { days: messageLog.days, bytes: messageLog.size },
    })
  }
}
