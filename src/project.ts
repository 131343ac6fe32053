import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Settings } from './config.ts'
import type { Flow } from './core/flow.ts'
import { hasErrors, inOrder, type Problem } from './core/problem.ts'
import type { Credentials, Services } from './core/services.ts'
import type { World } from './core/world.ts'
import { prepareFlow, type Kinds, type PreparedFlow } from './engine/deployment.ts'
import { callProblems, routeClashes } from './flow-clashes.ts'
import { loadFlows } from './flow/load.ts'
import { resolveParameters, type ParameterSources } from './flow/parameters.ts'
import type { SecurityMaterial } from './security/material.ts'
import { strayParameters } from './stray-parameters.ts'

/** A flow file, and what became of it. */
export interface ProjectFlow {
  readonly name: string
  readonly file: string
  readonly flow: Flow | undefined
  /** There only when nothing is wrong with it. */
  readonly prepared: PreparedFlow | undefined
  readonly problems: readonly Problem[]
  /** Those of them that reading the file has found. */
  readonly ofFile: readonly Problem[]
  /** Further files that it was made from, as `contentHash` by absolute path. */
  readonly files: ReadonlyMap<string, string>
  /** The file has changed since and has mistakes: the version before goes on. */
  readonly outdated?: true
  /** Names of credentials that are not there: while there is one, it is broken. */
  readonly unknown: readonly string[]
  /** Credentials that it cannot use now, and why: `im_read (env:IM_READ_SECRET)`. It does not start while there is one. */
  lacking(): readonly string[]
}

export interface Project {
  /** As they are now. */
  readonly flows: readonly ProjectFlow[]
  /** All of all files, in order. */
  readonly problems: readonly Problem[]
  /** Texts by file as shown in problems. */
  readonly texts: ReadonlyMap<string, string>
  /** Prepares a flow once more, over the credentials as they are now. It is not deployed. */
  prepareAgain(flow: ProjectFlow): Promise<ProjectFlow>
  /** From now on these are the flows. */
  take(flows: readonly ProjectFlow[]): void
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
  const { settings, material } = setting
  const texts = new Map<string, string>()
  const problems: Problem[] = [...setting.found]

  const read = await material.read(settings.securityMaterial)
  for (const { file, text, unreadable } of read.files) if (!unreadable) texts.set(file, text)
  problems.push(...read.problems, ...material.load(read.files))

  const loaded = await loadFlows(settings.flows, settings.projectFolder, setting.kinds)
  for (const [file, text] of loaded.texts) texts.set(file, text)
  const loadProblems = new Map(Map.groupBy(loaded.problems, (problem) => problem.file))

  const flows = await Promise.all(
    loaded.flows.map((entry) => {
      const found = loadProblems.get(entry.file) ?? []
      loadProblems.delete(entry.file)
      return prepareEntry(entry, found, setting)
    }),
  )
  for (const rest of loadProblems.values()) problems.push(...rest)
  const clashes = [...routeClashes(flows), ...callProblems(flows)]
  const credentials = read.files.map(({ text }) => text)
  problems.push(...strayParameters(settings, flows, credentials))
  await readScripts(settings.projectFolder, [...problems, ...flows.flatMap((entry) => entry.problems)], texts)
  let checked: readonly ProjectFlow[] = flows.map((entry) => {
    const own = clashes.filter((problem) => problem.file === entry.file)
    if (own.length === 0) return entry
    entry.prepared?.stop()
    return { ...entry, prepared: undefined, problems: [...entry.problems, ...own] }
  })
  return {
    get flows() {
      return checked
    },
    problems: inOrder([
      ...problems.map((problem) => withFlows(problem, checked, material)),
      ...checked.flatMap((entry) => entry.problems),
    ]),
    texts,
    async prepareAgain(flow) {
      const again = await prepareEntry(flow, flow.ofFile, setting)
      checked = checked.map((entry) => (entry.file === flow.file ? again : entry))
      return again
    },
    take: (flows) => void (checked = flows),
    stop: () => {
      for (const { prepared } of checked) prepared?.stop()
    },
  }
}

/** Prepares one flow; nothing is deployed. @param ofFile what reading its file has found */
export async function prepareEntry(
  { name, file, flow }: { readonly name: string; readonly file: string; readonly flow?: Flow | undefined },
  ofFile: readonly Problem[],
  setting: ProjectSetting,
): Promise<ProjectFlow> {
  const { kinds, world, services, material } = setting
  if (!flow) {
    const nothing = { prepared: undefined, files: new Map(), unknown: [], lacking: () => [] }
    return { name, file, flow, problems: ofFile, ofFile, ...nothing }
  }
  const { values, problems } = resolveParameters(flow, parameterSources(setting))
  const unknown = new Set<string>()
  const credentials: Credentials = {
    names: () => material.names(),
    reference: (credential, type) => material.reference(credential, type),
    info(credential) {
      const info = material.info(credential)
      if (!info) unknown.add(credential)
      return info
    },
  }
  const {
    prepared,
    problems: mistakes,
    files,
  } = await prepareFlow(flow, values, kinds, world, {
    ...services,
    credentials,
  })
  const found = [...ofFile, ...problems, ...mistakes]
  if (hasErrors(found)) prepared?.stop()
  return {
    name,
    file,
    flow,
    prepared: hasErrors(found) ? undefined : prepared,
    problems: found,
    ofFile,
    files,
    unknown: [...unknown],
    lacking: () => lackingOf(prepared?.credentials ?? [], material),
  }
}

/** Where values of parameters come from. */
export function parameterSources({ settings, environment, flags }: ProjectSetting): ParameterSources {
  return { settings: settings.parameters, environment, flags }
}

function lackingOf(credentials: readonly string[], material: SecurityMaterial): string[] {
  return credentials.flatMap((name) => {
    const info = material.info(name)
    const reasons = !info ? ['it is not there'] : info.broken ? ['its file has problems'] : info.unset
    return reasons.length === 0 ? [] : [`${name} (${reasons.join(', ')})`]
  })
}

/** Of a reference without a value: which flows do not start for it. */
export function withFlows(
  problem: Problem,
  flows: readonly ProjectFlow[],
  material: SecurityMaterial,
): Problem {
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

/** Its lines are secrets. */
const ENVIRONMENT_FILE = '.env'
/** Problems of files that are not read, and whose lines are not shown either. */
const WITHHELD: ReadonlySet<string> = new Set(['flow/outside', 'flow/unreadable', 'credential/unreadable'])

/** The texts of files that problems stand in, beside flows and credentials: scripts. No line of `.env` is shown. */
async function readScripts(
  projectFolder: string,
  problems: readonly Problem[],
  texts: Map<string, string>,
): Promise<void> {
  const files = new Set(
    problems
      .filter(({ code }) => !WITHHELD.has(code))
      .map(({ file }) => file)
      .filter((file) => !texts.has(file) && file !== ENVIRONMENT_FILE),
  )
  await Promise.all(
    [...files].map(async (file) => {
      const text = await readFile(join(projectFolder, file), 'utf8').catch(() => undefined)
      if (text !== undefined) texts.set(file, text)
    }),
  )
}
