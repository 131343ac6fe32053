import { readFile, readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { Settings } from './config.ts'
import type { Flow } from './core/flow.ts'
import { hasErrors, inOrder, type Problem } from './core/problem.ts'
import { routesOverlap } from './core/route.ts'
import type { Services } from './core/services.ts'
import type { World } from './core/world.ts'
import { prepareFlow, type Kinds, type PreparedFlow } from './engine/deployment.ts'
import { loadFlows } from './flow/load.ts'
import { resolveParameters } from './flow/parameters.ts'
import type { SecurityMaterial } from './security/material.ts'

/** A flow file, and what became of it. */
export interface ProjectFlow {
  readonly name: string
  readonly file: string
  readonly flow: Flow | undefined
  /** There only when nothing is wrong with it. */
  readonly prepared: PreparedFlow | undefined
  readonly problems: readonly Problem[]
  /** Credentials that it cannot use, and why: `im_read (env:IM_READ_SECRET)`. While there is one, it does not run. */
  readonly lacking: readonly string[]
}

export interface Project {
  readonly flows: readonly ProjectFlow[]
  /** All of all files, in order. */
  readonly problems: readonly Problem[]
  /** Texts by file as shown in problems. */
  readonly texts: ReadonlyMap<string, string>
  /** Lets go of what is prepared and not deployed. */
  stop(): void
}

export interface ProjectSetting {
  readonly settings: Settings
  readonly kinds: Kinds
  readonly world: World
  readonly services: Services
  readonly material: SecurityMaterial
  readonly environment: Readonly<Record<string, string | undefined>>
  /** `--param name=value` */
  readonly flags: Readonly<Record<string, string>>
  /** Problems found before: of the `.env` file. */
  readonly found: readonly Problem[]
}

/** Reads the security material and every flow, prepares all of them, and collects every mistake. */
export async function loadProject(setting: ProjectSetting): Promise<Project> {
  const { settings, kinds, world, services, material } = setting
  const texts = new Map<string, string>()
  const problems: Problem[] = [...setting.found]

  const credentials = await readYamlFiles(settings.securityMaterial, settings.projectFolder, problems)
  for (const { file, text } of credentials) texts.set(file, text)
  problems.push(...material.load(credentials))

  const loaded = await loadFlows(settings.flows, settings.projectFolder, kinds)
  for (const [file, text] of loaded.texts) texts.set(file, text)
  const loadProblems = new Map(Map.groupBy(loaded.problems, (problem) => problem.file))

  const flows = await Promise.all(
    loaded.flows.map(async ({ name, file, flow }): Promise<ProjectFlow> => {
      const found: Problem[] = [...(loadProblems.get(file) ?? [])]
      loadProblems.delete(file)
      if (!flow) return { name, file, flow, prepared: undefined, problems: found, lacking: [] }
      const { values, problems: parameterProblems } = resolveParameters(flow, {
        settings: settings.parameters,
        environment: setting.environment,
        flags: setting.flags,
      })
      found.push(...parameterProblems)
      const { prepared, problems: mistakes } = await prepareFlow(flow, values, kinds, world, services)
      found.push(...mistakes)
      const lacking = (prepared?.credentials ?? []).flatMap((credential) => {
        const { broken = false, unset = [] } = material.info(credential) ?? {}
        const reasons = broken ? ['its file has problems'] : unset
        return reasons.length === 0 ? [] : [`${credential} (${reasons.join(', ')})`]
      })
      if (hasErrors(found)) prepared?.stop()
      return { name, file, flow, prepared: hasErrors(found) ? undefined : prepared, problems: found, lacking }
    }),
  )
  for (const rest of loadProblems.values()) problems.push(...rest)
  const clashes = routeClashes(flows)
  await readScripts(settings.projectFolder, [...problems, ...flows.flatMap((entry) => entry.problems)], texts)
  const checked = flows.map((entry) => {
    const own = clashes.filter((problem) => problem.file === entry.file)
    if (own.length === 0) return entry
    entry.prepared?.stop()
    return { ...entry, prepared: undefined, problems: [...entry.problems, ...own] }
  })
  return {
    flows: checked,
    problems: inOrder([
      ...problems.map((problem) => withFlows(problem, checked, material)),
      ...checked.flatMap((entry) => entry.problems),
    ]),
    texts,
    stop: () => {
      for (const { prepared } of checked) prepared?.stop()
    },
  }
}

/** Of a reference without a value: which flows do not start for it. */
function withFlows(problem: Problem, flows: readonly ProjectFlow[], material: SecurityMaterial): Problem {
  if (problem.code !== 'credential/unset') return problem
  const report = material.reports(() => []).find(({ file }) => file === problem.file)
  const users = flows
    .filter(({ prepared }) => report && prepared?.credentials.includes(report.name))
    .map(({ name }) => `"${name}"`)
  if (users.length === 0) return problem
  const last =
    users.length === 1 ? `the flow ${users[0]} does not start` : `the flows ${users.join(', ')} do not start`
  return { ...problem, message: `${problem.message}; without it ${last}` }
}

/** Two flows on one path and method: the later file by name loses, and both places are named. */
function routeClashes(flows: readonly ProjectFlow[]): Problem[] {
  const served: { flow: Flow; route: NonNullable<NonNullable<PreparedFlow['trigger']>['route']> }[] = []
  const problems: Problem[] = []
  for (const { flow, prepared } of flows.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const route = prepared?.trigger?.route
    if (!flow || !route || !flow.enabled) continue
    const other = served.find((earlier) => routesOverlap(earlier.route, route))
    if (!other) {
      served.push({ flow, route })
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

/** The texts of files that problems stand in, beside flows and credentials: scripts. */
async function readScripts(
  projectFolder: string,
  problems: readonly Problem[],
  texts: Map<string, string>,
): Promise<void> {
  const files = new Set(problems.map(({ file }) => file).filter((file) => !texts.has(file)))
  await Promise.all(
    [...files].map(async (file) => {
      const text = await readFile(join(projectFolder, file), 'utf8').catch(() => undefined)
      if (text !== undefined) texts.set(file, text)
    }),
  )
}

/** All `*.yaml` and `*.yml` of a folder and its subfolders; none where there is no such folder. */
async function readYamlFiles(
  folder: string,
  projectFolder: string,
  problems: Problem[],
): Promise<{ file: string; text: string }[]> {
  const shown = (path: string) => relative(projectFolder, path).split(sep).join('/')
  const unreadable = (path: string) => (error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    problems.push({
      code: 'credential/unreadable',
      severity: 'error',
      message: `it cannot be read (${error.code})`,
      file: shown(path),
      line: 1,
      column: 1,
    })
    return undefined
  }
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(unreadable(folder))
  const paths = (entries ?? [])
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
  const files = await Promise.all(
    paths.map(async (path) => {
      const text = await readFile(path, 'utf8').catch(unreadable(path))
      return text === undefined ? [] : [{ file: shown(path), text }]
    }),
  )
  return files.flat()
}
