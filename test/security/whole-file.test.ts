import assert from 'node:assert/strict'
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { whileLocked, writeWhole } from '../../src/security/whole-file.ts'
import { projectWith } from '../support/files.ts'

const mode = (path: string) => statSync(path).mode & 0o777

test('a file is replaced as a whole; its mode and a link to it stay', async (t) => {
  const folder = projectWith(t, { 'real/x': 'before' })
  const at = (name: string) => join(folder, name)
  writeFileSync(at('real/x'), 'before', { mode: 0o640 })
  symlinkSync('real/x', at('link'))
  const inode = statSync(at('real/x')).ino
  await writeWhole(at('link'), 'after', 0o600)
  assert.equal(readFileSync(at('real/x'), 'utf8'), 'after')
  assert.ok(lstatSync(at('link')).isSymbolicLink())
  assert.notEqual(statSync(at('real/x')).ino, inode)
  await writeWhole(at('new'), 'text', 0o600)
  if (process.platform !== 'win32') {
    assert.equal(mode(at('real/x')), mode(at('link')))
    assert.equal(mode(at('new')), 0o600)
    writeFileSync(at('open'), '', { mode: 0o644 })
    await writeWhole(at('open'), 'text', 0o600, false)
    assert.equal(mode(at('open')), 0o600)
  }
  assert.deepEqual(readdirSync(at('real')), ['x'])
})

test('what cannot be written leaves nothing behind', async (t) => {
  const folder = projectWith(t, { x: '' })
  mkdirSync(join(folder, 'taken/inside'), { recursive: true })
  await assert.rejects(writeWhole(join(folder, 'taken'), 'text', 0o600), /EISDIR|ENOTEMPTY|EEXIST|EPERM/)
  assert.deepEqual(readdirSync(folder).toSorted(), ['taken', 'x'])
})

test('those who change one file do it one after the other', async (t) => {
  const file = join(projectWith(t, { count: '0' }), 'count')
  let inside = 0
  const increase = async () => {
    assert.equal(++inside, 1)
    const count = Number(readFileSync(file, 'utf8'))
    await new Promise((resolve) => setImmediate(resolve))
    await writeWhole(file, String(count + 1), 0o600)
    inside--
  }
  await Promise.all(Array.from({ length: 12 }, () => whileLocked(file, increase)))
  assert.equal(readFileSync(file, 'utf8'), '12')
  await assert.rejects(
    whileLocked(file, () => Promise.reject(new Error('no'))),
    /^Error: no$/,
  )
  assert.deepEqual(readdirSync(join(file, '..')), ['count'])
})

test('the lock of a process that is gone is taken away', async (t) => {
  const folder = projectWith(t, { '.x.lock': `${hostname()} 999999999 abc\n` })
  assert.equal(await whileLocked(join(folder, 'x'), () => Promise.resolve('done')), 'done')
  assert.deepEqual(readdirSync(folder), [])
})
