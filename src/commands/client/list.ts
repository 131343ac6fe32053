import type { Client } from '../../access/client-file.ts'
import { printDuration } from '../../core/duration.ts'
import type { CommandDefinition } from '../command.ts'
import { paint, table } from '../paint.ts'
import { sayCertificate } from './certificate.ts'
import { clientFile, clientFiles, clientOptions, engineAddress, tellProblems, tokenAddress } from './files.ts'
import { howToCall, type Shows } from './how-to-call.ts'

const options = [{ flags: '--json', description: 'as JSON' }, ...clientOptions]

export const clientListCommand: CommandDefinition = {
  name: 'client list',
  summary: 'Lists the clients that may call: their roles, and whether they are enabled.',
  options,
  examples: ['sluice client list'],
  async run(io, _args, given) {
    const files = await clientFiles(io, given)
    const { clients } = files
    tellProblems(files, io)
    if (given['json']) io.stdout(`${JSON.stringify(clients.map(reportOf), undefined, 2)}\n`)
    else if (clients.length === 0) io.stdout('there are no clients yet: `sluice client create` makes one\n')
    else {
      const { dim, green, yellow } = paint(io.color)
      io.stdout(
        table([
          ['CLIENT', 'CLIENT ID', 'STATE', 'TOKENS', 'ROLES'].map(dim),
          ...clients.map((client) => [
            client.name,
            client.clientId,
            client.enabled ? green('enabled') : yellow('disabled'),
            lifetimeOf(client),
            client.roles.join(', ') || '-',
          ]),
        ]),
      )
    }
    return files.problems.length === 0 ? 0 : 1
  },
}

export const clientShowCommand: CommandDefinition = {
  name: 'client show',
  summary: 'Shows a client: its roles, the lifetime of its tokens, how it calls; never a secret.',
  arguments: [{ name: 'client', description: 'name of the client' }],
  options,
  examples: ['sluice client show shop'],
  async run(io, [name = ''], given) {
    const { client, settings } = await clientFile(io, given, name)
    if (given['json']) {
      io.stdout(`${JSON.stringify(reportOf(client), undefined, 2)}\n`)
      return 0
    }
    const { bold, dim } = paint(io.color)
    const address = await engineAddress(settings)
    const facts = [
      ['file', client.file],
      ['state', client.enabled ? 'enabled' : 'disabled'],
      ['client id', client.clientId],
      ['caller', client.callerId],
      ['roles', client.roles.join(', ') || 'none'],
      ['tokens', lifetimeOf(client)],
      ['secrets', countOf(client.hashes.length, 'rotate')],
      ['API keys', countOf(client.apiKeys.length, 'api-key')],
      ...client.certificates.map((rule) => ['certificate', sayCertificate(rule)]),
      ['token URL', tokenAddress(address)],
    ]
    const about = client.description === undefined ? '' : `  ${client.description}`
    io.stdout(`${bold(client.name)}${about}\n`)
    io.stdout(table(facts.map(([label, value]) => [`  ${dim(label!)}`, value!])))
    io.stdout(`\n${howToCall(client.clientId, address, showsOf(client))}`)
    return 0
  },
}

function showsOf({ hashes, apiKeys }: Client): Shows {
  if (hashes.length > 0) return 'secret'
  return apiKeys.length > 0 ? 'apiKey' : 'certificate'
}

function countOf(count: number, command: string): string {
  return count === 2 ? `2 (${command} --finish takes the old one away)` : String(count || 'none')
}

function lifetimeOf({ tokenLifetime }: Client): string {
  return tokenLifetime === 'untilNext' ? 'until the next one' : printDuration(tokenLifetime)
}

/** No hash is in it: who has one can try secrets on it. */
function reportOf(client: Client): object {
  const { name, file, clientId, callerId, description, roles, tokenLifetime, enabled } = client
  const { hashes, apiKeys, certificates } = client
  const lifetime = tokenLifetime === 'untilNext' ? tokenLifetime : printDuration(tokenLifetime)
  return {
    name,
    file,
    clientId,
    callerId,
    description,
    roles,
    tokenLifetime: lifetime,
    enabled,
    secrets: hashes.length,
    apiKeys: apiKeys.length,
    certificates: certificates.map((rule) =>
      'issuer' in rule ? rule.written : { fingerprint: rule.fingerprint, subject: rule.subject },
    ),
  }
}
