export interface CredentialState {
  /** `ready`, `unused`, `renewing`, `renewal fails` (the token before is still good), `refused`, `unreachable`, `locked` (a token is kept that cannot be read). */
  readonly status: string
  /** Lines of name and value for people, in order. */
  readonly details: Readonly<Record<string, string | number | boolean | null>>
  /** Where it keeps a token: the same for machines. */
  readonly token?: TokenNumbers
}

/** Since this version of a credential was loaded. */
export interface TokenNumbers {
  /** Requests to the token service, and those of them that got no token. */
  readonly requests: number
  readonly failures: number
  /** Tokens that were obtained, the first one too. */
  readonly renewals: number
  /** Requests of flows that needed a token. */
  readonly uses: number
  /** The last time that a token was asked for there was none, also while it is asked for again. */
  readonly failing: boolean
  /** ms, below 0 once it is past; undefined while there is no token. */
  readonly expiresIn: number | undefined
}
