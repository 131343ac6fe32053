import { readFile } from 'node:fs/promises'
import { relative, sep } from 'node:path'
import { nearest, type Place, type Problem } from '../core/problem.ts'
import type { Redactor } from './redaction.ts'
import { createOpener, type Locked } from './secret-cipher.ts'
import { isSecretName, readSecretFile, type EncryptedSecret, type SecretFile } from './secret-file.ts'
import { findKeys, KEY_VARIABLE, type SecretKey } from './secret-keys.ts'

export interface SecretStoreSetting {
  /** Absolute; it may not be there. */
  readonly file: string
  /** Absolute; it may not be there. */
  readonly keyFile: string
  /** Absolute; files are shown from here. */
  readonly projectFolder: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly redactor: Pick<Redactor, 'add'>
}

/**
 * What a reference to a secret gives.
 * - `why`: it has no value; `kept`: it is there all the same, so that what was in force before stays; `unreadable`: it is
 *   to be tried again
 * - `message`: a mistake
 */
export type OpenedSecret =
  | { readonly value: string }
  | {
      readonly state: 'missing' | 'no key' | 'unreadable'
      readonly why: string
      readonly hint: string
      readonly kept?: true
      readonly unreadable?: true
    }
  | {
      readonly state: 'other key' | 'damaged' | 'misplaced'
      readonly message: string
      readonly hint: string
      readonly related?: readonly (Place & { readonly message: string })[]
    }

/** The encrypted secrets of a project. Only those that are asked for are decrypted, each once. */
export class SecretStore {
  readonly #setting: SecretStoreSetting
  readonly #opened = new Map<string, { readonly encrypted: string; readonly value: string }>()
  #outcomes: ReadonlyMap<string, OpenedSecret> = new Map()
  /** Keys that the redactor knows. */
  readonly #known = new Set<string>()
  #text: string | undefined
  #content: SecretFile | undefined
  #problems: readonly Problem[] = []
  #ofKeys: readonly Problem[] = []
  /** Something is there that no key opens. */
  #locked = false

  constructor(setting: SecretStoreSetting) {
    this.#setting = setting
  }

