import { apiKeyHash, makeApiKey } from '../../access/api-key.ts'
import { newClientText } from '../../access/client-text.ts'
import { makeSecretHash } from '../../access/secret-hash.ts'
import { DEFAULT_ROLE } from '../../core/access.ts'
import { isCredentialName } from '../../security/material-name.ts'
import { UsageError, type CommandDefinition } from '../command.ts'
import { pathOf, refuseExisting, writeChecked } from '../new-file.ts'
import { settingsFor } from '../project-setting.ts'
import {
  announceChange,
  checkedRoles,
  clientOptions,
  engineAddress,
  secretFor,
  tokenAddress,
} from './files.ts'
import { howToCall } from './how-to-call.ts'

export const clientCreateCommand: CommandDefinition = {
  name: 'client create',
  summary: 'Makes a client that may call endpoints of this project; prints its secret once.',
  arguments: [{ name: 'client', description: 'name of the client, and of its file' }],
  options: [
    {
      flags: '--role <role>',
      description: `role that it has; may be given several times (default: ${DEFAULT_ROLE})`,
      repeatable: true,
    },
    { flags: '--client-id <id>', description: 'what it calls itself (default: its name)' },
    { flags: '--token-lifetime <time>', description: '1m to 1d, or untilNext (default: 60m)' },
    { flags: '--description <text>', description: 'for people' },
    { flags: '--api-key', description: 'make an API key (header x-api-key) and no secret' },
    { flags: '--secret-stdin', description: 'take the secret from standard input, and print none' },
    ...clientOptions,
  ],
  details:
    'The file holds a hash of the secret, so it may go into version control. A running engine takes the client at once.',
  examples: [
    'sluice client create shop',
    'sluice client create shop --role orders.write --token-lifetime 10m',
    'sluice client create shop --secret-stdin < secret.txt',
    'sluice client create sensor --api-key --role readings.write',
  ],
  async run(io, [name = ''], given) {
    if (!isCredentialName(name))
      throw new UsageError(
        `"${name}" cannot be the name of a client: a letter, then letters, digits, "_", "." and "-"`,
      )
    const roles = checkedRoles((given['role'] as string[] | undefined) ?? [DEFAULT_ROLE])
    const settings = await settingsFor(io, given)
    const path = pathOf(settings.securityMaterial, name)
    await refuseExisting(io, path)
    const byKey = given['apiKey'] === true
    if (byKey && (given['secretStdin'] || given['tokenLifetime'] !== undefined))
      throw new UsageError('a client with --api-key has no secret and gets no tokens')
    const { secret, isNew } = byKey ? { secret: makeApiKey(), isNew: true } : await secretFor(io, given)
    const clientId = (given['clientId'] as string | undefined) ?? name
    const text = newClientText({
      clientId,
      description: given['description'] as string | undefined,
      ...(byKey ? { apiKeyHash: apiKeyHash(secret)! } : { hash: await makeSecretHash(secret) }),
      roles,
      tokenLifetime: given['tokenLifetime'] as string | undefined,
    })
    await announceChange(name, settings)
    const shown = await writeChecked(io, given, path, 'credential', text)
    const address = await engineAddress(settings)
    const facts = [
      ['client id', clientId],
      ...(isNew ? [[byKey ? 'API key' : 'secret', secret]] : []),
      ['roles', roles.join(', ')],
      ...(byKey ? [] : [['token URL', tokenAddress(address)]]),
    ]
    io.stdout(
      [
        `wrote ${shown}\n\n`,
        ...facts.map(([label, value]) => `  ${label!.padEnd(11)}${value}\n`),
        ...(isNew
          ? [`\nThe ${byKey ? 'API key' : 'secret'} is shown this once; only its hash is kept.\n`]
          : []),
        `\n${howToCall(clientId, address, byKey)}`,
      ].join(''),
    )
    return 0
  },
}
