import { hash } from 'node:crypto'

/** Tokens that are remembered; beyond that the oldest are forgotten. */
const MOST = 10_000
/** Characters up to which a token is its own key: looking it up costs a tenth of a hash. */
const SHORT = 2048

/** What is known of JWTs whose signature was verified, so that each costs that once. */
export class VerifiedTokens<T> {
  readonly #known = new Map<string, T>()

  get(token: string): T | undefined {
    return this.#known.get(keyOf(token))
  }

  set(token: string, about: T): void {
    if (this.#known.size >= MOST) this.#known.delete(this.#known.keys().next().value!)
    this.#known.set(keyOf(token), about)
  }

  delete(token: string): void {
    this.#known.delete(keyOf(token))
  }
}

function keyOf(token: string): string {
  return token.length <= SHORT ? token : hash('sha256', token, 'base64')
}
