import type { CredentialReport } from '../core/control.ts'
import type { ParameterValue } from '../core/flow.ts'
import type { AnyCredentialKind } from '../core/kinds.ts'
import { inOrder, type Problem } from '../core/problem.ts'
import type { Credentials, EgressRules, Logger } from '../core/services.ts'
import type { World } from '../core/world.ts'
import type { CredentialChange } from './credential-change.ts'
import { CredentialEntry } from './credential-entry.ts'
import { examineFile, type CredentialFile, type Examined, type ExamineSetting } from './credential-file.ts'
import { LoadedCredential } from './loaded-credential.ts'
import type { Redactor } from './redaction.ts'
import { RotationReminder } from './rotation-reminder.ts'

export interface MaterialSetting {
  readonly kinds: ReadonlyMap<string, AnyCredentialKind>
  /** Absolute. */
  readonly projectFolder: string
  readonly world: World
  readonly egress: EgressRules
  readonly log: Logger
  readonly redactor: Redactor
  /** The real one, and what `.env` adds. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Global parameters of sluice.yaml. */
  readonly parameters: Readonly<Record<string, ParameterValue>>
  /** Secrets may be written in clear. */
  readonly dev: boolean
}

/** The named credentials of a project. */
export interface SecurityMaterial extends Credentials {
  /**
   * Takes these files for all there is, at once. What has not changed keeps its token; a file with mistakes leaves
   * the credential as it was before, if there was one.
   * @param tell gets what became of each credential that is not as it was
   */
  load(files: readonly CredentialFile[], tell?: (change: CredentialChange) => void): Problem[]
  /** The problems of these files; nothing is changed. */
  check(files: readonly CredentialFile[]): Problem[]
  /** For people: every credential, by name. */
  reports(usedBy: (name: string) => readonly string[]): CredentialReport[]
  /** Something is there and could not be read: it should be tried again. */
  isDoubtful(): boolean
  /** Absolute paths of the files that `${file:}` references name, to be watched. */
  files(): readonly string[]
  /** The engine has started: credentials that want it fetch their first token. */
  warm(): void
  /** Warns in the log of secrets that are too old: now, and once a day until the end. */
  remind(): void
  /** Calls off the token requests that are under way. */
  stop(): void
}

export function createSecurityMaterial(setting: MaterialSetting): SecurityMaterial {
  const entries = new Map<string, CredentialEntry>()
  const { clock } = setting.world
  const examining: ExamineSetting = {
    kinds: setting.kinds,
    sources: setting,
    dev: setting.dev,
    egress: setting.egress,
    now: () => clock.now(),
  }
  let started = false
  const reminder = new RotationReminder(clock, setting.log, () =>
    present().flatMap(({ loaded }) => loaded ?? []),
  )

  function entryOf(name: string): CredentialEntry {
    let entry = entries.get(name)
    if (!entry) entries.set(name, (entry = new CredentialEntry(name, names)))
    return entry
  }

  function present(): CredentialEntry[] {
    return [...entries.values()]
      .filter((entry) => entry.examined !== undefined)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  function names(): string[] {
    return present().map((entry) => entry.name)
  }

  function prepare({ name, source }: Examined): LoadedCredential | undefined {
    const entry = entryOf(name)
    if (!source || entry.loaded?.fingerprint === source.fingerprint) return undefined
    return new LoadedCredential(source, setting, () => entry.loaded)
  }

  return {
    load(files, tell) {
      const { examined, problems } = examineAll(files, examining)
      const prepared = new Map([...examined.values()].map((one) => [one.name, prepare(one)]))
      for (const [name, entry] of entries) {
        const change = entry.take(examined.get(name), prepared.get(name))
        if (!change) continue
        if (started) entry.loaded?.authorizer.warm?.()
        tell?.(change)
      }
      reminder.look()
      return problems
    },
    check: (files) => examineAll(files, examining).problems,
    names,
    info: (name) => entries.get(name)?.info(),
    reference: (name, type) => (type === undefined ? entryOf(name) : entryOf(name).ofType(type)),
    reports: (usedBy) => present().map((entry) => entry.report(usedBy(entry.name), clock.now())),
    isDoubtful: () => present().some((entry) => entry.isDoubtful),
    files: () => [...new Set(present().flatMap((entry) => entry.examined!.files))],
    warm() {
      started = true
      for (const entry of entries.values()) entry.loaded?.authorizer.warm?.()
    },
    remind: () => reminder.start(),
    stop() {
      reminder.stop()
      for (const entry of entries.values()) entry.loaded?.stop()
    },
  }
}

function examineAll(
  files: readonly CredentialFile[],
  setting: ExamineSetting,
): { examined: Map<string, Examined>; problems: Problem[] } {
  const examined = new Map<string, Examined>()
  const problems: Problem[] = []
  for (const file of files) {
    const one = examineFile(file, setting)
    const own = [...one.problems]
    const first = examined.get(one.name)
    if (first)
      own.push({
        code: 'credential/name',
        severity: 'error',
        message: `there are two credentials "${one.name}": ${first.file} and ${one.file}`,
        hint: 'Rename one of the files.',
        file: one.file,
        line: 1,
        column: 1,
      })
    examined.set(one.name, first ? { ...first, problems: [...first.problems, ...own] } : one)
    problems.push(...own)
  }
  return { examined, problems: inOrder(problems) }
}
