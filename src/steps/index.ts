import type { AnyStepKind } from '../core/kinds.ts'
import { choose } from './choose.ts'
import { fail } from './fail.ts'
import { http } from './http.ts'
import { log } from './log.ts'
import { respond } from './respond.ts'
import { script } from './script.ts'
import { set } from './set.ts'

/** Every kind of step, in the order of the docs. */
export const steps: readonly AnyStepKind[] = [http, script, log, set, respond, fail, choose]
