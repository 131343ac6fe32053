import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { MAX_KEYS, readKeyFile } from '../../access/client-keys.ts'
import { Stop, type CommandDefinition, type CommandIo } from '../command.ts'
import { change } from './change.ts'
import { clientArgument, clientOptions } from './files.ts'
import { finished, rotationWithFile, sayBefore } from './rotation.ts'

type Keys = Awaited<ReturnType<typeof keysIn>>

/** Bytes that a file of public keys may have. */
const LARGEST = 64 * 1024

/** The public keys in a file that a client handed over. */
export async function keysIn(
  io: CommandIo,
  file: string,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const text = await readFile(resolve(io.workingFolder, file), 'utf8').catch(
    (error: NodeJS.ErrnoException) => {
      throw new Stop(1, `"${file}" cannot be read (${error.code})`)
    },
  )
  const found =
    text.length > LARGEST ? { why: 'is too large', hint: 'Give the public key alone.' } : readKeyFile(text)
  if ('why' in found) throw new Stop(1, `"${file}" ${found.why}. ${found.hint}`)
  return found
}

/** @throws Stop where they are too many */
export function keySet(keys: Keys): { readonly keys: Keys } {
  if (keys.length > MAX_KEYS)
    throw new Stop(1, `these are ${keys.length} public keys; a client has ${MAX_KEYS} at most`)
  return { keys }
}

export const clientPublicKeyCommand: CommandDefinition = {
  name: 'client public-key',
  summary: 'Gives a client a public key to sign assertions for; those before go on until `--finish`.',
  arguments: [
    clientArgument,
    { name: 'file', description: 'public key: PEM, a JWK or a JWK Set; none with --finish', optional: true },
  ],
  options: [
    { flags: '--finish', description: 'take all keys but the newest one away' },
    {
      flags: '--now',
      description: 'the keys before end at once, and so do tokens of a client without a secret',
    },
    ...clientOptions,
  ],
  details: 'The client gets tokens with `private_key_jwt` (RFC 7523) and needs no secret.',
  examples: [
    'sluice client public-key shop shop.pem',
    'sluice client public-key shop --finish',
    'sluice client public-key shop next.pem --now',
  ],
  run(io, [name = '', file], given) {
    const rotation = rotationWithFile(given, file, 'public key')
    return change(io, given, name, async ({ keys }, written) => {
      const before = (written['jwks'] as { keys: Keys } | undefined)?.keys ?? []
      if (rotation === 'finish')
        return finished(name, 'public key', keys.length, () => ({ jwks: keySet(before.slice(-1)) }))
      const added = await keysIn(io, file!)
      const all = rotation === 'now' ? added : [...before, ...added]
      const count = `"${name}" has ${all.length === 1 ? 'one public key' : `${all.length} public keys`} now.`
      return {
        changes: { jwks: keySet(all) },
        told: count + sayBefore(name, 'public-key', rotation, before.length),
      }
    })
  },
}
