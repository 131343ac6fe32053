import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Problem } from '../core/problem.ts'

export interface EnvironmentFile {
  readonly values: Readonly<Record<string, string>>
  readonly problems: readonly Problem[]
}

/** What `${env:X}` sees: the real environment, and below it the `.env` file of the project folder where there is one. */
export async function readEnvironment(
  projectFolder: string,
  real: Readonly<Record<string, string | undefined>>,
  problem?: (problem: Problem) => void,
): Promise<Readonly<Record<string, string | undefined>>> {
  let text: string
  try {
    text = await readFile(join(projectFolder, '.env'), 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
    if (code !== 'ENOENT') problem?.(unreadable(code))
    return real
  }
  const { values, problems } = readEnvironmentFile('.env', text)
  if (problem) problems.forEach(problem)
  return { ...values, ...real }
}

function unreadable(code: string): Problem {
  return {
    code: 'environment/unreadable',
    severity: 'warning',
    message: `".env" cannot be read (${code})`,
    hint: 'Make it readable for the user of the engine, or remove it.',
    file: '.env',
    line: 1,
    column: 1,
  }
}

const LINE =
  /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=[^\S\n]*(?:'([^']*)'|"((?:[^"\\]|\\[^])*)"|((?!['"])[^\n]*?))[^\S\n]*(?:(?<=[\s'"])#[^\n]*)?$/

/**
 * Reads `KEY=VALUE` lines: `#` begins a comment at the start of a line or after a space, `'...'` is taken as it is,
 * `"..."` knows `\n`, `\r`, `\t`, `\"`, `\\` and may go over several lines, `export` is skipped.
 */
export function readEnvironmentFile(file: string, text: string): EnvironmentFile {
  const values: Record<string, string> = {}
  const problems: Problem[] = []
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/)
  for (let first = 0; first < lines.length; first++) {
    if (/^\s*(#|$)/.test(lines[first]!)) continue
    let next = first
    let entry = LINE.exec(lines[first]!)
    if (opensQuote(lines[first]!)) {
      let whole = lines[first]!
      while (opensQuote(whole) && next + 1 < lines.length) whole += `\n${lines[++next]!}`
      entry = opensQuote(whole) ? null : LINE.exec(whole)
    }
    if (entry) {
      values[entry[1]!] = entry[2] ?? (entry[3] === undefined ? entry[4]! : unescape(entry[3]))
      first = next
    } else
      problems.push({
        code: 'environment/line',
        severity: 'warning',
        message: 'this line is no KEY=VALUE; it is skipped',
        hint: 'Write NAME=value, NAME="value" or # comment; quotes must be closed.',
        file,
        line: first + 1,
        column: 1,
      })
  }
  return { values, problems }
}

/** Begins a quoted value that does not end. */
function opensQuote(text: string): boolean {
  return /^\s*(?:export\s+)?[A-Za-z_][A-Za-z0-9_]*\s*=[^\S\n]*(?:'[^']*|"(?:[^"\\]|\\[^])*)$/.test(text)
}

const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\' }

function unescape(text: string): string {
  return text.replace(/\\([^])/g, (whole, character: string) => ESCAPES[character] ?? whole)
}
