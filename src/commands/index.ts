import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Command, CommanderError, Option } from 'commander'
import { Faults } from '../faults.ts'
import { version } from '../version.ts'
import { checkCommand } from './check.ts'
import { Stop, UsageError, type CommandDefinition, type CommandIo } from './command.ts'
import { credentialInvalidateCommand } from './credential-invalidate.ts'
import { credentialTestCommand } from './credential-test.ts'
import { credentialListCommand, credentialShowCommand } from './credential.ts'
import { devCommand } from './dev.ts'
import { docsCommand } from './docs.ts'
import { flowListCommand, flowShowCommand } from './flow.ts'
import { initCommand } from './init.ts'
import { logCommand } from './log.ts'
import { newCredentialCommand } from './new-credential.ts'
import { newFlowCommand } from './new-flow.ts'
import { reloadCommand } from './reload.ts'
import { runCommand } from './run.ts'
import { secretKeyCommand, secretRekeyCommand } from './secret-key.ts'
import { secretSetCommand } from './secret-set.ts'
import { secretListCommand, secretRemoveCommand } from './secret.ts'
import { startCommand } from './start.ts'

/** Every command, in the order of the help. */
export const commands: readonly CommandDefinition[] = [
  initCommand,
  newFlowCommand,
  newCredentialCommand,
  startCommand,
  devCommand,
  checkCommand,
  runCommand,
  reloadCommand,
  flowListCommand,
  flowShowCommand,
  credentialListCommand,
  credentialShowCommand,
  credentialTestCommand,
  credentialInvalidateCommand,
  secretSetCommand,
  secretListCommand,
  secretRemoveCommand,
  secretRekeyCommand,
  secretKeyCommand,
  logCommand,
  docsCommand(() => commands),
]

const GROUPS: Readonly<Record<string, string>> = {
  new: 'Writes a new flow or credential, with all its options explained.',
  flow: 'Lists and shows flows.',
  credential: 'Lists, shows and tries credentials; never tells a secret.',
  secret: 'Keeps secrets encrypted in a file that may be committed.',
}

/** What the command line gets; its options say the rest. */
type GivenIo = Omit<CommandIo, 'projectFolder'>

/**
 * Runs a command line; returns the exit code: 0 fine, 1 problems, 2 wrong usage, 3 a fault. With a fault that nobody
 * catches the process ends with 3, too (`main.ts`).
 */
export async function runCommandLine(argv: readonly string[], given: GivenIo): Promise<number> {
  let exitCode = 0
  const faults = given.faults ?? new Faults()
  const io = { ...given, faults }
  const say = (text: string) => io.stderr(`sluice: ${faults.redact(text)}\n`)
  const program = commandLine(io, (code) => (exitCode = code))
  try {
    await program.parseAsync(argv, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (error instanceof Stop) {
      if (error.message !== '') say(error.message)
      return error.exitCode
    }
    if (isKnown(error)) say(error.hint === undefined ? error.message : `${error.message}\n  ${error.hint}`)
    else say(`a fault: ${faults.describe(error)}`)
    return 3
  }
}

/** What the app says in its own words: the data folder or the address cannot be had. */
function isKnown(error: unknown): error is Error & { hint?: string } {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return code !== undefined && /^(store\.|SLUICE_)/.test(code)
}

function commandLine(io: GivenIo, done: (code: number) => void): Command {
  const program = new Command('sluice')
    .description('Integration flows in YAML, with credentials that no flow ever sees.')
    .version(version)
    .option('-C, --project <folder>', 'project folder (default: here)')
    .exitOverride()
    .showHelpAfterError('(--help shows how it is used)')
    .configureOutput({
      writeOut: io.stdout,
      writeErr: io.stderr,
      getOutHelpWidth: () => Math.min(io.columns, 120),
      getErrHelpWidth: () => Math.min(io.columns, 120),
    })
    .addHelpText(
      'after',
      '\nFirst steps: `sluice init`, `sluice check`, `sluice start`, `sluice log --follow`.',
    )
  program.helpCommand('help [command]', 'help for a command')
  const groups = new Map<string, Command>()
  for (const definition of commands) {
    const [first, second] = definition.name.split(' ')
    let parent = program
    if (second !== undefined) {
      parent = groups.get(first!) ?? program.command(first!).description(GROUPS[first!]!)
      groups.set(first!, parent)
    }
    const command = parent.command(second ?? first!).description(definition.summary)
    for (const argument of definition.arguments ?? [])
      command.argument(argument.optional ? `[${argument.name}]` : `<${argument.name}>`, argument.description)
    for (const { flags, description, repeatable } of definition.options) {
      const option = new Option(flags, description)
      if (repeatable)
        option.argParser((text: string, earlier: string[] | undefined) => [...(earlier ?? []), text])
      command.addOption(option)
    }
    command.addHelpText('after', helpTail(definition))
    command.action(async (...received: unknown[]) => {
      const options = received.at(-2) as Record<string, unknown>
      const args = received.slice(0, -2).filter((value): value is string => typeof value === 'string')
      const projectFolder = await projectFolderOf(program.opts()['project'] as string | undefined, io)
      done(await definition.run({ ...io, projectFolder }, args, options))
    })
  }
  return program
}

async function projectFolderOf(given: string | undefined, { workingFolder }: GivenIo): Promise<string> {
  if (given === undefined) return workingFolder
  const folder = resolve(workingFolder, given)
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => error)
  if (found instanceof Error)
    throw new UsageError(
      `--project: ${found.code === 'ENOENT' ? `there is no folder "${given}"` : `cannot read "${given}" (${found.code})`}`,
    )
  if (!found.isDirectory()) throw new UsageError(`--project: "${given}" is no folder`)
  return folder
}

function helpTail({ examples, details }: CommandDefinition): string {
  const parts = [
    details,
    examples.length === 0 ? undefined : `Examples:\n${examples.map((line) => `  ${line}`).join('\n')}`,
  ]
  return `\n${parts.filter((part) => part !== undefined).join('\n\n')}`
}
