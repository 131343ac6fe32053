import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

const main = join(import.meta.dirname, '../../src/main.ts')

/** Why no test with a terminal can run here; undefined where they can. */
export const noTerminal: string | undefined =
  process.platform === 'win32' || spawnSync('python3', ['-c', 'import termios']).status !== 0
    ? 'python3, which makes the terminal, is missing'
    : undefined

export interface TerminalFact {
  readonly event: 'begun' | 'stopped' | 'ended'
  readonly pid: number
  /** Exit code; negative: the signal that ended it. */
  readonly code: number | null
  /** It took the keys one by one at some time. */
  readonly raw: boolean
  /** The terminal's mode is as it was at first. */
  readonly restored: boolean
}

export interface OnTerminal {
  press(keys: string): void
  /** Resolves to the match in what was shown after the one before. */
  shows(pattern: RegExp): Promise<RegExpExecArray>
  /** All that was shown, with its escape sequences. */
  output(): string
  fact(event: TerminalFact['event']): Promise<TerminalFact>
}

/** Runs the command line on a terminal of 80 columns, in `folder`; it is killed when the test ends. */
export function onTerminal(
  t: TestContext,
  folder: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): OnTerminal {
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(SLUICE|NODE_TEST|NODE_OPTIONS|NO_COLOR)/.test(name)),
  )
  const command = [process.execPath, '--disable-sigusr1', main, ...args]
  const child = spawn('python3', [join(import.meta.dirname, 'pty.py'), '80', '24', ...command], {
    cwd: folder,
    env: { ...clean, TERM: 'xterm', SLUICE_LISTEN: '127.0.0.1:0', ...environment },
    stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
  })
  const [stdin, stdout] = [child.stdin!, child.stdout!]
  const looks = new Set<() => void>()
  const look = () => {
    for (const one of looks) one()
  }
  let output = ''
  let from = 0
  stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    look()
  })
  let told = ''
  child.stdio[3]!.on('data', (chunk: Buffer) => {
    told += chunk.toString()
    look()
  })
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  t.after(async () => {
    stdin.end()
    await closed
  })
  /** Asks again whenever something came. */
  const until = <T>(what: string, find: () => T | undefined) =>
    new Promise<T>((resolve, reject) => {
      const one = () => {
        const found = find()
        if (found === undefined) return
        looks.delete(one)
        resolve(found)
      }
      looks.add(one)
      one()
      void closed.then(() => reject(new Error(`ended before ${what}:\n${output}\n${told}`)))
    })
  return {
    press: (keys) => void stdin.write(keys),
    shows: (pattern) =>
      until(String(pattern), () => {
        const match = pattern.exec(output.slice(from)) ?? undefined
        if (match) from += match.index + match[0].length
        return match
      }),
    output: () => output,
    fact: (event) =>
      until(event, () =>
        told
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as TerminalFact)
          .find((fact) => fact.event === event),
      ),
  }
}

/** Lines as they stood on the terminal one after the other, without colours and movements. */
export function shownLines(output: string): string[] {
  return output.replaceAll(/\x1b\[[0-9;?]*[A-Za-z]/g, '').split(/[\r\n]+/)
}
