import { readFile } from 'node:fs/promises'
import type { ReloadReport } from './core/control.ts'
import { hasErrors, inOrder, type Problem } from './core/problem.ts'
import type { Logger } from './core/services.ts'
import type { Engine } from './engine/engine.ts'
import { contentHash } from './engine/step-deployment.ts'
import { callProblems, routeClashes } from './flow-clashes.ts'
import type { FlowStarter } from './flow-starter.ts'
import { loadFlows, type LoadedFlows } from './flow/load.ts'
import { resolveParameters } from './flow/parameters.ts'
import { prepareEntry, type Project, type ProjectFlow, type ProjectSetting } from './project.ts'
import { tellProblem } from './security/reload.ts'

export interface ReloadSetting {
  readonly project: Project
  readonly engine: Engine
  readonly starter: FlowStarter
  readonly log: Logger
  /** Who shows what came of it in a better way than the log. */
  readonly tell?: (report: ReloadReport) => void
  /** As the project was loaded with; its parameters are those of now. */
  readonly loading: () => ProjectSetting
  /** Reads sluice.yaml again: its mistakes, and what takes effect with the next start only. */
  readonly readSettings: () => Promise<{ problems: readonly Problem[]; restart: readonly string[] }>
}

/** One file, as it was and as it is now. */
interface Candidate {
  readonly old: ProjectFlow | undefined
  readonly entry: ProjectFlow
  readonly changed: boolean
}

/**
 * Reads flows, scripts and parameters again and swaps what is different: all files are prepared first, then all sound
 * ones take over in one turn of the event loop, so that no request finds a gap. A file with mistakes leaves the
 * version before in force; runs that are under way end on theirs.
 */
export class Reloader {
  readonly #setting: ReloadSetting
  #last: Promise<ReloadReport> | undefined
  #next: Promise<ReloadReport> | undefined
  /** Problems that were told, by file. */
  #told: ReadonlyMap<string, string>
  #toldRestart = ''

  /** The problems that the project has now were told by those who loaded it. */
  constructor(setting: ReloadSetting) {
    this.#setting = setting
    this.#told = textsByFile(setting.project.problems)
  }

  /** One after the other; those that are asked for while one waits are one. */
  reload(): Promise<ReloadReport> {
    this.#next ??= (this.#last ?? Promise.resolve()).then(
      () => this.#begin(),
      () => this.#begin(),
    )
    return this.#next
  }

  /** Absolute paths of the files beside the flows that they are made from. */
  files(): string[] {
    return this.#setting.project.flows.flatMap(({ files }) => [...files.keys()])
  }

  #begin(): Promise<ReloadReport> {
    this.#next = undefined
    this.#last = this.#reload()
    return this.#last
  }

  async #reload(): Promise<ReloadReport> {
    const { project, readSettings, loading } = this.#setting
    const { problems: ofSettings, restart } = await readSettings()
    const setting = loading()
    const { settings, kinds } = setting
    const loaded = await loadFlows(settings.flows, settings.projectFolder, kinds)
    const former = new Map(project.flows.map((entry) => [entry.file, entry]))
    const candidates = await Promise.all(
      loaded.flows.map((file) => candidateOf(file, former.get(file.file), loaded, setting)),
    )
    const checked = withoutClashes(candidates)
    const rest = loaded.problems.filter(({ file }) => !candidates.some(({ entry }) => entry.file === file))
    const report = this.#swap(checked, former, [...ofSettings, ...rest], restart)
    if (this.#setting.tell) this.#setting.tell(report)
    else this.#tell(report)
    return report
  }

  /** In one turn of the event loop. */
  #swap(
    candidates: readonly Candidate[],
    former: ReadonlyMap<string, ProjectFlow>,
    problems: readonly Problem[],
    restart: readonly string[],
  ): ReloadReport {
    const { project, engine, starter } = this.#setting
    const changed: string[] = []
    const added: string[] = []
    const removed: string[] = []
    const broken: ReloadReport['broken'][number][] = []
    const flows: ProjectFlow[] = []
    let unchanged = 0
    for (const { old, entry, changed: isNew } of candidates) {
      const { name, file, flow, prepared } = entry
      if (!isNew) {
        unchanged++
        flows.push(entry)
      } else if (!prepared) {
        const running = old?.prepared !== undefined && engine.state(old.name) !== undefined
        broken.push({ flow: name, file, running })
        flows.push(
          running
            ? { ...old, problems: entry.problems, ofFile: entry.ofFile, files: entry.files, outdated: true }
            : entry,
        )
      } else {
        const there = engine.state(name) !== undefined
        const waits = flow!.enabled && entry.lacking().length > 0
        starter.waitFor(file, waits ? prepared.credentials : undefined)
        if (flow!.enabled && !waits) {
          engine.deploy(prepared)
          ;(there ? changed : added).push(name)
        } else prepared.stop()
        flows.push(entry)
      }
    }
    const wanted = new Set(flows.filter(({ flow }) => flow?.enabled !== false).map(({ name }) => name))
    for (const { name, file } of former.values()) {
      if (!flows.some((entry) => entry.file === file)) starter.waitFor(file, undefined)
      if (wanted.has(name) || engine.state(name) === undefined) continue
      engine.undeploy(name)
      removed.push(name)
    }
    project.take(flows)
    const all = inOrder([...problems, ...flows.flatMap((entry) => entry.problems)])
    return { changed, added, removed, broken, unchanged, restart, problems: all }
  }

  #tell({ changed, added, removed, broken, restart, problems }: ReloadReport): void {
    const { log } = this.#setting
    const texts = textsByFile(problems)
    const isNew = (file: string): boolean => this.#told.get(file) !== texts.get(file)
    for (const problem of problems) if (isNew(problem.file)) tellProblem(problem, log)
    for (const flow of added) log.info({ flow }, `flow "${flow}" runs now`)
    for (const flow of changed)
      log.info({ flow }, `flow "${flow}" was changed; new runs take the new version`)
    for (const flow of removed) log.info({ flow }, `flow "${flow}" was taken away; what runs of it ends`)
    for (const { flow, file, running } of broken)
      if (isNew(file))
        log.warn(
          { flow },
          running ? `${file} has mistakes; the version before goes on` : `${file} has mistakes`,
        )
    const names = restart.join(', ')
    if (names !== '' && names !== this.#toldRestart)
      log.warn({}, `settings that take effect with the next start were changed: ${names}`)
    this.#told = texts
    this.#toldRestart = names
  }
}

