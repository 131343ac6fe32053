import type { AnyTriggerKind } from '../core/kinds.ts'
import { endpoint } from './endpoint.ts'
import { timer } from './timer.ts'

export const triggers: readonly AnyTriggerKind[] = [endpoint, timer]
