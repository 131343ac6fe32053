import type { TestContext } from 'node:test'
import { dataFolder, stores } from './support.ts'
import { stateStoreBehaviour, type StateDriver } from './state-behaviour.ts'

stateStoreBehaviour('SQLite', async (t) => driver(t, await dataFolder(t)))

async function driver(t: TestContext, folder: string): Promise<StateDriver> {
  const opened = await stores(t, { folder })
  return {
    state: opened.state,
    async reopen() {
      await opened.close()
      return driver(t, folder)
    },
  }
}
