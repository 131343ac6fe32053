/**
 * What there is to say about a code of problems. `wrong` and `right` are a flow, or files each headed by a line
 * `# sluice.yaml` (`// scripts/map.ts`), or a command line after `$ `.
 */
export interface ProblemText {
  /** One line. */
  readonly title: string
  /** What is wrong, and why it matters; Markdown. */
  readonly meaning: string
  readonly wrong: string
  readonly right: string
  /** Why `wrong` cannot be tried out as it is written. */
  readonly onlyTold?: string
}
