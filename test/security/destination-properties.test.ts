import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readProperties } from '../../src/security/destination-properties.ts'

/** A text, and what is in it. */
const texts: readonly [title: string, text: string, value: Record<string, string>][] = [
  [
    'pairs, comments, empty lines',
    '# Of the cockpit\n\nName=jam\n! more\n  URL = https://a.example.com\n',
    { Name: 'jam', URL: 'https://a.example.com' },
  ],
  [
    'as Java writes them: escaped colons',
    'URL=https\\://a.example.com\\:8443/x\\=y\n',
    { URL: 'https://a.example.com:8443/x=y' },
  ],
  ['a colon, or white space, parts them, too', 'a: 1\nb 2\nc\t=\t3\n', { a: '1', b: '2', c: '3' }],
  ['a value goes on in the next line', 'scope=a \\\n   b \\\r\n   c\nx=1', { scope: 'a b c', x: '1' }],
  ['a backslash that is one, at the end', 'path=c\\\\\nx=1\n', { path: 'c\\', x: '1' }],
  ['unicode, tabs and line ends', 'a=\\u00e9\\t\\n|\n', { a: 'é\t\n|' }],
  ['no value', 'clientSecret=\nkey\n', { clientSecret: '', key: '' }],
  ['a byte order mark and old line ends', '\ufeffa=1\rb=2', { a: '1', b: '2' }],
  ['a key with an escaped space', 'a\\ b=1\n', { 'a b': '1' }],
  ['nothing', '', {}],
  ['a last line that would go on', 'a=1\\', { a: '1' }],
]

for (const [title, text, value] of texts)
  test(title, () => {
    const { document, problems } = readProperties('a.properties', text)
    assert.deepEqual(problems, [])
    assert.deepEqual(Object.entries(document.value as object), Object.entries(value))
  })

test('places: key, value, a part of the value', () => {
  const { document } = readProperties('a.properties', '# x\n  URL = https://a b\nscope=a\\\n  b\n')
  const { line, column, endColumn } = document.place(['URL'], { offset: 9, length: 1 })
  assert.deepEqual([line, column, endColumn], [2, 18, 19])
  assert.equal(document.place(['URL'], { on: 'key' }).column, 3)
  assert.deepEqual(document.place(['scope'], { offset: 1, length: 1 }), {
    file: 'a.properties',
    line: 3,
    column: 7,
    endLine: 4,
    endColumn: 4,
  })
  assert.equal(document.place(['nothing']).line, 1)
  assert.equal(document.written(['URL']), 'https://a b')
})

test('a property that is there twice is told with both places', () => {
  const { problems } = readProperties('a.properties', 'URL=1\nName=x\nURL=2\n')
  assert.equal(problems.length, 1)
  assert.deepEqual([problems[0]!.line, problems[0]!.related![0]!.line], [3, 1])
})

test('a large text is read in no time that grows with its square', () => {
  const { document } = readProperties(
    'a.properties',
    Array.from({ length: 20_000 }, (_, i) => `k${i}=v`).join('\n'),
  )
  assert.equal(Object.keys(document.value as object).length, 20_000)
})

test('names that objects have are names like others', () => {
  const { document } = readProperties('a.properties', '__proto__=1\nconstructor=2\n')
  assert.deepEqual(Object.entries(document.value as object), [
    ['__proto__', '1'],
    ['constructor', '2'],
  ])
})
