import type { Readable } from 'node:stream'
import type { Faults } from '../faults.ts'
import type { DocumentedCommand } from '../reference/pages.ts'
import type { Terminal } from '../terminal.ts'

/** What a command may touch: nothing else of the process. */
export interface CommandIo {
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
  readonly stdin: Readable
  /** Whether to use colours on standard output. */
  readonly color: boolean
  /** Whether to use colours on standard error. */
  readonly colorErrors: boolean
  /** Standard error is read by a person. */
  readonly terminal: boolean
  /** Width of the terminal; a generous number where there is none. */
  readonly columns: number
  /** Absolute; where the command was typed. */
  readonly workingFolder: string
  /** Absolute; the working folder where no `--project` is given. */
  readonly projectFolder: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** What lets others read secrets of this process, a sentence each. */
  readonly exposed?: readonly string[]
  /** Aborts on Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal
  /** Calls `action` at each SIGHUP. */
  readonly onHangup?: (action: () => void) => void
  /** Tells the program that started this one that the engine serves. */
  readonly ready?: () => void
  /** Who tells of errors that nobody expected: wants to know what is a secret. */
  readonly faults?: Faults
  /** There where standard output is a terminal on which lines can be drawn again. */
  readonly screen?: Terminal
}

export interface CommandDefinition extends DocumentedCommand {
  /** Returns the exit code: 0 fine, 1 problems or a failed run. */
  run(io: CommandIo, args: string[], options: Record<string, unknown>): Promise<number>
}

/** Ends a command with an exit code and, where there is something to say, a message on standard error. */
export class Stop extends Error {
  readonly exitCode: number

  constructor(exitCode: number, message = '') {
    super(message)
    this.exitCode = exitCode
  }
}

/** The command was called wrongly: exit code 2. */
export class UsageError extends Stop {
  constructor(message: string) {
    super(2, message)
  }
}

/** An option as it is typed: `baseUrl` -> `--base-url`. */
export function flagOf(option: string): string {
  return `--${option.replaceAll(/[A-Z]/g, '-$&').toLowerCase()}`
}
