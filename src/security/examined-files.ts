import type { Problem } from '../core/problem.ts'
import { examineFile, type CredentialFile, type Examined, type ExamineSetting } from './credential-file.ts'
import { linkProblems } from './credential-links.ts'

/** Reads all credentials of a project: each by itself, then what they say of each other. */
export function examineAll(
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
    problems.push(...own)
    examined.set(one.name, first ? { ...first, problems: [...first.problems, ...own] } : one)
  }
  for (const one of examined.values()) {
    const found = linkProblems(one, examined, setting.kinds)
    if (found.length === 0) continue
    const { source: _, ...rest } = one
    examined.set(one.name, { ...rest, problems: [...one.problems, ...found], incomplete: false })
    problems.push(...found)
  }
  return { examined, problems }
}
