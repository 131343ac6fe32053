import type { Logger } from './core/services.ts'
import type { Engine } from './engine/engine.ts'
import type { Project, ProjectFlow } from './project.ts'
import type { CredentialChange, Outcome } from './security/credential-change.ts'
import type { SecurityMaterial } from './security/material.ts'
import { tellProblem } from './security/reload.ts'

export interface FlowStarterSetting {
  readonly project: Project
  readonly engine: Engine
  readonly material: SecurityMaterial
  readonly log: Logger
  /** Reads flows again where one could not start without a credential that is there now; else the log says that it should be done. */
  readonly readAgain?: () => void
}

const NOW_USABLE: ReadonlySet<Outcome> = new Set(['added', 'completed'])

/** Deploys the flows of a project: at the start those that lack nothing, the others when their credentials are complete. */
export class FlowStarter {
  readonly #setting: FlowStarterSetting
  /** Flows that wait for credentials, by file, with the names of all their credentials. */
  readonly #waiting = new Map<string, readonly string[]>()

  constructor(setting: FlowStarterSetting) {
    this.#setting = setting
  }

  /** With `quiet` no trigger is started. */
  start(quiet: boolean): void {
    const { project, engine } = this.#setting
    for (const { file, flow, prepared, lacking } of project.flows) {
      if (!prepared) continue
      const waits = flow!.enabled && lacking().length > 0
      if (flow!.enabled && !waits) engine.deploy(prepared, quiet)
      else prepared.stop()
      if (waits) this.#waiting.set(file, prepared.credentials)
    }
  }

  /** It has changed: from now on it waits for these, or for nothing. */
  waitFor(file: string, credentials: readonly string[] | undefined): void {
    if (credentials === undefined) this.#waiting.delete(file)
    else this.#waiting.set(file, credentials)
  }

  /** Deploys what waited for them. */
  async credentialsChanged(changes: readonly CredentialChange[]): Promise<void> {
    const changed = new Set(changes.map(({ name }) => name))
    // Flows that are read again may well wait for a credential that lacks its secret.
    const { readAgain } = this.#setting
    const there = new Set(
      changes.filter(({ outcome }) => readAgain || NOW_USABLE.has(outcome)).map(({ name }) => name),
    )
    for (const entry of this.#setting.project.flows) {
      const wanted = this.#waiting.get(entry.file)
      if (wanted?.some((name) => changed.has(name))) await this.#startAgain(entry)
      else this.#tellRestart(entry, there)
    }
  }

  /** It is prepared anew: what its credentials say could not be checked before. */
  async #startAgain(entry: ProjectFlow): Promise<void> {
    const { project, engine, log } = this.#setting
    const { name } = entry
    if (entry.lacking().length > 0) return
    const { prepared, problems, lacking } = await project.prepareAgain(entry)
    if (prepared && lacking().length === 0) {
      engine.deploy(prepared)
      this.#waiting.delete(entry.file)
      log.info({ flow: name }, `the flow "${name}" runs now: its credentials are complete`)
      return
    }
    prepared?.stop()
    if (prepared) return
    for (const problem of problems) if (problem.severity === 'error') tellProblem(problem, log)
    log.error(
      { flow: name },
      `the credentials of the flow "${name}" are complete, but it has mistakes and does not start`,
    )
  }

  /** A flow whose only mistake was that there was no such credential is read again at the next start. */
  #tellRestart({ name, flow, prepared, problems, unknown }: ProjectFlow, now: ReadonlySet<string>): void {
    const { material, log, readAgain } = this.#setting
    const there = unknown.filter((credential) => now.has(credential))
    const others = problems.some(
      ({ severity, code }) => severity === 'error' && code !== 'credential/unknown',
    )
    if (prepared || flow?.enabled === false || there.length === 0 || others) return
    if (unknown.some((credential) => !material.info(credential))) return
    if (readAgain) return readAgain()
    log.warn(
      { flow: name },
      `credential "${there[0]}" is there now; the flow "${name}", which could not start without it, runs after a reload: sluice reload`,
    )
  }
}
