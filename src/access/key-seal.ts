import type { Logger } from '../core/services.ts'
import { makeKey, SecretsRefusal } from '../security/secret-changes.ts'
import { createNamedSealer, createOpener } from '../security/secret-cipher.ts'
import { findKeys, KEY_VARIABLE, type KeySources, type SecretKey } from '../security/secret-keys.ts'
import { trouble } from './private-file.ts'

/** Where the age keys are that signing keys are encrypted with. */
export interface KeySealSetting {
  readonly keys: KeySources
  /** No other place is named for the key: one may be made where it is looked for. */
  readonly mayMakeKey: boolean
  /** Never shown from now on. */
  readonly hide: (secret: string) => void
}

export interface Sealer {
  /** Whom it encrypts for. */
  readonly recipients: string
  seal(kid: string, text: string): Promise<string>
}

/** Encrypts and decrypts private keys of one file with the age keys of the project. The age keys are looked up anew each time. */
export class KeySeal {
  readonly #file: string
  readonly #setting: KeySealSetting
  readonly #log: Pick<Logger, 'info'>

  constructor(file: string, setting: KeySealSetting, log: Pick<Logger, 'info'>) {
    this.#file = file
    this.#setting = setting
    this.#log = log
  }

  /** Encrypts for all age keys that are here, one made for it included. @throws Error `SLUICE_ACCESS` */
  async sealer(now: number): Promise<Sealer> {
    return sealerFor(await this.#keysOrNew(now))
  }

  /** Undefined: there is no age key at the moment. @throws Error `SLUICE_ACCESS` */
  async sealerOfKeysHere(): Promise<Sealer | undefined> {
    const keys = await this.#keys()
    return keys.length === 0 ? undefined : sealerFor(keys)
  }

  /** @throws Error `SLUICE_ACCESS` */
  async open(kid: string, sealed: string): Promise<string> {
    const keys = await this.#keys()
    const open = await createOpener(keys.map(({ identity }) => identity.reveal()))
    const outcome = keys.length === 0 ? { locked: 'key' as const } : await open(nameOf(kid), sealed)
    if ('value' in outcome) return outcome.value
    const { shownKeyFile } = this.#setting.keys
    if (outcome.locked !== 'key')
      throw trouble(this.#file, 'is damaged; remove it, and a new signing key is made (tokens of before end)')
    throw trouble(
      this.#file,
      `is encrypted for a key that is not here; put that key into ${shownKeyFile} or ${KEY_VARIABLE}; or, if it is lost, remove the file, and a new signing key is made (tokens of before end)`,
    )
  }

  async #keysOrNew(now: number): Promise<readonly SecretKey[]> {
    const found = await this.#keys()
    if (found.length > 0) return found
    const { keys, mayMakeKey } = this.#setting
    if (!mayMakeKey)
      throw trouble(
        this.#file,
        `cannot be written: there is no key to encrypt it with in ${keys.shownKeyFile}; make one (sluice secret key --new), or leave out the setting secret.keyFile`,
      )
    try {
      await makeKey(keys, now)
    } catch (error) {
      const others = await this.#keys()
      if (others.length > 0) return others
      if (!(error instanceof SecretsRefusal)) throw error
      throw trouble(this.#file, `cannot be written: ${error.message}. ${error.hint}`)
    }
    this.#log.info(
      { file: keys.shownKeyFile },
      'made a key that encrypts what is kept, the signing keys first; keep a copy of it: without it they cannot be read',
    )
    return this.#keys()
  }

  /** @throws Error `SLUICE_ACCESS` where a key is there and cannot be read */
  async #keys(): Promise<readonly SecretKey[]> {
    const { keys, problems } = await findKeys(this.#setting.keys)
    for (const { identity } of keys) this.#setting.hide(identity.reveal())
    const wrong = problems.find(({ severity }) => severity === 'error')
    if (keys.length === 0 && wrong)
      throw trouble(this.#file, `cannot be used: ${wrong.file}: ${wrong.message}. ${wrong.hint ?? ''}`.trim())
    return keys
  }
}

/** Encrypts what `open` opens for the keys that stay; what none of those here opens is left as it is. */
export async function sealedAnew(
  sealed: readonly { readonly kid: string; readonly sealed: string }[],
  here: readonly SecretKey[],
  staying: readonly SecretKey[],
): Promise<{ readonly recipients: string; readonly sealed: readonly string[] }> {
  const open = await createOpener(here.map(({ identity }) => identity.reveal()))
  const { recipients, seal } = await sealerFor(staying)
  const anew = sealed.map(async ({ kid, sealed: before }) => {
    const outcome = await open(nameOf(kid), before)
    return 'value' in outcome ? seal(kid, outcome.value) : before
  })
  return { recipients, sealed: await Promise.all(anew) }
}

async function sealerFor(keys: readonly SecretKey[]): Promise<Sealer> {
  const sealer = await createNamedSealer(keys.map(({ recipient }) => recipient))
  return { ...sealer, seal: (kid, text) => sealer.seal(nameOf(kid), text) }
}

/** What the encrypted text is bound to. */
function nameOf(kid: string): string {
  return `signing key ${kid}`
}
