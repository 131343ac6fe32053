import { unlink } from 'node:fs/promises'
import { parse } from 'yaml'
import { apiKeyHash, makeApiKey } from '../../access/api-key.ts'
import { readClient, type Client } from '../../access/client-file.ts'
import { rotatedHashes, type Rotation } from '../../access/client-text.ts'
import { editedYaml } from '../../access/edited-yaml.ts'
import { Stop, UsageError, type CommandDefinition, type CommandIo } from '../command.ts'
import { replaceFile } from '../../replaced-file.ts'
import {
  announced,
  checkedRoles,
  clientArgument as client,
  clientFile,
  clientOptions,
  letEngineRead,
  secretFor,
} from './files.ts'
import { asJson, reportOf } from './report.ts'

const role = { name: 'role', description: 'name of the role' }

/** What is different in the file, by key. */
export type Changes = Readonly<Record<string, unknown>>

interface Change {
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

export const clientRotateCommand: CommandDefinition = {
  name: 'client rotate',
  summary: 'Gives a client a new secret, printed once; the one before goes on until `--finish`.',
  arguments: [client],
  options: [
    { flags: '--finish', description: 'take the secret before away; no new one is made' },
    { flags: '--now', description: 'the secret before ends at once, and so do all tokens' },
    { flags: '--secret-stdin', description: 'take the secret from standard input, and print none' },
    ...clientOptions,
  ],
  examples: [
    'sluice client rotate shop',
    'sluice client rotate shop --finish',
    'sluice client rotate shop --now',
  ],
  run(io, [name = ''], given) {
    if (given['finish'] && given['now']) throw new UsageError('--finish and --now exclude each other')
    const rotation: Rotation = given['finish'] ? 'finish' : given['now'] ? 'now' : 'add'
    return change(io, given, name, async (found) => {
      const two = found.hashes.length > 1
      const first = found.hashes.length === 0
      if (rotation === 'finish' && !two)
        return { changes: {}, told: `"${name}" has ${first ? 'no secret' : 'one secret only'}` }
      if (rotation === 'add' && two)
        throw new Stop(
          1,
          `"${name}" has two secrets; \`sluice client rotate ${name} --finish\` takes the older one away`,
        )
      const made = rotation === 'finish' ? undefined : await secretFor(io, given)
      const changes = { secretHash: await rotatedHashes(found, rotation, made?.secret) }
      if (!made?.isNew)
        return { changes, told: first ? `"${name}" has a secret now.` : afterwards(rotation, name) }
      return {
        changes,
        told: `secret  ${made.secret}\n\nIt is shown this once.${first ? '' : ` ${afterwards(rotation, name)}`}`,
        shown: { secret: made.secret },
      }
    })
  },
}

export const clientApiKeyCommand: CommandDefinition = {
  name: 'client api-key',
  summary: 'Gives a client an API key, printed once; one before goes on until `--finish`.',
  arguments: [client],
  options: [
    { flags: '--finish', description: 'take the key before away; no new one is made' },
    { flags: '--now', description: 'the keys before end at once' },
    ...clientOptions,
  ],
  details: 'The client calls with the header `x-api-key: <key>` and needs no token.',
  examples: ['sluice client api-key shop', 'sluice client api-key shop --finish'],
  run(io, [name = ''], given) {
    if (given['finish'] && given['now']) throw new UsageError('--finish and --now exclude each other')
    return change(io, given, name, ({ apiKeys }) => {
      const newest = apiKeys.at(-1)
      if (given['finish'])
        return apiKeys.length < 2
          ? { changes: {}, told: `"${name}" has ${newest === undefined ? 'no API key' : 'one API key only'}` }
          : { changes: { apiKeyHash: newest }, told: `"${name}" has its newest API key only.` }
      if (apiKeys.length > 1 && !given['now'])
        throw new Stop(
          1,
          `"${name}" has two API keys; \`sluice client api-key ${name} --finish\` takes the older one away`,
        )
      const key = makeApiKey()
      const hash = apiKeyHash(key)!
      const beside = newest !== undefined && !given['now']
      const rest = beside
        ? ` The one before goes on until: sluice client api-key ${name} --finish`
        : apiKeys.length > 0
          ? ' The keys before have ended.'
          : ''
      return {
        changes: { apiKeyHash: beside ? [newest, hash] : hash },
        told: `API key  ${key}\n\nIt is shown this once.${rest}`,
        shown: { apiKey: key },
      }
    })
  },
}

function afterwards(rotation: Rotation, name: string): string {
  if (rotation === 'finish') return `"${name}" has its newest secret only.`
  if (rotation === 'now') return `The secret before and all tokens of "${name}" have ended.`
  return `The one before goes on until: sluice client rotate ${name} --finish`
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

function sayRoles(roles: readonly string[]): string {
  return roles.length === 0 ? 'no role' : `the roles ${roles.join(', ')}`
}
