import { apiKeyHash, makeApiKey } from '../../access/api-key.ts'
import { readClient } from '../../access/client-file.ts'
import { newClientText, type NewClient } from '../../access/client-text.ts'
import { makeSecretHash } from '../../access/secret-hash.ts'
import { DEFAULT_ROLE } from '../../core/access.ts'
import { isCredentialName } from '../../security/material-name.ts'
import { UsageError, type CommandDefinition, type CommandIo } from '../command.ts'
import { pathOf, refuseExisting, writeChecked } from '../new-file.ts'
import { settingsFor } from '../project-setting.ts'
import {
  checkedRoles,
  clientOptions,
  engineAddress,
  letEngineRead,
  secretFor,
  tokenAddress,
} from './files.ts'
import { howToCall, type CallsBy } from './how-to-call.ts'
import { keysIn, keySet } from './public-key.ts'
import { asJson, reportOf } from './report.ts'

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
    {
      flags: '--public-key <file>',
      description: 'PEM, JWK or JWK Set: it signs assertions and has no secret; may be given several times',
      repeatable: true,
    },
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
    'sluice client create partner --public-key partner.pem',
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
    const clientId = (given['clientId'] as string | undefined) ?? name
    const way = await wayOf(io, given)
    const text = newClientText({
      clientId,
      description: given['description'] as string | undefined,
      ...way.written,
      roles,
      tokenLifetime: given['tokenLifetime'] as string | undefined,
    })
    const shown = await writeChecked(io, given, path, 'credential', text)
    await letEngineRead(settings)
    const address = await engineAddress(settings)
    const { told } = way
    if (given['json']) {
      const { client } = readClient({ file: shown, text })
      io.stdout(asJson({ ...reportOf(client!), tokenUrl: tokenAddress(address), ...shownOf(way) }))
      return 0
    }
    const facts = [
      ['client id', clientId],
      ...(told === undefined ? [] : [told]),
      ['roles', roles.join(', ')],
      ...(way.by === 'api-key' ? [] : [['token URL', tokenAddress(address)]]),
    ]
    io.stdout(
      [
        `wrote ${shown}\n\n`,
        ...facts.map(([label, value]) => `  ${label.padEnd(11)}${value}\n`),
        ...(told === undefined ? [] : [`\nThe ${told[0]} is shown this once; only its hash is kept.\n`]),
        `\n${howToCall(clientId, address, way.by)}`,
      ].join(''),
    )
    return 0
  },
}

function shownOf({ by, told }: Way): object {
  return told === undefined ? {} : { [by === 'api-key' ? 'apiKey' : 'secret']: told[1] }
}

/** How a client shows that it is who it says. */
interface Way {
  readonly by: CallsBy
  readonly written: Pick<NewClient, 'hash' | 'apiKeyHash' | 'jwks'>
  /** What is shown this once, and what it is called. */
  readonly told?: readonly [what: string, secret: string]
}

async function wayOf(io: CommandIo, given: Record<string, unknown>): Promise<Way> {
  const files = given['publicKey'] as readonly string[] | undefined
  if ([files, given['apiKey'], given['secretStdin']].filter(Boolean).length > 1)
    throw new UsageError('--api-key, --public-key and --secret-stdin exclude each other')
  if (files) {
    const keys = await Promise.all(files.map((file) => keysIn(io, file)))
    return { by: 'public-key', written: { jwks: keySet(keys.flat()) } }
  }
  if (given['apiKey']) {
    if (given['tokenLifetime'] !== undefined)
      throw new UsageError('a client with --api-key gets no tokens, which --token-lifetime is about')
    const key = makeApiKey()
    return { by: 'api-key', written: { apiKeyHash: apiKeyHash(key)! }, told: ['API key', key] }
  }
  const { secret, isNew } = await secretFor(io, given)
  return {
    by: 'secret',
    written: { hash: await makeSecretHash(secret) },
    ...(isNew && { told: ['secret', secret] }),
  }
}
