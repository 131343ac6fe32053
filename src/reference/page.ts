/** A generated file of the documentation. */
export interface Page {
  /** From the package's folder on: `docs/reference/steps/http.md`. */
  readonly path: string
  /** Ends with a line feed. */
  readonly text: string
}
