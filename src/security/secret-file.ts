import type { Place, Problem } from '../core/problem.ts'

/** A secret as its line says it. */
export interface EncryptedSecret {
  readonly name: string
  /** RFC 3339, UTC: when it was set. */
  readonly changed: string
  /** An age file in base64. */
  readonly encrypted: string
  readonly place: Place
}

/** The encrypted secrets of a project: who can read them is told, what they are is not. */
export interface SecretFile {
  /** `age1...`, of those whose keys open it. */
  readonly recipients: readonly string[]
  readonly secrets: ReadonlyMap<string, EncryptedSecret>
}

export interface ReadSecretFile {
  /** Absent where it cannot be told what it says. */
  readonly content?: SecretFile
  readonly problems: readonly Problem[]
}

const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,149}$/
const RECIPIENT = /^ {2}- (age1[0-9a-z]+)$/
const SECRET = /^ {2}([A-Za-z][A-Za-z0-9_.-]*): (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) ([A-Za-z0-9+/]+={0,2})$/
/** The last line. Where it is missing, so may be others. */
const END = '...'

const HEAD = `# Secrets, each encrypted with age for the recipients below: may be committed.
# Credentials say \${secret:NAME}. \`sluice secret set NAME\` writes a line here.
`

export function isSecretName(text: string): boolean {
  return NAME.test(text)
}

/** Names of the secrets that a credential's text refers to; comments do not count. */
export function secretNamesIn(text: string): string[] {
  return referencesIn(text, 'secret')
}

/** What stands behind `kind:` in the references of a text; comments do not count. @param kind a word */
export function referencesIn(text: string, kind: string): string[] {
  if (!text.includes('${')) return []
  const marks = new RegExp(`(?<!\\$)\\$\\{\\s*${kind}\\s*:\\s*([^}]*?)\\s*\\}`, 'g')
  const names = new Set<string>()
  for (const line of text.split('\n')) {
    if (/^\s*#/.test(line)) continue
    for (const [, name] of line.matchAll(marks)) names.add(name!)
  }
  return [...names]
}

/** Names in order, so that two branches that add different secrets seldom meet in one line. */
export function printSecretFile({ recipients, secrets }: SecretFile): string {
  const lines = [...secrets.values()]
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, changed, encrypted }) => `  ${name}: ${changed} ${encrypted}\n`)
  const list = recipients.map((recipient) => `  - ${recipient}\n`).join('')
  return `${HEAD}recipients:\n${list}secrets:\n${lines.join('')}${END}\n`
}

/**
 * Reads what `printSecretFile` wrote: lines, of which empty ones and comments are skipped. A line that is none of it
 * has its problem; the others hold.
 */
export function readSecretFile(file: string, text: string): ReadSecretFile {
  const problems: Problem[] = []
  const recipients: string[] = []
  const secrets = new Map<string, EncryptedSecret>()
  const report = (line: number, written: string, message: string, hint: string) =>
    problems.push({
      code: 'secret/file',
      severity: 'error',
      message,
      hint,
      ...placeOf(file, line, written, 1, written.length),
    })
  let section = ''
  let ended = false
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/)
  for (const [index, line] of lines.entries()) {
    const number = index + 1
    if (/^\s*(#|$)/.test(line)) continue
    if (section === '' && /^type:/.test(line)) {
      report(
        number,
        line,
        `this file holds the encrypted secrets; it is no credential`,
        'Give the credential another name, or name another file in the setting secret.file.',
      )
      return { problems }
    }
    if (/^(<{7}|={7}|>{7}|\|{7})/.test(line)) {
      report(
        number,
        line,
        'a conflict of a merge is left here',
        'Keep the lines of both sides; of one secret the newer line.',
      )
      return { problems }
    }
    if (ended) {
      report(number, line, `there is something after "${END}"`, RESTORE)
      break
    }
    if (line === END) ended = true
    else if (line === 'recipients:' || line === 'secrets:') section = line
    else if (section === 'recipients:' && RECIPIENT.test(line)) recipients.push(RECIPIENT.exec(line)![1]!)
    else {
      const [, name, changed, encrypted] = (section === 'secrets:' && SECRET.exec(line)) || []
      if (name === undefined || !isSecretName(name)) {
        if (isLast(lines, index)) break
        report(number, line, `this is no line of a secret file`, RESTORE)
      } else if (secrets.has(name))
        report(number, line, `the secret "${name}" is here twice`, 'Keep the newer of the two lines.')
      else
        secrets.set(name, {
          name,
          changed: changed!,
          encrypted: encrypted!,
          place: placeOf(file, number, line, 3, 3 + name.length),
        })
    }
  }
  if (!ended) {
    const last = lines.findLastIndex((line) => line !== '')
    report(
      last + 1,
      lines[last] ?? '',
      last < 0 ? 'the file is empty' : `the file is half-written: it does not end with a line "${END}"`,
      RESTORE_ALL,
    )
    return { problems }
  }
  if (recipients.length === 0) {
    report(
      1,
      lines[0]!,
      'no recipients are named: it is not known for whom to encrypt',
      '`sluice secret key` shows the one of your key; write it as "  - age1..." under "recipients:".',
    )
  }
  return { content: { recipients, secrets }, problems }
}

const RESTORE = 'Take it from version control, or remove the line and set its secret anew.'
const RESTORE_ALL = `Take the file from version control or a backup. Without one, put a line "${END}" in place of the last line, and set what is missing anew.`

/** A line that was cut off is told of as the end that is missing. */
function isLast(lines: readonly string[], index: number): boolean {
  return lines.slice(index + 1).every((line) => line === '')
}

/** @param from column, 1-based @param to column behind the last one */
function placeOf(file: string, line: number, written: string, from: number, to: number): Place {
  return {
    file,
    line: Math.max(1, line),
    column: from,
    endLine: Math.max(1, line),
    endColumn: Math.max(from + 1, Math.min(to, written.length + 1)),
  }
}
