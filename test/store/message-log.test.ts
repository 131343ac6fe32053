import assert from 'node:assert/strict'
import { randomUUIDv7 } from 'node:crypto'
import { test } from 'node:test'
import { reader, runRecord, stores, NOW, VERSION } from './support.ts'

test('a run is read as it was written', async (t) => {
  const { messageLog, folder } = await stores(t)
  messageLog.deployed(VERSION)
  const failure = {
    code: 'receiver.status',
    message: 'the receiver answered 503',
    hint: 'Ask its operator.',
    step: 'fetch',
    position: 'flows/orders.yaml:9:7',
    receiver: { status: 503, host: 'api.example.com' },
    item: { index: 17, key: 'C-0017' },
  }
  const run = runRecord({
    correlationId: 'order-77',
    caller: 'shop',
    calledBy: 'run-of-the-caller',
    status: 'FAILED',
    failure,
    credentials: ['lms_admin_OAuth2', 'shop_api'],
    hosts: ['api.example.com', 'lms.example.com:8443'],
    progress: { step: 'fetch', done: 4117, failed: 3 },
    searchable: { 'x-order': '77' },
    timings: [0, 5, 100, 0, 2, 130, 40, 2, 3, 200, 12000, 1, 1, 120, 12100, 1],
  })
  messageLog.close(run)
  await messageLog.flush()
  assert.deepEqual(reader(t, folder).run(run.id), {
    id: run.id,
    flow: 'orders',
    version: 'v1',
    file: 'flows/orders.yaml',
    trigger: 'endpoint',
    status: 'FAILED',
    startedAt: run.startedAt,
    duration: 12.345,
    correlationId: 'order-77',
    caller: 'shop',
    calledBy: 'run-of-the-caller',
    related: { caller: undefined, called: [], calledCount: 0, correlated: 0 },
    failure,
    credentials: ['lms_admin_OAuth2', 'shop_api'],
    hosts: ['api.example.com', 'lms.example.com:8443'],
    progress: { step: 'fetch', kind: 'http', done: 4117, failed: 3 },
    searchable: { 'x-order': '77' },
    omittedSteps: 0,
    steps: [
      { index: 0, id: 'log', kind: 'log', line: 3, parent: -1, start: 0.005, duration: 0.1, outcome: 'done' },
      {
        index: 2,
        id: 'mark',
        kind: 'set',
        line: 7,
        parent: 1,
        start: 0.13,
        duration: 0.04,
        outcome: 'skipped',
      },
      {
        index: 3,
        id: 'fetch',
        kind: 'http',
        line: 9,
        parent: 1,
        start: 0.2,
        duration: 12,
        outcome: 'failed',
      },
      {
        index: 1,
        id: 'choose',
        kind: 'choose',
        line: 5,
        parent: -1,
        start: 0.12,
        duration: 12.1,
        outcome: 'failed',
      },
    ],
    lines: [],
    attachments: [],
    snapshots: [],
  })
})

test('lines, attachments and snapshots belong to their run, in their order', async (t) => {
  const { messageLog, folder } = await stores(t)
  const run = runRecord()
  const other = runRecord()
  messageLog.line(run.id, NOW, 'info', 'log', 'first\nsecond line', undefined)
  messageLog.line(other.id, NOW, 'info', 'log', 'of the other', undefined)
  messageLog.line(run.id, NOW + 1, 'error', 'log', '', { qty: 3, deep: [{ a: null }] })
  messageLog.attachment(run.id, NOW + 2, 'log', 'order.json', '{"é":1}', 'application/json')
  messageLog.attachment(run.id, NOW + 3, 'log', 'bytes', Uint8Array.of(0, 255, 128), 'image/png')
  messageLog.snapshot(run.id, NOW + 4, 'fetch', 'trace', {
    headers: { accept: '*/*' },
    properties: { list: [1, 'two'] },
    body: 'seen',
    contentType: 'text/plain',
  })
  messageLog.close(run)
  messageLog.close(other)
  await messageLog.flush()
  const log = reader(t, folder)
  const read = log.run(run.id)!
  assert.deepEqual(read.lines, [
    { run: run.id, at: NOW, level: 'info', step: 'log', text: 'first\nsecond line', fields: undefined },
    {
      run: run.id,
      at: NOW + 1,
      level: 'error',
      step: 'log',
      text: '',
      fields: { qty: 3, deep: [{ a: null }] },
    },
  ])
  assert.deepEqual(read.attachments, [
    { at: NOW + 2, step: 'log', name: 'order.json', contentType: 'application/json', size: 8 },
    { at: NOW + 3, step: 'log', name: 'bytes', contentType: 'image/png', size: 3 },
  ])
  assert.deepEqual(read.snapshots, [
    {
      at: NOW + 4,
      step: 'fetch',
      level: 'trace',
      headers: { accept: '*/*' },
      properties: { list: [1, 'two'] },
      body: 'seen',
      contentType: 'text/plain',
    },
  ])
  assert.equal(Buffer.from(log.attachment(run.id, 'order.json')!.content).toString(), '{"é":1}')
  assert.deepEqual([...log.attachment(run.id, 'bytes')!.content], [0, 255, 128])
  assert.equal(log.attachment(other.id, 'bytes'), undefined)
})

