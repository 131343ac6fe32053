import type { ReadStream, WriteStream } from 'node:tty'

/** The terminal in front of a person, for a command that stays on it. */
export interface Terminal {
  columns(): number
  rows(): number
  onResize(action: () => void): void
  /** Takes the keys until the returned function is called. Left out where standard input is no terminal. */
  readonly takeKeys?: (keys: Keys) => () => void
  /** As Ctrl-C does: the first time the command's signal aborts, the second time the process ends at once. */
  interrupt(): void
  /** As Ctrl-Z does. */
  suspend(): void
}

export interface Keys {
  /** A character, or the sequence that the terminal sends for a key: `\x1b[A`. */
  pressed(key: string): void
  /** The process is about to be stopped; the terminal is as it was before. */
  left(): void
  /** It goes on. */
  back(): void
}

/** A terminal may send several at once. */
const KEY = /\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Z])|[^]/gu

/** What is needed of the process. */
export interface TerminalProcess {
  readonly pid: number
  kill(pid: number, signal: NodeJS.Signals): unknown
  on(event: 'SIGTSTP' | 'SIGCONT', action: () => void): unknown
  off(event: 'SIGTSTP' | 'SIGCONT', action: () => void): unknown
}

/** Undefined where lines cannot be drawn again. */
export function terminalOf(
  input: ReadStream,
  output: WriteStream,
  process: TerminalProcess,
  interrupt: () => void,
  kind: string | undefined,
): Terminal | undefined {
  if (!output.isTTY || kind === 'dumb') return undefined
  return {
    columns: () => output.columns || 80,
    rows: () => output.rows || 24,
    onResize: (action) => void output.on('resize', action),
    interrupt,
    // The whole group, as the terminal does it: npx waits for this process, and the shell for npx.
    suspend: () => void process.kill(0, 'SIGTSTP'),
    ...(input.isTTY && { takeKeys: (keys) => takeKeys(input, process, keys) }),
  }
}

/** Node puts the terminal back when the process ends; here it is done where the process goes on, or stops. */
function takeKeys(input: ReadStream, process: TerminalProcess, keys: Keys): () => void {
  const onData = (data: Buffer) => {
    for (const [key] of data.toString('utf8').matchAll(KEY)) keys.pressed(key)
  }
  const begin = () => {
    input.setRawMode(true)
    input.off('data', onData).on('data', onData)
    input.resume()
  }
  const end = () => {
    input.off('data', onData)
    input.pause()
    // A terminal that is gone takes no mode any more.
    if (!input.destroyed) input.setRawMode(false)
  }
  const onStop = () => {
    end()
    keys.left()
    process.kill(process.pid, 'SIGSTOP')
  }
  const onContinue = () => {
    begin()
    keys.back()
  }
  const onError = () => {}
  input.on('error', onError)
  process.on('SIGTSTP', onStop)
  process.on('SIGCONT', onContinue)
  begin()
  return () => {
    process.off('SIGTSTP', onStop)
    process.off('SIGCONT', onContinue)
    end()
  }
}
