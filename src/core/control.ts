import type { EndpointAccess } from './access.ts'
import { isOfBackend } from './secret-backend.ts'
import type { Revocation } from './authorizer.ts'
import type { CredentialState } from './credential-state.ts'
import type { CredentialTestStep } from './credential-test.ts'
import type { LogLevel, ParameterValue } from './flow.ts'
import type { Problem } from './problem.ts'
import type { RunFailure } from './failure.ts'
import type { RunSelection } from './run-filter.ts'

/** What a running engine tells and does for the command line and, later, the management API. All plain data; no secrets. */
export interface Control {
  status(): EngineStatus
  health(): EngineHealth
  flows(): readonly FlowState[]
  credentials(): readonly CredentialReport[]
  /** Sets the log level of a flow for a time. Undefined: there is no such flow. */
  setLevel(flow: string, request: LevelRequest): FlowLevel | undefined
  /**
   * Tells what happens to runs from now on. Resolves, with what ends it, once all that was recorded before can be read
   * from the data folder.
   */
  follow(request: FollowRequest, reader: FollowReader): Promise<() => void>
  /** Reads flows, scripts and parameters again; what is different and sound takes over. */
  reload(): Promise<ReloadReport>
  /** Reads the security material again; what is sound of it is in force when it resolves. */
  readMaterial(): Promise<{ readonly read: boolean }>
  /**
   * Runs a flow now, whatever its trigger. Undefined: there is no such flow running.
   * @param signal cancels the run
   */
  run(flow: string, request: ManualRun, signal?: AbortSignal): Promise<RunReport | undefined>
  /** The file of a client is about to be changed by the one who says so. */
  announceClientChange(client: string): { readonly client: string }
  /** It was not changed after all. */
  withdrawClientChange(client: string): { readonly client: string }
  /** Calls off a run that is going on. Undefined: there is no such run. */
  cancelRun(id: string): RunCancellation | undefined
  /**
   * Tries a credential for a person, one step after the other; a token that it gets is kept. Undefined: there is no
   * such credential.
   * @param signal calls it off
   */
  testCredential(
    name: string,
    request: CredentialTestRequest,
    signal?: AbortSignal,
  ): Promise<CredentialTestReport | undefined>
  /** Forgets what is kept for a credential, so that the next request asks anew. Undefined: there is no such credential. */
  invalidateCredential(name: string): CredentialInvalidation | undefined
  /** The same, and the token service is told that the token is no longer wanted. */
  revokeCredential(name: string): Promise<CredentialInvalidation | undefined>
}

/** A run that was called off; it ends as CANCELLED as soon as the step that it is in lets it. */
export interface RunCancellation {
  readonly id: string
  readonly flow: string
}

/** What `sluice reload` did. */
export interface ReloadReport {
  /** Names of flows that run in a new version, that are new, that are gone. */
  readonly changed: readonly string[]
  readonly added: readonly string[]
  readonly removed: readonly string[]
  /** Flows whose file has mistakes; those that ran go on in the version before. */
  readonly broken: readonly { readonly flow: string; readonly file: string; readonly running: boolean }[]
  readonly unchanged: number
  /** Settings of sluice.yaml that are different and take effect with the next start. */
  readonly restart: readonly string[]
  readonly problems: readonly Problem[]
}

export interface EngineStatus {
  readonly pid: number
  readonly version: string
  /** Epoch ms. */
  readonly startedAt: number
  /** `http://127.0.0.1:8080` */
  readonly listen: string | undefined
  /** Where metrics and health are served; undefined: nowhere. */
  readonly management: string | undefined
  readonly dataFolder: string
  readonly ready: boolean
  readonly notReady: readonly string[]
}

/** How an engine is, and what is not well. */
export interface EngineHealth {
  /** `up`: all is well; `degraded`: it is ready, but something is not well; `down`: it is not ready. */
  readonly status: 'up' | 'degraded' | 'down'
  readonly version: string
  /** Epoch ms. */
  readonly startedAt: number
  readonly uptimeSeconds: number
  /** Why it is not ready. */
  readonly notReady: readonly string[]
  readonly flows: {
    readonly running: number
    readonly disabled: number
    readonly notWell: readonly {
      readonly name: string
      readonly state: FlowState['state']
      readonly reason: string
    }[]
  }
  readonly credentials: {
    readonly total: number
    readonly notWell: readonly {
      readonly name: string
      readonly type: string
      readonly status: string
      readonly reason: string
      /** That use it. */
      readonly flows: readonly string[]
    }[]
  }
  /** Of all flows. */
  readonly runs: { readonly running: number; readonly waiting: number }
  readonly messageLog: {
    /** Records of runs that are not on disk yet. */
    readonly backlog: number
    /** Records that will never be on disk. */
    readonly lost: number
    /** Why nothing is written at the moment. */
    readonly trouble: string | undefined
  }
}

