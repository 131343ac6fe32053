import type { Grant } from '../core/kinds.ts'

/** The one that gave a grant and keeps its token. */
export interface GrantKeeper {
  reject(grant: TokenGrant): boolean
  accepted(grant: TokenGrant): void
  describe(grant: TokenGrant): string
}

const REFUSED_BY = [401]

/** What a token goes onto requests as; the same object as long as the service gives the same token. */
export class TokenGrant implements Grant {
  readonly headers: readonly string[]
  readonly query: string
  readonly refusedBy: readonly number[] = REFUSED_BY
  readonly #keeper: GrantKeeper

  constructor(keeper: GrantKeeper, placed: { readonly headers: readonly string[]; readonly query: string }) {
    this.#keeper = keeper
    this.headers = placed.headers
    this.query = placed.query
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
}
