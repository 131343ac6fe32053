import type { Cancellation } from '../core/context.ts'
import { sayDuration } from '../core/duration.ts'
import { Failure } from '../core/failure.ts'
import type { Authorizer, CredentialSetting, CredentialState, Grant } from '../core/kinds.ts'
import { Flight } from './flight.ts'
import type { TokenFailure } from './token-failure.ts'
import type { FetchedToken } from './token-fetch.ts'
import { TokenGrant, type GrantKeeper } from './token-grant.ts'
import { ago } from './time-text.ts'

export interface TokenManagerSettings {
  readonly name: string
  /** ms before the end of a token from which on callers wait for a new one. */
  readonly refreshBefore: number
  /** ms for all attempts of one renewal. */
  readonly patience: number
  /** How a token goes onto a request. */
  place(token: string): { readonly headers: readonly string[]; readonly query: string }
  /** Asks the token service. Rejects only when it is called off. */
  fetch(until: Cancellation): Promise<FetchedToken | TokenFailure>
}

interface KeptToken {
  readonly text: string
  readonly grant: TokenGrant
  readonly scope: string | undefined
  /** ms */
  readonly lifetime: number
  readonly askedTicks: number
  readonly askedAt: number
  /** ms before the end: from `margin` on callers wait, `lead` before that it is renewed in the background, within `last` it is not handed out at all. */
  readonly margin: number
  readonly lead: number
  readonly last: number
  readonly forget: () => void
  /** It took the place of a refused one, and no receiver is known to have taken it. */
  doubtful: boolean
  /** A receiver refused it while it was doubtful. */
  refused: boolean
}

interface Memory {
  readonly failure: TokenFailure
  /** Monotonic ms. */
  readonly until: number
}

/** ms, of a remembered failure. */
const LONGEST_MEMORY = 5 * 60_000
/** ms between two renewals where the token of the first was refused like the one before; doubles up to the longest. */
const FIRST_PAUSE = 1000
const LONGEST_PAUSE = 60_000

/**
 * Keeps the token of one credential. A thousand callers that need one cause one request; a caller that gives up ends
 * only its own wait. There is no timer: an idle credential costs nothing.
 */
export class TokenManager implements Authorizer, GrantKeeper {
  readonly #settings: TokenManagerSettings
  readonly #setting: CredentialSetting
  #kept: KeptToken | undefined
  /** Refused by a receiver; the service may give the same text again. */
  #dropped: KeptToken | undefined
  #flight: Flight<TokenGrant> | undefined
  /** Until then (monotonic ms) nothing is asked. */
  #memory: Memory | undefined
  #failures = 0
  /** Renewals after a refusal, one after another, whose token was refused as well. */
  #vain = 0
  /** Monotonic ms; until then a token that was refused while in doubt is kept. */
  #keptUntil = -Infinity
  #stopped = false
  #uses = 0
  #renewals = 0
  #lastFailure:
    | { readonly summary: string; readonly hint: string | undefined; readonly at: number }
    | undefined

  constructor(settings: TokenManagerSettings, setting: CredentialSetting) {
    this.#settings = settings
    this.#setting = setting
  }

