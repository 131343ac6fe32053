import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Command, CommanderError, Option } from 'commander'
import { Faults } from '../faults.ts'
import { version } from '../version.ts'
import { auditCommand } from './audit.ts'
import { cancelCommand } from './cancel.ts'
import { checkCommand } from './check.ts'
import {
  clientDisableCommand,
  clientEnableCommand,
  clientGrantCommand,
  clientRemoveCommand,
  clientRevokeCommand,
} from './client/change.ts'
import { clientApiKeyCommand, clientRotateCommand } from './client/rotate.ts'
import { clientCertificateCommand } from './client/certificate.ts'
import { clientCreateCommand } from './client/create.ts'
import { clientListCommand, clientShowCommand } from './client/list.ts'
import { clientPublicKeyCommand } from './client/public-key.ts'
import { Stop, UsageError, type CommandDefinition, type CommandIo } from './command.ts'
import { credentialInvalidateCommand } from './credential-invalidate.ts'
import { credentialTestCommand } from './credential-test.ts'
import { credentialListCommand, credentialShowCommand } from './credential.ts'
import { devCommand } from './dev.ts'
import { docsCommand } from './docs.ts'
import { flowLevelCommand } from './flow-level.ts'
import { flowListCommand, flowShowCommand } from './flow.ts'
import { importDestinationCommand } from './import-destination.ts'
import { explainCommand } from './explain.ts'
import { fmtCommand } from './fmt.ts'
import { initCommand } from './init.ts'
import { logCommand } from './log.ts'
import { newCredentialCommand } from './new-credential.ts'
import { newFlowCommand } from './new-flow.ts'
import { openapiCommand } from './openapi.ts'
import { reloadCommand } from './reload.ts'
import { runCommand } from './run.ts'
import { secretKeyCommand, secretRekeyCommand } from './secret-key.ts'
import { secretSetCommand } from './secret-set.ts'
import { secretListCommand, secretRemoveCommand } from './secret.ts'
import { startCommand } from './start.ts'
import { statusCommand } from './status.ts'
import { wrap } from './wrap.ts'

/** Every command, in the order of the help. */
export const commands: readonly CommandDefinition[] = [
  initCommand,
  newFlowCommand,
  newCredentialCommand,
  importDestinationCommand,
  startCommand,
  devCommand,
  checkCommand,
  fmtCommand,
  runCommand,
  cancelCommand,
  statusCommand,
  reloadCommand,
  flowListCommand,
  flowShowCommand,
  explainCommand,
  flowLevelCommand,
  credentialListCommand,
  credentialShowCommand,
  credentialTestCommand,
  credentialInvalidateCommand,
  clientCreateCommand,
  clientListCommand,
  clientShowCommand,
  clientGrantCommand,
  clientRevokeCommand,
  clientRotateCommand,
  clientApiKeyCommand,
  clientPublicKeyCommand,
  clientCertificateCommand,
  clientDisableCommand,
  clientEnableCommand,
  clientRemoveCommand,
  secretSetCommand,
  secretListCommand,
  secretRemoveCommand,
  secretRekeyCommand,
  secretKeyCommand,
  logCommand,
  auditCommand,
  openapiCommand,
  docsCommand(() => commands),
]

const GROUPS: Readonly<Record<string, string>> = {
  new: 'Writes a new flow or credential, with all its options explained.',
  import: 'Takes over what another system has.',
  flow: 'Lists and shows flows; sets what is kept of their runs.',
  credential: 'Lists, shows and tries credentials; never tells a secret.',
  client: 'Makes, lists and changes clients: who may call the endpoints.',
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
  const say = (text: string) => {
    const lines = `sluice: ${faults.redact(text)}`
    io.stderr(`${io.terminal ? wrap(lines, lineWidth(io)).join('\n') : lines}\n`)
  }
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
    else io.stderr(`sluice: a fault: ${faults.redact(faults.describe(error))}\n`)
    return (error as NodeJS.ErrnoException).code === 'SLUICE_TLS' ? 1 : 3
  }
}

/** Cells of a line of prose: longer ones are hard to read. */
function lineWidth({ columns }: GivenIo): number {
  return Math.min(columns, 120)
}

/** What the app says in its own words: the data folder or the address cannot be had. */
function isKnown(error: unknown): error is Error & { hint?: string } {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return code !== undefined && /^(store\.|SLUICE_)/.test(code)
}

function commandLine(io: GivenIo, done: (code: number) => void): Command {
  const width = lineWidth(io)
  const program = new Command('sluice')
    .description('Integration flows in YAML, with credentials that no flow ever sees.')
    .version(version)
    .option('-C, --project <folder>', 'project folder (default: here)')
    .exitOverride()
    .showHelpAfterError('(--help shows how it is used)')
    .configureOutput({
      writeOut: io.stdout,
      writeErr: io.stderr,
      outputError: (text, write) => write(text.replace(/^error: /, 'sluice: ')),
      getOutHelpWidth: () => width,
      getErrHelpWidth: () => width,
    })
    .addHelpText('after', '\nFirst steps: `sluice init`, `sluice dev`, `sluice check`, `sluice log`.')
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
    for (const argument of definition.arguments ?? []) {
      const name = `${argument.name}${argument.several ? '...' : ''}`
      command.argument(argument.optional ? `[${name}]` : `<${name}>`, argument.description)
    }
    for (const { flags, description, repeatable } of definition.options) {
      const option = new Option(flags, description)
      if (repeatable)
        option.argParser((text: string, earlier: string[] | undefined) => [...(earlier ?? []), text])
      command.addOption(option)
    }
    command.addHelpText('after', helpTail(definition, width))
    command.action(async (...received: unknown[]) => {
      const options = received.at(-2) as Record<string, unknown>
      const args = received
        .slice(0, -2)
        .flat()
        .filter((value): value is string => typeof value === 'string')
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

function helpTail({ examples, details }: CommandDefinition, width: number): string {
  const parts = [
    details && wrap(details, width).join('\n'),
    examples.length === 0 ? undefined : `Examples:\n${examples.map((line) => `  ${line}`).join('\n')}`,
  ]
  return `\n${parts.filter((part) => part !== undefined).join('\n\n')}`
}
