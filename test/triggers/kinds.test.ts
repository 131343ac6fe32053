import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AnyStepKind, AnyTriggerKind } from '../../src/core/kinds.ts'
import { loadFlow } from '../../src/flow/load.ts'
import { log } from '../../src/steps/log.ts'
import { set } from '../../src/steps/set.ts'
import { triggers } from '../../src/triggers/index.ts'
import { prepare } from './deployment.ts'

const kinds = {
  steps: new Map<string, AnyStepKind>([log, set].map((kind) => [kind.name, kind])),
  triggers: new Map<string, AnyTriggerKind>(triggers.map((kind) => [kind.name, kind])),
}

/** The trigger of a flow that is nothing but it, with the codes of all problems. */
function load(yaml: string) {
  const { flow, problems } = loadFlow('flows/a.yaml', `steps:\n  - ${yaml}\n  - log: x\n`, kinds)
  const codes = problems.map(({ code, line, column }) => `${code} ${line}:${column}`)
  if (!flow?.trigger || codes.length > 0) return codes
  return prepare(kinds.triggers.get(flow.trigger.kind)!, flow.trigger.options as object)
}

for (const kind of triggers)
  for (const { title, yaml } of kind.examples)
    test(`the example "${title}" of ${kind.name} has no problem`, () => {
      const { flow, problems } = loadFlow('flows/a.yaml', yaml, kinds)
      assert.deepEqual(problems, [])
      assert.deepEqual(prepare(kind, flow!.trigger!.options as object).problems, [])
    })

test('options arrive decoded from what an integrator writes', () => {
  const route = load(
    'endpoint: { path: "/orders/{id}", method: [GET, PUT], access: public, body: { limit: 1MB, contentTypes: application/json } }',
  )
  assert.ok('prepared' in route)
  assert.deepEqual([route.prepared.summary, route.problems], ['GET, PUT /orders/{id}', []])
  const times = load('timer: { at: 2027-01-01T02:00, timezone: Europe/Brussels, jitter: 30s }')
  assert.ok('prepared' in times)
  assert.deepEqual([times.prepared.summary, times.problems], ['at 2027-01-01T02:00 Europe/Brussels', []])
  const period = load(
    'timer: { every: 1m30s, overlap: queue, misfire: all, startAt: 2027-01-01T02:00, endAt: "2027-02-01T02:00Z" }',
  )
  assert.ok('prepared' in period)
  assert.deepEqual([period.prepared.summary, period.problems], ['every 1m30s', []])
  const access = load('endpoint: { path: /a, access: { role: ESBMessaging.send } }')
  assert.ok('prepared' in access)
  assert.deepEqual(
    [access.problems, access.prepared.route!.access],
    [[], { roles: ['ESBMessaging.send'], all: false }],
  )
})

test('what the options cannot be is told before they are prepared', () => {
  for (const yaml of [
    'endpoint: { path: /a, access: public, method: FETCH }',
    'endpoint: { path: /a, access: public, body: { limit: much } }',
    'endpoint: { path: /a, access: public, rateLimit: 5 }',
    'endpoint: { access: public }',
    'timer: { every: 10ms }',
    'timer: { every: soon }',
    'timer: { every: 5m, overlap: never }',
    'timer: { once: perhaps }',
  ]) {
    const codes = load(yaml)
    assert.ok(Array.isArray(codes) && codes.length === 1, `${yaml}: ${JSON.stringify(codes)}`)
  }
})
