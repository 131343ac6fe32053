import assert from 'node:assert/strict'
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { dataFolder, reader, runRecord, stores } from './support.ts'

test('the folder is made when it is not there, for its owner alone', async (t) => {
  const folder = join(await dataFolder(t), 'deep', 'data')
  const opened = await stores(t, { folder })
  opened.messageLog.close(runRecord())
  await opened.messageLog.flush()
  assert.equal((await stat(folder)).mode & 0o077, 0)
  for (const name of await readdir(folder))
    assert.equal((await stat(join(folder, name))).mode & 0o077, 0, name)
  await opened.close()
  assert.deepEqual((await readdir(folder)).toSorted(), ['log.db', 'state.db'])
})

for (const file of ['log.db', 'state.db'])
  test(`a damaged ${file} is refused in clear words, for the engine and the reader`, async (t) => {
    const folder = await dataFolder(t)
    await writeFile(
      join(folder, file),
      'this is no database, but some other file that was put here\n'.repeat(50),
    )
    const clear = {
      code: 'store.damaged',
      message: new RegExp(`${file}" is damaged or is no database`),
      hint: /Move it away/,
    }
    await assert.rejects(stores(t, { folder }), clear)
    if (file === 'log.db') assert.throws(() => reader(t, folder).runs({ limit: 1 }), clear)
  })

test('tables that a newer Sluice wrote are refused and left alone', async (t) => {
  const { folder, close } = await stores(t)
  await close()
  const database = new DatabaseSync(join(folder, 'log.db'))
  database.exec('PRAGMA user_version = 99')
  database.close()
  const clear = { code: 'store.newer', message: /written by a newer Sluice \(version 99 .* knows \d+\)/ }
  await assert.rejects(stores(t, { folder }), clear)
  assert.throws(() => reader(t, folder).runs({ limit: 1 }), clear)
})

test('a folder that cannot be one says so and names the setting', async (t) => {
  const folder = await dataFolder(t)
  await writeFile(join(folder, 'data'), '')
  await mkdir(join(folder, 'other', 'log.db'), { recursive: true })
  const clear = { code: 'store.unwritable', hint: /SLUICE_DATA/ }
  await assert.rejects(stores(t, { folder: join(folder, 'data') }), clear)
  await assert.rejects(stores(t, { folder: join(folder, 'other') }), clear)
})

test('a log that is not there yet is empty, and is seen once it is', async (t) => {
  const folder = await dataFolder(t)
  const log = reader(t, folder)
  assert.deepEqual(log.runs({ limit: 10 }), [])
  assert.deepEqual(log.flows(), [])
  assert.deepEqual(log.find('abc'), [])
  assert.equal(log.run('abc'), undefined)
  assert.equal(log.attachment('abc', 'a'), undefined)
  const { messageLog } = await stores(t, { folder })
  await messageLog.open(runRecord())
  assert.equal(log.runs({ limit: 10 }).length, 1)
})
