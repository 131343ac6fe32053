import { PassThrough, Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import type { CommandIo } from '../../src/commands/command.ts'
import { runCommandLine } from '../../src/commands/index.ts'
import { projectFolder } from './project.ts'

export interface CommandSetting {
  /** Standard input. */
  readonly input?: string
  /** The project; a new one of the files when left out. */
  readonly folder?: string
  readonly environment?: Record<string, string>
  readonly columns?: number
  readonly terminal?: boolean
  /** A person at a terminal types these lines. */
  readonly answers?: readonly string[]
  /** After the answers comes Ctrl-D. */
  readonly answersEnd?: boolean
  readonly signal?: AbortSignal
  /** Gets what is written to standard error, when it is written. */
  readonly onStderr?: (text: string) => void
  /** The same of standard output. */
  readonly onStdout?: (text: string) => void
}

/** Runs a command line in this process. */
export async function sluice(
  t: TestContext,
  args: string[],
  files: Record<string, string> = {},
  setting: CommandSetting = {},
) {
  const folder = setting.folder ?? projectFolder(t, files)
  let stdout = ''
  let stderr = ''
  const io: Omit<CommandIo, 'projectFolder'> = {
    stdout(text) {
      stdout += text
      setting.onStdout?.(text)
    },
    stderr(text) {
      stderr += text
      setting.onStderr?.(text)
    },
    stdin: setting.answers
      ? typing(setting.answers, setting.answersEnd)
      : setting.input === undefined
        ? new PassThrough()
        : Readable.from([Buffer.from(setting.input)]),
    color: false,
    colorErrors: false,
    terminal: setting.terminal ?? setting.answers !== undefined,
    columns: setting.columns ?? 200,
    workingFolder: folder,
    environment: setting.environment ?? {},
    signal: setting.signal ?? new AbortController().signal,
  }
  const code = await runCommandLine(args, io)
  return { code, stdout, stderr, folder }
}

/** A terminal, which stays open after the lines unless they are all. */
function typing(lines: readonly string[], end = false): Readable {
  const stdin = Object.assign(new PassThrough(), { isTTY: true })
  for (const line of lines) stdin.write(`${line}\n`)
  if (end) stdin.end()
  return stdin
}
