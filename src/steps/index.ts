import type { AnyStepKind } from '../core/kinds.ts'
import { call } from './call.ts'
import { choose } from './choose.ts'
import { fail } from './fail.ts'
import { forEach } from './for-each.ts'
import { http } from './http.ts'
import { log } from './log.ts'
import { parallel } from './parallel.ts'
import { respond } from './respond.ts'
import { script } from './script.ts'
import { set } from './set.ts'
import { tryStep } from './try.ts'

/** Every kind of step, in the order of the docs. */
export const steps: readonly AnyStepKind[] = [
  http,
  script,
  log,
  set,
  respond,
  fail,
  choose,
  forEach,
  tryStep,
  parallel,
  call,
]
