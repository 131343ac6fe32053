/** Lazily, because most commands and many projects need none of it. */
const library = () => import('age-encryption')

/** Why an encrypted text does not give its secret. */
export type Locked = 'key' | 'damaged' | { readonly madeFor: string }

/** A new key: `AGE-SECRET-KEY-1...`. */
export async function makeIdentity(): Promise<string> {
  return (await library()).generateX25519Identity()
}

/** What is public of a key: `age1...`. Undefined: it is no key. */
export async function recipientOf(identity: string): Promise<string | undefined> {
  return (await library()).identityToRecipient(identity).catch(() => undefined)
}

export async function isRecipient(text: string): Promise<boolean> {
  const { Encrypter } = await library()
  try {
    new Encrypter().addRecipient(text)
    return true
  } catch {
    return false
  }
}

/** Encrypts secrets; each is bound to its name: another one's text does not pass for it. */
export async function createSealer(
  recipients: readonly string[],
): Promise<(name: string, value: string) => Promise<string>> {
  const { Encrypter } = await library()
  const encrypter = new Encrypter()
  for (const recipient of recipients) encrypter.addRecipient(recipient)
  return async (name, value) =>
    Buffer.from(await encrypter.encrypt(padded(JSON.stringify({ name, value })))).toString('base64')
}

/** The same for what is kept beside whom it is encrypted for. */
export async function createNamedSealer(
  recipients: readonly string[],
): Promise<{ readonly recipients: string; seal(name: string, value: string): Promise<string> }> {
  return { recipients: recipients.toSorted().join(' '), seal: await createSealer(recipients) }
}

/** Bytes in steps of which the length of a secret can be told from outside. */
const STEP = 128

function padded(text: string): string {
  const length = Buffer.byteLength(text)
  return text + ' '.repeat(Math.ceil(length / STEP) * STEP - length)
}

/** Decrypts secrets with whichever key fits. */
export async function createOpener(
  identities: readonly string[],
): Promise<
  (name: string, encrypted: string) => Promise<{ readonly value: string } | { readonly locked: Locked }>
> {
  const { Decrypter } = await library()
  const decrypter = new Decrypter()
  for (const identity of identities) decrypter.addIdentity(identity)
  return async (name, encrypted) => {
    let text: string
    try {
      text = await decrypter.decrypt(Buffer.from(encrypted, 'base64'), 'text')
    } catch (error) {
      return { locked: isForOthers(error) ? 'key' : 'damaged' }
    }
    const content = readContent(text)
    if (content === undefined) return { locked: 'damaged' }
    return content.name === name ? { value: content.value } : { locked: { madeFor: content.name } }
  }
}

function isForOthers(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('no identity matched')
}

function readContent(text: string): { name: string; value: string } | undefined {
  try {
    const { name, value } = JSON.parse(text) as Record<string, unknown>
    return typeof name === 'string' && typeof value === 'string' ? { name, value } : undefined
  } catch {
    return undefined
  }
}
