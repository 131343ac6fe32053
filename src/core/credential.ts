import type { Secret } from './secret.ts'

/** A token of one credential in the hands of another. */
export interface LentToken {
  readonly token: Secret
  /** As those of its grant: the token service of the other one refused it, or took it after it had refused the one before. */
  reject(): boolean
  accepted(): void
}

/** One thing that `sluice credential test` did. Plain data; no secret and no token. */
export interface CredentialTestStep {
  /** `token request`, `call`; what is different from the settings: `token request with clientAuthentication: body`. */
  readonly title: string
  readonly ok: boolean
  /** What was sent, by name only. */
  readonly asked: {
    readonly method: string
    /** Without its query. */
    readonly url: string
    readonly headers: readonly string[]
    /** Names of the query's parameters. */
    readonly query: readonly string[]
    /** Names of the fields of the body. */
    readonly fields: readonly string[]
  }
  /** What came back, line by line, in order: `status`, `error`, `lifetime`, ... */
  readonly got: Readonly<Record<string, string | number>>
  /** Why it failed, and what to do about it. */
  readonly failure?: { readonly code: string; readonly message: string; readonly hint?: string }
  /** What is odd though it worked. */
  readonly warnings?: readonly string[]
  /** Asked in another way than the credential says. */
  readonly variant?: true
  /** Lines for the credential's file that make it work; of a variant that did. */
  readonly change?: string
  /** Variants that were not tried, though the service said no to the settings as they are. */
  readonly others?: number
}

export interface CredentialState {
  /** `ready`, `unused`, `renewing`, `renewal fails` (the token before is still good), `refused`, `unreachable`. */
  readonly status: string
  /** Lines of name and value for people, in order. */
  readonly details: Readonly<Record<string, string | number | boolean | null>>
}
