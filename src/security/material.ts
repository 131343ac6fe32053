import type { Cancellation } from '../core/context.ts'
import type { CredentialReport } from '../core/control.ts'
import type { CredentialExplanation } from '../core/explanation.ts'
import type { FindableDestinations } from '../core/findable.ts'
import type { ParameterValue } from '../core/flow.ts'
import type { AnyCredentialKind, LentToken } from '../core/kinds.ts'
import { inOrder, type Problem } from '../core/problem.ts'
import type { SecretBackend } from '../core/secret-backend.ts'
import type { ConnectivityProxy, Credentials, EgressRules, Logger } from '../core/services.ts'
import type { StoredTokens } from '../core/stores.ts'
import type { World } from '../core/world.ts'
import { madeWith } from './credential-links.ts'
import type { CredentialChange } from './credential-change.ts'
import { CredentialEntry } from './credential-entry.ts'
import type { CredentialFile, Examined, ExamineSetting } from './credential-file.ts'
import { examineAll } from './examined-files.ts'
import { createFindableDestinations } from './findable-destinations.ts'
import { LoadedCredential } from './loaded-credential.ts'
import { readMaterial, type ReadMaterial } from './material-files.ts'
import { SHORTEST_SECRET, type Redactor } from './redaction.ts'
import type { ReferenceSources } from './references.ts'
import { RotationReminder } from './rotation-reminder.ts'
import { referencesIn, secretNamesIn } from './secret-file.ts'
import { SecretStore } from './secret-store.ts'

/** Files of the security material that are no credentials for requests. */
export interface OtherFiles {
  takes(file: CredentialFile): boolean
  /** Takes these files for all there is, at once. */
  load(files: readonly CredentialFile[], sources: ReferenceSources): Problem[]
  /** The problems of these files; nothing is changed. */
  check(files: readonly CredentialFile[], sources: ReferenceSources): Problem[]
  /** Absolute paths of the files that their references name. */
  readonly references?: readonly string[]
}

export interface MaterialSetting {
  readonly others?: OtherFiles
  readonly kinds: ReadonlyMap<string, AnyCredentialKind>
  /** Absolute. */
  readonly projectFolder: string
  readonly world: World
  readonly egress: EgressRules
  /** Left out: nothing goes by the Cloud Connector. */
  readonly connectivityProxy?: ConnectivityProxy
  readonly log: Logger
  readonly redactor: Redactor
  readonly storedTokens: StoredTokens
  /** The real one, and what `.env` adds. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Global parameters of sluice.yaml. */
  readonly parameters: Readonly<Record<string, ParameterValue>>
  /** The encrypted ones, and the key to them. Absolute; neither has to be there. */
  readonly secrets: { readonly file: string; readonly keyFile: string }
  /** Services outside that keep secrets. */
  readonly backends: readonly SecretBackend[]
  /** Secrets may be written in clear. */
  readonly dev: boolean
}

/** The named credentials of a project. */
export interface SecurityMaterial extends Credentials {
  /** Reads a folder, and decrypts or asks for what its files refer to, to be loaded or checked next. Absolute. */
  read(folder: string): Promise<ReadMaterial>
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
  /** For people: what a credential is, as its file says. Undefined: there is none of this name. */
  explanation(name: string): CredentialExplanation | undefined
  /** What other programs may have. In reach of the find-destination API only. */
  readonly destinations: FindableDestinations
  /** Something is there and could not be read: it should be tried again. */
  isDoubtful(): boolean
  /** Absolute paths of the files in which references find their values, to be watched. */
  files(): readonly string[]
  /**
   * Secrets of backends are asked for again by themselves from now on; tells when the folder should be read again.
   * Returns how to end that, with what is under way.
   */
  follow(changed: () => void): () => void
  /** The engine has started: credentials that want it fetch their first token. */
  warm(): void
  /** Warns in the log of secrets that are too old: now, and once a day until the end. */
  remind(): void
  /** Calls off the requests for tokens and secrets that are under way. */
  stop(): void
}

