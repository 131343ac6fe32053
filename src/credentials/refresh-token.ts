import { createHash } from 'node:crypto'
import type { Cancellation } from '../core/context.ts'
import { Failure } from '../core/failure.ts'
import type { CredentialSetting } from '../core/kinds.ts'
import { Secret } from '../core/secret.ts'
import type { RefreshTokens } from '../core/stores.ts'

type ChainSetting = Pick<CredentialSetting, 'refreshTokens' | 'redact' | 'log'>

/** The refresh token of a credential, and those that took its place. */
export class RefreshTokenChain {
  readonly #credential: string
  readonly #configured: Secret
  readonly #origin: string
  readonly #setting: ChainSetting
  #current: Secret | undefined
  /** It could not be kept. */
  #unkept: Secret | undefined
  #release: (() => void) | undefined
  #stopped = false

  constructor(credential: string, configured: Secret, setting: ChainSetting) {
    this.#credential = credential
    this.#configured = configured
    this.#origin = createHash('sha256').update(configured.reveal()).digest('base64url')
    this.#setting = setting
  }

  /**
   * Works with the newest token, one at a time for each credential, whatever version of it asks: a service that gives
   * a new token with each request takes each one once. For the same reason the work goes on when the one who waits is
   * called off.
   */
  async inTurn<Result>(
    until: Cancellation,
    work: (newest: Secret, toTheEnd: Cancellation) => Promise<Result>,
  ): Promise<Result> {
    const { refreshTokens } = this.#setting
    const result = await takeTurn(refreshTokens, this.#credential, async () => {
      if (until.cancelled) throw until.cancelled
      const kept = this.#unkept ?? (await refreshTokens.newest(this.#credential, this.#origin))
      this.#use(kept ?? this.#configured)
      return work(this.#current!, toTheEnd(until))
    })
    if (until.cancelled) throw until.cancelled
    return result
  }

  /** The service gave this one with its answer; undefined: the one before is still good. */
  async rotate(token: string | undefined): Promise<void> {
    if (token === undefined || token === this.#current?.reveal()) return
    this.#use(new Secret(token))
    const { refreshTokens, log } = this.#setting
    try {
      await refreshTokens.keep(this.#credential, this.#origin, this.#current!)
      this.#unkept = undefined
    } catch (thrown) {
      this.#unkept = this.#current
      log.error(
        { credential: this.#credential, reason: Failure.from(thrown).message },
        'the new refresh token could not be kept; it is lost when the engine ends',
      )
    }
  }

  stop(): void {
    this.#stopped = true
    this.#release?.()
    this.#release = undefined
  }

  #use(token: Secret): void {
    if (this.#current?.equals(token)) return
    this.#release?.()
    this.#current = token
    this.#release = this.#setting.redact(token.reveal())
    if (this.#stopped) this.stop()
  }
}

const turns = new WeakMap<RefreshTokens, Map<string, Promise<unknown>>>()

/** Once everyone who came before is done. */
async function takeTurn<Result>(
  tokens: RefreshTokens,
  credential: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const own = turns.get(tokens) ?? new Map<string, Promise<unknown>>()
  turns.set(tokens, own)
  const before = own.get(credential)
  const mine = (before ?? Promise.resolve()).then(work, work)
  own.set(credential, mine)
  try {
    return await mine
  } finally {
    if (own.get(credential) === mine) own.delete(credential)
  }
}

/** The same time, and no way to call it off. */
function toTheEnd({ deadline }: Cancellation): Cancellation {
  return { deadline, cancelled: undefined, onCancel: () => () => {} }
}
