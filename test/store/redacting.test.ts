import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { reader, runRecord, stores, NOW, VERSION, type Opened } from './support.ts'

const CANARY = 'kanarienvogel-\u00fc-7f3a9c'
const redact = (text: string): string =>
  [CANARY, Buffer.from(CANARY).toString('latin1')].reduce(
    (rest, secret) => rest.replaceAll(secret, '[secret]'),
    text,
  )

const redactBytes = (bytes: Buffer): Buffer => Buffer.from(redact(bytes.toString('latin1')), 'latin1')

async function assertNowhere({ folder }: Opened): Promise<void> {
  for (const name of await readdir(folder)) {
    const bytes = await readFile(join(folder, name))
    for (const encoding of ['utf8', 'latin1', 'utf16le'] as const)
      assert.equal(bytes.includes(Buffer.from(CANARY, encoding)), false, `${encoding} in ${name}`)
  }
}

test('no secret gets into the files, whatever kind of text it stands in', async (t) => {
  const opened = await stores(t, { redact, redactBytes })
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
  const { messageLog, folder } = await stores(t, { redact, redactBytes })
  const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7919) % 256)
  const run = runRecord()
  messageLog.attachment(run.id, NOW, 'log', 'bytes', bytes.subarray(1), 'image/png')
  await messageLog.flush()
  assert.deepEqual(reader(t, folder).attachment(run.id, 'bytes')!.content, bytes.subarray(1))
})

test('a secret that becomes known while a run goes on is taken out of what comes after', async (t) => {
  let live = (text: string): string => text
  const { messageLog, folder } = await stores(t, { redact: (text) => live(text) })
  const run = runRecord()
  messageLog.line(run.id, NOW, 'info', 'log', 'hunter22', undefined)
  live = (text) => text.replaceAll('hunter22', '[secret]')
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
