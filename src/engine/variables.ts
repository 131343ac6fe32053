import type { Flow, Step } from '../core/flow.ts'

const EVERYWHERE = ['body', 'headers', 'properties', 'param', 'trigger', 'response', 'run']
const SETS = [false, true].map((item) =>
  [false, true].map(
    (error) => new Set([...EVERYWHERE, ...(item ? ['item', 'index'] : []), ...(error ? ['error'] : [])]),
  ),
)

/**
 * Names that expressions of a step may use: `item` and `index` inside a `forEach`, `error` in `catch` and `onError`.
 * @param inside what its own nested steps see
 */
export function variablesIn(flow: Flow, step: Step, inside: boolean): ReadonlySet<string> {
  let item = inside && step.kind === 'forEach'
  let error = step.path[0] === 'onError'
  for (let child = step; child.parent >= 0; child = flow.allSteps[child.parent]!) {
    const { kind, optionsPath } = flow.allSteps[child.parent]!
    if (kind === 'forEach') item = true
    if (kind === 'try' && child.path[optionsPath.length] === 'catch') error = true
  }
  return SETS[Number(item)]![Number(error)]!
}
