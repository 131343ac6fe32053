import { PassThrough } from 'node:stream'
import { logCommand } from '../../src/commands/log.ts'
import { Stop, type CommandIo } from '../../src/commands/command.ts'

export interface Shown {
  readonly exitCode: number
  readonly out: string
  readonly err: string
}

/** Runs `sluice log` on a data folder. */
export async function log(
  folder: string,
  args: string[],
  options: object = {},
  io: Partial<CommandIo> = {},
): Promise<Shown> {
  let out = ''
  let err = ''
  const whole: CommandIo = {
    stdout: (text) => void (out += text),
    stderr: (text) => void (err += text),
    stdin: new PassThrough(),
    color: false,
    colorErrors: false,
    terminal: false,
    columns: 120,
    workingFolder: folder,
    projectFolder: folder,
    environment: { SLUICE_DATA: folder },
    signal: new AbortController().signal,
    ...io,
  }
  try {
    return { exitCode: await logCommand.run(whole, args, { ...options }), out, err }
  } catch (error) {
    if (!(error instanceof Stop)) throw error
    return { exitCode: error.exitCode, out, err: err + error.message }
  }
}