  authorize(until: Cancellation): Grant | Promise<Grant> {
    this.#uses++
    const kept = this.#kept
    if (kept !== undefined) {
      const left = this.#left(kept)
      if (left > kept.margin) {
        if (left <= kept.margin + kept.lead && this.#mayAsk()) this.#flight ??= this.#renew()
        return kept.grant
      }
    }
    if (this.#stopped) this.#throwGone()
    if (this.#flight === undefined && !this.#mayAsk()) return this.#lastResort() ?? this.#fail(this.#memory!)
    this.#flight ??= this.#renew()
    return this.#flight.wait(until, this.#setting.world.clock, () => this.#impatient())
  }

  /**
   * A receiver refused this grant: its token is dropped, once. A token that took the place of a refused one and is
   * refused as well is kept for a growing while: it is not the token that the receiver dislikes.
   */
  reject(grant: TokenGrant): boolean {
    const kept = this.#kept
    if (this.#stopped) return false
    if (kept === undefined || kept.grant !== grant) return true
    if (kept.doubtful && this.#inVain(kept)) return false
    this.#dropped = kept
    this.#kept = undefined
    this.#setting.log.info({ credential: this.#settings.name }, 'token refused by a receiver; it is dropped')
    return true
  }

  /** A receiver took this grant, after it had refused the one before. */
  accepted(grant: TokenGrant): void {
    const kept = this.#kept
    if (kept === undefined || kept.grant !== grant) return
    kept.doubtful = kept.refused = false
    this.#vain = 0
  }

  /** Whether another renewal has to wait, because the last ones brought nothing. */
  #inVain(kept: KeptToken): boolean {
    if (!kept.refused) {
      kept.refused = true
      this.#keptUntil = kept.askedTicks + Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#vain++)
    }
    return this.#setting.world.clock.ticks() < this.#keptUntil
  }

  describe(grant: TokenGrant): string {
    const kept = [this.#kept, this.#dropped].find((token) => token?.grant === grant)
    if (kept === undefined) return 'a token was obtained, which has been replaced since'
    const now = this.#setting.world.clock.ticks()
    const scope = kept.scope === undefined ? '' : ` with scope ${kept.scope}`
    const age = ago(now - kept.askedTicks)
    if (!kept.refused) return `a token was obtained ${age}${scope}`
    const wait = this.#keptUntil - now
    const next = wait > 0 ? `; the next one is asked for in ${sayDuration(wait)} at the earliest` : ''
    return `the token was renewed ${age}${scope} and refused again${next}`
  }

  state(): CredentialState {
    const { clock } = this.#setting.world
    const kept = this.#kept
    const left = kept === undefined ? 0 : this.#left(kept)
    const alive = kept !== undefined && left > kept.last
    const failure = this.#lastFailure
    const waiting = this.#memory === undefined ? 0 : this.#memory.until - clock.ticks()
    return {
      status: this.#status(alive),
      details: {
        uses: this.#uses,
        renewals: this.#renewals,
        ...(kept !== undefined && {
          obtained: new Date(kept.askedAt).toISOString(),
          lifetime: sayDuration(kept.lifetime),
          expires: left > 0 ? `in ${sayDuration(left)}` : ago(-left),
          ...(kept.scope !== undefined && { 'granted scope': kept.scope }),
        }),
        ...(failure && {
          'last error': failure.summary,
          'last error at': new Date(failure.at).toISOString(),
          ...(failure.hint !== undefined && { 'what to do': failure.hint }),
        }),
        ...(waiting > 0 && { 'asks again': `in ${sayDuration(waiting)}` }),
      },
    }
  }

  stop(): void {
    this.#stopped = true
    this.#flight?.cancel(this.#gone())
    this.#flight = undefined
    this.#kept?.forget()
    this.#dropped?.forget()
    this.#kept = this.#dropped = undefined
  }

  #status(alive: boolean): string {
    if (this.#flight) return 'renewing'
    if (this.#lastFailure && this.#failures > 0 && !alive)
      return this.#memory?.failure.rejected ? 'refused' : 'unreachable'
    return alive ? 'ready' : 'unused'
  }

  /** ms; by the monotonic and by the wall clock, whichever says less: either may have stood still. */
  #left(kept: KeptToken): number {
    const { clock } = this.#setting.world
    return kept.lifetime - Math.max(clock.ticks() - kept.askedTicks, clock.now() - kept.askedAt)
  }

  #mayAsk(): boolean {
    return (
      !this.#stopped &&
      (this.#memory === undefined || this.#setting.world.clock.ticks() >= this.#memory.until)
    )
  }

  /** The old token, while a renewal is not possible and it is not really too old. */
  #lastResort(): TokenGrant | undefined {
    const kept = this.#kept
    return kept !== undefined && this.#left(kept) > kept.last ? kept.grant : undefined
  }

  #renew(): Flight<TokenGrant> {
    const flight = new Flight<TokenGrant>(this.#setting.world.clock.ticks() + this.#settings.patience)
    flight.follow(
      this.#settings.fetch(flight).then(
        (outcome) => this.#arrive(flight, outcome),
        (error: unknown) => this.#crash(flight, error),
      ),
    )
    return flight
  }

  /** What each of those who waited gets. */
  #arrive(flight: Flight<TokenGrant>, outcome: FetchedToken | TokenFailure): () => TokenGrant {
    if (this.#flight !== flight) return () => this.#throwGone()
    this.#flight = undefined
    if (outcome.kind === 'token') {
      const grant = this.#keep(outcome)
      return () => grant
    }
    const { clock } = this.#setting.world
    const wait = outcome.retryAfter ?? (outcome.rejected ? 30_000 : 1000) * 2 ** Math.min(6, this.#failures)
    this.#failures++
    const memory = { failure: outcome, until: clock.ticks() + Math.min(LONGEST_MEMORY, wait) }
    this.#memory = memory
    this.#lastFailure = { summary: outcome.summary, hint: outcome.details.hint, at: clock.now() }
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
    const margin = Math.min(this.#settings.refreshBefore, lifetime / 2)
    this.#kept = {
      text: token.token,
      grant: same?.grant ?? new TokenGrant(this, this.#settings.place(token.token)),
      scope,
      lifetime,
      askedTicks,
      askedAt,
      margin,
      lead: Math.min(this.#settings.refreshBefore / 2, lifetime / 4) * world.random(),
      last: Math.min(5000, lifetime / 10),
      forget: same?.forget ?? redact(token.token),
      doubtful: afterRefusal,
      refused: false,
    }
    if (same === undefined) before?.forget()
    this.#dropped = undefined
    this.#memory = undefined
    this.#failures = 0
    this.#renewals++
    return this.#kept.grant
  }

  /** The remembered failure, anew: each run marks its own. */
  #fail({ failure, until }: Memory): never {
    const { hint, ...details } = failure.details
    const again = `The service is asked again in ${sayDuration(until - this.#setting.world.clock.ticks())} at the earliest, or when the engine is started again.`
    throw new Failure(failure.code, failure.message, {
      ...details,
      hint: hint === undefined ? again : `${hint} ${again}`,
    })
  }

  #throwGone(): never {
    throw this.#gone()
  }

  #gone(): Failure {
    return new Failure(
      'credential.missing',
      `credential "${this.#settings.name}" was changed or removed just now`,
      {
        hint: 'Send the message again.',
      },
    )
  }

  #impatient(): Failure {
    return new Failure(
      'credential.timeout',
      `the token of credential "${this.#settings.name}" did not come in time`,
      {
        hint: 'Look whether the token service is slow (sluice credential show), or give the step and the flow more time.',
      },
    )
  }
}
