import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { hasErrors } from '../core/problem.ts'
import { createOpener, createSealer, isRecipient, makeIdentity, recipientOf } from './secret-cipher.ts'
import { printSecretFile, readSecretFile, type EncryptedSecret, type SecretFile } from './secret-file.ts'
import { findKeys, KEY_VARIABLE, printKey, type KeySources, type SecretKey } from './secret-keys.ts'
import { whileLocked, writeNew, writeWhole } from './whole-file.ts'

export interface SecretFiles extends KeySources {
  /** Of the encrypted secrets. Absolute. */
  readonly file: string
  /** The same, as shown to people. */
  readonly shownFile: string
}

/** Why nothing was changed. */
export class SecretsRefusal extends Error {
  readonly hint: string

  constructor(message: string, hint: string) {
    super(message)
    this.hint = hint
  }
}

export interface SetSecret {
  readonly outcome: 'added' | 'changed'
  /** The public part of a key that was made for it. */
  readonly madeKey?: string
}

/** Encrypts a secret for all recipients of the file; the first one of all makes a key where there is none. @param now epoch ms */
export function setSecret(files: SecretFiles, name: string, value: string, now: number): Promise<SetSecret> {
  return whileLocked(files.file, async () => {
    const content = await readContent(files)
    const made = content === undefined ? await recipientFor(files, now) : undefined
    const recipients = made === undefined ? content!.recipients : [made.recipient]
    const seal = await sealerFor(recipients, files)
    const secrets = new Map(content?.secrets)
    const outcome = secrets.has(name) ? 'changed' : 'added'
    secrets.set(name, secretOf(name, await seal(name, value), now))
    await write(files, { recipients, secrets })
    return { outcome, ...(made?.isNew && { madeKey: made.recipient }) }
  })
}

/** @returns whether there was such a secret, and those that are left */
export function removeSecret(files: SecretFiles, name: string): Promise<{ was: boolean; left: string[] }> {
  return whileLocked(files.file, async () => {
    const content = await readContent(files)
    const secrets = new Map(content?.secrets)
    const was = secrets.delete(name)
    if (was) await write(files, { ...content!, secrets })
    return { was, left: [...secrets.keys()] }
  })
}

/** Makes the key file. @returns the public part @param now epoch ms */
export async function makeKey({ keyFile, shownKeyFile }: KeySources, now: number): Promise<string> {
  const identity = await makeIdentity()
  await mkdir(dirname(keyFile), { recursive: true, mode: 0o700 })
  const text = await printKey(identity, now)
  await writeNew(keyFile, text, 0o600).catch((error: NodeJS.ErrnoException) => {
    throw new SecretsRefusal(
      `the key ${shownKeyFile} cannot be made (${error.code})`,
      `Name another place in the setting secret.keyFile, or put a key into ${KEY_VARIABLE}.`,
    )
  })
  return (await recipientOf(identity))!
}

/** Who shall read the secrets from now on. */
export interface Rekeying {
  readonly add: readonly string[]
  readonly remove: readonly string[]
}

export interface Rekeyed {
  readonly secrets: number
  readonly recipients: readonly string[]
  /** Public part of the new key. */
  readonly madeKey?: string
}

/**
 * Encrypts all secrets anew: for other recipients, or where none are given with a new key in place of one's own. The
 * new key is in the key file before the secrets are; the ones before stay behind it until `finishRekeying`.
 * @param now epoch ms
 */
export function rekey(files: SecretFiles, { add, remove }: Rekeying, now: number): Promise<Rekeyed> {
  return whileLocked(files.file, async () => {
    const content = await readContent(files)
    if (!content || content.secrets.size === 0)
      throw new SecretsRefusal(
        `there are no secrets in ${files.shownFile}`,
        'sluice secret set NAME adds one.',
      )
    const keys = await keysFor(files)
    const values = await openAll(content, keys, files)
    const own = keys.map(({ recipient }) => recipient)
    const forNewKey = add.length === 0 && remove.length === 0
    const identity = forNewKey ? await makeIdentity() : undefined
    const recipients = identity
      ? [...content.recipients.filter((one) => !own.includes(one)), (await recipientOf(identity))!]
      : await otherRecipients(content.recipients, { add, remove }, own)
    const seal = await sealerFor(recipients, files)
    const secrets = new Map<string, EncryptedSecret>()
    for (const [name, secret] of content.secrets)
      secrets.set(name, { ...secret, encrypted: await seal(name, values.get(name)!) })
    if (identity) await writeKeys(files, [await printKey(identity, now), ...(await keyTexts(files))])
    await write(files, { recipients, secrets })
    return { secrets: secrets.size, recipients, ...(identity && { madeKey: recipients.at(-1)! }) }
  })
}

/**
 * Encrypts what else is encrypted with these keys for those of them that stay, and holds it until `drop` is done.
 * @param here all, those that go among them
 * @throws SecretsRefusal when that cannot be done; `drop` was not called then
 */
export type MoveSealed = (
  here: readonly SecretKey[],
  staying: readonly SecretKey[],
  drop: () => Promise<void>,
) => Promise<void>

/**
 * Takes keys out of the key file that the secrets are no longer encrypted for, and neither is anything else then.
 * @returns their public parts
 */
