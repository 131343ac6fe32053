import type { Flow } from './core/flow.ts'
import type { ProblemCode } from './core/problem-codes.ts'
import { didYouMean, type Problem } from './core/problem.ts'
import { routeKey } from './core/route.ts'
import type { Route } from './core/services.ts'
import type { ProjectFlow } from './project.ts'

/** A flow and the route that it has. */
interface Served {
  readonly flow: Flow
  readonly route: Route
}

/**
 * Two flows on one path and method: the later file by name loses, and both places are named.
 * @param running those that have their path already: they keep it
 */
export function routeClashes(
  flows: readonly ProjectFlow[],
  running: ReadonlySet<ProjectFlow> = new Set(),
): Problem[] {
  const served = new Map<string, Served[]>()
  const problems: Problem[] = []
  for (const { flow, prepared } of flows.toSorted(
    (a, b) => Number(running.has(b)) - Number(running.has(a)) || (a.name < b.name ? -1 : 1),
  )) {
    const route = prepared?.trigger?.route
    if (!flow || !route || !flow.enabled) continue
    const key = routeKey(route.path)
    const beside = served.get(key) ?? []
    const other = beside.find((earlier) =>
      earlier.route.methods.some((method) => route.methods.includes(method)),
    )
    if (!other) {
      served.set(key, [...beside, { flow, route }])
      continue
    }
    const shared = route.methods.filter((method) => other.route.methods.includes(method))
    problems.push({
      code: 'flow/path-taken',
      severity: 'error',
      message: `${shared.join(', ')} ${route.path} is served by the flow "${other.flow.name}" already`,
      hint: 'Choose another path or method for one of them.',
      ...flow.document.place([...flow.trigger!.optionsPath, 'path']),
      related: [
        {
          ...other.flow.document.place([...other.flow.trigger!.optionsPath, 'path']),
          message: 'served here',
        },
      ],
    })
  }
  return problems
}

/** Calls of flows that are not there, that are disabled, or that lead back to where they came from. */
export function callProblems(flows: readonly ProjectFlow[]): Problem[] {
  const byName = new Map(flows.map((entry) => [entry.name, entry]))
  const problems: Problem[] = []
  for (const { name, prepared } of flows)
    for (const { flow, place } of prepared?.calls ?? []) {
      const report = (code: ProblemCode, message: string, hint: string) =>
        problems.push({ code, severity: 'error', message, hint, ...place })
      const called = byName.get(flow)
      const circle = circleOf(name, flow, byName)
      if (!called)
        report(
          'flow/unknown-flow',
          `there is no flow "${flow}"${didYouMean(flow, [...byName.keys()])}`,
          'A flow is named as its file below the folder of flows, without ".yaml", or by its "name".',
        )
      else if (called.flow && !called.flow.enabled)
        report('flow/call-disabled', `the flow "${flow}" is disabled`, 'Take "enabled: false" out of it.')
      else if (circle)
        report(
          'flow/call-circle',
          `the call leads back to where it came from: ${circle.map((one) => `"${one}"`).join(' calls ')}`,
          'Put what they share into a flow that calls none of them.',
        )
    }
  return problems
}

/** The way from a flow over the one it calls back to itself. */
function circleOf(
  start: string,
  called: string,
  flows: ReadonlyMap<string, ProjectFlow>,
): readonly string[] | undefined {
  const seen = new Set<string>()
  const ways: string[][] = [[start, called]]
  for (let way = ways.pop(); way; way = ways.pop()) {
    const last = way.at(-1)!
    if (last === start) return way
    if (seen.has(last)) continue
    seen.add(last)
    for (const { flow } of flows.get(last)?.prepared?.calls ?? []) ways.push([...way, flow])
  }
  return undefined
}
