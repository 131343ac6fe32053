import type { Problem } from '../core/problem.ts'
import type { Logger } from '../core/services.ts'
import type { Clock } from '../core/world.ts'
import type { CredentialChange, Outcome } from './credential-change.ts'
import type { SecurityMaterial } from './material.ts'
import { Watch } from './watch.ts'

export interface MaterialWatchSetting {
  readonly material: SecurityMaterial
  readonly clock: Clock
  readonly log: Logger
  /** The security material. Absolute. */
  readonly folder: string
  /** Flows that run and use a credential of this name. */
  readonly usedBy: (name: string) => readonly string[]
  /** Gets what is different, once it is in force. */
  readonly loaded: (changes: readonly CredentialChange[]) => Promise<void>
  /** Who shows problems in a better way than the log: gets all that there are each time. */
  readonly tellProblems?: (problems: readonly Problem[]) => void
}

/** From now on, until it is closed, credentials and secrets are read again when their files change. */
export function watchMaterial(setting: MaterialWatchSetting): Watch {
  const { clock, log, folder, material, loaded, tellProblems } = setting
  let trouble = ''
  let found: readonly Problem[] = []

  /** False: a folder cannot be read, so nothing is known of what is in it, and all stays as it is. */
  async function reload(): Promise<boolean> {
    const { files, problems } = await material.read(folder)
    const former = trouble
    trouble = problems.map(({ file, message }) => `${file} ${message}`).join()
    if (trouble === '') {
      const changes: CredentialChange[] = []
      found = material.load(files, (change) => changes.push(change))
      for (const change of changes) tellChange(change, setting)
      tellProblems?.(found)
      await loaded(changes)
    } else if (trouble !== former) {
      if (tellProblems) tellProblems([...found, ...problems])
      else for (const problem of problems) tellProblem(problem, log)
      log.warn({}, 'the credentials stay as they were')
    }
    return trouble === '' && !material.isDoubtful()
  }

  return new Watch({
    clock,
    log,
    what: 'credentials',
    folder,
    files: () => material.files(),
    changed: reload,
  })
}

/** A problem as a line of the log. */
export function tellProblem(
  { severity, code, file, line, column, message, hint }: Problem,
  log: Logger,
): void {
  const fields = { code, ...(hint !== undefined && { hint }) }
  log[severity === 'error' ? 'error' : 'warn'](fields, `${file}:${line}:${column}: ${message}`)
}

const TELL: Readonly<
  Record<Outcome, ((name: string, file: string) => readonly ['info' | 'warn', string]) | undefined>
> = {
  added: (name) => ['info', `credential "${name}" was added`],
  changed: (name) => ['info', `credential "${name}" was changed; it takes effect with the next request`],
  removed: (name) => ['info', `credential "${name}" was removed`],
  completed: (name) => ['info', `credential "${name}" has all that it needs now`],
  incomplete: (name) => ['warn', `credential "${name}" is incomplete`],
  kept: (name) => ['warn', `credential "${name}": the version before stays in force`],
  broken: (name, file) => ['warn', `${file} has mistakes; there is no credential "${name}"`],
  mended: (name) => ['info', `credential "${name}" is in order again, and as it was`],
  noted: undefined,
}

/** Without it, requests fail. */
const ENDED: ReadonlySet<Outcome> = new Set(['removed', 'incomplete'])

function tellChange(
  { name, file, outcome, problems }: CredentialChange,
  { log, usedBy, tellProblems }: MaterialWatchSetting,
): void {
  if (!tellProblems) for (const problem of problems) tellProblem(problem, log)
  const told = TELL[outcome]?.(name, file)
  if (!told) return
  const flows = ENDED.has(outcome) ? usedBy(name).map((flow) => `"${flow}"`) : []
  if (flows.length === 0) log[told[0]]({ credential: name }, told[1])
  else
    log.warn(
      { credential: name },
      `${told[1]}; requests of ${flows.length === 1 ? 'the flow' : 'the flows'} ${flows.join(', ')} fail without it`,
    )
}
