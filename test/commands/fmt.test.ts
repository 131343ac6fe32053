import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { sluice } from '../support/command-line.ts'
import { projectFolder } from '../support/project.ts'

const MESSY = 'steps:\n- log:   "x"\n'
const TIDY = 'steps:\n  - log: x\n'
const FILES = {
  'flows/messy.yaml': MESSY,
  'flows/sub/tidy.yaml': TIDY,
  'flows/messy.test.yaml': 'tests:\n- name:  a\n',
  'security-material/shop.yaml': "type: 'bearer'\ntoken: ${env:X}\nallowedHosts: [a.example.com]\n",
  'sluice.yaml': 'parameters:   { a: 1 }\n',
}

test('without files: flows, their tests, credentials and sluice.yaml; then nothing is left to do', async (t) => {
  const first = await sluice(t, ['fmt'], FILES)
  assert.equal(first.code, 0)
  assert.equal(
    first.stdout,
    'sluice.yaml\nflows/messy.test.yaml\nflows/messy.yaml\nsecurity-material/shop.yaml\n5 files, 4 written anew\n',
  )
  assert.equal(readFileSync(join(first.folder, 'flows/messy.yaml'), 'utf8'), TIDY)
  const again = await sluice(t, ['fmt'], {}, { folder: first.folder })
  assert.equal(again.stdout, '5 files, none written anew\n')
  assert.ok(!readdirSync(join(first.folder, 'flows')).some((name) => name.endsWith('.tmp')))
})

test('--check lists what would change, writes nothing, and ends with 1', async (t) => {
  const { code, stdout, folder } = await sluice(t, ['fmt', '--check', 'flows'], FILES)
  assert.equal(code, 1)
  assert.equal(stdout, 'flows/messy.test.yaml\nflows/messy.yaml\n3 files, 2 would change\n')
  assert.equal(readFileSync(join(folder, 'flows/messy.yaml'), 'utf8'), MESSY)
  const tidy = await sluice(t, ['fmt', '--check', 'flows/sub/tidy.yaml'], {}, { folder })
  assert.equal(tidy.code, 0)
})

test('--stdout prints the canonical form and writes nothing', async (t) => {
  const { code, stdout, folder } = await sluice(t, ['fmt', '--stdout', 'flows/messy.yaml'], FILES)
  assert.equal(code, 0)
  assert.equal(stdout, TIDY)
  assert.equal(readFileSync(join(folder, 'flows/messy.yaml'), 'utf8'), MESSY)
})

test('a file with YAML mistakes is shown and left as it is; the others are written', async (t) => {
  const broken = 'steps:\n- log: "x\n'
  const { code, stdout, stderr, folder } = await sluice(t, ['fmt'], {
    'flows/a.yaml': broken,
    'flows/b.yaml': MESSY,
  })
  assert.equal(code, 1)
  assert.match(stderr, /flows\/a.yaml:2:8: .*quote.*\[yaml\/syntax\]/)
  assert.match(stdout, /^flows\/b.yaml\n2 files, 1 written anew\n/)
  assert.equal(readFileSync(join(folder, 'flows/a.yaml'), 'utf8'), broken)
})

test('the mode of a file stays', async (t) => {
  const folder = projectFolder(t, { 'flows/a.yaml': MESSY })
  const file = join(folder, 'flows/a.yaml')
  chmodSync(file, 0o640)
  assert.equal((await sluice(t, ['fmt'], {}, { folder })).code, 0)
  assert.equal(readFileSync(file, 'utf8'), TIDY)
  assert.equal(statSync(file).mode & 0o777, 0o640)
})

test('a read-only file and a link are told and left as they are', async (t) => {
  const folder = projectFolder(t, { 'flows/a.yaml': MESSY, 'elsewhere.txt': MESSY })
  chmodSync(join(folder, 'flows/a.yaml'), 0o444)
  symlinkSync('../elsewhere.txt', join(folder, 'flows/b.yaml'))
  const { code, stdout, stderr } = await sluice(t, ['fmt'], {}, { folder })
  assert.equal(code, 1)
  assert.match(stderr, /flows\/a.yaml:1:1: it is read-only and was not written/)
  assert.ok(stderr.includes('[fmt/not-written]'))
  assert.match(stderr, /flows\/b.yaml:1:1: it is a symbolic link and was not written/)
  assert.equal(stdout, '2 files, none written anew\n')
  assert.equal(readFileSync(join(folder, 'flows/a.yaml'), 'utf8'), MESSY)
  assert.ok(lstatSync(join(folder, 'flows/b.yaml')).isSymbolicLink())
})

test('what is no UTF-8, is not there, or is no YAML', async (t) => {
  const folder = projectFolder(t, { 'flows/a.yaml': TIDY, 'notes.txt': '' })
  writeFileSync(join(folder, 'flows/bytes.yaml'), Buffer.from([0x61, 0x3a, 0x20, 0xff]))
  const bytes = await sluice(t, ['fmt'], {}, { folder })
  assert.equal(bytes.code, 1)
  assert.match(bytes.stderr, /flows\/bytes.yaml:1:1: it is no UTF-8 text/)
  assert.ok(bytes.stderr.includes('[fmt/unreadable]'))
  const missing = await sluice(t, ['fmt', 'flows/nobody.yaml'], {}, { folder })
  assert.equal(missing.code, 2)
  assert.match(missing.stderr, /"flows\/nobody.yaml": there is no such file/)
  const other = await sluice(t, ['fmt', 'notes.txt'], {}, { folder })
  assert.equal(other.code, 2)
  assert.match(other.stderr, /"notes.txt" is no YAML file/)
  assert.equal((await sluice(t, ['fmt', '--check', '--stdout'], {}, { folder })).code, 2)
  assert.ok(existsSync(join(folder, 'flows/a.yaml')))
})

test('a project without files', async (t) => {
  const { code, stdout } = await sluice(t, ['fmt'], { 'readme.txt': '' })
  assert.equal(code, 0)
  assert.equal(stdout, '0 files, none written anew\n')
})
