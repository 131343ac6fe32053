import type { Problem } from '../../core/problem.ts'

/** What a check has found. */
export interface CheckReport {
  readonly problems: readonly Problem[]
  /** How many flows, or where files were named how many of these, were looked at. */
  readonly checked: { readonly flows: number; readonly files?: number }
  /** Path of the project folder from where the command was typed: `shop/`; empty where it was typed in it. */
  readonly prefix: string
}

export function countOf(problems: readonly Problem[], severity: Problem['severity']): number {
  return problems.filter((problem) => problem.severity === severity).length
}
