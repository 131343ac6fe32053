import type { Problem } from '../core/problem.ts'

const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,149}$/

export function isCredentialName(text: string): boolean {
  return NAME.test(text)
}

/** `shop` of `security-material/shop.yaml`. */
export function nameOf(file: string): string {
  return file.replace(/^.*[/\\]/, '').replace(/\.ya?ml$/i, '')
}

/**
 * The problem of a file whose name is none.
 * @param what `an issuer`
 * @param namedAs what such a file is named as
 */
export function fileProblem(file: string, what: string, namedAs = 'what it holds'): Problem[] {
  const name = nameOf(file)
  if (isCredentialName(name)) return []
  return [
    {
      code: 'credential/name',
      severity: 'error',
      message: `"${name}" cannot be the name of ${what}`,
      hint: `A file is named as ${namedAs}: a letter, then at most 149 letters, digits, "_", "." and "-".`,
      file,
      line: 1,
      column: 1,
    },
  ]
}

/** Whether a file of the security material says that it is of this type. */
export function isOfType({ text }: { readonly text: string }, type: string): boolean {
  const found = /^type:[ \t]*(["']?)([A-Za-z0-9]+)\1[ \t]*(?:#.*)?\r?$/m.exec(text)
  return found?.[2] === type
}
