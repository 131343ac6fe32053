import { apiKeyHash, makeApiKey } from '../../access/api-key.ts'
import { newClientText, type NewClient } from '../../access/client-text.ts'
import { makeSecretHash } from '../../access/secret-hash.ts'
import { DEFAULT_ROLE } from '../../core/access.ts'
import { isCredentialName } from '../../security/material-name.ts'
import { UsageError, type CommandDefinition, type CommandIo } from '../command.ts'
import { pathOf, refuseExisting, writeChecked } from '../new-file.ts'
import { settingsFor } from '../project-setting.ts'
import { certificateOfFile } from './certificate-file.ts'
import { checkedRoles, clientOptions, engineAddress, secretFor, tokenAddress } from './files.ts'
import { howToCall, type Shows } from './how-to-call.ts'

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
    const proof = await proofFor(io, given)
    const clientId = (given['clientId'] as string | undefined) ?? name
    const text = newClientText({
      clientId,
      description: given['description'] as string | undefined,
      ...proof.written,
      roles,
      tokenLifetime: given['tokenLifetime'] as string | undefined,
    })
    const shown = await writeChecked(io, given, path, 'credential', text)
    const address = await engineAddress(settings)
    const facts = [
      ['client id', clientId],
      ...proof.facts,
      ['roles', roles.join(', ')],
      ...(proof.shows === 'apiKey' ? [] : [['token URL', tokenAddress(address)]]),
    ]
    const width = 2 + Math.max(...facts.map(([label]) => label!.length))
    io.stdout(
      [
        `wrote ${shown}\n\n`,
        ...facts.map(([label, value]) => `  ${label!.padEnd(width)}${value}\n`),
        ...(proof.once === undefined
          ? []
          : [`\nThe ${proof.once} is shown this once; only its hash is kept.\n`]),
        `\n${howToCall(clientId, address, proof.shows)}`,
      ].join(''),
    )
    return 0
  },
}

/** How a new client shows who it is. */
interface Proof {
  readonly shows: Shows
  /** What stands in its file. */
  readonly written: Pick<NewClient, 'hash' | 'apiKeyHash' | 'certificates'>
  /** For people: label and value. */
  readonly facts: readonly (readonly string[])[]
  /** What it is called, where it is told now and never again. */
  readonly once?: string
}

/** A certificate, an API key or a secret, as the options say. @throws UsageError where they exclude each other */
async function proofFor(io: CommandIo, given: Record<string, unknown>): Promise<Proof> {
  const file = given['certificate'] as string | undefined
  const byKey = given['apiKey'] === true
  if (file !== undefined && (byKey || given['secretStdin']))
    throw new UsageError('--certificate goes without --api-key and --secret-stdin')
  if (byKey && (given['secretStdin'] || given['tokenLifetime'] !== undefined))
    throw new UsageError('a client with --api-key has no secret and gets no tokens')
  if (file !== undefined) {
    const { written, shown } = await certificateOfFile(io, file, Date.now())
    const facts = [
      ['certificate', shown],
      ['fingerprint', written.fingerprint],
    ]
    return { shows: 'certificate', written: { certificates: [written] }, facts }
  }
  if (byKey) {
    const key = makeApiKey()
    const written = { apiKeyHash: apiKeyHash(key)! }
    return { shows: 'apiKey', written, facts: [['API key', key]], once: 'API key' }
  }
  const { secret, isNew } = await secretFor(io, given)
  const written = { hash: await makeSecretHash(secret) }
  return isNew
    ? { shows: 'secret', written, facts: [['secret', secret]], once: 'secret' }
    : { shows: 'secret', written, facts: [] }
}
