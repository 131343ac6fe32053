import { inOrder } from '../core/problem.ts'
import type { CredentialFile } from '../security/credential-file.ts'
import type { OtherFiles } from '../security/material.ts'

/** Files of several types as one: each goes to the first that takes it. */
export function together(all: readonly OtherFiles[]): OtherFiles {
  const parted = (files: readonly CredentialFile[]) => {
    const parts = all.map((one) => [one, [] as CredentialFile[]] as const)
    for (const file of files) parts.find(([one]) => one.takes(file))?.[1].push(file)
    return parts
  }
  return {
    get references() {
      return all.flatMap(({ references }) => references ?? [])
    },
    takes: (file) => all.some((one) => one.takes(file)),
    load: (files, sources) => inOrder(parted(files).flatMap(([one, own]) => one.load(own, sources))),
    check: (files, sources) => inOrder(parted(files).flatMap(([one, own]) => one.check(own, sources))),
  }
}
