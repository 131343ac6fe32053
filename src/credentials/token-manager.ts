import type { TokenLife } from '../core/authorizer.ts'
import { uninterrupted } from '../core/cancellation.ts'
import type { Cancellation } from '../core/context.ts'
import type { Failure } from '../core/failure.ts'
import type { CredentialState } from '../core/credential-state.ts'
import type { CredentialTestStep } from '../core/credential-test.ts'
import type { Authorizer, CredentialSetting, Grant, LentToken, Revocation } from '../core/kinds.ts'
import { Secret } from '../core/secret.ts'
import { FailureMemory, type Memory } from './failure-memory.ts'
import { Flight } from './flight.ts'
import { timeLeft, tokenTimes, type KeptToken } from './kept-token.ts'
import type { FetchedToken } from './token-exchange.ts'
import { goneFailure, impatientFailure, rememberedFailure, type TokenFailure } from './token-failure.ts'
import { TokenGrant, type GrantKeeper } from './token-grant.ts'
import type { TokenManagerSettings } from './token-manager-settings.ts'
import { describeState, describeToken } from './token-state.ts'
import { VainRenewals } from './vain-renewals.ts'

/** ms that the token service of a removed credential may take to hear that its token is no longer wanted. */
const LAST_WORDS = 30_000

/**
 * Keeps the token of one credential. A thousand callers that need one cause one request; a caller that gives up ends
 * only its own wait. There is no timer: an idle credential costs nothing.
 */
export class TokenManager implements Authorizer, GrantKeeper {
  declare readonly keepsTokens?: true
  declare readonly revoke?: (until: Cancellation) => Promise<Revocation>
  readonly #settings: TokenManagerSettings
  readonly #setting: CredentialSetting
  #kept: KeptToken | undefined
  /** Refused by a receiver; the service may give the same text again. */
  #dropped: KeptToken | undefined
  /** Monotonic ms when a token was refused, or dropped for a person, last. */
  #droppedTicks = -Infinity
  #flight: Flight<TokenGrant> | undefined
  readonly #memory: FailureMemory
  readonly #vain = new VainRenewals()
  #stopped = false
  #uses = 0
  #renewals = 0

  constructor(settings: TokenManagerSettings, setting: CredentialSetting) {
    this.#settings = settings
    this.#setting = setting
    this.#memory = new FailureMemory(setting.world.clock)
    if (settings.keepsTokens) this.keepsTokens = true
    if (settings.revoke) this.revoke = (until) => this.#revoke(until)
  }

