import type { Flow } from '../core/flow.ts'
import type { PreparedStep } from '../core/kinds.ts'
import type { Problem } from '../core/problem.ts'
import type { ReadyStep } from './run.ts'

/** A prepared step with what it does to the body. */
export interface PlannedStep extends ReadyStep {
  readonly leaves: PreparedStep['leaves']
  readonly ownMessages: boolean
}

/** The step that made the body a stream of items; undefined where it is none. */
type Source = PlannedStep | undefined

/**
 * Steps that look into a body which is a stream of items: they would have to fetch all of them into memory.
 * @param lists every list of steps, by the step it stands in
 */
export function itemStreamProblems(
  flow: Flow,
  lists: ReadonlyMap<number, readonly (readonly PlannedStep[])[]>,
): Problem[] {
  const problems: Problem[] = []

  function follow(steps: readonly PlannedStep[], before: Source): Source {
    let source = before
    for (const planned of steps) {
      const looks = planned.conditionReadsBody
        ? 'if'
        : planned.readsBody && !planned.takesItems
          ? planned.step.kind
          : undefined
      if (source && looks !== undefined) {
        problems.push(problemOf(planned, source, looks))
        source = undefined
      }
      const after = inside(planned, source)
      source = planned.condition === undefined ? after : (after ?? source)
    }
    return source
  }

  function inside(planned: PlannedStep, source: Source): Source {
    const nested = lists.get(planned.step.index) ?? []
    const ends = nested.map((list) => follow(list, planned.ownMessages ? undefined : source))
    if (planned.leaves === 'items') return planned
    if (planned.leaves === 'body') return undefined
    return ends.reduce((found, end) => found ?? end, source)
  }

  function problemOf({ step }: PlannedStep, source: PlannedStep, looks: string): Problem {
    return {
      code: 'flow/item-stream',
      severity: 'error',
      message: `"${looks}" looks into the body, which is a stream of items here`,
      hint: 'Items are fetched as they are taken: put the step inside a `forEach`, where the body is one item.',
      ...flow.document.place([...step.path, looks], { on: 'key' }),
      related: [
        {
          ...flow.document.place([...source.step.path, source.step.kind], { on: 'key' }),
          message: 'the items come from here',
        },
      ],
    }
  }

  for (const list of lists.get(-1) ?? []) follow(list, undefined)
  return problems
}
