import type { CredentialState } from './kinds.ts'
import type { ParameterValue } from './flow.ts'
import type { Problem } from './problem.ts'
import type { RunFailure } from './failure.ts'

/** What a running engine tells and does for the command line and, later, the management API. All plain data; no secrets. */
export interface Control {
  status(): EngineStatus
  flows(): readonly FlowState[]
  credentials(): readonly CredentialReport[]
  /**
   * Runs a flow now, whatever its trigger. Undefined: there is no such flow running.
   * @param signal cancels the run
   */
  run(flow: string, request: ManualRun, signal?: AbortSignal): Promise<RunReport | undefined>
}

export interface EngineStatus {
  readonly pid: number
  readonly version: string
  /** Epoch ms. */
  readonly startedAt: number
  /** `http://127.0.0.1:8080` */
  readonly listen: string | undefined
  readonly dataFolder: string
  readonly ready: boolean
  readonly notReady: readonly string[]
}

export interface FlowState {
  readonly name: string
  readonly file: string
  readonly version: string
  readonly description: string | undefined
  readonly state: 'running' | 'stopped' | 'disabled' | 'broken'
  /** Why it does not run. */
  readonly reason: string | undefined
  readonly trigger: { readonly kind: string; readonly summary: string } | undefined
  /** Epoch ms. */
  readonly next: number | undefined
  readonly route:
    | { readonly methods: readonly string[]; readonly path: string; readonly access: string }
    | undefined
  readonly parameters: Readonly<Record<string, ParameterValue>>
  readonly credentials: readonly string[]
  readonly logLevel: string
  readonly running: number
  readonly waiting: number
  readonly problems: readonly Problem[]
  readonly steps: readonly {
    readonly id: string
    readonly kind: string
    readonly line: number
    readonly parent: number
    readonly description?: string
  }[]
}

export interface CredentialReport {
  readonly name: string
  readonly type: string
  readonly file: string
  readonly description: string | undefined
  readonly baseUrl: string | undefined
  readonly hosts: readonly string[]
  /** Settings in the integrator's words; secrets as `[secret]`. */
  readonly settings: Readonly<Record<string, string>>
  readonly state: CredentialState
  readonly flows: readonly string[]
  /** References without a value: `env:LMS_CLIENT_SECRET`. */
  readonly unset: readonly string[]
}

export interface ManualRun {
  readonly body?: Uint8Array
  readonly headers: Readonly<Record<string, string>>
  /** As text; converted to the declared types. */
  readonly parameters: Readonly<Record<string, string>>
}

export interface RunReport {
  /** Undefined: it was not let in, and there is no record of it. */
  readonly id: string | undefined
  readonly flow: string
  readonly status: string
  /** ms */
  readonly duration: number
  readonly failure: RunFailure | undefined
  readonly reply:
    | {
        readonly status: number
        readonly headers: Readonly<Record<string, string>>
        readonly body: Uint8Array
      }
    | undefined
}