test('an attachment is kept as it was, though its bytes change afterwards', async (t) => {
  const { messageLog, folder } = await stores(t)
  const bytes = Buffer.from('before')
  const run = runRecord()
  messageLog.attachment(run.id, NOW, 'log', 'a', bytes, 'text/plain')
  bytes.write('after!')
  await messageLog.flush()
  assert.equal(Buffer.from(reader(t, folder).attachment(run.id, 'a')!.content).toString(), 'before')
})

test('an open run is PROCESSING without a duration, and closing it completes the same record', async (t) => {
  const { messageLog, folder } = await stores(t)
  const log = reader(t, folder)
  const run = runRecord({ status: 'PROCESSING', duration: 0 })
  await messageLog.open(run)
  assert.equal(log.run(run.id)!.status, 'PROCESSING')
  assert.equal(log.run(run.id)!.duration, undefined)
  messageLog.close({ ...run, status: 'COMPLETED', duration: 2000, timings: [0, 0, 5, 0] })
  await messageLog.flush()
  assert.equal(log.runs({ limit: 10 }).length, 1)
  assert.equal(log.run(run.id)!.status, 'COMPLETED')
  assert.equal(log.run(run.id)!.duration, 2000)
  assert.equal(log.run(run.id)!.steps.length, 1)
})

test('an open run is as far as it last said, also once it has ended', async (t) => {
  const { messageLog, folder } = await stores(t)
  const log = reader(t, folder)
  const progress = () => log.runs({ limit: 10 }).map((run) => run.progress)
  const run = runRecord({ status: 'PROCESSING', progress: { step: 'copy', done: 10, failed: 0 } })
  await messageLog.open(run)
  assert.deepEqual(progress(), [{ step: 'copy', done: 10, failed: 0 }])
  messageLog.progress(run.id, { step: 'copy', done: 20, failed: 1 })
  messageLog.progress(run.id, { step: 'copy', done: 30, failed: 2 })
  messageLog.progress('nobody', { step: 'copy', done: 1, failed: 0 })
  await messageLog.flush()
  assert.deepEqual(progress(), [{ step: 'copy', done: 30, failed: 2 }])
  messageLog.close({ ...run, status: 'COMPLETED', progress: { step: 'copy', done: 38, failed: 2 } })
  messageLog.progress(run.id, { step: 'copy', done: 35, failed: 2 })
  await messageLog.flush()
  assert.deepEqual(progress(), [{ step: 'copy', done: 38, failed: 2 }])
  assert.equal(messageLog.lost, 0)
})

test('a run that was cut off keeps how far it had come', async (t) => {
  const first = await stores(t)
  const run = runRecord({ status: 'PROCESSING' })
  await first.messageLog.open(run)
  first.messageLog.progress(run.id, { step: 'copy', done: 30, failed: 2 })
  await first.close()
  await stores(t, { folder: first.folder })
  const read = reader(t, first.folder).run(run.id)!
  assert.equal(read.status, 'ABANDONED')
  assert.deepEqual(read.progress, { step: 'copy', kind: '', done: 30, failed: 2 })
})

test('steps are those of the version that ran, also after another one was deployed', async (t) => {
  const { messageLog, folder } = await stores(t)
  const old = runRecord({ timings: [0, 0, 1, 0] })
  messageLog.deployed(VERSION)
  messageLog.close(old)
  messageLog.deployed({ ...VERSION, version: 'v2', steps: [{ id: 'new', kind: 'set', line: 2, parent: -1 }] })
  const young = runRecord({ version: 'v2', timings: [0, 0, 1, 0] })
  messageLog.close(young)
  messageLog.deployed(VERSION)
  await messageLog.flush()
  const log = reader(t, folder)
  assert.deepEqual([log.run(old.id)!.version, log.run(old.id)!.steps[0]!.id], ['v1', 'log'])
  assert.deepEqual([log.run(young.id)!.version, log.run(young.id)!.steps[0]!.id], ['v2', 'new'])
})

