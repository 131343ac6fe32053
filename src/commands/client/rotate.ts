import { apiKeyHash, makeApiKey } from '../../access/api-key.ts'
import { rotatedHashes } from '../../access/client-text.ts'
import type { CommandDefinition } from '../command.ts'
import { change } from './change.ts'
import { clientArgument as client, clientOptions, secretFor } from './files.ts'
import { finished, refuseThird, rotationOf, sayBefore } from './rotation.ts'

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
    const rotation = rotationOf(given)
    return change(io, given, name, async (found) => {
      const count = found.hashes.length
      if (rotation === 'finish')
        return finished(name, 'secret', count, () => ({ secretHash: found.hashes.at(-1)!.text }))
      refuseThird(name, 'secrets', 'rotate', rotation, count)
      const { secret, isNew } = await secretFor(io, given)
      const changes = { secretHash: await rotatedHashes(found, rotation, secret) }
      const before =
        rotation === 'now' && count > 0
          ? ` The secret before and all tokens of "${name}" have ended.`
          : sayBefore(name, 'rotate', rotation, count)
      if (!isNew) return { changes, told: before.trim() || `"${name}" has a secret now.` }
      return {
        changes,
        told: `secret  ${secret}\n\nIt is shown this once.${before}`,
        shown: { secret },
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
    const rotation = rotationOf(given)
    return change(io, given, name, ({ apiKeys }) => {
      const newest = apiKeys.at(-1)
      if (rotation === 'finish')
        return finished(name, 'API key', apiKeys.length, () => ({ apiKeyHash: newest }))
      refuseThird(name, 'API keys', 'api-key', rotation, apiKeys.length)
      const key = makeApiKey()
      const hash = apiKeyHash(key)!
      return {
        changes: { apiKeyHash: newest !== undefined && rotation === 'add' ? [newest, hash] : hash },
        told: `API key  ${key}\n\nIt is shown this once.${sayBefore(name, 'api-key', rotation, apiKeys.length)}`,
        shown: { apiKey: key },
      }
    })
  },
}
