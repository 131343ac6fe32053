import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../core/world.ts'

/** ms in which the link may be used. */
const LINK = 5 * 60_000
/** ms after which one has to log in again. */
const SESSION = 12 * 60 * 60_000

/** Browsers send cookies to every port of a host: engines beside each other have names of their own. */
export function cookieOf(port: number | undefined): string {
  return `sluice-session-${port}`
}

/** Who sits before a development engine gets in by a link that is good once; the session ends with the process. */
export class DevSession {
  readonly #clock: Pick<Clock, 'ticks'>
  readonly #linkUntil: number
  #code: string | undefined = randomBytes(32).toString('base64url')
  #session: string | undefined
  #sessionUntil = 0

  constructor(clock: Pick<Clock, 'ticks'>) {
    this.#clock = clock
    this.#linkUntil = clock.ticks() + LINK
  }

  /** To be shown to a person, and to nobody else. Undefined: it was used, or is too old. */
  link(url: string): string | undefined {
    if (this.#code === undefined || this.#clock.ticks() > this.#linkUntil) return undefined
    return `${url}/login?code=${this.#code}`
  }

  /** The value of the cookie; undefined: the code is wrong, was used, or is too old. */
  redeem(code: string): string | undefined {
    const expected = this.#code
    if (expected === undefined || !same(code, expected)) return undefined
    this.#code = undefined
    if (this.#clock.ticks() > this.#linkUntil) return undefined
    this.#session = randomBytes(32).toString('base64url')
    this.#sessionUntil = this.#clock.ticks() + SESSION
    return this.#session
  }

  /** @param cookies as the header has them */
  holds(cookies: string | undefined, port: number | undefined): boolean {
    if (this.#session === undefined || cookies === undefined) return false
    if (this.#clock.ticks() > this.#sessionUntil) return false
    const given = cookies.split(';').map((cookie) => cookie.trim().split('='))
    return given.some(
      ([name, value]) => name === cookieOf(port) && value !== undefined && same(value, this.#session!),
    )
  }
}

function same(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(one), digest(other))
}
