import { nearest, type Problem } from './core/problem.ts'
import { KEY_VARIABLE } from './security/secret-keys.ts'

const PREFIX = 'SLUICE_'

/** Variables that look like a setting and are none. Parameters have their own. @param known `SLUICE_LISTEN` and the like */
export function strayVariables(
  environment: Readonly<Record<string, string | undefined>>,
  known: readonly string[],
): Problem[] {
  const words = known.map((name) => name.slice(PREFIX.length)).filter((word) => word !== 'PARAMETERS')
  return Object.keys(environment)
    .filter((name) => name.startsWith(PREFIX) && name !== KEY_VARIABLE && !/^SLUICE_PARAM(_|$)/.test(name))
    .map((name) => name.slice(PREFIX.length))
    .filter((word) => !words.includes(word))
    .flatMap((word) => {
      const near = nearest(word, words)
      if (near === undefined) return []
      return {
        code: 'setting/unknown-variable',
        severity: 'warning',
        message: `there is no setting for "${PREFIX}${word}"; did you mean "${PREFIX}${near}"?`,
        file: `environment variable ${PREFIX}${word}`,
        line: 0,
        column: 0,
      }
    })
}
