/** Share of its own time that a step may have spent (loading the body) before it looks at the clock. */
const SPENT = 0.1

/** Whose time a deadline is: the step's own limit, or that of what is around it: the flow, or a step that it stands in. */
export type TimeLimit = 'own' | 'outer'

/**
 * Tells whose time is up at a deadline. In doubt it is the step's own.
 * @param deadline monotonic ms
 * @param own ms that the step may take
 * @param now monotonic ms, when the step begins
 */
export function limitOf(deadline: number, own: number, now: number): TimeLimit {
  return deadline < now + own * (1 - SPENT) ? 'outer' : 'own'
}
