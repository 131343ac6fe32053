import { makeFolder, sayUnwritable } from './make-folder.ts'
import { StoreError } from './store/store-error.ts'

/** @throws StoreError `store.unwritable` */
export async function makeDataFolder(folder: string): Promise<void> {
  try {
    await makeFolder(folder, 0o700)
  } catch (error) {
    throw new StoreError(
      'store.unwritable',
      `the data folder "${folder}" cannot be made: ${sayUnwritable(error)}`,
      'Choose another one (--data, setting `data`, SLUICE_DATA), or give the user that runs Sluice the right to make it.',
    )
  }
}
