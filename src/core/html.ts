/** A page with what its browser may do. */
export interface Html {
  readonly text: string
  readonly contentSecurityPolicy: string
}
