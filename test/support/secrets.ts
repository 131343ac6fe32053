import { createSealer, makeIdentity, recipientOf } from '../../src/security/secret-cipher.ts'
import { printSecretFile, type EncryptedSecret } from '../../src/security/secret-file.ts'

/** A key for tests, and its public part. */
export const KEY = await makeIdentity()
export const RECIPIENT = (await recipientOf(KEY))!

/** The text of a file of encrypted secrets. */
export async function secretFile(
  values: Readonly<Record<string, string>>,
  recipients: readonly string[] = [RECIPIENT],
): Promise<string> {
  const seal = await createSealer(recipients)
  const secrets = new Map<string, EncryptedSecret>()
  for (const [name, value] of Object.entries(values))
    secrets.set(name, {
      name,
      changed: '2026-11-29T10:00:00Z',
      encrypted: await seal(name, value),
      place: { file: '', line: 0, column: 0 },
    })
  return printSecretFile({ recipients, secrets })
}
