import type { Problem } from '../core/problem.ts'
import type { Examined } from './credential-file.ts'
import type { LoadedCredential } from './loaded-credential.ts'
import { ROTATE } from './rotation.ts'

/**
 * What became of a credential when its files were read again.
 * - `added`, `changed`, `removed`: from now on
 * - `completed`: its file was there; now it can be used
 * - `incomplete`: a reference has no value; it cannot be used
 * - `kept`: its file has mistakes, or something cannot be read; the version before stays in force
 * - `broken`: its file has mistakes, and there is no version before
 * - `mended`: that is over, and the version that stayed in force is what the file says
 * - `noted`: it is as it was, with new problems
 */
export type Outcome =
  | 'added'
  | 'changed'
  | 'removed'
  | 'completed'
  | 'incomplete'
  | 'kept'
  | 'broken'
  | 'mended'
  | 'noted'

export interface CredentialChange {
  readonly name: string
  /** As shown to people. */
  readonly file: string
  readonly outcome: Outcome
  /** Those that it did not have before. */
  readonly problems: readonly Problem[]
}

interface Version {
  readonly examined: Examined | undefined
  readonly loaded: LoadedCredential | undefined
}

/** Undefined: nothing that anyone has to know of. */
export function changeOf(name: string, before: Version, after: Version): CredentialChange | undefined {
  const file = (after.examined ?? before.examined)?.file
  if (file === undefined) return undefined
  const problems = newProblems(before.examined, after.examined)
  const outcome = outcomeOf(before, after, problems.length > 0)
  return outcome && { name, file, outcome, problems }
}

function outcomeOf(before: Version, { examined, loaded }: Version, more: boolean): Outcome | undefined {
  if (!examined) return before.examined && 'removed'
  if (loaded !== before.loaded) {
    if (!loaded) return 'incomplete'
    if (before.loaded) return 'changed'
    return before.examined ? 'completed' : 'added'
  }
  if (examined.source) {
    if (before.examined && !before.examined.source) return 'mended'
    return more ? 'noted' : undefined
  }
  if (!more && before.examined?.incomplete === examined.incomplete) return undefined
  if (loaded) return more ? 'kept' : undefined
  return examined.incomplete ? 'incomplete' : 'broken'
}

/** Wherever they stand now; the age of a secret is told by its own rule. */
function newProblems(before: Examined | undefined, after: Examined | undefined): Problem[] {
  const known = new Set(before?.problems.map(keyOf))
  return (after?.problems ?? []).filter((problem) => problem.code !== ROTATE && !known.has(keyOf(problem)))
}

function keyOf({ file, code, message }: Problem): string {
  return `${file} ${code} ${message}`
}
