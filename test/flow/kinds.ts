import type { FlowKinds } from '../../src/flow/steps.ts'
import { steps } from '../../src/steps/index.ts'
import { triggers } from '../../src/triggers/index.ts'

/** The kinds as they are shipped. */
export const kinds: FlowKinds = {
  steps: new Map(steps.map((kind) => [kind.name, kind])),
  triggers: new Map(triggers.map((kind) => [kind.name, kind])),
}
