import type { Cancellation } from './context.ts'
import type { CredentialState } from './credential-state.ts'
import type { CredentialTestStep } from './credential-test.ts'
import type { Secret } from './secret.ts'

/** What a request is authenticated with. The same object for as long as the token lives, so that nothing is built per request. */
export interface Grant {
  /** Flat header lines to add: name, value. */
  readonly headers: readonly string[]
  /** `name=value&...`, encoded, to add to the URL. */
  readonly query: string
  /** Statuses of the receiver that mean "no longer good". Empty: nothing can be renewed. */
  readonly refusedBy: readonly number[]
  /**
   * Whether an answer means "no longer good" though its status alone does not say so. Left out where statuses tell all.
   * @param headers lower-case names
   * @param body the answer's JSON; null where it is none, or has more than 64 KiB
   */
  refuses?(status: number, headers: Readonly<Record<string, string>>, body: unknown): boolean
  /**
   * The receiver refused this grant. Drops its token if it is still the current one.
   * True when another `authorize` may give another grant.
   */
  reject(): boolean
  /** The receiver took this grant where it had refused the one before: renewing helps. Not told of other requests. */
  accepted?(): void
  /** For a hint: "a token was obtained 3 s ago with scope im.read". No token in it. */
  describe(): string
  /** What is known of its token. Left out where nothing ends; undefined where another one took its place. */
  life?(): TokenLife | undefined
}

/** How long a token is good, and for what. */
export interface TokenLife {
  /** ms, below 0 once it is past. */
  readonly left: number
  /** As the token service says it. */
  readonly scope: string | undefined
}

export interface Authorizer {
  /**
   * Synchronous while the token is good. @throws Failure `credential.*`
   * @param tenant whose token, where the credential has several
   */
  authorize(until: Cancellation, tenant?: string): Grant | Promise<Grant>
  /** What people may see: never a secret, never a token. Plain data. */
  state(): CredentialState
  /** Takes over what still holds of the version that this one replaces. Called before the first `authorize`. */
  inherit?(former: Authorizer): void
  /** The engine has started: gets ready what is wanted before the first request. */
  warm?(): void
  /** Forgets what is kept, tokens and failures, so that the next request asks anew. Left out where nothing is kept. */
  invalidate?(): void
  /**
   * As `invalidate`, and tells the token service that the token is no longer wanted. Left out where there is nobody to
   * tell. Never rejects. @see https://www.rfc-editor.org/rfc/rfc7009
   */
  revoke?(until: Cancellation): Promise<Revocation>
  /** Asks for what it needs, once and at once, and tells each step. Left out where nothing is asked for. Never rejects. */
  test?(until: Cancellation, options: { readonly tryOthers: boolean }): Promise<readonly CredentialTestStep[]>
  /**
   * Gives its token to another credential that is made with it (`fromCredential`). Left out where it has none to give.
   * It is in reach of credentials only. @throws Failure `credential.*`
   */
  lend?(until: Cancellation): Promise<LentToken>
  /** Its tokens outlive the process: two processes must not work with them at once. */
  readonly keepsTokens?: true
  stop?(): void
  /** Calls off what is under way and asks for nothing more; what it has may yet be inherited. `stop` or `remove` follows. */
  leave?(): void
  /** As `stop`, for good: it was taken out of the security material, and gives back what it has. Nobody waits for that. */
  remove?(): void
}

/** What came of telling a token service that a token is no longer wanted. */
export type Revocation =
  | { readonly outcome: 'revoked' }
  /** There was no token. */
  | { readonly outcome: 'nothing' }
  /** @param reason no secret in it */
  | { readonly outcome: 'failed'; readonly reason: string; readonly hint?: string }

/** A token of one credential in the hands of another. */
export interface LentToken {
  readonly token: Secret
  /** As those of its grant: the token service of the other one refused it, or took it after it had refused the one before. */
  reject(): boolean
  accepted(): void
}
