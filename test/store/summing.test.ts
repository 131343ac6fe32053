import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RunFilter } from '../../src/store/run-conditions.ts'
import { reader, runRecord, stores, NOW } from './support.ts'

test('runs are counted by flow and status, with the middle and the long durations, and why they failed', async (t) => {
  const { messageLog, folder } = await stores(t)
  for (let i = 1; i <= 100; i++) messageLog.close(runRecord({ startedAt: NOW + i, duration: i }))
  const failed = (at: number, flow: string, code: string) => {
    const run = runRecord({
      startedAt: NOW + at,
      flow,
      status: 'FAILED',
      duration: 5,
      failure: { code, message: 'x' },
    })
    messageLog.close(run)
    return run.id
  }
  failed(200, 'items', 'receiver.status')
  const last = failed(203, 'items', 'receiver.status')
  failed(202, 'orders', 'receiver.status')
  const other = failed(201, 'items', 'script.error')
  await messageLog.open(runRecord({ startedAt: NOW + 300, flow: 'going', status: 'PROCESSING' }))
  await messageLog.flush()
  const log = reader(t, folder)
  const summary = (filter: Omit<RunFilter, 'limit'>) => {
    const summing = log.summarize(filter)
    for (const slice of summing.slices()) assert.equal(slice.found.length, 0)
    return summing.summary
  }
  const all = summary({})
  assert.deepEqual([all.runs, all.first, all.last], [105, NOW + 1, NOW + 300])
  assert.deepEqual(
    all.flows.map(({ flow, runs, statuses }) => [flow, runs, statuses]),
    [
      ['orders', 101, { COMPLETED: 100, FAILED: 1 }],
      ['items', 3, { FAILED: 3 }],
      ['going', 1, { PROCESSING: 1 }],
    ],
  )
  const [orders, items, going] = all.flows
  assert.ok(Math.abs(orders!.median! - 50) < 1, `${orders!.median}`)
  assert.ok(Math.abs(orders!.p95! - 95) < 2, `${orders!.p95}`)
  assert.ok(Math.abs(items!.median! - 5) < 0.1)
  assert.deepEqual([going!.median, going!.p95], [undefined, undefined])
  assert.deepEqual(all.failures, [
    { code: 'receiver.status', runs: 3, flows: ['items', 'orders'], run: last, last: NOW + 203 },
    { code: 'script.error', runs: 1, flows: ['items'], run: other, last: NOW + 201 },
  ])
  assert.equal(summary({ flows: ['items'] }).runs, 3)
  assert.equal(summary({ since: NOW + 50, until: NOW + 60 }).runs, 10)
  assert.deepEqual(summary({ flows: ['none'] }), {
    runs: 0,
    first: undefined,
    last: undefined,
    flows: [],
    failures: [],
  })
  assert.equal(log.reach()!.oldest, NOW + 1)
  assert.ok(log.reach()!.size > 4096)
})