  /** Reads the file, and decrypts these secrets where they are not known yet. What they give is swapped at once. */
  async open(names: Iterable<string>): Promise<void> {
    const wanted = [...new Set(names)].filter(isSecretName)
    const trouble = await this.#read()
    const outcomes = new Map<string, OpenedSecret>()
    const closed: EncryptedSecret[] = []
    for (const name of wanted) {
      const secret = this.#content?.secrets.get(name)
      const opened = this.#opened.get(name)
      if (trouble) outcomes.set(name, trouble)
      else if (!secret) outcomes.set(name, this.#unreadable() ?? this.#missing(name))
      else if (opened?.encrypted === secret.encrypted) outcomes.set(name, { value: opened.value })
      else closed.push(secret)
    }
    this.#locked = closed.length > 0 && (await this.#decrypt(closed, outcomes))
    this.#outcomes = outcomes
    if (!trouble) for (const name of this.#opened.keys()) if (!outcomes.has(name)) this.#opened.delete(name)
  }

  value(name: string): OpenedSecret {
    return (
      this.#outcomes.get(name) ?? {
        state: 'unreadable',
        why: 'is not decrypted yet',
        hint: 'Write the reference on one line, without escapes.',
        kept: true,
      }
    )
  }

  /** All that are in the file. */
  names(): readonly string[] {
    return [...(this.#content?.secrets.keys() ?? [])]
  }

  /** RFC 3339: when it was set. */
  changed(name: string): string | undefined {
    return this.#content?.secrets.get(name)?.changed
  }

  /** Of the file and of the keys, not of single references. */
  get problems(): readonly Problem[] {
    return [...this.#problems, ...this.#ofKeys]
  }

  /** Absolute paths of what may change what it gives. The key only as long as another one is needed: its folder may be a busy one. */
  get files(): readonly string[] {
    const { file, keyFile } = this.#setting
    if (this.#outcomes.size === 0) return []
    return this.#locked ? [file, keyFile] : [file]
  }

  /** @returns whether something is there that no key opens */
  async #decrypt(secrets: readonly EncryptedSecret[], outcomes: Map<string, OpenedSecret>): Promise<boolean> {
    const { environment, keyFile, redactor } = this.#setting
    const shownKeyFile = this.#shown(keyFile)
    const { keys, problems } = await findKeys({ environment, keyFile, shownKeyFile })
    this.#ofKeys = problems
    const identities = keys.map(({ identity }) => identity.reveal())
    for (const identity of identities) {
      if (this.#known.has(identity)) continue
      this.#known.add(identity)
      redactor.add(identity)
    }
    if (keys.length === 0) {
      const hint = `Put the key into ${shownKeyFile}, or set ${KEY_VARIABLE}.`
      for (const { name } of secrets)
        outcomes.set(name, { state: 'no key', why: 'cannot be read without the key', hint, kept: true })
      return true
    }
    const open = await createOpener(identities)
    let locked = false
    for (const { name, encrypted, place } of secrets) {
      const outcome = await open(name, encrypted)
      if ('value' in outcome) {
        this.#opened.set(name, { encrypted, value: outcome.value })
        outcomes.set(name, outcome)
      } else {
        locked ||= outcome.locked === 'key'
        outcomes.set(name, this.#explain(name, outcome.locked, keys, place))
      }
    }
    return locked
  }

  #explain(name: string, locked: Locked, keys: readonly SecretKey[], place: Place): OpenedSecret {
    const shown = this.#shown()
    const related = (message: string) => [{ ...place, message }]
    if (locked === 'key') {
      const { recipients } = this.#content!
      const ours = keys.some(({ recipient }) => recipients.includes(recipient))
      const sources = [...new Set(keys.map(({ from }) => from))].join(' and ')
      return {
        state: 'other key',
        message: `the secret "${name}" is encrypted for another key than ${keys.length === 1 ? 'the one' : 'those'} of ${sources}`,
        hint: ours
          ? `It is not encrypted for those whom the file names; perhaps it came by a merge. Set it again: sluice secret set ${name}`
          : `Use the key that ${shown} was made for, or have it encrypted for yours: sluice secret rekey --add ${keys[0]!.recipient}`,
        related: related(ours ? 'here' : `encrypted for ${recipients.map(short).join(', ')}`),
      }
    }
    if (locked === 'damaged')
      return {
        state: 'damaged',
        message: `the encrypted text of the secret "${name}" is damaged`,
        hint: `Take its line from version control, or set it again: sluice secret set ${name}`,
        related: related('here'),
      }
    return {
      state: 'misplaced',
      message: `what stands at the secret "${name}" was encrypted as "${locked.madeFor.slice(0, 150)}"`,
      hint: `A line was moved or copied to another name. Take it from version control, or set it again: sluice secret set ${name}`,
      related: related('here'),
    }
  }

  /** @returns why it cannot be read; then what was known before is forgotten, but for what was decrypted */
  async #read(): Promise<OpenedSecret | undefined> {
    let text: string | undefined
    try {
      text = await readFile(this.#setting.file, 'utf8')
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
      if (code !== 'ENOENT') {
        this.#text = undefined
        this.#content = undefined
        this.#problems = []
        return {
          state: 'unreadable',
          why: `cannot be read: ${this.#shown()} cannot be read (${code})`,
          hint: 'Make it readable for the user of the engine.',
          kept: true,
          unreadable: true,
        }
      }
    }
    if (text === undefined || text !== this.#text) {
      this.#text = text
      const read = text === undefined ? { problems: [] } : readSecretFile(this.#shown(), text)
      this.#content = 'content' in read ? read.content : undefined
      this.#problems = read.problems
    }
    return text === undefined || this.#content ? undefined : this.#unreadable()
  }

  #missing(name: string): OpenedSecret {
    const shown = this.#shown()
    const near = nearest(name, this.names())
    return {
      state: 'missing',
      why: this.#content ? `is not in ${shown}` : `is not there: there is no ${shown}`,
      hint: `${near === undefined ? 'Put' : `Did you mean "${near}"? If not, put`} it there: sluice secret set ${name}`,
    }
  }

  /** Where the file has mistakes, what is not found in it may be there. */
  #unreadable(): OpenedSecret | undefined {
    const [first] = this.#problems
    return (
      first && {
        state: 'unreadable',
        why: `cannot be read: ${first.file}:${first.line}: ${first.message}`,
        hint: first.hint!,
        kept: true,
      }
    )
  }

  /** As people call it: from the project folder on. */
  #shown(path = this.#setting.file): string {
    return shownFrom(this.#setting.projectFolder, path)
  }
}

/** A path from the project folder on, where it is in it. */
export function shownFrom(projectFolder: string, path: string): string {
  const inside = relative(projectFolder, path).split(sep).join('/')
  return inside.startsWith('../') ? path : inside
}

/** Enough of a recipient to tell it from others. */
function short(recipient: string): string {
  return recipient.length <= 24 ? recipient : `${recipient.slice(0, 16)}…`
}