/** By file, what is wrong with it. */
function textsByFile(problems: readonly Problem[]): ReadonlyMap<string, string> {
  const byFile = [...Map.groupBy(problems, ({ file }) => file)]
  return new Map(
    byFile.map(([file, own]) => [
      file,
      JSON.stringify(own.map(({ line, column, message }) => [line, column, message])),
    ]),
  )
}

async function candidateOf(
  file: LoadedFlows['flows'][number],
  old: ProjectFlow | undefined,
  { problems }: LoadedFlows,
  setting: ProjectSetting,
): Promise<Candidate> {
  const ofFile = problems.filter((problem) => problem.file === file.file)
  if (old && (await isSame(file, old, ofFile, setting))) return { old, entry: old, changed: false }
  return { old, entry: await prepareEntry(file, ofFile, setting), changed: true }
}

/** The same text, parameters and scripts as the version that runs. */
async function isSame(
  { name, flow }: LoadedFlows['flows'][number],
  old: ProjectFlow,
  ofFile: readonly Problem[],
  { settings, environment, flags }: ProjectSetting,
): Promise<boolean> {
  const { prepared } = old
  if (!flow || !prepared || old.outdated || name !== old.name || hasErrors(ofFile)) return false
  if (flow.version !== old.flow!.version) return false
  const { values } = resolveParameters(flow, { settings: settings.parameters, environment, flags })
  if (JSON.stringify(values) !== JSON.stringify(prepared.parameters)) return false
  for (const [path, hash] of old.files)
    if (contentHash(await readFile(path, 'utf8').catch(() => '')) !== hash) return false
  return true
}

/** Changed flows that clash with others have mistakes. Those that run keep their paths. */
function withoutClashes(candidates: readonly Candidate[]): readonly Candidate[] {
  let checked = candidates
  for (;;) {
    const inForce = checked.map(({ old, entry }) => (entry.prepared || !old ? entry : old))
    const running = new Set(inForce.filter((entry) => checked.some(({ old }) => old === entry)))
    const clashes = [...routeClashes(inForce, running), ...callProblems(inForce)]
    const hit = new Map(Map.groupBy(clashes, ({ file }) => file))
    const next = checked.map((candidate) => {
      const own = candidate.changed && candidate.entry.prepared ? hit.get(candidate.entry.file) : undefined
      if (!own) return candidate
      candidate.entry.prepared?.stop()
      const problems = [...candidate.entry.problems, ...own]
      return { ...candidate, entry: { ...candidate.entry, prepared: undefined, problems } }
    })
    if (next.every((candidate, i) => candidate === checked[i])) return checked
    checked = next
  }
}