export function finishRekeying(files: SecretFiles, move: MoveSealed): Promise<string[]> {
  return whileLocked(files.file, async () => {
    const content = await readContent(files)
    const keys = await keysFor(files)
    const used = keys.filter(({ recipient }) => content?.recipients.includes(recipient))
    const old = keys.filter((key) => key.from === files.shownKeyFile && !used.includes(key))
    if (!content || old.length === 0) return []
    await openAll(content, used, files)
    const kept = used.filter(({ from }) => from === files.shownKeyFile)
    const staying = keys.filter((key) => !old.includes(key))
    const texts = kept.map(({ identity, recipient }) => `# public key: ${recipient}\n${identity.reveal()}\n`)
    await move(keys, staying, () => writeKeys(files, texts))
    return old.map(({ recipient }) => recipient)
  })
}

/** @returns undefined where there is no file yet */
async function readContent({ file, shownFile }: SecretFiles): Promise<SecretFile | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new SecretsRefusal(`${shownFile} cannot be read (${code})`, 'Make it readable for yourself.')
  }
  const { content, problems } = readSecretFile(shownFile, text)
  const [first] = problems
  if (first)
    throw new SecretsRefusal(`${first.file}:${first.line}:${first.column}: ${first.message}`, first.hint!)
  return content
}

async function recipientFor(files: SecretFiles, now: number): Promise<{ recipient: string; isNew: boolean }> {
  const keys = await soundKeys(files)
  return keys[0]
    ? { recipient: keys[0].recipient, isNew: false }
    : { recipient: await makeKey(files, now), isNew: true }
}

async function soundKeys(files: SecretFiles): Promise<readonly SecretKey[]> {
  const { keys, problems } = await findKeys(files)
  const wrong = problems.find((problem) => hasErrors([problem]))
  if (wrong) throw new SecretsRefusal(`${wrong.file}: ${wrong.message}`, wrong.hint!)
  return keys
}

async function keysFor(files: SecretFiles): Promise<readonly SecretKey[]> {
  const keys = await soundKeys(files)
  if (keys.length === 0)
    throw new SecretsRefusal(
      'there is no key here: what is encrypted has to be read first',
      `Put the key into ${files.shownKeyFile}, or set ${KEY_VARIABLE}.`,
    )
  return keys
}

async function openAll(
  { secrets }: SecretFile,
  keys: readonly SecretKey[],
  { shownFile }: SecretFiles,
): Promise<Map<string, string>> {
  const open = await createOpener(keys.map(({ identity }) => identity.reveal()))
  const values = new Map<string, string>()
  const closed: string[] = []
  for (const { name, encrypted } of secrets.values()) {
    const outcome = await open(name, encrypted)
    if ('value' in outcome) values.set(name, outcome.value)
    else closed.push(name)
  }
  if (closed.length === 0) return values
  const some = closed.slice(0, 5).map((name) => `"${name}"`)
  throw new SecretsRefusal(
    `nothing was changed: of ${shownFile} ${some.join(', ')}${closed.length > 5 ? ` and ${closed.length - 5} more` : ''} cannot be read with the key that is here`,
    'sluice secret list tells why. Set them again, or remove them, or use another key.',
  )
}

async function otherRecipients(
  before: readonly string[],
  { add, remove }: Rekeying,
  own: readonly string[],
): Promise<string[]> {
  for (const recipient of add)
    if (!(await isRecipient(recipient)))
      throw new SecretsRefusal(
        `"${recipient.slice(0, 80)}" is no recipient`,
        'It begins with age1; `sluice secret key` shows it, where the key is.',
      )
  for (const recipient of remove)
    if (!before.includes(recipient))
      throw new SecretsRefusal(
        `the secrets are not encrypted for "${recipient.slice(0, 80)}"`,
        'sluice secret key shows for whom they are.',
      )
  const after = [...new Set([...before, ...add])].filter((recipient) => !remove.includes(recipient))
  if (!after.some((recipient) => own.includes(recipient)))
    throw new SecretsRefusal(
      'nothing was changed: you could not read the secrets any more',
      'Have it done by somebody who still can, with their own key.',
    )
  return after
}

async function sealerFor(recipients: readonly string[], { shownFile }: SecretFiles) {
  for (const recipient of recipients)
    if (!(await isRecipient(recipient)))
      throw new SecretsRefusal(
        `${shownFile}: the recipient ${recipient.slice(0, 80)} is none`,
        'Take its line from version control, or remove it.',
      )
  return createSealer(recipients)
}

function secretOf(name: string, encrypted: string, now: number): EncryptedSecret {
  const changed = new Date(now).toISOString().replace(/\.\d+/, '')
  return { name, changed, encrypted, place: { file: '', line: 0, column: 0 } }
}

function write({ file }: SecretFiles, content: SecretFile): Promise<void> {
  return writeWhole(file, printSecretFile(content), 0o644)
}

async function keyTexts({ keyFile }: SecretFiles): Promise<string[]> {
  const text = await readFile(keyFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  return text === '' ? [] : [`# before it:\n${text}`]
}

async function writeKeys({ keyFile, shownKeyFile }: SecretFiles, texts: readonly string[]): Promise<void> {
  await mkdir(dirname(keyFile), { recursive: true, mode: 0o700 })
  await writeWhole(keyFile, texts.join('\n'), 0o600, false).catch((error: NodeJS.ErrnoException) => {
    throw new SecretsRefusal(
      `nothing was changed: ${shownKeyFile} cannot be written (${error.code})`,
      'Name a place that can be written in the setting secret.keyFile.',
    )
  })
}
