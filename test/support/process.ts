import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts')

export interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly pid: number
  /** Both outputs so far. */
  output(): string
  /** Resolves to the match as soon as the output has one. */
  shows(pattern: RegExp): Promise<RegExpExecArray>
  kill(signal: NodeJS.Signals): void
  readonly ended: Promise<Ended>
}

/** Starts the command line in a process of its own, in `folder`; it is killed when the test ends. */
export function startCommand(
  t: TestContext,
  folder: string,
  args: readonly string[],
  environment: Record<string, string> = {},
  input?: string,
): Running {
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(SLUICE|NODE_TEST|NODE_OPTIONS)/.test(name)),
  )
  const child = spawn(process.execPath, ['--disable-sigusr1', main, ...args], {
    cwd: folder,
    env: { ...clean, SLUICE_LISTEN: '127.0.0.1:0', ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.end(input)
  const waiting = new Set<() => void>()
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
    for (const look of waiting) look()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
    for (const look of waiting) look()
  })
  const ended = new Promise<Ended>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr })),
  )
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return {
    pid: child.pid!,
    output: () => stdout + stderr,
    shows: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(stdout + stderr)
          if (!match) return
          waiting.delete(look)
          resolve(match)
        }
        waiting.add(look)
        look()
        void ended.then(({ code }) =>
          reject(new Error(`ended with ${code} before it showed ${pattern}:\n${stdout}${stderr}`)),
        )
      }),
    kill: (signal) => void child.kill(signal),
    ended,
  }
}

/** `sluice start` up to where it serves. */
export async function startEngine(
  t: TestContext,
  folder: string,
  environment: Record<string, string> = {},
): Promise<Running & { readonly url: string }> {
  const running = startCommand(t, folder, ['start'], environment)
  const [, url] = await running.shows(/Sluice \S+ on (\S+)/)
  await running.shows(/Ctrl-C stops it/)
  return { ...running, url: url! }
}
