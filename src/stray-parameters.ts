import type { Settings } from './config.ts'
import { didYouMean, type Problem } from './core/problem.ts'
import type { ProjectFlow } from './project.ts'

/**
 * Parameters of sluice.yaml that nothing has: neither a flow nor a reference of a credential. As long as a flow cannot
 * be read nobody knows.
 * @param credentials texts of the credentials
 */
export function strayParameters(
  { parameters, parameterPlaces }: Settings,
  flows: readonly ProjectFlow[],
  credentials: Iterable<string>,
): Problem[] {
  if (flows.length === 0 || flows.some(({ flow }) => flow === undefined)) return []
  const names = flows.map(({ name }) => name)
  const declared = new Set(flows.flatMap(({ flow }) => Object.keys(flow!.parameters)))
  for (const text of credentials)
    for (const [, name] of text.matchAll(/\$\{\s*param:\s*([^\s}]+)/g)) declared.add(name!)
  return Object.entries(parameters).flatMap(([name, value]) => {
    const place = parameterPlaces.get(name)
    const isMap = typeof value === 'object'
    if (!place || value === null || Array.isArray(value)) return []
    if (isMap ? names.includes(name) : declared.has(name)) return []
    const message = isMap
      ? `there is no flow "${name}" for these parameters${didYouMean(name, names)}`
      : `no flow has a parameter "${name}"${didYouMean(name, declared)}`
    return [{ code: 'parameter/unknown', severity: 'warning', message, ...place } as const]
  })
}
