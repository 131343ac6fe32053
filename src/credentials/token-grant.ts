import { inspect } from 'node:util'
import type { TokenLife } from '../core/authorizer.ts'
import type { Grant } from '../core/kinds.ts'
import type { Secret } from '../core/secret.ts'

/** The one that gave a grant and keeps its token. */
export interface GrantKeeper {
  reject(grant: TokenGrant): boolean
  accepted(grant: TokenGrant): void
  describe(grant: TokenGrant): string
  life(grant: TokenGrant): TokenLife | undefined
}

/** How a token goes onto a request, and what a receiver says when it is no longer good. */
export interface GrantShape {
  readonly headers: readonly string[]
  readonly query: string
  readonly refusedBy: readonly number[]
  readonly refuses: Grant['refuses']
}

/** What a token goes onto requests as; the same object as long as the service gives the same token. */
export class TokenGrant implements Grant {
  readonly headers: readonly string[]
  readonly query: string
  readonly refusedBy: readonly number[]
  declare readonly refuses?: NonNullable<Grant['refuses']>
  readonly #token: Secret
  #keeper: GrantKeeper

  constructor(keeper: GrantKeeper, shape: GrantShape, token: Secret) {
    this.#token = token
    this.#keeper = keeper
    this.headers = shape.headers
    this.query = shape.query
    this.refusedBy = shape.refusedBy
    if (shape.refuses) this.refuses = shape.refuses
  }

  /** For another credential that is made with it. */
  static tokenOf(grant: TokenGrant): Secret {
    return grant.#token
  }

  /** From now on another one keeps its token. */
  moveTo(keeper: GrantKeeper): void {
    this.#keeper = keeper
  }

  reject(): boolean {
    return this.#keeper.reject(this)
  }

  accepted(): void {
    this.#keeper.accepted(this)
  }

  describe(): string {
    return this.#keeper.describe(this)
  }

  life(): TokenLife | undefined {
    return this.#keeper.life(this)
  }

  toJSON(): string {
    return '[grant]'
  }

  [inspect.custom](): string {
    return '[grant]'
  }
}