export interface FlowState {
  readonly name: string
  readonly file: string
  readonly version: string
  readonly description: string | undefined
  readonly state: 'running' | 'stopped' | 'disabled' | 'broken'
  /** Why it does not run; of one that runs: the credentials that it cannot use at the moment. */
  readonly reason: string | undefined
  readonly trigger: { readonly kind: string; readonly summary: string } | undefined
  /** Epoch ms. */
  readonly next: number | undefined
  readonly route:
    | {
        readonly methods: readonly string[]
        readonly path: string
        readonly access: EndpointAccess
      }
    | undefined
  readonly parameters: Readonly<Record<string, ParameterValue>>
  readonly credentials: readonly string[]
  readonly logLevel: LogLevel
  /** Where another one was set while running: as the file says it, and epoch ms until when. */
  readonly ownLogLevel: LogLevel
  readonly logLevelUntil: number | undefined
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

/** Why a flow that there is does not run; undefined: there is none of this name. */
export function whyStopped(
  name: string,
  flows: readonly Pick<FlowState, 'name' | 'state' | 'reason'>[],
): string | undefined {
  const found = flows.find((flow) => flow.name === name)
  return (
    found && `the flow "${name}" is ${found.state}${found.reason === undefined ? '' : `: ${found.reason}`}`
  )
}

export interface FollowRequest {
  readonly selection: RunSelection
  /** Id of the only run to follow. */
  readonly run?: string
}

/** Who follows runs. None of it may wait: the engine does. */
export interface FollowReader {
  /** An event as the message log tells it; plain data without secrets. */
  show(event: object): void
  /** So many lines were left out. */
  omit(count: number): void
  /** The only run that is followed has ended, and can be read from the data folder. */
  ended(): void
}

/** ms that a log level may be set for. */
export const LONGEST_LEVEL = 24 * 60 * 60 * 1000

export interface LevelRequest {
  /** Left out: what was set ends now. */
  readonly level?: LogLevel
  /** ms */
  readonly duration: number
}

/** The log level of a flow. */
export interface FlowLevel {
  readonly flow: string
  readonly level: LogLevel
  /** As its file says it. */
  readonly own: LogLevel
  /** Epoch ms until which another one than its own holds. */
  readonly until: number | undefined
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

/** Requests with it fail, or will soon. */
const NOT_WELL: ReadonlySet<string> = new Set([
  'refused',
  'locked',
  'unreachable',
  'renewal fails',
  'broken',
  'incomplete',
])

export function isNotWell(status: string): boolean {
  return NOT_WELL.has(status)
}

/** The detail of a credential's state that tells that its client certificate ends soon. */
export const CERTIFICATE_ENDS = 'client certificate ends'

/** What is wrong with a credential, in a few words; undefined where all is well. */
export function credentialTrouble({ state, unset, file }: CredentialReport): string | undefined {
  const { 'waits for': waits } = state.details
  const own = waits === undefined ? unset : unset.filter((reference) => !isOfBackend(reference))
  if (unset.length > 0)
    return [
      ...(own.length === 0 ? [] : [`not set: ${own.join(', ')}`]),
      ...(waits === undefined ? [] : [String(waits)]),
    ].join('; ')
  if (state.status === 'broken') return `${file} has mistakes`
  const { 'last error': error, 'in force': stale, [CERTIFICATE_ENDS]: ends } = state.details
  if (NOT_WELL.has(state.status) || state.token?.failing)
    return String(error ?? `its state is "${state.status}"`)
  if (stale !== undefined) return `in force: ${String(stale)}`
  return ends === undefined ? undefined : `its client certificate: ${String(ends)}`
}

export interface CredentialTestRequest {
  /** What to get with the credential: absolute, or relative to its `baseUrl`. Left out: nothing. */
  readonly call?: string
  /** Where the token service says no, other common ways to ask are tried, once each. */
  readonly tryOthers: boolean
}

export interface CredentialTestReport {
  readonly name: string
  readonly type: string
  readonly file: string
  /** Every step of the settings as they are worked. */
  readonly ok: boolean
  /** What is wrong or odd in its file, as it is now. */
  readonly problems: readonly Problem[]
  /** None where nothing had to be asked for, and no call was wanted. */
  readonly steps: readonly CredentialTestStep[]
}

export interface CredentialInvalidation {
  readonly name: string
  readonly type: string
  /** Whether credentials of this type keep anything. */
  readonly keeps: boolean
  /** Before it: `ready`, `unused`, `refused`, ... */
  readonly status: string
  /** Where it was asked for. `impossible`: the credential does not say where. */
  readonly revocation?: Revocation | { readonly outcome: 'impossible' }
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
