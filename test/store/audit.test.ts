import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDatabase } from '../../src/store/sqlite/database.ts'
import { retention } from '../../src/store/sqlite/retention.ts'
import { LOG_MIGRATIONS } from '../../src/store/sqlite/schema.ts'
import { createRedactor } from '../../src/security/redaction.ts'
import { NOW, dataFolder, reader, stores } from './support.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

const issued = (client: string, address = '192.0.2.1') =>
  ({ who: `oauth_client_${client}`, address, what: 'token.issued', object: client, outcome: 'done' }) as const

test('entries are kept as they were told, and found by what is asked for', async (t) => {
  const { audit, messageLog, clock, folder } = await stores(t)
  audit.record({
    who: 'a file',
    what: 'role.granted',
    object: 'shop',
    outcome: 'done',
    detail: 'orders.write',
  })
  await clock.advance(1000)
  audit.record({
    who: 'oauth_client_boss',
    address: '::1',
    what: 'flow.run',
    object: 'orders',
    outcome: 'failed',
  })
  await messageLog.flush()
  const log = reader(t, folder)
  assert.deepEqual(log.audit({ limit: 10 }), [
    {
      number: 2,
      at: NOW + 1000,
      what: 'flow.run',
      who: 'oauth_client_boss',
      address: '::1',
      object: 'orders',
      outcome: 'failed',
      detail: undefined,
      count: 1,
    },
    {
      number: 1,
      at: NOW,
      what: 'role.granted',
      who: 'a file',
      address: undefined,
      object: 'shop',
      outcome: 'done',
      detail: 'orders.write',
      count: 1,
    },
  ])
  const found = (filter: object) => log.audit({ limit: 10, ...filter }).map(({ number }) => number)
  assert.deepEqual(found({ what: ['role.*', 'nothing'] }), [1])
  assert.deepEqual(found({ who: ['*_boss'] }), [2])
  assert.deepEqual(found({ who: ['a?file'] }), [])
  assert.deepEqual(found({ object: ['shop', 'orders'] }), [2, 1])
  assert.deepEqual(found({ outcome: ['failed'], object: ['shop'] }), [])
  assert.deepEqual(found({ since: NOW + 1 }), [2])
  assert.deepEqual(found({ until: NOW + 1000 }), [1])
  assert.deepEqual(found({ before: { at: NOW + 1000, number: 2 } }), [1])
  assert.deepEqual([found({ after: 1 }), log.newestAudit()], [[2], 2])
})

test('what callers cause is counted by the minute: the first at once, the others together', async (t) => {
  const { audit, messageLog, clock, folder } = await stores(t)
  for (let i = 0; i < 13; i++) audit.count(issued('shop'))
  audit.count(issued('till'))
  await messageLog.flush()
  const log = reader(t, folder)
  const counts = () => log.audit({ limit: 100 }).map(({ object, count }) => `${object} ${count}`)
  assert.deepEqual(counts(), ['till 1', 'shop 1'])
  await clock.advance(MINUTE)
  await messageLog.flush()
  assert.deepEqual(counts(), ['shop 12', 'till 1', 'shop 1'])
  await clock.advance(10 * MINUTE)
  audit.count(issued('shop'))
  await messageLog.flush()
  assert.equal(counts().length, 4)
})

test('what was counted is on disk when the engine has stopped', async (t) => {
  const { audit, close, folder } = await stores(t)
  for (let i = 0; i < 3; i++) audit.count(issued('shop'))
  await close()
  assert.deepEqual(
    reader(t, folder)
      .audit({ limit: 9 })
      .map(({ count }) => count),
    [2, 1],
  )
})

test('a flood of different refusals is told by sixty entries and a sum', async (t) => {
  const { audit, messageLog, clock, folder } = await stores(t)
  for (let i = 0; i < 5000; i++)
    audit.count({ ...issued('x', `192.0.2.${i}`), what: 'token.refused', outcome: 'refused' })
  for (let i = 0; i < 3000; i++) audit.count(issued(`client-${i}`))
  await clock.advance(MINUTE)
  await messageLog.flush()
  const entries = reader(t, folder).audit({ limit: 10_000 })
  const refused = entries.filter(({ what }) => what === 'token.refused')
  assert.equal(refused.length, 61)
  assert.equal(
    refused.reduce((sum, { count }) => sum + count, 0),
    5000,
  )
  assert.equal(refused.find(({ who }) => who === 'others')!.count, 4940)
  const got = entries.filter(({ what }) => what === 'token.issued')
  assert.equal(
    got.reduce((sum, { count }) => sum + count, 0),
    3000,
  )
  assert.ok(got.length <= 1001)
})

test('secrets are taken out, and long texts cut', async (t) => {
  const redactor = createRedactor()
  redactor.add('hunter22-hunter22')
  const { audit, messageLog, folder } = await stores(t, { redactor })
  audit.record({
    who: 'hunter22-hunter22',
    address: 'hunter22-hunter22',
    what: 'credential.tested',
    object: `hunter22-hunter22${'x'.repeat(1000)}`,
    outcome: 'failed',
    detail: `it said hunter22-hunter22 ${'y'.repeat(5000)}`,
  })
  await messageLog.flush()
  const [entry] = reader(t, folder).audit({ limit: 1 })
  assert.doesNotMatch(JSON.stringify(entry), /hunter22/)
  assert.ok(entry!.object!.length <= 201 && entry!.detail!.length <= 501)
})

test('old entries are deleted by their own age, and of what callers cause the oldest beyond a number', async (t) => {
  const folder = await dataFolder(t)
  const opened = await stores(t, { folder })
  opened.audit.record({ who: 'a file', what: 'role.granted', object: 'old', outcome: 'done' })
  await opened.clock.advance(2 * DAY)
  for (let i = 0; i < 30; i++) opened.audit.count(issued(`client-${i}`))
  for (let i = 0; i < 5; i++) {
    opened.audit.record({ ...issued('run'), what: 'flow.run', object: `run-${i}` })
    opened.audit.record({ ...issued('x'), what: 'role.granted', object: 'refused', outcome: 'refused' })
  }
  opened.audit.record({ who: 'a file', what: 'role.granted', object: 'new', outcome: 'done' })
  await opened.close()
  const database = openDatabase(join(folder, 'log.db'), {
    timeout: 250,
    pragmas: [],
    migrations: LOG_MIGRATIONS,
  })
  t.after(() => database.close())
  const slice = retention(database, { before: NOW, bytes: 1024 ** 3, auditBefore: NOW + DAY }, 10)
  for (let left: number | undefined = 0; left !== undefined;) left = slice()
  const kept = reader(t, folder).audit({ limit: 100 })
  assert.deepEqual(
    kept.map(({ object }) => object),
    ['new', ...Array.from({ length: 5 }, (_, i) => ['refused', `run-${4 - i}`]).flat()],
  )
})
