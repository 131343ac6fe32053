import type { Problem } from '../core/problem.ts'
import type { UnsetReference } from './references.ts'

/** What a credential still needs. */
export function unsetWarnings(credential: string, unset: readonly UnsetReference[]): Problem[] {
  return unset.map(({ reference, why, hint, place }) => {
    const what = describeReference(reference)
    return {
      code: 'credential/unset',
      severity: 'warning' as const,
      message: `${what} ${why}; the credential "${credential}" needs it`,
      hint:
        hint ??
        (reference.startsWith('env:')
          ? 'Set it in the environment or in the .env file of the project folder.'
          : 'Put the secret there.'),
      ...place,
    }
  })
}

/** `env:X` as people call it: `the environment variable "X"`. */
export function describeReference(reference: string): string {
  const colon = reference.indexOf(':')
  const what = WORDS[reference.slice(0, colon).trim()] ?? 'the secret'
  return `${what} "${reference.slice(colon + 1).trim()}"`
}

const WORDS: Readonly<Record<string, string>> = {
  env: 'the environment variable',
  file: 'the file',
  secret: 'the secret',
  vault: 'the Vault secret',
}
