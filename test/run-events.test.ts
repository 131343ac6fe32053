import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RunEvents, type RunEvent } from '../src/run-events.ts'
import { createRedactor } from '../src/security/redaction.ts'
import { MemoryLog } from './support/message-log.ts'
import { runRecord, VERSION } from './store/support.ts'

function setUp() {
  const redactor = createRedactor()
  redactor.add('very-secret-value')
  const inner = new MemoryLog()
  const events: RunEvent[] = []
  const faults: unknown[] = []
  const log = new RunEvents(inner, redactor, (error) => faults.push(error))
  const release = log.listen((event) => events.push(event))
  return { inner, events, log, release, faults }
}

test('the listener is told what the message log is told, without secrets', async () => {
  const { inner, events, log } = setUp()
  log.deployed(VERSION)
  await log.open(runRecord({ id: 'a' }))
  log.progress('a', { step: 'items', done: 2, failed: 0 })
  log.line('a', 5, 'warn', 'x', 'has very-secret-value', { in: 'very-secret-value' })
  log.attachment('a', 6, 'x', 'very-secret-value.json', 'äb', 'text/plain')
  log.close(
    runRecord({
      id: 'a',
      status: 'FAILED',
      failure: { code: 'x', message: 'said very-secret-value' },
      timings: [0, 100, 2000, 1],
    }),
  )
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['opened', 'progress', 'line', 'attachment', 'ended'],
  )
  assert.doesNotMatch(JSON.stringify(events), /very-secret/)
  const ended = events.at(-1) as Extract<RunEvent, { kind: 'ended' }>
  const detail = ended.run.detail()
  assert.doesNotMatch(JSON.stringify(detail), /very-secret/)
  assert.match(detail.failure!.message, /^said /)
  assert.deepEqual(
    detail.steps.map(({ id, start, duration, outcome }) => [id, start, duration, outcome]),
    [[VERSION.steps[0]?.id, 0.1, 2, 'failed']],
  )
  const attached = events[3] as Extract<RunEvent, { kind: 'attachment' }>
  assert.equal(attached.attachment.size, 3)
  assert.deepEqual(
    [inner.versions.length, inner.opened, inner.moved.length, inner.lines.length, inner.attachments.length],
    [1, ['a'], 1, 1, 1],
  )
  assert.equal(inner.only.id, 'a')
})
