import type { Cancellation } from '../core/context.ts'
import { Failure } from '../core/failure.ts'
import type { CredentialSetting } from '../core/kinds.ts'
import { Secret } from '../core/secret.ts'
import type { TokenSlot } from '../core/stores.ts'
import { tokenTimes } from './kept-token.ts'
import { ago } from './time-text.ts'
import type { FetchedToken } from './token-exchange.ts'
import type { TokenFailure } from './token-failure.ts'
import type { TokenTest } from './token-manager-settings.ts'

type Outcome = FetchedToken | TokenFailure
type KeepingSetting = Pick<CredentialSetting, 'storedTokens' | 'log' | 'world'>

export interface ExclusiveTokenSettings {
  readonly name: string
  /** The same for settings that get the same token, in other processes, too. */
  readonly origin: string
  /** What tells a secret in other processes, by what tells it in this one. */
  readonly secrets: readonly { readonly secret: Secret | undefined; readonly lasting: string }[]
  /** ms */
  readonly refreshBefore: number
}

const ENDED = 'a new token ends the one before (exclusive): this one is kept, and used from now on.'

/** What is kept, encrypted. */
interface Content {
  readonly token: string
  /** ms */
  readonly lifetime: number
  readonly told: boolean
  /** Epoch ms. */
  readonly askedAt: number
  readonly scope?: string
  readonly type?: string
  /** Tells the secret that it was got with. */
  readonly secret: string
}

/**
 * The token of a credential for which a new one ends the one before: it is kept beyond the end of the engine, and taken
 * over by the next one instead of asking for another.
 */
export class ExclusiveToken {
  readonly #settings: ExclusiveTokenSettings
  readonly #setting: KeepingSetting
  readonly #slot: TokenSlot
  /** What is kept was looked at; from then on it is only written. */
  #looked = false
  /** Epoch ms since when the token is kept. */
  #keptSince: number | undefined
  #unkept = false

  constructor(settings: ExclusiveTokenSettings, setting: KeepingSetting) {
    this.#settings = settings
    this.#setting = setting
    this.#slot = { credential: settings.name, kind: 'access', origin: settings.origin }
  }

  /** The one that is kept, where it is still good; else a new one. */
  fetch(until: Cancellation, ask: (until: Cancellation) => Promise<Outcome>): Promise<Outcome> {
    return this.#setting.storedTokens.inTurn(this.#slot, async () => {
      if (until.cancelled) throw until.cancelled
      const kept = this.#looked ? undefined : await this.#takeOver()
      this.#looked = true
      if (kept) return kept
      const outcome = await ask(until)
      if (outcome.kind === 'token') await this.#keep(outcome)
      return outcome
    })
  }

  /** A token that was asked for in another way is kept as well. */
  test(ask: () => Promise<TokenTest>): Promise<TokenTest> {
    return this.#setting.storedTokens.inTurn(this.#slot, async () => {
      const result = await ask()
      this.#looked = true
      if (result.outcome?.kind !== 'token') return result
      await this.#keep(result.outcome)
      const steps = result.steps.map((step) =>
        step.ok && !step.variant ? { ...step, warnings: [...(step.warnings ?? []), ENDED] } : step,
      )
      return { ...result, steps }
    })
  }

  /** The one that is kept, where it was not taken over yet; it stays where it is. Never rejects. */
  async held(): Promise<string | undefined> {
    if (this.#looked) return undefined
    return (await this.#setting.storedTokens.inTurn(this.#slot, () => this.#takeOver()))?.token
  }

  /** It is no longer good. */
  drop(): void {
    const { storedTokens, log } = this.#setting
    this.#looked = true
    this.#keptSince = undefined
    this.#unkept = false
    storedTokens
      .inTurn(this.#slot, () => storedTokens.drop(this.#slot))
      .catch((thrown: unknown) =>
        log.warn(
          { credential: this.#settings.name, reason: Failure.from(thrown).message },
          'the dropped token could not be taken out of what is kept',
        ),
      )
  }

  /** For people. */
  describe(): Readonly<Record<string, string>> {
    if (this.#unkept) return { 'kept token': 'in memory only, it could not be kept' }
    if (this.#keptSince === undefined) return {}
    return { 'kept token': `kept ${ago(this.#setting.world.clock.now() - this.#keptSince)}` }
  }

  async #takeOver(): Promise<FetchedToken | undefined> {
    const { storedTokens, log, world } = this.#setting
    const { name } = this.#settings
    try {
      const kept = await storedTokens.read(this.#slot)
      const token = kept && this.#stillGood(JSON.parse(kept.content.reveal()) as Content)
      if (!token) return undefined
      this.#keptSince = kept.at
      const left = Math.round((token.askedAt + token.lifetime - world.clock.now()) / 1000)
      log.info({ credential: name, left: `${left}s` }, 'token taken over from the engine before')
      return token
    } catch (thrown) {
      const { message: reason, hint } = Failure.from(thrown)
      log.warn(
        { credential: name, reason, ...(hint !== undefined && { hint }) },
        'the kept token cannot be taken over; a new one is asked for, which ends it',
      )
      return undefined
    }
  }

  #stillGood(content: Content): FetchedToken | undefined {
    const { clock, random } = this.#setting.world
    const { secrets, refreshBefore } = this.#settings
    const { token, lifetime, told, askedAt, scope, type, secret } = content
    const age = clock.now() - askedAt
    const known = secrets.find(({ lasting }) => lasting === secret)
    const { margin } = tokenTimes(lifetime, refreshBefore, random())
    // A clock that was set back cannot tell how old it is.
    if (!known || age < 0 || lifetime - age <= margin) return undefined
    return {
      kind: 'token',
      token,
      lifetime,
      told,
      scope,
      type,
      refreshToken: undefined,
      status: 200,
      secret: known.secret,
      askedTicks: clock.ticks() - age,
      askedAt,
      takenOver: true,
    }
  }

  async #keep(fetched: FetchedToken): Promise<void> {
    const { storedTokens, log, world } = this.#setting
    const { token, lifetime, told, askedAt, scope, type, secret } = fetched
    const { name, secrets } = this.#settings
    const known = secrets.find((one) =>
      secret === undefined || one.secret === undefined ? one.secret === secret : one.secret.equals(secret),
    )
    const content: Content = {
      token,
      lifetime,
      told,
      askedAt,
      ...(scope !== undefined && { scope }),
      ...(type !== undefined && { type }),
      secret: known?.lasting ?? '',
    }
    try {
      await storedTokens.keep(this.#slot, new Secret(JSON.stringify(content)))
      this.#keptSince = world.clock.now()
      this.#unkept = false
    } catch (thrown) {
      this.#unkept = true
      const { message: reason, hint } = Failure.from(thrown)
      log.error(
        { credential: name, reason, ...(hint !== undefined && { hint }) },
        'the token could not be kept; the next engine asks for a new one, which ends it',
      )
    }
  }
}
