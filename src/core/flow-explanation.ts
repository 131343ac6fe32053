import type { CredentialExplanation } from './explanation.ts'
import type { ParameterValue } from './flow.ts'
import type { Problem } from './problem.ts'

/** What a flow does, for people who have not written it. Plain data; no secrets. */
export interface FlowExplanation {
  readonly name: string
  readonly file: string
  readonly description: string | undefined
  readonly enabled: boolean
  /** False: its file cannot be read as a flow; the problems say why. */
  readonly readable: boolean
  /** Mistakes in it: it does not start, and what follows tells only what is sound. */
  readonly problems: readonly Problem[]
  readonly start: ExplainedStart
  readonly parameters: readonly {
    readonly name: string
    /** Undefined: none is given, and there is no default. */
    readonly value: ParameterValue | undefined
    readonly description: string | undefined
  }[]
  readonly steps: readonly ExplainedStep[]
  /** What runs when they failed. */
  readonly onError: readonly ExplainedStep[]
  /** Steps that have mistakes, and are not among those above. */
  readonly leftOut: readonly { readonly kind: string; readonly line: number }[]
  readonly summary: {
    /** Hosts that it sends requests to; in words where they are not known before. */
    readonly hosts: readonly string[]
    /** In the order in which steps use them; those that are not there have the type `missing`. */
    readonly credentials: readonly CredentialExplanation[]
    /** ms; of a whole run. */
    readonly timeout: number
    readonly concurrency: { readonly running: number; readonly waiting: number }
    readonly logLevel: string
    readonly searchable: readonly string[]
    readonly calls: readonly string[]
    readonly calledBy: readonly string[]
    readonly success: string | undefined
    readonly failure: string
  }
}

export interface ExplainedStart {
  /** Undefined: nothing starts it by itself. */
  readonly kind: string | undefined
  readonly id: string | undefined
  readonly description: string | undefined
  readonly text: string
  readonly details: readonly string[]
  /** IANA name. */
  readonly zone: string
  /** The next times that it is due, as far as they are known; RFC 3339 with the offset of `zone`. */
  readonly next: readonly string[]
}

export interface ExplainedStep {
  /** `2.1` */
  readonly number: string
  readonly id: string
  readonly kind: string
  readonly line: number
  readonly description: string | undefined
  /** It runs only if this is true. */
  readonly condition: string | undefined
  readonly text: string
  readonly details: readonly string[]
  readonly parts: readonly { readonly title: string | undefined; readonly steps: readonly ExplainedStep[] }[]
}
