import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { readDocument } from '../../src/core/document.ts'
import { resolveReferences, type ReferenceSources } from '../../src/security/references.ts'
import { projectWith } from '../support/files.ts'

const sources: ReferenceSources = {
  projectFolder: '/nowhere',
  environment: { HOST: 'api.example.com', SECRET: 's3cret-value', EMPTY: '' },
  parameters: { region: 'eu10', port: 8443 },
  backends: [],
  secret: (name) =>
    name === 'lms'
      ? { value: 's3cret-of-lms' }
      : { state: 'missing', why: 'is not there', hint: 'Put it there.' },
}

function resolve(text: string, from: ReferenceSources = sources) {
  const { document } = readDocument('security-material/x.yaml', text)
  return resolveReferences(document!, from)
}

test('references are replaced in any text, at any depth', () => {
  const { document, problems, insertions } = resolve(`
url: https://\${env:HOST}:\${param:port}/\${ param:region }/
map: { list: ["a \${env:HOST}", 5, true, null] }
secret: \${env:SECRET}
`)
  assert.deepEqual(document.value, {
    url: 'https://api.example.com:8443/eu10/',
    map: { list: ['a api.example.com', 5, true, null] },
    secret: 's3cret-value',
  })
  assert.deepEqual(problems, [])
  assert.deepEqual(
    insertions.map(({ path, reference }) => [path.join('.'), reference]),
    [
      ['url', '${env:HOST}'],
      ['map.list.0', '${env:HOST}'],
      ['secret', '${env:SECRET}'],
    ],
  )
})

test('$${ stands for ${', () => {
  assert.deepEqual(resolve('a: x $${env:HOST} $5 $').document.value, { a: 'x ${env:HOST} $5 $' })
})

test('places in a resolved text are places in the written one', () => {
  const { document } = resolve('a: ab ${env:HOST} cd $${ ef')
  const text = (document.value as { a: string }).a
  const column = (part: string) => document.place(['a'], { offset: text.indexOf(part), length: part.length })
  assert.equal(column('ab').column, 4)
  assert.deepEqual([column('cd').column, column('cd').endColumn], [19, 21])
  assert.equal(column('ef').column, 26)
  assert.deepEqual([column('example').column, column('example').endColumn], [7, 18])
})

test('files: the last line end is cut, paths are from the project folder', (t) => {
  const folder = projectWith(t, {
    'secrets/a': 'from-a-file\n',
    'secrets/b': ' two\nlines \r\n',
    'secrets/big': 'x'.repeat(70_000),
    'secrets/empty': '\n',
  })
  const { document, files, insertions } = resolve(
    `a: \${file:secrets/a}\nb: \${file:${join(folder, 'secrets/b')}}\n`,
    { ...sources, projectFolder: folder },
  )
  assert.deepEqual(document.value, { a: 'from-a-file', b: ' two\nlines ' })
  assert.deepEqual(files, [join(folder, 'secrets/a'), join(folder, 'secrets/b')])
  assert.equal(insertions.length, 2)

  const { problems, unset } = resolve(
    'a: ${file:secrets/big}\nb: ${file:secrets/empty}\nc: ${file:secrets/none}\nd: ${file:secrets}\n',
    { ...sources, projectFolder: folder },
  )
  assert.deepEqual(
    problems.map(({ message }) => message),
    ['the file "secrets/big" has more than 64 KB'],
  )
  assert.deepEqual(
    unset.map(({ reference, why }) => `${reference} ${why}`),
    ['file:secrets/empty is empty', 'file:secrets/none is not there', 'file:secrets is no file'],
  )
})

test('what is not set or empty is recorded once, and the text stays as written', () => {
  const { document, unset, unresolved, problems } = resolve(
    'a: ${env:NONE}/x\nb: ${env:EMPTY}\nc: ${env:NONE}\n',
  )
  assert.deepEqual(document.value, { a: '${env:NONE}/x', b: '${env:EMPTY}', c: '${env:NONE}' })
  assert.deepEqual(
    unset.map(({ reference, why, place }) => [reference, why, place.line, place.column]),
    [
      ['env:NONE', 'is not set', 1, 4],
      ['env:EMPTY', 'is empty', 2, 4],
    ],
  )
  assert.deepEqual(unresolved, [['a'], ['b'], ['c']])
  assert.deepEqual(problems, [])
})

const mistakes: [text: string, message: RegExp, column: number][] = [
  ['a: x ${evn:HOST}', /there is no "evn" to refer to; did you mean "env"\?/, 6],
  ['a: ${secret:not/here}', /"not\/here" cannot be the name of a secret/, 4],
  ['a: ${secret:none}', /^$/, 4],
  ['a: ${headers.x}', /is no reference; a credential does not see messages/, 4],
  ['a: ${HOST}', /is no reference/, 4],
  ['a: ${env:}', /names nothing/, 4],
  ['a: ${env:HOST', /has no "}"/, 4],
  ['a: ${param:regoin}', /sluice.yaml has no parameter "regoin"; did you mean "region"\?/, 4],
  ['a: https://{{host}}/x', /"{{host}}" is not replaced here/, 12],
  ['a: ${env:__proto__}', /^$/, 4],
]
for (const [text, message, column] of mistakes) {
  test(`a reference that is none: ${text}`, () => {
    const { problems, unset, document } = resolve(text)
    const found = problems[0] ?? { message: '', ...unset[0]!.place }
    assert.match(found.message, message)
    assert.equal(found.column, column)
    assert.equal(problems.length + unset.length, 1)
    assert.deepEqual(document.value, { a: text.slice(3) })
  })
}
