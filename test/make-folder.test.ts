import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeFolder } from '../src/make-folder.ts'
import { projectFolder } from './support/project.ts'

test('a folder is made with those above it, and the first one is told; one that is there stays', async (t) => {
  const folder = projectFolder(t, { 'a.txt': '' })
  assert.equal(await makeFolder(join(folder, 'a/b/c'), 0o700), join(folder, 'a'))
  assert.equal(statSync(join(folder, 'a/b/c')).mode & 0o777, 0o700)
  assert.equal(await makeFolder(join(folder, 'a/b/c')), undefined)
  assert.equal(await makeFolder(join(folder, 'a/d')), join(folder, 'a/d'))
  await assert.rejects(makeFolder(join(folder, 'a.txt')), { code: 'EEXIST' })
  const both = await Promise.all([makeFolder(join(folder, 'x/y')), makeFolder(join(folder, 'x/y'))])
  assert.ok(both.includes(join(folder, 'x')))
})

const skip = existsSync('/proc/self') ? false : 'there is no /proc'
test(
  'a file system that takes no folders is no reason to try for ever',
  { skip, timeout: 5000 },
  async () => {
    await assert.rejects(makeFolder('/proc/nothing/deeper'), { code: 'ENOENT' })
  },
)
