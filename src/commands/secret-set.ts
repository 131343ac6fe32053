import { setSecret } from '../security/secret-changes.ts'
import { KEY_VARIABLE } from '../security/secret-keys.ts'
import { Stop, type CommandDefinition, type CommandIo } from './command.ts'
import { askHidden } from './hidden-question.ts'
import {
  checkSecretName,
  orStop,
  quoted,
  secretOptions,
  secretProject,
  usersOfSecrets,
  type SecretProject,
} from './secret-files.ts'

/** Bytes that a secret may have, as for `${file:}`. */
const LIMIT = 64 * 1024

export const secretSetCommand: CommandDefinition = {
  name: 'secret set',
  summary: 'Encrypts a secret into a file that may be committed; credentials say ${secret:NAME}.',
  arguments: [{ name: 'name', description: 'as credentials refer to it' }],
  options: secretOptions,
  examples: [
    'sluice secret set im_read',
    'pass show sap/im_read | sluice secret set im_read',
    'sluice secret set partner_key < partner.pem',
  ],
  details: `The value is asked for without being shown, or read from standard input (at most 64 KB; a line end behind it does not
count). It is never an argument: others see those. The first secret makes a key where there is none. Afterwards no key is
needed to set one: the file says for whom to encrypt. A running engine takes the new value for the next request.
Exit code: 0 written, 1 not written, 2 wrong usage, 3 a fault.`,
  async run(io, [name], options) {
    checkSecretName(name!)
    const project = await secretProject(io, options)
    const value = checked(await valueOf(io, name!))
    io.faults?.guard({ redact: (text) => text.replaceAll(value, '[secret]'), log: SILENT })
    const { outcome, madeKey } = await orStop(setSecret(project, name!, value, Date.now()))
    if (madeKey !== undefined) io.stdout(toldKey(project, madeKey))
    io.stdout(
      outcome === 'added'
        ? `added the secret "${name}" to ${project.shownFile}\n`
        : `changed the secret "${name}" in ${project.shownFile}\n`,
    )
    const users = (await usersOfSecrets(project)).get(name!)
    io.stdout(users ? `used by ${quoted(users)}\n` : `a credential uses it as \${secret:${name}}\n`)
    return 0
  },
}

/** What to do with a key that was made just now. */
export function toldKey({ shownKeyFile }: SecretProject, recipient: string): string {
  return `made a key, ${shownKeyFile} (readable for you alone)
  public: ${recipient}
  Keep a copy of the file in a safe place and never commit it: without it
  the secrets are lost. The engine needs it, too: at the same place, at the one
  of the setting secret.keyFile, or as the variable ${KEY_VARIABLE}.
`
}

const nothing = () => {}
const SILENT = { debug: nothing, info: nothing, warn: nothing, error: nothing }

async function valueOf(io: CommandIo, name: string): Promise<Buffer> {
  if ((io.stdin as { isTTY?: boolean }).isTTY)
    return Buffer.from(await askHidden(io, `Value of "${name}" (not shown)`))
  const parts: Buffer[] = []
  let length = 0
  for await (const part of io.stdin) {
    parts.push(Buffer.from(part as Buffer | string))
    length += parts.at(-1)!.length
    if (length > LIMIT + 2) break
  }
  return Buffer.concat(parts)
}

function checked(bytes: Buffer): string {
  const refuse = (what: string) => new Stop(1, `${what}; nothing was written`)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw refuse('the value is no UTF-8 text')
  }
  const value = text.replace(/\r?\n$/, '')
  if (value.trim() === '') throw refuse('the value is empty')
  if (Buffer.byteLength(value) > LIMIT) throw refuse('the value has more than 64 KB')
  return value
}
