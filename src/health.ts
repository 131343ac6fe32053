import {
  credentialTrouble,
  type CredentialReport,
  type EngineHealth,
  type FlowState,
} from './core/control.ts'
import type { MessageLog } from './core/stores.ts'

export interface HealthFacts {
  readonly version: string
  /** Epoch ms. */
  readonly startedAt: number
  /** Epoch ms. */
  readonly now: number
  readonly flows: readonly FlowState[]
  readonly credentials: readonly CredentialReport[]
  readonly messageLog: Pick<MessageLog, 'backlog' | 'lost' | 'trouble'>
  readonly notReady: readonly string[]
}

/** How an engine is: what is not well, and why. */
export function healthOf(facts: HealthFacts): EngineHealth {
  const { version, startedAt, now, flows, credentials, notReady } = facts
  const { backlog, lost, trouble } = facts.messageLog
  const flowsNotWell = flows.flatMap((flow) => {
    const reason = flowTrouble(flow)
    return reason === undefined ? [] : [{ name: flow.name, state: flow.state, reason }]
  })
  const credentialsNotWell = credentials.flatMap((report) => {
    const reason = credentialTrouble(report)
    if (reason === undefined) return []
    return [
      { name: report.name, type: report.type, status: report.state.status, reason, flows: report.flows },
    ]
  })
  const well = flowsNotWell.length === 0 && credentialsNotWell.length === 0 && trouble === undefined
  const sum = (count: (flow: FlowState) => number) => flows.reduce((all, flow) => all + count(flow), 0)
  return {
    status: notReady.length > 0 ? 'down' : well ? 'up' : 'degraded',
    version,
    startedAt,
    uptimeSeconds: Math.floor((now - startedAt) / 1000),
    notReady,
    flows: {
      running: sum(({ state }) => Number(state === 'running')),
      disabled: sum(({ state }) => Number(state === 'disabled')),
      notWell: flowsNotWell,
    },
    credentials: { total: credentials.length, notWell: credentialsNotWell },
    runs: { running: sum(({ running }) => running), waiting: sum(({ waiting }) => waiting) },
    messageLog: { backlog, lost, trouble },
  }
}

/** Why it does not run, or does not run as its file says; undefined where all is well. */
export function flowTrouble({ state, reason }: FlowState): string | undefined {
  if (state === 'disabled') return undefined
  return state === 'running' ? reason : (reason ?? 'it does not run')
}
