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
    /** The client certificate that was ready for whoever wants one: `CN=acme, until 2027-01-31`. */
    readonly certificate?: string
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
