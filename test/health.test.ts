import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CredentialReport, FlowState } from '../src/core/control.ts'
import { healthOf, type HealthFacts } from '../src/health.ts'

const flow = (own: Partial<FlowState>) =>
  ({ name: 'a', state: 'running', reason: undefined, running: 0, waiting: 0, ...own }) as FlowState
const credential = (status: string, own: object = {}, details: object = {}) =>
  ({
    name: 'c',
    type: 'oauth2',
    file: 'security-material/c.yaml',
    unset: [],
    flows: ['a'],
    state: { status, details },
    ...own,
  }) as unknown as CredentialReport
const facts: HealthFacts = {
  version: '0.1.0',
  startedAt: 1000,
  now: 5500,
  flows: [flow({ running: 2, waiting: 1 }), flow({ name: 'b', running: 1 })],
  credentials: [credential('ready'), credential('unused'), credential('renewing')],
  messageLog: { backlog: 3, lost: 0, trouble: undefined },
  notReady: [],
}

test('up: runs are summed up, and the time since the start', () => {
  const health = healthOf(facts)
  assert.deepEqual(
    [health.status, health.uptimeSeconds, health.runs, health.flows.notWell, health.credentials],
    ['up', 4, { running: 3, waiting: 1 }, [], { total: 3, notWell: [] }],
  )
})

test('what is not well makes it degraded, and what is not ready makes it down', () => {
  const status = (own: Partial<HealthFacts>) => healthOf({ ...facts, ...own }).status
  assert.equal(status({ flows: [flow({ state: 'disabled', reason: 'enabled: false' })] }), 'up')
  assert.equal(status({ messageLog: { backlog: 0, lost: 5, trouble: undefined } }), 'up')
  assert.equal(status({ flows: [flow({ reason: 'it cannot use c' })] }), 'degraded')
  assert.equal(status({ messageLog: { backlog: 0, lost: 0, trouble: 'the disk is full' } }), 'degraded')
  for (const bad of ['refused', 'unreachable', 'renewal fails', 'broken', 'incomplete'])
    assert.equal(status({ credentials: [credential(bad)] }), 'degraded', bad)
  const asking = credential('renewing')
  const failing = { ...asking, state: { ...asking.state, token: { failing: true } } } as CredentialReport
  assert.equal(status({ credentials: [failing] }), 'degraded')
  assert.equal(status({ notReady: ['the flow "a" does not run'] }), 'down')
})

test('each that is not well has its reason', () => {
  const { flows, credentials } = healthOf({
    ...facts,
    flows: [flow({ state: 'broken', reason: 'flows/a.yaml:1:1: no' }), flow({ name: 'b', state: 'stopped' })],
    credentials: [
      credential('refused', {}, { 'last error': '401 invalid_client' }),
      credential('incomplete', { unset: ['env:X'] }),
      credential('broken'),
      credential('ready', {}, { 'in force': 'the version before' }),
    ],
  })
  assert.deepEqual(
    flows.notWell.map(({ reason }) => reason),
    ['flows/a.yaml:1:1: no', 'it does not run'],
  )
  assert.deepEqual(
    credentials.notWell.map(({ reason }) => reason),
    [
      '401 invalid_client',
      'not set: env:X',
      'security-material/c.yaml has mistakes',
      'in force: the version before',
    ],
  )
})
