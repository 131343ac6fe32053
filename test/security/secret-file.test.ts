import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDocument } from '../../src/core/document.ts'
import {
  isSecretName,
  printSecretFile,
  readSecretFile,
  secretNamesIn,
} from '../../src/security/secret-file.ts'
import { RECIPIENT, secretFile } from '../support/secrets.ts'

const FILE = 'security-material/secrets.yaml'
const text = await secretFile({ lms: 'secret-of-lms', im_read: 'secret-of-im' })
const read = (written: string) => readSecretFile(FILE, written)
const told = (written: string) => read(written).problems.map(({ line, message }) => `${line}: ${message}`)

test('what is written is read, in the order of names, and is YAML', () => {
  const { content, problems } = read(text)
  assert.deepEqual(problems, [])
  assert.deepEqual(content!.recipients, [RECIPIENT])
  assert.deepEqual([...content!.secrets.keys()], ['im_read', 'lms'])
  assert.equal(printSecretFile(content!), text)
  assert.deepEqual(read(`\ufeff${text.replaceAll('\n', '\r\n')}`).problems, [])
  assert.deepEqual(content!.secrets.get('im_read')!.place, {
    file: FILE,
    line: 6,
    column: 3,
    endLine: 6,
    endColumn: 10,
  })
  const { document, problems: ofYaml } = readDocument(FILE, text)
  assert.deepEqual(ofYaml, [])
  assert.deepEqual(Object.keys((document!.value as { secrets: object }).secrets), ['im_read', 'lms'])
})

test('one secret more is one line more', async () => {
  const { content } = read(text)
  const before = text.split('\n')
  const secrets = new Map(content!.secrets)
  secrets.set('jam', { ...secrets.get('lms')!, name: 'jam' })
  const after = printSecretFile({ ...content!, secrets }).split('\n')
  assert.equal(after.length, before.length + 1)
  assert.deepEqual(
    after.filter((line) => !before.includes(line)).map((line) => line.split(':')[0]),
    ['  jam'],
  )
})

test('wherever it is cut off, it is told, and nothing of it is believed', () => {
  for (let length = 0; length < text.length - 1; length++) {
    const { content, problems } = read(text.slice(0, length))
    assert.equal(problems.length, 1, `${length} characters`)
    assert.equal(content, undefined)
    assert.match(problems[0]!.message, /half-written|the file is empty/)
    assert.match(problems[0]!.hint!, /version control/)
  }
  assert.deepEqual(read(text.slice(0, -1)).problems, [])
})

test('what is no line of it is told with its place; the others hold', () => {
  const lines = text.split('\n')
  const [name, , encrypted] = lines[5]!.trim().split(' ')
  const odd = [
    ...lines.slice(0, 6),
    '  bad/name: x',
    `  ${name} 2026-11-30T10:00:00Z ${encrypted}`,
    ...lines.slice(6),
  ]
  assert.deepEqual(told(odd.join('\n')), [
    '7: this is no line of a secret file',
    '8: the secret "im_read" is here twice',
  ])
  assert.equal(read(odd.join('\n')).content!.secrets.size, 2)
  assert.deepEqual(told(`${text}more: 1\n`), [
    '10: there is something after "..."'.replace('10', String(lines.length)),
  ])
  assert.deepEqual(told(text.replace(/ {2}- age1.*\n/, '')), [
    '1: no recipients are named: it is not known for whom to encrypt',
  ])
})

test('a conflict of a merge and a credential of that name are told as what they are', () => {
  const conflict = text.replace('  lms:', '<<<<<<< HEAD\n  lms:')
  assert.deepEqual(told(conflict), ['7: a conflict of a merge is left here'])
  assert.equal(read(conflict).content, undefined)
  assert.deepEqual(told('type: bearer\ntoken: ${env:X}\n'), [
    '1: this file holds the encrypted secrets; it is no credential',
  ])
})

test('names in a text: references count, comments and $${ do not', () => {
  const found = secretNamesIn(
    'a: ${secret:one} and ${ secret : two }\n  # b: ${secret:three}\nc: $${secret:four}\nd: ${secret:one}\n',
  )
  assert.deepEqual(found, ['one', 'two'])
  assert.ok(isSecretName('im.read-2_x'))
  for (const name of ['', '1a', 'a/b', 'a b', '__proto__', 'a'.repeat(151)])
    assert.ok(!isSecretName(name), name)
})
