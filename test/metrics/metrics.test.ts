import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RunRecord } from '../../src/core/stores.ts'
import type { Family } from '../../src/metrics/family.ts'
import { ReceiverMetrics } from '../../src/metrics/receiver-metrics.ts'
import { createExposition } from '../../src/metrics/registry.ts'
import { RunMetrics } from '../../src/metrics/run-metrics.ts'
import { Tally } from '../../src/metrics/tally.ts'
import { MemoryLog } from '../support/message-log.ts'
import { readScrape } from '../support/scrape.ts'

const shown = async (families: readonly Family[]) => readScrape(await createExposition(families).text())

function record(own: Partial<RunRecord>): RunRecord {
  return {
    id: 'r',
    flow: 'orders',
    version: 'v1',
    trigger: 'endpoint',
    correlationId: 'r',
    calledBy: undefined,
    caller: undefined,
    startedAt: 1_000_000,
    duration: 12,
    status: 'COMPLETED',
    failure: undefined,
    credentials: [],
    hosts: [],
    progress: undefined,
    searchable: undefined,
    timings: [],
    omittedSteps: 0,
    ...own,
  }
}

const version = (name: string, ...steps: string[]) => ({
  flow: 'orders',
  version: name,
  file: 'flows/orders.yaml',
  steps: steps.map((id, line) => ({ id, kind: `kind of ${id}`, line, parent: -1 })),
})

test('a tally counts what is at most a bound into it, and gives them on top of each other in seconds', () => {
  const tally = new Tally([10, 100])
  for (const ms of [0, 10, 10.5, 100, 101, 5000]) tally.add(ms)
  assert.deepEqual(
    tally
      .samples('x', { flow: 'a' })
      .map(({ metricName, labels, value }) => [metricName, labels['le'], value]),
    [
      ['x_bucket', '0.01', 2],
      ['x_bucket', '0.1', 4],
      ['x_bucket', '+Inf', 6],
      ['x_sum', undefined, 5.2215],
      ['x_count', undefined, 6],
    ],
  )
})

test('runs and steps are counted as they end, over versions; the message log is told all the same', async () => {
  const metrics = new RunMetrics()
  const memory = new MemoryLog()
  const log = metrics.counting(memory)
  log.deployed(version('v1', 'get', 'put'))
  log.close(record({ timings: [0, 0, 2000, 0, 1, 2000, 3000, 0] }))
  log.deployed(version('v2', 'put', 'log'))
  log.close(record({ status: 'FAILED', timings: [0, 0, 5000, 1], duration: 2000 }))
  log.close(record({ version: 'v2', timings: [0, 0, 1000, 0, 1, 0, 9000, 2] }))
  assert.equal(memory.closed.length, 3)
  assert.equal(memory.versions.length, 2)
  const found = await shown(metrics.families())
  const flow = 'orders'
  assert.equal(found.value('sluice_runs_total', { flow, status: 'COMPLETED' }), 2)
  assert.equal(found.value('sluice_runs_total', { flow, status: 'FAILED' }), 1)
  assert.equal(found.value('sluice_runs_total', { flow, status: 'CANCELLED' }), 0)
  assert.equal(found.value('sluice_run_duration_seconds_count', { flow }), 3)
  assert.equal(found.value('sluice_run_duration_seconds_sum', { flow }), 2.024)
  assert.equal(found.value('sluice_last_run_timestamp_seconds', { flow, status: 'FAILED' }), 1002)
  const steps = (step: string) => [
    found.value('sluice_step_duration_seconds_count', { step }),
    found.value('sluice_step_duration_seconds_sum', { step }),
    found.value('sluice_step_failures_total', { step }),
  ]
  assert.deepEqual(steps('get'), [2, 0.007, 1], 'a run of the version before counts for its own steps')
  assert.deepEqual(steps('put'), [2, 0.004, 0])
  assert.deepEqual(steps('log'), [0, 0, 0], 'a skipped step does not count')
})

test('versions that are long gone are forgotten, and their counts are not', async () => {
  const metrics = new RunMetrics()
  const log = metrics.counting(new MemoryLog())
  for (let at = 0; at < 30; at++) {
    log.deployed(version(`v${at}`, 'get'))
    log.close(record({ version: `v${at}`, timings: [0, 0, 1000, 0] }))
  }
  log.close(record({ version: 'v3', timings: [0, 0, 1000, 0] }))
  log.close(record({ version: 'v29', timings: [0, 0, 1000, 0] }))
  const found = await shown(metrics.families())
  assert.equal(found.value('sluice_step_duration_seconds_count'), 31)
  assert.equal(found.value('sluice_runs_total', { status: 'COMPLETED' }), 32)
})

test('names and labels that Prometheus reads otherwise are written so that it reads them as they are', async () => {
  const metrics = new RunMetrics()
  const odd = 'a "b" \\ c\nd'
  metrics.missed(odd, 3)
  metrics.refused(odd, 'flow.timeout')
  const found = await shown(metrics.families())
  assert.equal(found.value('sluice_timer_ticks_missed_total', { flow: odd }), 3)
  assert.equal(found.value('sluice_messages_refused_total', { flow: odd, code: 'flow.timeout' }), 1)
  assert.equal(found.value('sluice_messages_refused_total', { flow: odd, code: 'flow.overload' }), 0)
})

test('receivers: by host and class of status; hosts beyond 50, or with a secret in them, share one', async () => {
  const metrics = new ReceiverMetrics((text) => text.replaceAll('hunter22', '[secret]'))
  metrics.told('hunter22.example.com', 200, 1)
  for (let at = 0; at < 60; at++) for (const status of [200, 204, 503]) metrics.told(`h${at}`, status, 30)
  metrics.told('h0', 0, 10_000)
  metrics.told('h0', 999, 1)
  const found = await shown(metrics.families())
  const count = (host: string, status: string) =>
    found.value('sluice_receiver_request_duration_seconds_count', { host, status })
  assert.deepEqual([count('h0', '2xx'), count('h0', '5xx'), count('h0', 'none')], [2, 1, 2])
  assert.deepEqual([count('h49', '2xx'), count('h50', '2xx')], [2, undefined])
  assert.deepEqual([count('other', '2xx'), count('other', '5xx')], [21, 10])
  assert.doesNotMatch(found.text, /hunter22/)
})
