import type { Document, Path } from './document.ts'

export type LogLevel = 'none' | 'info' | 'debug' | 'trace'
export type ParameterValue = string | number | boolean

/** A step as written and checked, not yet prepared. */
export interface Step {
  /** Written by the integrator, or made of the kind: `http`, `http-2`. Unique in the flow. */
  readonly id: string
  readonly kind: string
  /** Checked and decoded options of the kind (durations are ms, sizes bytes). */
  readonly options: unknown
  /** Where the step's map stands in the document. */
  readonly path: Path
  /** Where its options stand: `path` plus the kind, or the shorthand's text. */
  readonly optionsPath: Path
  /** The key `if`, as written. */
  readonly condition?: string
  /** The key `timeout`, ms. */
  readonly timeout?: number
  /** The key `retry`. */
  readonly retry?: Retry
  readonly description?: string
  /** Its number in the flow, in the order of the text, nested steps included; the trigger is not counted. */
  readonly index: number
  /** `index` of the step it stands in, -1 at the top. */
  readonly parent: number
  /** 1-based line of the step in the file. */
  readonly line: number
}

/** When and how often a step is tried again. */
export interface Retry {
  /** The first one counts. */
  readonly attempts: number
  /** ms before the second attempt. */
  readonly delay: number
  /** Of each further wait. */
  readonly factor: number
  /** ms */
  readonly maxDelay: number
  /** Waits are half to all of what they would be, by chance. */
  readonly jitter: boolean
  /** `network`, `timeout`, a status (`429`), a class of them (`5xx`), or a failure's code. */
  readonly on: readonly string[]
}

export interface Parameter {
  readonly type: 'text' | 'number' | 'boolean'
  readonly default?: ParameterValue
  readonly description?: string
}

/** One YAML file, read and checked. */
export interface Flow {
  readonly name: string
  readonly file: string
  /** Hash of the content: what the run's record says it went through. */
  readonly version: string
  readonly description?: string
  readonly enabled: boolean
  readonly parameters: Readonly<Record<string, Parameter>>
  /** None: the flow is only callable by `sluice run`. */
  readonly trigger?: Step
  readonly steps: readonly Step[]
  /** What runs when they failed. */
  readonly onError: readonly Step[]
  /** All steps, nested ones too, by `index`. */
  readonly allSteps: readonly Step[]
  /** ms; of a whole run. Undefined: the default of its trigger. */
  readonly timeout?: number
  readonly concurrency?: { readonly running: number; readonly waiting: number }
  readonly logLevel: LogLevel
  /** Names of headers by which runs can be searched. */
  readonly searchable: readonly string[]
  readonly onDisconnect: 'cancel' | 'continue'
  readonly labels: Readonly<Record<string, string>>
  readonly document: Document
}
