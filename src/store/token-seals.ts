import { Failure } from '../core/failure.ts'
import { Secret } from '../core/secret.ts'
import type { Logger } from '../core/services.ts'
import type { SealedToken, StateStore, TokenSlot } from '../core/stores.ts'
import type { Clock } from '../core/world.ts'
import { createNamedSealer, createOpener } from '../security/secret-cipher.ts'
import { makeKey, SecretsRefusal } from '../security/secret-changes.ts'
import {
  findKeys,
  KEY_VARIABLE,
  type FoundKeys,
  type KeySources,
  type SecretKey,
} from '../security/secret-keys.ts'

export interface TokenSealsSetting {
  readonly clock: Clock
  readonly log: Logger
  readonly keys: KeySources
  /** No other place is named for the key: one may be made where it is looked for. */
  readonly mayMakeKey: boolean
  readonly redactor: { add(secret: string): unknown }
}

/** Encrypts for all keys that are here. */
export interface Sealer {
  readonly recipients: string
  seal(slot: TokenSlot, content: Secret): Promise<string>
}

/** Encrypts and decrypts tokens with the age keys of the project. The keys are looked up anew each time: they may be replaced. */
export class TokenSeals {
  readonly #setting: TokenSealsSetting
  /** Keys that the redactor knows. */
  readonly #known = new Set<string>()

  constructor(setting: TokenSealsSetting) {
    this.#setting = setting
  }

  /** @throws Failure `credential.kept` when there is no key and none can be made */
  async sealer(): Promise<Sealer> {
    const { keys } = await this.#keysOrNew()
    return createTokenSealer(keys.map(({ recipient }) => recipient))
  }

  /** Undefined: there is no key. */
  async sealerOfKeysHere(): Promise<Sealer | undefined> {
    const { keys } = await this.#keys()
    return keys.length === 0 ? undefined : createTokenSealer(keys.map(({ recipient }) => recipient))
  }

  /** @throws Failure `credential.kept` */
  async open(token: SealedToken): Promise<Secret> {
    const found = await this.#keys()
    if (found.keys.length === 0) throw this.#locked(token, this.#whyNoKey(found))
    const open = await createOpener(found.keys.map(({ identity }) => identity.reveal()))
    const outcome = await open(nameOf(token), token.sealed)
    if ('value' in outcome) return new Secret(outcome.value)
    if (outcome.locked !== 'key') throw unreadable(token, 'is damaged', otherwise(token))
    const from = [...new Set(found.keys.map((key) => key.from))].join(' and ')
    throw this.#locked(token, `is encrypted for another key than ${from} has`)
  }

  async #keysOrNew(): Promise<FoundKeys> {
    const found = await this.#keys()
    if (found.keys.length > 0) return found
    const { keys, mayMakeKey, clock, log } = this.#setting
    const wrong = found.problems.find(({ severity }) => severity === 'error')
    if (wrong || !mayMakeKey)
      throw new Failure(
        'credential.kept',
        `there is no key to encrypt tokens with: ${wrong ? `${wrong.file}: ${wrong.message}` : `${keys.shownKeyFile} is not there`}`,
        {
          hint: wrong?.hint ?? `Make one (sluice secret key --new), or leave out the setting secret.keyFile.`,
        },
      )
    try {
      await makeKey(keys, clock.now())
      log.warn(
        { file: keys.shownKeyFile },
        'made a key for the tokens that are kept; keep a copy of it: without it they cannot be read',
      )
    } catch (error) {
      const other = await this.#keys()
      if (other.keys.length > 0) return other
      if (!(error instanceof SecretsRefusal)) throw error
      throw new Failure('credential.kept', error.message, { hint: error.hint, cause: error })
    }
    return this.#keys()
  }

  async #keys(): Promise<FoundKeys> {
    const found = await findKeys(this.#setting.keys)
    for (const { identity } of found.keys) {
      const text = identity.reveal()
      if (this.#known.has(text)) continue
      this.#known.add(text)
      this.#setting.redactor.add(text)
    }
    return found
  }

  #whyNoKey({ problems }: FoundKeys): string {
    const wrong = problems.find(({ severity }) => severity === 'error')
    return wrong
      ? `cannot be read without the key (${wrong.file}: ${wrong.message})`
      : 'cannot be read without the key'
  }

  #locked(token: SealedToken, why: string): Failure {
    const { shownKeyFile } = this.#setting.keys
    return unreadable(
      token,
      why,
      `Put the key that it was encrypted with into ${shownKeyFile} or ${KEY_VARIABLE}; it is tried again by itself. If that key is lost: ${otherwise(token)}`,
    )
  }
}

/** Encrypts tokens for the keys that stay; what none of those here opens is left as it is. */
export async function sealTokensAnew(
  state: StateStore,
  here: readonly SecretKey[],
  staying: readonly SecretKey[],
): Promise<void> {
  const open = await createOpener(here.map(({ identity }) => identity.reveal()))
  const sealer = await createTokenSealer(staying.map(({ recipient }) => recipient))
  for (const token of await state.tokens()) {
    const { kind, sealed: before, recipients } = token
    if (kind === 'asked' || recipients === sealer.recipients) continue
    const outcome = await open(nameOf(token), before)
    if (!('value' in outcome)) continue
    const sealed = await sealer.seal({ ...token, kind }, new Secret(outcome.value))
    const next = { ...token, sealed, recipients: sealer.recipients }
    await state.atomically([{ kind: 'replace-token', before, token: next }])
  }
}

async function createTokenSealer(recipients: readonly string[]): Promise<Sealer> {
  const sealer = await createNamedSealer(recipients)
  return { ...sealer, seal: (slot, content) => sealer.seal(nameOf(slot), content.reveal()) }
}

/** What the encrypted text is bound to: another one's, or one that goes back to something else, does not pass for it. */
function nameOf({ credential, kind, origin }: Pick<SealedToken, 'credential' | 'kind' | 'origin'>): string {
  return `${kind} token of ${credential} from ${origin}`
}

function unreadable({ credential, kind }: SealedToken, why: string, hint: string): Failure {
  return new Failure(
    'credential.kept',
    `the ${kind} token that is kept for credential "${credential}" ${why}`,
    {
      hint,
    },
  )
}

function otherwise({ kind }: SealedToken): string {
  return kind === 'refresh'
    ? 'let the user log in once more, and put the new refresh token where the old one came from: it counts at once.'
    : 'a new token is asked for.'
}