export function createSecurityMaterial(setting: MaterialSetting): SecurityMaterial {
  const entries = new Map<string, CredentialEntry>()
  const { clock } = setting.world
  const secrets = new SecretStore({ ...setting, ...setting.secrets })
  const { projectFolder, environment, parameters, backends } = setting
  const examining: ExamineSetting = {
    kinds: setting.kinds,
    sources: { projectFolder, environment, parameters, secret: (name) => secrets.value(name), backends },
    dev: setting.dev,
    egress: setting.egress,
    ...(setting.connectivityProxy && { connectivityProxy: setting.connectivityProxy }),
    now: () => clock.now(),
  }
  let started = false
  const reminder = new RotationReminder(clock, setting.log, () =>
    present().flatMap(({ loaded }) => loaded ?? []),
  )

  function entryOf(name: string): CredentialEntry {
    let entry = entries.get(name)
    if (!entry) entries.set(name, (entry = new CredentialEntry(name, names, clock)))
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
    return new LoadedCredential(source, { ...setting, borrow }, () => entry.loaded)
  }

  /** A fault of one leaves the others in peace; it is as a mistake of its file then. */
  function prepareAll(examined: Map<string, Examined>) {
    const prepared = new Map<string, LoadedCredential | undefined>()
    const faults: Problem[] = []
    for (const one of examined.values())
      try {
        prepared.set(one.name, prepare(one))
      } catch (error) {
        const fault = faultOf(one, error)
        setting.log.error({ err: error, credential: one.name }, `${one.file}: ${fault.message}`)
        faults.push(fault)
        const { source: _, ...rest } = one
        examined.set(one.name, { ...rest, problems: [...one.problems, fault], incomplete: false })
      }
    return { prepared, faults }
  }

  /** Goes on with the version that took the place of the one that was asked. */
  async function borrow(name: string, until: Cancellation): Promise<LentToken> {
    const entry = entryOf(name)
    const loaded = entry.current()
    try {
      return await loaded.lend(until)
    } catch (thrown) {
      if (until.cancelled || entry.loaded === loaded) throw thrown
      return entry.current().lend(until)
    }
  }

  /** References without a value of those that it is made with. */
  function unsetBehind(name: string): string[] {
    return [...madeWith(name, (at) => entries.get(at)?.examined?.links ?? [])].flatMap(
      (other) => entries.get(other)?.info()?.unset ?? [],
    )
  }

  /** What is made with a credential that is another one now is no longer good. */
  function followLinks(changed: ReadonlySet<string>): void {
    if (changed.size === 0) return
    for (const { name, loaded } of present()) {
      const others = madeWith(name, (at) => entries.get(at)?.examined?.links ?? [])
      if (!changed.has(name) && [...others].some((other) => changed.has(other)))
        loaded?.authorizer.invalidate?.()
    }
  }

  function begin({ name, loaded }: CredentialEntry): void {
    loaded?.authorizer.warm?.()
    for (const field of loaded?.shortSecrets ?? [])
      setting.log.warn(
        { credential: name },
        `"${field}" of credential "${name}" has fewer than ${SHORTEST_SECRET} characters: it cannot be redacted where something repeats it; use a longer one`,
      )
  }

  function stopBackends(): void {
    for (const backend of backends) backend.stop()
  }

  function examine(files: readonly CredentialFile[]) {
    const { examined, problems } = examineAll(files, examining)
    return { examined, problems: inOrder([...problems, ...secrets.problems]) }
  }

  return {
    async read(folder) {
      const read = await readMaterial(folder, projectFolder, setting.secrets.file)
      const named = (find: (text: string) => string[]) => read.files.flatMap(({ text }) => find(text))
      await Promise.all([
        secrets.open(named(secretNamesIn)),
        ...backends.map((one) => one.open(named((text) => referencesIn(text, one.kind)))),
      ])
      return read
    },
    load(all, tell) {
      const { own, other } = parted(all, setting.others)
      const { examined, problems: found } = examine(own)
      const { prepared, faults } = prepareAll(examined)
      const ofOthers = setting.others?.load(other, examining.sources) ?? []
      const problems = inOrder([...found, ...faults, ...ofOthers])
      const lacked = new Set(names().filter((name) => unsetBehind(name).length > 0))
      const changed = new Set<string>()
      for (const [name, entry] of entries) {
        const { loaded } = entry
        const change = entry.take(examined.get(name), prepared.get(name))
        if (entry.loaded !== loaded) changed.add(name)
        if (!change) continue
        if (started) begin(entry)
        tell?.(change)
      }
      followLinks(changed)
      for (const { name, examined: one, loaded } of present())
        if (loaded && !changed.has(name) && lacked.has(name) && unsetBehind(name).length === 0)
          tell?.({ name, file: one!.file, outcome: 'completed', problems: [] })
      reminder.look()
      return problems
    },
    check(all) {
      const { own, other } = parted(all, setting.others)
      return inOrder([...examine(own).problems, ...(setting.others?.check(other, examining.sources) ?? [])])
    },
    names,
    info(name) {
      const info = entries.get(name)?.info()
      return info && { ...info, unset: [...info.unset, ...unsetBehind(name)] }
    },
    reference: (name, type) => (type === undefined ? entryOf(name) : entryOf(name).ofType(type)),
    reports: (usedBy) => present().map((entry) => entry.report(usedBy(entry.name), clock.now())),
    explanation: (name) => entries.get(name)?.explanation(),
    destinations: createFindableDestinations({ of: (name) => entries.get(name), inOrder: present }, (text) =>
      setting.redactor.text(text),
    ),
    isDoubtful: () => present().some((entry) => entry.isDoubtful),
    files: () => [
      ...new Set([
        ...present().flatMap((entry) => entry.examined!.files),
        ...secrets.files,
        ...(setting.others?.references ?? []),
      ]),
    ],
    follow(changed) {
      for (const backend of backends) backend.follow(changed)
      return stopBackends
    },
    warm() {
      started = true
      for (const entry of entries.values()) begin(entry)
    },
    remind: () => reminder.start(),
    stop() {
      reminder.stop()
      stopBackends()
      for (const entry of entries.values()) entry.stop()
    },
  }
}

function faultOf({ name, file }: Examined, error: unknown): Problem {
  const kind = error instanceof Error ? error.name : 'fault'
  return {
    code: 'credential/fault',
    severity: 'error',
    message: `the credential "${name}" cannot be prepared (${kind}); that is a fault of Sluice`,
    hint: 'Report it, with what the log says and with this file, secrets left out.',
    file,
    line: 1,
    column: 1,
  }
}

function parted(files: readonly CredentialFile[], others: OtherFiles | undefined) {
  const own: CredentialFile[] = []
  const other: CredentialFile[] = []
  for (const file of files) (others?.takes(file) ? other : own).push(file)
  return { own, other }
}