test('a run whose version was never deployed is kept, its steps by number', async (t) => {
  const { messageLog, folder } = await stores(t)
  const run = runRecord({ flow: 'unheard', version: '?', timings: [1, 0, 1, 1] })
  messageLog.close(run)
  await messageLog.flush()
  assert.equal(reader(t, folder).run(run.id)!.flow, 'unheard')
  assert.equal(reader(t, folder).run(run.id)!.steps[0]!.id, 'step 2')
})

test('timings of hours and of steps that overlap survive packing', async (t) => {
  const { messageLog, folder } = await stores(t)
  const day = 24 * 60 * 60 * 1e6
  const run = runRecord({ timings: [300, day, day / 2, 0, 2, 10, 0, 3, 1, day * 3, 7, 2] })
  messageLog.close(run)
  await messageLog.flush()
  const steps = reader(t, folder).run(run.id)!.steps
  assert.deepEqual(
    steps.map(({ index, start, duration, outcome }) => [index, start * 1000, duration * 1000, outcome]),
    [
      [300, day, day / 2, 'done'],
      [2, 10, 0, 'ended'],
      [1, day * 3, 7, 'skipped'],
    ],
  )
})

test('of very many steps the first and the last are kept, and how many were left out', async (t) => {
  const { messageLog, folder } = await stores(t)
  const timings: number[] = []
  for (let i = 0; i < 10_000; i++) timings.push(0, i * 10, 5, 0)
  timings.push(1, 100_000, 5, 1)
  const run = runRecord({ timings })
  messageLog.close(run)
  await messageLog.flush()
  const read = reader(t, folder).run(run.id)!
  assert.equal(read.steps.length, 4000)
  assert.equal(read.omittedSteps, 6001)
  assert.equal(read.steps[2999]!.start, 29.99)
  assert.deepEqual([read.steps.at(-1)!.index, read.steps.at(-1)!.outcome], [1, 'failed'])
})

test('steps that the engine has left out already are among those left out', async (t) => {
  const { messageLog, folder } = await stores(t)
  const timings = (steps: number) => Array.from({ length: steps }, (_, i) => [0, i * 10, 5, 0]).flat()
  const many = runRecord({ timings: timings(7000), omittedSteps: 92_000 })
  const few = runRecord({ timings: timings(4000), omittedSteps: 4000 })
  messageLog.close(many)
  messageLog.close(few)
  await messageLog.flush()
  const log = reader(t, folder)
  const kept = [many, few].map(({ id }) => log.run(id)!)
  assert.deepEqual(
    kept.map(({ steps, omittedSteps }) => [steps.length, omittedSteps, steps[3000]!.start]),
    [
      [4000, 95_000, 60],
      [4000, 4000, 30],
    ],
  )
})

test('what is written is handed over within 20 ms, or after 500 records at once', async (t) => {
  const { messageLog, folder, clock } = await stores(t)
  const log = reader(t, folder)
  messageLog.close(runRecord())
  assert.equal(messageLog.backlog, 1)
  assert.equal(clock.pending, 2)
  await clock.advance(20)
  assert.equal(clock.pending, 1)
  for (let i = 0; i < 500; i++) messageLog.close(runRecord())
  assert.equal(clock.pending, 1)
  await messageLog.open(runRecord({ status: 'PROCESSING' }))
  assert.equal(log.runs({ limit: 1000 }).length, 502)
  assert.equal(messageLog.backlog, 0)
})

test('closing writes what is still in memory', async (t) => {
  const opened = await stores(t)
  for (let i = 0; i < 1234; i++) opened.messageLog.close(runRecord({ id: randomUUIDv7() }))
  await opened.close()
  assert.equal(reader(t, opened.folder).runs({ limit: 5000 }).length, 1234)
})

test('odd values never throw and never cost the other records of their batch', async (t) => {
  const { messageLog, folder, log } = await stores(t)
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  const run = runRecord()
  messageLog.line(run.id, NOW, 'info', 'log', 'a circle', circle)
  messageLog.line(run.id, NOW, 'info', 'log', 'big', { n: 1n })
  messageLog.line(run.id, NOW, 'info', 'log', 'half \ud800 a character, a zero \0 inside', { '': undefined })
  messageLog.close(runRecord({ startedAt: NaN }))
  messageLog.close(run)
  await messageLog.flush()
  assert.equal(messageLog.lost, 1)
  assert.deepEqual(log.texts('warn'), ['records could not be written to the message log'])
  const read = reader(t, folder).run(run.id)!
  assert.match(String(read.lines[0]!.fields), /cannot be written as JSON/)
  assert.match(String(read.lines[1]!.fields), /cannot be written as JSON/)
  assert.match(read.lines[2]!.text, /inside$/)
  assert.equal(read.status, 'COMPLETED')
})
