import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createRedactor } from '../../src/security/redaction.ts'
import { reader, runRecord, stores, NOW, VERSION, type Opened } from './support.ts'

const CANARY = 'kanarienvogel-\u00fc-7f3a9c'

function redactor(...secrets: string[]) {
  const made = createRedactor()
  for (const secret of secrets) made.add(secret)
  return made
}

async function assertNowhere({ folder }: Opened): Promise<void> {
  for (const name of await readdir(folder)) {
    const bytes = await readFile(join(folder, name))
    for (const encoding of ['utf8', 'latin1', 'utf16le'] as const)
      assert.equal(bytes.includes(Buffer.from(CANARY, encoding)), false, `${encoding} in ${name}`)
  }
}

test('no secret gets into the files, whatever kind of text it stands in', async (t) => {
  const opened = await stores(t, { redactor: redactor(CANARY) })
  const { messageLog, folder } = opened
  const inside = `before ${CANARY} after`
  const record = runRecord({
    correlationId: inside,
    caller: inside,
    status: 'FAILED',
    failure: { code: 'x', message: inside, hint: inside, receiver: { host: CANARY } },
    hosts: ['api.example.com', `${CANARY}.example.com`],
    searchable: { 'x-order': inside },
  })
  messageLog.deployed(VERSION)
  await messageLog.open({ ...record, status: 'PROCESSING' })
  messageLog.line(record.id, NOW, 'info', 'log', inside, { a: CANARY, deep: [{ b: inside }], [CANARY]: 1 })
  messageLog.attachment(record.id, NOW, 'log', inside, inside, inside)
  messageLog.attachment(record.id, NOW, 'log', 'utf8', Buffer.from(inside), 'application/octet-stream')
  messageLog.attachment(
    record.id,
    NOW,
    'log',
    'latin1',
    Buffer.from(`\u00ff${inside}`, 'latin1'),
    'image/png',
  )
  messageLog.snapshot(record.id, NOW, 'log', 'trace', {
    headers: { authorization: `Bearer ${CANARY}` },
    properties: { deep: { token: CANARY } },
    body: JSON.stringify({ token: CANARY }),
    contentType: inside,
  })
  messageLog.close(record)
  await messageLog.flush()
  await assertNowhere(opened)

  const log = reader(t, folder)
  const run = log.run(record.id)!
  assert.equal(run.correlationId, 'before [secret] after')
  assert.equal(run.caller, 'before [secret] after')
  assert.deepEqual(run.hosts, ['api.example.com', '[secret].example.com'])
  assert.equal(run.failure!.message, 'before [secret] after')
  assert.equal(run.failure!.hint, 'before [secret] after')
  assert.deepEqual(run.searchable, { 'x-order': 'before [secret] after' })
  assert.equal(run.lines[0]!.text, 'before [secret] after')
  assert.deepEqual(run.lines[0]!.fields, {
    a: '[secret]',
    deep: [{ b: 'before [secret] after' }],
    '[secret]': 1,
  })
  assert.equal(run.snapshots[0]!.body, '{"token":"[secret]"}')
  assert.deepEqual(run.snapshots[0]!.headers, { authorization: 'Bearer [secret]' })
  assert.equal(Buffer.from(log.attachment(record.id, 'utf8')!.content).toString(), 'before [secret] after')
  assert.equal(
    Buffer.from(log.attachment(record.id, 'latin1')!.content).toString('latin1'),
    '\u00ffbefore [secret] after',
  )

  await opened.close()
  await assertNowhere(opened)
})

test('bytes without a secret are kept to the last bit', async (t) => {
  const { messageLog, folder } = await stores(t, { redactor: redactor(CANARY) })
  const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7919) % 256)
  const run = runRecord()
  messageLog.attachment(run.id, NOW, 'log', 'bytes', bytes.subarray(1), 'image/png')
  await messageLog.flush()
  assert.deepEqual(reader(t, folder).attachment(run.id, 'bytes')!.content, bytes.subarray(1))
})

test('a secret that becomes known while a run goes on is taken out of what comes after', async (t) => {
  const live = redactor()
  const { messageLog, folder } = await stores(t, { redactor: live })
  const run = runRecord()
  messageLog.line(run.id, NOW, 'info', 'log', 'hunter22', undefined)
  live.add('hunter22')
  messageLog.line(run.id, NOW, 'info', 'log', 'hunter22', undefined)
  messageLog.close(run)
  await messageLog.flush()
  assert.deepEqual(
    reader(t, folder)
      .run(run.id)!
      .lines.map(({ text }) => text),
    ['hunter22', '[secret]'],
  )
})

test('bytes among fields and properties are counted, not spelled out as numbers', async (t) => {
  const opened = await stores(t, { redactor: redactor(CANARY) })
  const { messageLog, folder } = opened
  const run = runRecord()
  const bytes = Buffer.from(CANARY)
  messageLog.line(run.id, NOW, 'info', 'log', 'line', { all: bytes, deep: [new Uint8Array(bytes)] })
  messageLog.snapshot(run.id, NOW, 'set', 'debug', { headers: {}, properties: { answer: bytes } })
  messageLog.close(run)
  await messageLog.flush()
  const { lines, snapshots } = reader(t, folder).run(run.id)!
  assert.deepEqual(lines[0]!.fields, { all: `[${bytes.length} bytes]`, deep: [`[${bytes.length} bytes]`] })
  assert.deepEqual(snapshots[0]!.properties, { answer: `[${bytes.length} bytes]` })
})

test('a snapshot that is cut holds no beginning of a secret, wherever the cut falls', async (t) => {
  const long = `kanarienvogel-${'0123456789'.repeat(100)}`
  const { messageLog, folder } = await stores(t, { redactor: redactor(long) })
  const run = runRecord()
  const kept = 64 * 1024
  const bodies = [
    'x'.repeat(kept - 500) + long + 'y'.repeat(5000),
    `${JSON.stringify({ seen: `${'x '.repeat(kept / 2 - 300)}${encodeURIComponent(long)}` })}${'y'.repeat(5000)}`,
    long.repeat(200),
    'x'.repeat(kept - 14) + long,
  ]
  for (const body of bodies)
    messageLog.snapshot(run.id, NOW, 'http', 'trace', { headers: {}, properties: {}, body })
  messageLog.close(run)
  await messageLog.flush()
  for (const { body } of reader(t, folder).run(run.id)!.snapshots) {
    assert.doesNotMatch(body!, /kanarien/)
    assert.match(body!, /\[secret\]…$/)
  }
})
