import { Failure } from '../core/failure.ts'
import type { Secret } from '../core/secret.ts'
import type { SealedToken, StateOperation, StateStore, StoredTokens, TokenSlot } from '../core/stores.ts'
import type { Clock } from '../core/world.ts'
import { StoreError } from './store-error.ts'
import { Turns } from './turns.ts'
import { TokenSeals, type Sealer, type TokenSealsSetting } from './token-seals.ts'

export interface StoredTokensSetting extends TokenSealsSetting {
  readonly state: StateStore
}

/** Characters; a longer token is not kept. */
const LONGEST = 256 * 1024
/** ms that a token is kept which nothing uses any more. */
const GRACE = 30 * 24 * 60 * 60 * 1000

type Slot = Pick<TokenSlot, 'credential' | 'kind'>

/** Tokens in the state store, encrypted. */
export class SealedTokens implements StoredTokens {
  readonly #setting: StoredTokensSetting
  readonly #seals: TokenSeals
  /** By slot: what is known to be in the store. */
  readonly #opened = new Map<
    string,
    { readonly sealed: string; readonly origin: string; readonly content: Secret }
  >()
  /** By slot: the origin that a credential asked for. */
  readonly #used = new Map<string, string>()
  readonly #turns = new Turns()
  #sealer: Sealer | undefined

  constructor(setting: StoredTokensSetting) {
    this.#setting = setting
    this.#seals = new TokenSeals(setting)
  }

  async read(slot: TokenSlot) {
    this.#used.set(keyOf(slot), slot.origin)
    const token = (await this.#tokens(slot)).find(({ kind }) => kind === slot.kind)
    if (token?.origin !== slot.origin) return undefined
    return { content: await this.#open(token), at: token.at }
  }

  async asking(slot: TokenSlot): Promise<number | undefined> {
    const { state, clock } = this.#setting
    const { credential, origin } = slot
    this.#sealer = await this.#seals.sealer()
    const before = (await this.#tokens(slot)).find(({ kind }) => kind === 'asked')
    if (before?.origin === origin) return before.at
    const at = clock.now()
    const token = { credential, kind: 'asked', origin, at, recipients: '', sealed: '' } as const
    await state.atomically([{ kind: 'keep-token', token: { ...token, orphanedAt: undefined } }])
    return undefined
  }

  async answered({ credential }: TokenSlot): Promise<void> {
    await this.#setting.state.atomically([{ kind: 'drop-token', credential, token: 'asked' }])
  }

  async keep(slot: TokenSlot, content: Secret): Promise<void> {
    const { state, clock } = this.#setting
    const { credential, kind } = slot
    this.#used.set(keyOf(slot), slot.origin)
    if (content.reveal().length > LONGEST)
      throw new Failure(
        'credential.kept',
        `the ${kind} token of credential "${credential}" is too long to be kept`,
      )
    const sealer = this.#sealer ?? (await this.#seals.sealer())
    const sealed = await sealer.seal(slot, content)
    const { recipients } = sealer
    const token = { ...slot, at: clock.now(), recipients, sealed, orphanedAt: undefined }
    const operations: StateOperation[] = [{ kind: 'keep-token', token }]
    if (kind === 'refresh') operations.push({ kind: 'drop-token', credential, token: 'asked' })
    await state.atomically(operations)
    this.#opened.set(keyOf(slot), { sealed, origin: slot.origin, content })
  }

  async drop(slot: Slot): Promise<void> {
    this.#opened.delete(keyOf(slot))
    const { credential, kind } = slot
    await this.#setting.state.atomically([{ kind: 'drop-token', credential, token: kind }])
  }

  inTurn<Result>(slot: Slot, work: () => Promise<Result>): Promise<Result> {
    return this.#turns.take(keyOf(slot), work)
  }

  /** Resolves when nobody works with a token any more, or after so many ms. */
  settled(clock: Clock, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = clock.after(ms, resolve)
      void this.#turns.settled().then(() => {
        timer.cancel()
        resolve()
      })
    })
  }

  /**
   * Encrypts anew what is encrypted for other keys than those that are here, and lets go of what nothing has used for
   * 30 days.
   * @param isThere whether there is a credential of this name
   */
  async tend(isThere: (credential: string) => boolean): Promise<void> {
    const { state } = this.#setting
    const tokens = await state.tokens()
    if (tokens.length === 0) return
    const sealer = await this.#seals.sealerOfKeysHere()
    for (const token of tokens) {
      const kept = this.#aged(token, isThere)
      if (kept === undefined) {
        await state.atomically([{ kind: 'drop-token', credential: token.credential, token: token.kind }])
        this.#setting.log.info({ credential: token.credential }, 'let go of a kept token that nothing uses')
        continue
      }
      const sealed = sealer && (await this.#sealedAnew(kept, sealer))
      const next = sealed ? { ...kept, sealed, recipients: sealer.recipients } : kept
      if (next !== token)
        await state.atomically([{ kind: 'replace-token', before: token.sealed, token: next }])
    }
  }

  /** As it is kept from now on; undefined: it goes. */
  #aged(token: SealedToken, isThere: (credential: string) => boolean): SealedToken | undefined {
    const { credential, kind, origin, orphanedAt } = token
    const now = this.#setting.clock.now()
    const used = this.#used.get(keyOf({ credential, kind: kind === 'asked' ? 'refresh' : kind }))
    const inUse = used === origin && isThere(credential.replace(/ \(.*$/, ''))
    if (inUse) return orphanedAt === undefined ? token : { ...token, orphanedAt: undefined }
    if (orphanedAt === undefined || orphanedAt > now) return { ...token, orphanedAt: now }
    return now - orphanedAt < GRACE ? token : undefined
  }

  /** Undefined: it is encrypted for the keys that are here, or for others only. */
  async #sealedAnew(token: SealedToken, sealer: Sealer): Promise<string | undefined> {
    const { kind } = token
    if (kind === 'asked' || token.recipients === sealer.recipients) return undefined
    const content = await this.#seals.open(token).catch(() => undefined)
    return content && sealer.seal({ ...token, kind }, content)
  }

  async #open(token: SealedToken): Promise<Secret> {
    const { kind } = token
    if (kind === 'asked') throw new Error('there is no token in it')
    const key = keyOf({ ...token, kind })
    const opened = this.#opened.get(key)
    const { sealed, origin } = token
    if (opened?.sealed === sealed && opened.origin === origin) return opened.content
    const content = await this.#seals.open(token)
    this.#opened.set(key, { sealed, origin, content })
    return content
  }

  async #tokens({ credential, kind }: Slot): Promise<readonly SealedToken[]> {
    try {
      return await this.#setting.state.tokens(credential)
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      throw new Failure(
        'credential.kept',
        `whether a newer ${kind} token of credential "${credential}" is kept cannot be told: ${error.message}`,
        { cause: error, ...(error.hint !== undefined && { hint: error.hint }) },
      )
    }
  }
}

function keyOf({ credential, kind }: Slot): string {
  return `${kind} ${credential}`
}
