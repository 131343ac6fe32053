import { createHash } from 'node:crypto'
import { uninterrupted } from '../core/cancellation.ts'
import type { Cancellation } from '../core/context.ts'
import { Failure } from '../core/failure.ts'
import type { CredentialSetting } from '../core/kinds.ts'
import { Secret } from '../core/secret.ts'
import type { TokenSlot } from '../core/stores.ts'
import { ago } from './time-text.ts'
import type { FetchedToken } from './token-exchange.ts'
import { describeLocked, explainUnanswered, type TokenFailure } from './token-failure.ts'

type ChainSetting = Pick<CredentialSetting, 'storedTokens' | 'redact' | 'log'> & {
  readonly world: { readonly clock: { now(): number } }
}

type Outcome = FetchedToken | TokenFailure

/** The refresh token of a credential, and those that took its place. */
export class RefreshTokenChain {
  readonly #configured: Secret
  readonly #slot: TokenSlot
  readonly #setting: ChainSetting
  #current: Secret | undefined
  /** Epoch ms since when the current one is kept; undefined: it is the one of the file, or it is not kept. */
  #keptSince: number | undefined
  /** It could not be kept. */
  #unkept: Secret | undefined
  #release: (() => void) | undefined
  #stopped = false

  /** @param service to whom and for whom it is: a token that was given by another service, or to another client, does not count */
  constructor(
    credential: string,
    configured: Secret,
    service: { readonly host: string; readonly clientId: string },
    setting: ChainSetting,
  ) {
    this.#configured = configured
    const origin = JSON.stringify([credential, service.host, service.clientId, configured.reveal()])
    this.#slot = {
      credential,
      kind: 'refresh',
      origin: createHash('sha256').update(origin).digest('base64url'),
    }
    this.#setting = setting
  }

  /**
   * Asks with the newest token, one at a time for each credential, whatever version of it asks: a service that gives
   * a new token with each request takes each one once. For the same reason it goes on when the one who waits is called
   * off. A token that the answer brings is kept before anything else is done with the answer.
   */
  async ask(
    until: Cancellation,
    send: (newest: Secret, toTheEnd: Cancellation) => Promise<Outcome>,
  ): Promise<Outcome> {
    const outcome = await this.#setting.storedTokens.inTurn(this.#slot, async () => {
      if (until.cancelled) throw until.cancelled
      const newest = await this.#newest()
      if ('kind' in newest) return newest
      const unanswered = await this.#note()
      const answer = await send(newest.token, uninterrupted(until.deadline))
      if (answer.kind === 'token') {
        await this.#rotate(answer.refreshToken)
        return answer
      }
      if (answer.said && unanswered === undefined) this.#forgetNote()
      return unanswered === undefined ? answer : explainUnanswered(answer, unanswered)
    })
    if (until.cancelled) throw until.cancelled
    return outcome
  }

  /** Looks, before it is needed, whether what is kept can be read. */
  async look(): Promise<TokenFailure | undefined> {
    const newest = await this.#newest()
    if (!('kind' in newest)) return undefined
    const { message: reason, details } = newest
    const { credential } = this.#slot
    this.#setting.log.error(
      { credential, reason, hint: details.hint },
      'the kept refresh token cannot be read',
    )
    return newest
  }

  /** For people. */
  describe(): Readonly<Record<string, string>> {
    if (this.#unkept) return { 'refresh token': 'given by the service; in memory only, it could not be kept' }
    if (this.#keptSince === undefined) return {}
    const since = ago(this.#setting.world.clock.now() - this.#keptSince)
    return { 'refresh token': `given by the service ${since}, kept` }
  }

  stop(): void {
    this.#stopped = true
    this.#release?.()
    this.#release = undefined
  }

  /** What cannot be told any more, but was told before, still holds: nobody else works with it. */
  async #newest(): Promise<{ readonly token: Secret } | TokenFailure> {
    if (this.#unkept) return { token: this.#unkept }
    try {
      const kept = await this.#setting.storedTokens.read(this.#slot)
      this.#keptSince = kept?.at
      this.#use(kept?.content ?? this.#configured)
    } catch (thrown) {
      if (this.#current === undefined) return describeLocked(Failure.from(thrown))
    }
    return { token: this.#current! }
  }

  /** @returns epoch ms of an earlier request that was not answered */
  async #note(): Promise<number | undefined> {
    try {
      return await this.#setting.storedTokens.asking(this.#slot)
    } catch (thrown) {
      const reason = Failure.from(thrown).message
      this.#setting.log.warn(
        { credential: this.#slot.credential, reason },
        'a new refresh token, if the service gives one, may not be kept',
      )
      return undefined
    }
  }

  #forgetNote(): void {
    this.#setting.storedTokens.answered(this.#slot).catch(() => {})
  }

  /** The service gave this one with its answer; undefined: the one before is still good. */
  async #rotate(token: string | undefined): Promise<void> {
    if (token === undefined || token === this.#current?.reveal()) return this.#forgetNote()
    this.#use(new Secret(token))
    const { storedTokens, log, world } = this.#setting
    const { credential } = this.#slot
    try {
      await storedTokens.keep(this.#slot, this.#current!)
      this.#unkept = undefined
      this.#keptSince = world.clock.now()
    } catch (thrown) {
      this.#unkept = this.#current
      const { message: reason, hint } = Failure.from(thrown)
      log.error(
        { credential, reason, ...(hint !== undefined && { hint }) },
        'the new refresh token could not be kept; it is lost when the engine ends',
      )
    }
  }

  #use(token: Secret): void {
    if (this.#current?.equals(token)) return
    this.#release?.()
    this.#current = token
    this.#release = this.#setting.redact(token.reveal())
    if (this.#stopped) this.stop()
  }
}
