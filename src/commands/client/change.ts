import { unlink } from 'node:fs/promises'
import { parse } from 'yaml'
import { readClient, type Client } from '../../access/client-file.ts'
import { editedYaml } from '../../access/edited-yaml.ts'
import { sayRoles } from '../../core/access.ts'
import { Stop, type CommandDefinition, type CommandIo } from '../command.ts'
import { replaceFile } from '../../replaced-file.ts'
import {
  announced,
  checkedRoles,
  clientArgument as client,
  clientFile,
  clientOptions,
  letEngineRead,
} from './files.ts'
import { asJson, reportOf } from './report.ts'

const role = { name: 'role', description: 'name of the role' }

/** What is different in the file, by key. */
export type Changes = Readonly<Record<string, unknown>>

export interface Change {
  /** Undefined takes a key away. */
  readonly changes: Changes
  readonly told: string
  /** What is shown this once. */
  readonly shown?: { readonly secret?: string; readonly apiKey?: string }
}

/** Writes the file of a client anew, lets a running engine read it, and says so. */
export async function change(
  io: CommandIo,
  given: Record<string, unknown>,
  name: string,
  what: (client: Client, written: Changes) => Promise<Change> | Change,
): Promise<number> {
  const { client, path, text, settings } = await clientFile(io, given, name)
  const { changes, told, shown } = await what(client, parse(text) as Changes)
  const isOther = Object.keys(changes).length > 0
  const next = isOther ? editedYaml(text, changes) : text
  const { client: changed } = readClient({ file: client.file, text: next })
  if (!changed) throw new Stop(1, `${client.file} cannot be changed as it is written; change it by hand`)
  if (isOther) {
    await announced(name, settings, async () => {
      const trouble = await replaceFile(path, next)
      if (trouble) throw new Stop(1, `${client.file}: ${trouble.message}. ${trouble.hint}`)
    })
    await letEngineRead(settings)
  }
  io.stdout(given['json'] ? asJson({ ...reportOf(changed), ...shown }) : `${told}\n`)
  return 0
}

export const clientGrantCommand: CommandDefinition = {
  name: 'client grant',
  summary: 'Gives a client a role; it counts with its next request.',
  arguments: [client, role],
  options: clientOptions,
  examples: ['sluice client grant shop orders.write'],
  run: (io, [name = '', wanted = ''], given) =>
    change(io, given, name, ({ roles }) => {
      checkedRoles([wanted])
      if (roles.includes(wanted)) return { changes: {}, told: `"${name}" has the role "${wanted}" already` }
      return { changes: { roles: [...roles, wanted] }, told: `"${name}" has the role "${wanted}" now` }
    }),
}

export const clientRevokeCommand: CommandDefinition = {
  name: 'client revoke',
  summary: 'Takes a role from a client; its next request is refused, whatever its token says.',
  arguments: [client, role],
  options: clientOptions,
  examples: ['sluice client revoke shop orders.write'],
  run: (io, [name = '', unwanted = ''], given) =>
    change(io, given, name, ({ roles }) => {
      if (!roles.includes(unwanted))
        throw new Stop(1, `"${name}" does not have the role "${unwanted}"; it has ${sayRoles(roles)}`)
      const left = roles.filter((one) => one !== unwanted)
      return { changes: { roles: left }, told: `"${name}" has ${sayRoles(left)} now` }
    }),
}

function switchCommand(word: 'enable' | 'disable', summary: string): CommandDefinition {
  const enabled = word === 'enable'
  return {
    name: `client ${word}`,
    summary,
    arguments: [client],
    options: clientOptions,
    examples: [`sluice client ${word} shop`],
    run: (io, [name = ''], given) =>
      change(io, given, name, () => ({
        changes: { enabled: enabled ? undefined : false },
        told: `"${name}" is ${word}d`,
      })),
  }
}

export const clientDisableCommand = switchCommand(
  'disable',
  'Lets a client get no tokens and call nothing, from its next request on.',
)
export const clientEnableCommand = switchCommand('enable', 'Lets a disabled client call again.')

export const clientRemoveCommand: CommandDefinition = {
  name: 'client remove',
  summary: 'Removes a client; its tokens end at once.',
  arguments: [client],
  options: clientOptions,
  examples: ['sluice client remove shop'],
  async run(io, [name = ''], given) {
    const { client: found, path, settings } = await clientFile(io, given, name)
    await announced(name, settings, () =>
      unlink(path).catch((error: NodeJS.ErrnoException) => {
        throw new Stop(1, `${found.file} cannot be removed (${error.code})`)
      }),
    )
    await letEngineRead(settings)
    io.stdout(given['json'] ? asJson({ name, file: found.file, removed: true }) : `removed ${found.file}\n`)
    return 0
  },
}
