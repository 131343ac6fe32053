import type { Client } from '../../access/client-file.ts'
import type { CommandDefinition, CommandIo } from '../command.ts'
import { paint, table } from '../paint.ts'
import { sayCertificate } from './certificate.ts'
import { clientFile, clientFiles, clientOptions, engineAddress, tellProblems, tokenAddress } from './files.ts'
import { howToCall, type CallsBy } from './how-to-call.ts'
import { asJson, lifetimeOf, reportOf } from './report.ts'

export const clientListCommand: CommandDefinition = {
  name: 'client list',
  summary: 'Lists the clients that may call: their roles, and whether they are enabled.',
  options: clientOptions,
  examples: ['sluice client list'],
  async run(io, _args, given) {
    const files = await clientFiles(io, given)
    const { clients } = files
    tellProblems(files, io)
    if (given['json']) io.stdout(asJson(clients.map(reportOf)))
    else if (clients.length === 0) io.stdout('there are no clients yet: `sluice client create` makes one\n')
    else io.stdout(tableOf(clients, io))
    return files.problems.length === 0 ? 0 : 1
  },
}

export const clientShowCommand: CommandDefinition = {
  name: 'client show',
  summary: 'Shows a client: its roles, the lifetime of its tokens, how it calls; never a secret.',
  arguments: [{ name: 'client', description: 'name of the client' }],
  options: clientOptions,
  examples: ['sluice client show shop'],
  async run(io, [name = ''], given) {
    const { client, settings } = await clientFile(io, given, name)
    if (given['json']) {
      io.stdout(asJson(reportOf(client)))
      return 0
    }
    const { bold, dim } = paint(io.color)
    const address = await engineAddress(settings)
    const lifetime = sayLifetime(client)
    const facts = [
      ['file', client.file],
      ['state', client.enabled ? 'enabled' : 'disabled'],
      ['client id', client.clientId],
      ['caller', client.callerId],
      ['roles', client.roles.join(', ') || 'none'],
      ['tokens', lifetime === '-' ? 'none' : lifetime],
      ['secrets', countOf(client.hashes.length, 'rotate')],
      ['API keys', countOf(client.apiKeys.length, 'api-key')],
      ['public keys', countOf(client.keys.length, 'public-key')],
      ...client.certificates.map((rule) => ['certificate', sayCertificate(rule)]),
      ...(lifetime === '-' ? [] : [['token URL', tokenAddress(address)]]),
    ]
    const about = client.description === undefined ? '' : `  ${client.description}`
    io.stdout(`${bold(client.name)}${about}\n`)
    io.stdout(table(facts.map(([label, value]) => [`  ${dim(label!)}`, value!])))
    io.stdout(`\n${howToCall(client.clientId, address, callsBy(client))}`)
    return 0
  },
}

/** As wide as the terminal: of many roles the first ones. */
function tableOf(clients: readonly Client[], { color, columns }: CommandIo): string {
  const { dim, green, yellow } = paint(color)
  const rows = clients.map((client) => [
    client.name,
    client.clientId,
    client.enabled ? 'enabled' : 'disabled',
    sayLifetime(client),
  ])
  const head = ['CLIENT', 'CLIENT ID', 'STATE', 'TOKENS']
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]!.length)))
  const room = columns - widths.reduce((sum, width) => sum + width + 2, 0)
  return table([
    [...head, 'ROLES'].map(dim),
    ...rows.map(([name, id, state, tokens], at) => [
      name!,
      id!,
      state === 'enabled' ? green(state) : yellow(state!),
      tokens!,
      fitting(clients[at]!.roles, room),
    ]),
  ])
}

function fitting(roles: readonly string[], room: number): string {
  const all = roles.join(', ') || '-'
  if (all.length <= room) return all
  for (let count = roles.length - 1; count > 0; count--) {
    const some = `${roles.slice(0, count).join(', ')}, +${roles.length - count}`
    if (some.length <= room) return some
  }
  return `${roles.length} roles`
}

function callsBy({ hashes, apiKeys, keys }: Client): CallsBy {
  if (hashes.length > 0) return 'secret'
  if (keys.length > 0) return 'public-key'
  return apiKeys.length > 0 ? 'api-key' : 'certificate'
}

function countOf(count: number, command: string): string {
  return count > 1
    ? `${count} (${command} --finish takes the old one${count > 2 ? 's' : ''} away)`
    : String(count || 'none')
}

function sayLifetime(client: Client): string {
  const lifetime = lifetimeOf(client)
  return lifetime === 'untilNext' ? 'until the next one' : (lifetime ?? '-')
}
