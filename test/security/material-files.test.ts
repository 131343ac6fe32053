import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findMaterial, readMaterial } from '../../src/security/material-files.ts'
import { projectWith } from '../support/files.ts'

test('YAML files of the folder and its subfolders are read, in order, without hidden and other ones', async (t) => {
  const folder = projectWith(t, {
    'material/b.yaml': 'b',
    'material/a/c.yml': 'c',
    'material/a.yaml': 'a',
    'material/.hidden.yaml': 'hidden',
    'material/.git/d.yaml': 'hidden',
    'material/a.yaml~': 'backup',
    'material/notes.md': 'other',
    'elsewhere.yaml': 'other',
  })
  assert.deepEqual(await readMaterial(join(folder, 'material'), folder), {
    files: [
      { file: 'material/a.yaml', text: 'a' },
      { file: 'material/a/c.yml', text: 'c' },
      { file: 'material/b.yaml', text: 'b' },
    ],
    problems: [],
  })
})

test('links to files and folders are followed, a circle once', async (t) => {
  const folder = projectWith(t, { 'kept/a.yaml': 'a', 'kept/more/b.yaml': 'b', 'material/c.yaml': 'c' })
  symlinkSync('../kept/a.yaml', join(folder, 'material/a.yaml'))
  symlinkSync('../kept/more', join(folder, 'material/more'))
  symlinkSync('../material', join(folder, 'material/again'))
  const { files } = await readMaterial(join(folder, 'material'), folder)
  assert.deepEqual(
    files.map(({ file, text }) => `${file} ${text}`),
    ['material/a.yaml a', 'material/c.yaml c', 'material/more/b.yaml b'],
  )
})

test('a link that leads nowhere is a problem of its file, not a missing one', async (t) => {
  const folder = projectWith(t, { 'material/a.yaml': 'a' })
  symlinkSync('gone.yaml', join(folder, 'material/b.yaml'))
  const { files } = await readMaterial(join(folder, 'material'), folder)
  assert.deepEqual(
    files.map(({ file, unreadable }) => [file, unreadable?.code, unreadable?.message]),
    [
      ['material/a.yaml', undefined, undefined],
      ['material/b.yaml', 'credential/unreadable', 'the link leads nowhere'],
    ],
  )
})

test('a folder that is not there holds nothing; one that is no folder cannot be read', async (t) => {
  const folder = projectWith(t, { file: 'no folder' })
  const nothing = { files: [], folders: [], links: [], unreadable: [] }
  assert.deepEqual(await findMaterial(join(folder, 'none')), nothing)
  const { problems } = await readMaterial(join(folder, 'file'), folder)
  assert.deepEqual(
    problems.map(({ file, severity, message }) => [file, severity, message]),
    [['file', 'error', 'it cannot be read (ENOTDIR)']],
  )
})

test('a folder that is named like a file is looked through', async (t) => {
  const folder = projectWith(t, {})
  mkdirSync(join(folder, 'material/a.yaml'), { recursive: true })
  writeFileSync(join(folder, 'material/a.yaml/b.yaml'), 'b')
  const { files } = await readMaterial(join(folder, 'material'), folder)
  assert.deepEqual(files, [{ file: 'material/a.yaml/b.yaml', text: 'b' }])
})
