import { clientOperations } from './clients.ts'
import { credentialOperations } from './credentials.ts'
import { engineOperations } from './engine.ts'
import { flowOperations } from './flows.ts'
import type { Operation } from './operation.ts'
import { runOperations } from './runs.ts'

/** All that the management API does. */
export const operations: readonly Operation[] = [
  ...engineOperations,
  ...flowOperations,
  ...runOperations,
  ...credentialOperations,
  ...clientOperations,
]
