import { credentialTrouble, type CredentialReport, type FlowState } from '../core/control.ts'
import type { TokenNumbers } from '../core/credential-state.ts'
import type { MessageLog } from '../core/stores.ts'
import type { Family, Sample } from './family.ts'

/** An engine at the moment when it is asked. */
export interface EngineNow {
  readonly version: string
  readonly ready: boolean
  readonly flows: readonly FlowState[]
  /** Names of the flows that do not run, or not as their files say. */
  readonly flowsNotWell: ReadonlySet<string>
  readonly credentials: readonly CredentialReport[]
  readonly scripts: ScriptsNow
  readonly messageLog: Pick<MessageLog, 'backlog' | 'lost' | 'trouble'>
  /** Runs found open at the start. */
  readonly abandoned: number
}

export interface ScriptsNow {
  readonly processes: readonly number[]
  readonly spare: number | undefined
  readonly busy: number
  readonly waiting: number
  readonly running: number
  readonly restarts: number
}

/** What is read off the engine when somebody asks: flows and credentials that are gone have no series. */
export function engineFamilies(now: () => EngineNow): readonly Family[] {
  return [
    one('sluice_build_info', 'The version that runs; always 1.', 'gauge', () => [
      { labels: { version: now().version }, value: 1 },
    ]),
    one('sluice_ready', '1: all flows run that should; 0: see /health.', 'gauge', () =>
      single(Number(now().ready)),
    ),
    ...ofFlows(now),
    ...ofCredentials(now),
    ...ofScripts(() => now().scripts),
    ...ofMessageLog(now),
  ]
}

function ofFlows(now: () => EngineNow): readonly Family[] {
  const running = () => now().flows.filter(({ state }) => state === 'running')
  return [
    one(
      'sluice_flow_well',
      '1: the flow runs as its file says; 0: see /health. Disabled flows are left out.',
      'gauge',
      () => {
        const { flows, flowsNotWell } = now()
        return flows
          .filter(({ state }) => state !== 'disabled')
          .map(({ name }) => ({ labels: { flow: name }, value: Number(!flowsNotWell.has(name)) }))
      },
    ),
    one('sluice_runs_running', 'Runs that are going on, of the version in force.', 'gauge', () =>
      running().map((flow) => ({ labels: { flow: flow.name }, value: flow.running })),
    ),
    one('sluice_runs_waiting', 'Messages that wait for their turn, of the version in force.', 'gauge', () =>
      running().map((flow) => ({ labels: { flow: flow.name }, value: flow.waiting })),
    ),
    one('sluice_runs_abandoned', 'Runs that the end of the engine before this one cut off.', 'gauge', () =>
      single(now().abandoned),
    ),
  ]
}

function ofCredentials(now: () => EngineNow): readonly Family[] {
  const numbers = (value: (numbers: TokenNumbers) => number | undefined) => () =>
    now().credentials.flatMap(({ name, state }): Sample[] => {
      const found = state.token && value(state.token)
      return found === undefined ? [] : [{ labels: { credential: name }, value: found }]
    })
  return [
    one(
      'sluice_credential_well',
      '1: nothing is wrong with the credential; 0: requests with it fail or will soon, see /health.',
      'gauge',
      () =>
        now().credentials.map((report) => ({
          labels: { credential: report.name, type: report.type },
          value: Number(credentialTrouble(report) === undefined),
        })),
    ),
    one(
      'sluice_token_requests_total',
      'Requests to the token service, each attempt.',
      'counter',
      numbers(({ requests }) => requests),
    ),
    one(
      'sluice_token_request_failures_total',
      'Requests to the token service that brought no token.',
      'counter',
      numbers(({ failures }) => failures),
    ),
    one(
      'sluice_token_renewals_total',
      'Tokens that were obtained, the first one too.',
      'counter',
      numbers(({ renewals }) => renewals),
    ),
    one(
      'sluice_token_uses_total',
      'Requests of flows that needed a token.',
      'counter',
      numbers(({ uses }) => uses),
    ),
    one(
      'sluice_token_expires_in_seconds',
      'Seconds until the token ends, below 0 when it has; none where there is no token.',
      'gauge',
      numbers(({ expiresIn }) => expiresIn && expiresIn / 1000),
    ),
  ]
}

function ofScripts(now: () => ScriptsNow): readonly Family[] {
  return [
    one('sluice_script_processes', 'Script processes by what they do.', 'gauge', () => {
      const { processes, busy, spare } = now()
      return [
        { labels: { state: 'busy' }, value: busy },
        { labels: { state: 'idle' }, value: processes.length - busy },
        { labels: { state: 'spare' }, value: Number(spare !== undefined) },
      ]
    }),
    one(
      'sluice_script_messages',
      'Messages in script processes, and those that wait for one.',
      'gauge',
      () => {
        const { running, waiting } = now()
        return [
          { labels: { state: 'running' }, value: running },
          { labels: { state: 'waiting' }, value: waiting },
        ]
      },
    ),
    one(
      'sluice_script_process_restarts_total',
      'Script processes that ended, or were ended for what a script did, and were replaced.',
      'counter',
      () => single(now().restarts),
    ),
  ]
}

function ofMessageLog(now: () => EngineNow): readonly Family[] {
  return [
    one('sluice_message_log_backlog', 'Records of runs that are not on disk yet.', 'gauge', () =>
      single(now().messageLog.backlog),
    ),
    one('sluice_message_log_lost_total', 'Records that will never be on disk.', 'counter', () =>
      single(now().messageLog.lost),
    ),
    one('sluice_message_log_well', '1: records are written; 0: the disk refuses them.', 'gauge', () =>
      single(Number(now().messageLog.trouble === undefined)),
    ),
  ]
}

function one(name: string, help: string, type: Family['type'], samples: Family['samples']): Family {
  return { name, help, type, samples }
}

function single(value: number): readonly Sample[] {
  return [{ labels: {}, value }]
}
