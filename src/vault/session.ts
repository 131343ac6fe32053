import { Secret } from '../core/secret.ts'
import type { Logger } from '../core/services.ts'
import type { Clock, Timer } from '../core/world.ts'
import type { VaultClient } from './client.ts'
import { leaseIn, leaseOf, type Lease } from './lease.ts'
import { readLogin, type AuthSetting, type Login } from './login.ts'
import type { SecretText } from '../security/setting-reference.ts'
import { Trouble } from './trouble.ts'

export interface VaultSessionSetting {
  readonly client: VaultClient
  readonly auth: AuthSetting
  readonly from: SecretText
  readonly clock: Clock
  readonly log: Logger
  readonly redactor: { add(secret: string): () => void }
}

/** ms; a shorter rest of a lease is not worth a renewal. */
const SHORT = 1000
/** ms between two tries of a renewal that fails. */
const AGAIN = 5000

interface Held extends Lease {
  /** Monotonic ms. */
  readonly endsAt: number
  /** ms of the first grant: what a renewal is measured by. */
  readonly first: number
  readonly release: () => void
}

/** The token of the engine: one login for all who ask, renewed before its end, made anew where that is not possible. */
export class VaultSession {
  readonly #setting: VaultSessionSetting
  #held: Held | undefined
  #login: Promise<Secret | Trouble> | undefined
  #look: Promise<boolean> | undefined
  #timer: Timer | undefined
  #stopped = false

  constructor(setting: VaultSessionSetting) {
    this.#setting = setting
  }

  /** A token that should be good. */
  async token(): Promise<Secret | Trouble> {
    const held = this.#held
    if (held && this.#setting.clock.ticks() < held.endsAt) return held.token
    return this.#logIn()
  }

  /** Vault refused this token: whether another one is worth a try. Vault is asked whether it still knows it. */
  async isDead(token: Secret): Promise<boolean> {
    if (this.#held?.token !== token) return true
    const dead = await (this.#look ??= this.#askWhether(token).finally(() => (this.#look = undefined)))
    if (dead && this.#held?.token === token) this.#forget()
    return dead
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  async #askWhether(token: Secret): Promise<boolean> {
    const answer = await this.#setting.client.ask('GET', 'auth/token/lookup-self', token)
    return !(answer instanceof Trouble) && answer.status !== 200
  }

  #logIn(): Promise<Secret | Trouble> {
    return (this.#login ??= this.#begin().finally(() => (this.#login = undefined)))
  }

  async #begin(): Promise<Secret | Trouble> {
    const { auth, from, redactor, log } = this.#setting
    const login = await readLogin(auth, from)
    if ('why' in login)
      return new Trouble('login', `cannot be read: ${login.why}`, 'Set it; the login to Vault needs it.')
    const release = redactor.add(login.method === 'token' ? login.token : login.secret)
    const lease = await this.#granted(login)
    if (lease instanceof Trouble) {
      release()
      return lease
    }
    const releaseToken = redactor.add(lease.token.reveal())
    this.#hold(lease, lease.duration, () => {
      release()
      releaseToken()
    })
    log.info({ method: login.method, lease: shown(lease) }, 'logged in to Vault')
    return lease.token
  }

  async #granted(login: Exclude<Login, { why: string }>): Promise<Lease | Trouble> {
    const { client } = this.#setting
    if (login.method === 'token') {
      const token = new Secret(login.token)
      const answer = await client.ask('GET', 'auth/token/lookup-self', token)
      if (answer instanceof Trouble) return answer
      // A token may be good and not be allowed to ask for itself.
      return answer.status === 200 ? leaseOf(token, answer.body) : leaseOf(token, undefined)
    }
    const answer = await client.ask('POST', login.path, undefined, login.data)
    if (answer instanceof Trouble) return answer
    const { status, body, said } = answer
    const lease = status === 200 ? leaseIn(body) : undefined
    if (lease) return lease
    const setting = `vault.auth.${login.method}`
    return status === 200
      ? new Trouble('login', 'cannot be read: Vault granted no token', `Look at ${setting} and its mount.`)
      : new Trouble(
          'login',
          `cannot be read: Vault refuses the login (${status}${said === '' ? '' : `: ${said}`})`,
          `Look at ${setting}: what it gives, its role in Vault, and its mount.`,
        )
  }

  #hold(lease: Lease, first: number, release: () => void): void {
    if (this.#held?.release !== release) this.#forget()
    const endsAt = this.#setting.clock.ticks() + lease.duration
    this.#held = { ...lease, endsAt, first, release }
    this.#wait((lease.duration * 2) / 3)
  }

  /** A token that is no longer used is redacted as long as it may be good. */
  #forget(): void {
    const held = this.#held
    this.#held = undefined
    this.#timer?.cancel()
    if (!held) return
    const left = held.endsAt - this.#setting.clock.ticks()
    if (Number.isFinite(left) && left > 0) this.#setting.clock.after(left, held.release)
    else held.release()
  }

  #wait(ms: number): void {
    this.#timer?.cancel()
    if (!this.#stopped && Number.isFinite(ms) && ms >= SHORT)
      this.#timer = this.#setting.clock.after(ms, () => void this.#renew())
  }

  async #renew(): Promise<void> {
    const { client, clock, log } = this.#setting
    const held = this.#held
    if (!held || this.#stopped) return
    if (!held.renewable || held.duration < held.first / 2) return this.#replace(held)
    const answer = await client.ask('POST', 'auth/token/renew-self', held.token, {})
    if (this.#held !== held || this.#stopped) return
    if (answer instanceof Trouble) {
      const left = held.endsAt - clock.ticks()
      log.warn(
        { reason: answer.why.replace(/^cannot be read: /, '') },
        'the token of Vault could not be renewed yet',
      )
      return this.#wait(Math.min(AGAIN, left / 2))
    }
    const lease = answer.status === 200 ? leaseIn(answer.body) : undefined
    if (!lease) return this.#replace(held)
    log.debug({ lease: shown(lease) }, 'the token of Vault was renewed')
    this.#hold({ ...lease, token: held.token }, held.first, held.release)
  }

  /** The token before is good until another one is there. */
  async #replace(held: Held): Promise<void> {
    const { clock, log } = this.#setting
    const made = await this.#logIn()
    if (this.#held !== held || this.#stopped || !(made instanceof Trouble)) return
    log.warn(
      { reason: made.why.replace(/^cannot be read: /, '') },
      'the login to Vault failed; it is tried again',
    )
    this.#wait(Math.min(AGAIN, (held.endsAt - clock.ticks()) / 2))
  }
}

function shown({ duration }: Lease): string {
  return Number.isFinite(duration) ? `${Math.round(duration / 1000)}s` : 'without end'
}
