import type { AppSetting } from './assembly.ts'
import type { Flow } from './core/flow.ts'
import type { FlowExplanation } from './core/flow-explanation.ts'
import { explainFlow } from './explain.ts'
import { resolveParameters } from './flow/parameters.ts'
import { withProject } from './project-at-rest.ts'
import { parameterSources, type Project } from './project.ts'
import type { Redactor } from './security/redaction.ts'
import { realClock } from './world.ts'

/** What flows do, in words: those that are wanted. */
export function explainProject(
  setting: AppSetting,
  wanted: (name: string, file: string) => boolean,
  now = realClock.now(),
): Promise<{
  readonly names: readonly string[]
  readonly flows: readonly FlowExplanation[]
  readonly texts: Project['texts']
}> {
  return withProject(setting, (project, material, { kinds, loading, redactor }) => {
    const explaining = {
      kinds,
      project,
      parameters: (flow: Flow) => resolveParameters(flow, parameterSources(loading())).values,
      credential: (name: string) => material.explanation(name),
      bodyLimit: setting.settings.limits.body,
      now,
    }
    return {
      names: project.flows.map(({ name }) => name),
      flows: project.flows
        .filter(({ name, file }) => wanted(name, file))
        .map((entry) => redacted(explainFlow(entry, explaining), redactor)),
      texts: project.texts,
    }
  })
}

function redacted<T>(value: T, redactor: Pick<Redactor, 'text'>): T {
  return JSON.parse(
    JSON.stringify(value, (_key, part: unknown) => (typeof part === 'string' ? redactor.text(part) : part)),
  ) as T
}