  authorize(until: Cancellation): Grant | Promise<Grant> {
    this.#uses++
    const kept = this.#kept
    if (kept !== undefined) {
      const left = timeLeft(kept, this.#setting.world.clock)
      if (left > kept.margin) {
        if (left <= kept.margin + kept.lead && this.#mayAsk()) this.#flight ??= this.#renew()
        return kept.grant
      }
    }
    if (this.#stopped) this.#throwGone()
    if (this.#flight === undefined && !this.#mayAsk())
      return this.#lastResort() ?? this.#fail(this.#memory.current!)
    this.#flight ??= this.#renew()
    return this.#flight.wait(until, this.#setting.world.clock, () => impatientFailure(this.#settings.name))
  }

  async lend(until: Cancellation): Promise<LentToken> {
    const grant = (await this.authorize(until)) as TokenGrant
    return {
      token: TokenGrant.tokenOf(grant),
      reject: () => grant.reject(),
      accepted: () => grant.accepted(),
    }
  }

  /**
   * A receiver refused this grant: its token is dropped, once. A token that took the place of a refused one and is
   * refused as well is kept for a growing while: it is not the token that the receiver dislikes.
   */
  reject(grant: TokenGrant): boolean {
    const kept = this.#kept
    if (kept === undefined || kept.grant !== grant) return true
    if (kept.doubtful && this.#vain.keeps(kept, this.#setting.world.clock.ticks())) return false
    this.#dropped = kept
    this.#kept = undefined
    this.#droppedTicks = this.#setting.world.clock.ticks()
    this.#setting.log.info({ credential: this.#settings.name }, 'token refused by a receiver; it is dropped')
    return true
  }

  /** A receiver took this grant, after it had refused the one before. */
  accepted(grant: TokenGrant): void {
    const kept = this.#kept
    if (kept === undefined || kept.grant !== grant) return
    kept.doubtful = kept.refused = false
    this.#vain.forget()
  }

  describe(grant: TokenGrant): string {
    const now = this.#setting.world.clock.ticks()
    return describeToken(this.#tokenOf(grant), now, this.#vain.wait(now))
  }

  life(grant: TokenGrant): TokenLife | undefined {
    const kept = this.#tokenOf(grant)
    return kept && { left: timeLeft(kept, this.#setting.world.clock), scope: kept.scope }
  }

  #tokenOf(grant: TokenGrant): KeptToken | undefined {
    return [this.#kept, this.#dropped].find((token) => token?.grant === grant)
  }

  state(): CredentialState {
    const { clock } = this.#setting.world
    const inUse = this.#settings.secretInUse()
    const remembered = this.#memory.current
    return describeState(
      {
        kept: this.#kept,
        renewing: this.#flight !== undefined,
        failures: this.#memory.count,
        rejected: remembered?.failure.rejected === true,
        locked: remembered?.failure.locked === true,
        stored: this.#settings.stored(),
        uses: this.#uses,
        renewals: this.#renewals,
        counts: this.#settings.counts,
        secretInUse: inUse === undefined ? undefined : `${inUse} of ${this.#settings.secrets.length}`,
        lastFailure: this.#memory.last,
        waiting: remembered === undefined ? 0 : remembered.until - clock.ticks(),
        further: this.#settings.details(),
      },
      clock,
    )
  }

  /**
   * Takes the token of the version before, where the settings get the same one. Got with a secret that is no longer
   * among ours it only stands in as long as no new one can be had.
   */
  inherit(former: Authorizer): void {
    if (!(former instanceof TokenManager)) return
    this.#settings.counts.requests += former.#settings.counts.requests
    this.#settings.counts.failures += former.#settings.counts.failures
    if (former.#settings.key !== this.#settings.key) return
    this.#uses = former.#uses
    this.#renewals = former.#renewals
    const kept = former.#kept
    if (kept === undefined) return
    former.#kept = undefined
    kept.grant.moveTo(this)
    const { secrets, refreshBefore } = this.#settings
    const times = tokenTimes(kept.lifetime, refreshBefore, this.#setting.world.random())
    const known = kept.secret === undefined || secrets.some((secret) => secret.equals(kept.secret!))
    this.#kept = { ...kept, ...times, ...(!known && { margin: Infinity }) }
  }

  warm(): void {
    void this.#settings.look?.().then((failure) => failure && !this.#kept && this.#memory.keep(failure))
    const wanted = this.#kept === undefined || this.#kept.margin === Infinity
    if (this.#settings.warm && wanted && this.#mayAsk()) this.#flight ??= this.#renew()
  }

  /** A token that is being asked for may be no better than the one that is dropped: it is asked for once more. */
  invalidate(): void {
    this.#forget()
    this.#settings.dropped?.()
    this.#droppedTicks = this.#setting.world.clock.ticks()
    this.#memory.forget()
    this.#vain.forget()
  }

  async test(
    until: Cancellation,
    options: { readonly tryOthers: boolean },
  ): Promise<readonly CredentialTestStep[]> {
    const { steps, outcome } = await this.#settings.test(until, options)
    if (outcome && !this.#stopped) {
      if (outcome.kind === 'token') this.#keep(outcome)
      else this.#memory.keep(outcome)
    }
    return steps
  }

  stop(): void {
    this.#end()
    this.#forget()
    this.#settings.stopped()
  }

  leave(): void {
    this.#end()
  }

  remove(): void {
    if (!this.#settings.revoke) return this.stop()
    const { clock } = this.#setting.world
    this.#end()
    void this.#revoke(uninterrupted(clock.ticks() + LAST_WORDS)).finally(() => this.#settings.stopped())
  }

  #end(): void {
    this.#stopped = true
    this.#flight?.cancel(this.#gone())
    this.#flight = undefined
  }

  async #revoke(until: Cancellation): Promise<Revocation> {
    const { revoke, held } = this.#settings
    const elsewhere = this.#kept ? undefined : await held?.()
    const token = this.#kept?.text ?? elsewhere
    this.invalidate()
    if (!revoke || token === undefined) return { outcome: 'nothing' }
    return revoke(token, until)
  }

  #forget(): void {
    for (const token of [this.#kept, this.#dropped]) token?.forget(timeLeft(token, this.#setting.world.clock))
    this.#kept = this.#dropped = undefined
  }

  #mayAsk(): boolean {
    return !this.#stopped && this.#memory.mayAsk
  }

  /** The old token, while a renewal is not possible and it is not really too old. */
  #lastResort(): TokenGrant | undefined {
    const kept = this.#kept
    return kept !== undefined && timeLeft(kept, this.#setting.world.clock) > kept.last
      ? kept.grant
      : undefined
  }

  #renew(): Flight<TokenGrant> {
    const flight = new Flight<TokenGrant>(this.#setting.world.clock.ticks() + this.#settings.patience)
    flight.follow(
      this.#fetch(flight).then(
        (outcome) => this.#arrive(flight, outcome),
        (error: unknown) => this.#crash(flight, error),
      ),
    )
    return flight
  }

  /** Once more where a token was refused in the meantime: what ended that one may have ended the new one as well. */
  async #fetch(flight: Flight<TokenGrant>): Promise<FetchedToken | TokenFailure> {
    const outcome = await this.#settings.fetch(flight)
    return outcome.kind === 'token' && outcome.askedTicks < this.#droppedTicks
      ? this.#settings.fetch(flight)
      : outcome
  }

  /** What each of those who waited gets. */
  #arrive(flight: Flight<TokenGrant>, outcome: FetchedToken | TokenFailure): () => TokenGrant {
    if (this.#flight !== flight) return () => this.#throwGone()
    this.#flight = undefined
    if (outcome.kind === 'token') {
      const grant = this.#keep(outcome)
      return () => grant
    }
    const memory = this.#memory.keep(outcome)
    return () => this.#lastResort() ?? this.#fail(memory)
  }

  #crash(flight: Flight<TokenGrant>, error: unknown): () => TokenGrant {
    if (this.#flight === flight) this.#flight = undefined
    return () => {
      if (flight.cancelled) this.#throwGone()
      throw error
    }
  }

  #keep(token: FetchedToken): TokenGrant {
    const { world, redact } = this.#setting
    const { lifetime, scope, askedTicks, askedAt } = token
    const before = this.#kept ?? this.#dropped
    const afterRefusal = this.#dropped !== undefined || this.#kept?.refused === true
    const same = before !== undefined && before.text === token.token ? before : undefined
    this.#kept = {
      ...tokenTimes(lifetime, this.#settings.refreshBefore, world.random()),
      text: token.token,
      grant: same?.grant ?? new TokenGrant(this, this.#settings.place(token.token), new Secret(token.token)),
      scope,
      lacking: this.#settings.lacking(scope),
      secret: token.secret,
      lifetime,
      askedTicks,
      askedAt,
      forget: same?.forget ?? redact(token.token),
      doubtful: afterRefusal,
      refused: false,
    }
    if (same === undefined && before) before.forget(timeLeft(before, world.clock))
    this.#dropped = undefined
    this.#memory.forget()
    if (!token.takenOver) this.#renewals++
    return this.#kept.grant
  }

  #fail({ failure, until }: Memory): never {
    throw rememberedFailure(this.#settings.name, failure, until - this.#setting.world.clock.ticks())
  }

  #throwGone(): never {
    throw this.#gone()
  }

  #gone(): Failure {
    return goneFailure(this.#settings.name)
  }
}
