import type { Flow, ParameterValue, Step } from './flow.ts'

/** What a step does, in words for people who have not written it. No secret in it. Expressions stand as written, in backticks. */
export interface StepExplanation {
  /** The gist, without a full stop: `GET https://api.example.com/orders`. */
  readonly text: string
  /** The rest, a sentence each. */
  readonly details?: readonly string[]
  /** Its nested steps, in the order in which they may run. */
  readonly parts?: readonly ExplainedPart[]
  /** Hosts that it sends requests to. */
  readonly receivers?: readonly string[]
  /** Names of the credentials that it uses. */
  readonly credentials?: readonly string[]
  /** Flows that it calls. */
  readonly calls?: readonly string[]
}

export interface ExplainedPart {
  /** When they run: `if it failed with 404`. Left out where the gist says it. */
  readonly title?: string
  readonly steps: readonly Step[]
}

/** What starts a flow, in words. */
export interface TriggerExplanation {
  /** A sentence, without a full stop. */
  readonly text: string
  readonly details?: readonly string[]
  /** The next times that it is due, earliest first; epoch ms. */
  readonly next?: readonly number[]
  /** IANA name of the zone in which its times are told. */
  readonly zone?: string
  /** What the one who started a run gets when it succeeds, and when it fails. */
  readonly outcome: { readonly success?: string; readonly failure: string }
}

/** What a credential is for a flow, in words. No secret in it. */
export interface CredentialExplanation {
  readonly name: string
  readonly type: string
  readonly description: string | undefined
  /** What it puts on a request, and where: `a key in the header X-API-Key`. Undefined: its file has mistakes. */
  readonly sends: string | undefined
  /** With a reference where its value is not known. */
  readonly baseUrl: string | undefined
  /** Where it may go. */
  readonly hosts: readonly string[]
  /** References without a value: `env:LMS_CLIENT_SECRET`. */
  readonly unset: readonly string[]
  /** Its file has mistakes. */
  readonly broken: boolean
}

/** What a kind may look at while it tells what a step does. Nothing is started and nothing is sent. */
export interface Explaining {
  readonly flow: Flow
  readonly step: Step
  readonly parameters: Readonly<Record<string, ParameterValue>>
  /** Epoch ms. */
  readonly now: number
  readonly limits: { readonly body: number }
  /** Undefined: there is none of this name. */
  credential(name: string): CredentialExplanation | undefined
  /** Another flow's description. Undefined: there is none of this name. */
  flowNamed(name: string): { readonly description: string | undefined } | undefined
}
