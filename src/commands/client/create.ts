import { apiKeyHash, makeApiKey } from '../../access/api-key.ts'
import { readClient } from '../../access/client-file.ts'
import { newClientText, type NewClient } from '../../access/client-text.ts'
import { makeSecretHash } from '../../access/secret-hash.ts'
import { DEFAULT_ROLE } from '../../core/access.ts'
import { isCredentialName } from '../../security/material-name.ts'
import { UsageError, type CommandDefinition, type CommandIo } from '../command.ts'
import { pathOf, refuseExisting, writeChecked } from '../new-file.ts'
import { settingsFor } from '../project-setting.ts'
import { certificateOfFile } from './certificate-file.ts'
import {
  announced,
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
    { flags: '--certificate <file>', description: 'let it in by this certificate (PEM), and make no secret' },
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
    'sluice client create shop --certificate shop.crt',
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
    const shown = await announced(name, settings, () => writeChecked(io, given, path, 'credential', text))
    await letEngineRead(settings)
    const address = await engineAddress(settings)
    if (given['json']) {
      const { client } = readClient({ file: shown, text })
      io.stdout(asJson({ ...reportOf(client!), tokenUrl: tokenAddress(address), ...shownOf(way) }))
      return 0
    }
    const facts: readonly Fact[] = [
      ['client id', clientId],
      ...way.facts,
      ['roles', roles.join(', ')],
      ...(way.by === 'api-key' ? [] : [['token URL', tokenAddress(address)] as const]),
    ]
    const width = 2 + Math.max(...facts.map(([label]) => label.length))
    io.stdout(
      [
        `wrote ${shown}\n\n`,
        ...facts.map(([label, value]) => `  ${label.padEnd(width)}${value}\n`),
        ...(way.once === undefined ? [] : [`\nThe ${way.once} is shown this once; only its hash is kept.\n`]),
        `\n${howToCall(clientId, address, way.by)}`,
      ].join(''),
    )
    return 0
  },
}

/** For people. */
type Fact = readonly [label: string, value: string]

/** How a client shows that it is who it says. */
interface Way {
  readonly by: CallsBy
  readonly written: Pick<NewClient, 'hash' | 'apiKeyHash' | 'jwks' | 'certificates'>
  readonly facts: readonly Fact[]
  /** The label of what is shown now and never again. */
  readonly once?: string
}

function shownOf({ by, once, facts }: Way): object {
  return once === undefined ? {} : { [by === 'api-key' ? 'apiKey' : 'secret']: facts[0]![1] }
}

const WAYS = [
  ['publicKey', '--public-key'],
  ['certificate', '--certificate'],
  ['apiKey', '--api-key'],
  ['secretStdin', '--secret-stdin'],
] as const

async function wayOf(io: CommandIo, given: Record<string, unknown>): Promise<Way> {
  const chosen = WAYS.filter(([key]) => given[key])
  if (chosen.length > 1)
    throw new UsageError(`${chosen.map(([, flag]) => flag).join(' and ')} exclude each other`)
  switch (chosen[0]?.[0]) {
    case 'publicKey':
      return byPublicKey(io, given['publicKey'] as readonly string[])
    case 'certificate':
      return byCertificate(io, given['certificate'] as string)
    case 'apiKey':
      if (given['tokenLifetime'] !== undefined)
        throw new UsageError('a client with --api-key gets no tokens, which --token-lifetime is about')
      return byApiKey()
    default:
      return bySecret(io, given)
  }
}

async function byPublicKey(io: CommandIo, files: readonly string[]): Promise<Way> {
  const keys = await Promise.all(files.map((file) => keysIn(io, file)))
  return { by: 'public-key', written: { jwks: keySet(keys.flat()) }, facts: [] }
}

async function byCertificate(io: CommandIo, file: string): Promise<Way> {
  const { written, shown } = await certificateOfFile(io, file, Date.now())
  return {
    by: 'certificate',
    written: { certificates: [written] },
    facts: [
      ['certificate', shown],
      ['fingerprint', written.fingerprint],
    ],
  }
}

function byApiKey(): Way {
  const key = makeApiKey()
  return {
    by: 'api-key',
    written: { apiKeyHash: apiKeyHash(key)! },
    facts: [['API key', key]],
    once: 'API key',
  }
}

async function bySecret(io: CommandIo, given: Record<string, unknown>): Promise<Way> {
  const { secret, isNew } = await secretFor(io, given)
  const written = { hash: await makeSecretHash(secret) }
  return isNew
    ? { by: 'secret', written, facts: [['secret', secret]], once: 'secret' }
    : { by: 'secret', written, facts: [] }
}
