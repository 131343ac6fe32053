import assert from 'node:assert/strict'
import { glob, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, test } from 'node:test'
import { readDocument } from '../src/core/document.ts'
import { commentsIn } from '../src/core/yaml-canonical.ts'
import { canonicalFile } from '../src/fmt.ts'

/*
 * Golden pairs: `commands/fmt/<case>.yaml` and `commands/fmt/<case>.fmt.out`, its canonical form.
 * `UPDATE=1 node --test test/fmt.test.ts` writes the .out files; look at the difference.
 */
const root = join(import.meta.dirname, '..')
const folder = join(import.meta.dirname, 'commands/fmt')

/** None of these is refused (`fmt/refused`): no text is known that is. */
function canonical(text: string): string {
  const made = canonicalFile('a.yaml', text)
  assert.ok('text' in made, JSON.stringify(made))
  return made.text
}

/** Formats, and checks what holds for every text: nothing is lost, and formatting it again changes nothing. */
function checked(text: string): string {
  const made = canonical(text)
  assert.equal(canonical(made), made, 'formatting it again changes something')
  assert.deepEqual(readDocument('a', made).document?.value, readDocument('a', text).document?.value)
  assert.deepEqual(commentsIn(made).toSorted(), commentsIn(text).toSorted())
  assert.ok(!/[\r\uFEFF]/.test(made) && made.endsWith('\n'))
  return made
}

describe('golden canonical forms', () => {
  for (const name of ['flow', 'credential', 'comments'])
    it(name, async () => {
      const made = checked(await readFile(join(folder, `${name}.yaml`), 'utf8'))
      const golden = join(folder, `${name}.fmt.out`)
      if (process.env['UPDATE'] === '1') await writeFile(golden, made)
      assert.equal(made, await readFile(golden, 'utf8'))
    })
})

describe('every YAML text of the project keeps its data and its comments', () => {
  const places = 'flows,security-material,starter,bench,test/flow/problems,test/commands'
  for (const place of places.split(','))
    it(place, async () => {
      let count = 0
      for await (const file of glob(`${place}/**/*.{yaml,yml}`, { cwd: root })) {
        const text = await readFile(join(root, file), 'utf8').catch(() => undefined)
        if (text === undefined) continue
        if (readDocument(file, text).problems.length > 0) {
          assert.ok('problems' in canonicalFile(file, text), file)
          continue
        }
        count++
        checked(text)
      }
      assert.ok(count > 1)
    })

  it('the snippets of the docs', async () => {
    let count = 0
    for await (const file of glob('docs/**/*.md', { cwd: root }))
      for (const [, text] of (await readFile(join(root, file), 'utf8')).matchAll(
        /^```yaml[^\n]*\n(.*?)^```/gms,
      )) {
        if (readDocument(file, text!).problems.length > 0) continue
        count++
        checked(text!)
      }
    assert.ok(count > 20)
  })

  it('what is shipped is canonical', async () => {
    for await (const file of glob('{flows,security-material,starter}/**/*.yaml', { cwd: root })) {
      const text = await readFile(join(root, file), 'utf8')
      assert.equal(canonical(text), text, file)
    }
  })
})

const CASES: readonly (readonly [title: string, text: string, made: string])[] = [
  [
    'line ends, the mark at the beginning, the end of the file',
    '\uFEFFa: 1\r\nb: 2\r\n\r\n\r\n',
    'a: 1\nb: 2\n',
  ],
  ['no line end at the end', 'a: 1', 'a: 1\n'],
  [
    'quotes that are needed stay',
    'a: "1"\nb: \'no\'\nc: "x: y"\nd: "2026-12-01"\ne: "*/5 * * * *"\n',
    'a: "1"\nb: \'no\'\nc: "x: y"\nd: "2026-12-01"\ne: "*/5 * * * *"\n',
  ],
  [
    'quotes that are not needed go',
    'a: "x"\n"b": \'${body.id}\'\nc: "/orders/{id}"\n',
    'a: x\nb: ${body.id}\nc: /orders/{id}\n',
  ],
  [
    'in braces more quotes are needed',
    'a: { b: "${x}", c: "https://x", d: "e" }\n',
    'a: { b: "${x}", c: "https://x", d: e }\n',
  ],
  ['curly quotes are texts only in quotes', 'a: "“x”"\n', 'a: "“x”"\n'],
  ['escapes stay', 'a: "x\\u0041"\nb: "x\\ty"\n', 'a: "x\\u0041"\nb: "x\\ty"\n'],
  [
    'numbers stay as they are written',
    'a: 0012\nb: 1.10\nc: 0x1F\nd: 1e3\ne: 123456789012345678901\n',
    'a: 0012\nb: 1.10\nc: 0x1F\nd: 1e3\ne: 123456789012345678901\n',
  ],
  [
    'block scalars keep their lines',
    'a:\n    b: |+\n        x\n\n\n    c: >2-\n          y\n        z\n',
    'a:\n  b: |+\n    x\n\n\n  c: >2-\n        y\n      z\n',
  ],
  ['an empty block scalar', 'a: |\nb: 1\n', 'a: |\nb: 1\n'],
  ['a comment beside the head of a block scalar', 'a: | # why\n    x\nb: 1\n', 'a: | # why\n  x\nb: 1\n'],
  ['empty things', 'a: {}\nb: []\nc:\nd: ""\n', 'a: {}\nb: []\nc:\nd: ""\n'],
  [
    'anchors: nothing is moved',
    'steps:\n  - log: &x a\ndescription: *x\n',
    'steps:\n  - log: &x a\ndescription: *x\n',
  ],
  [
    'onError above steps stays there: ids depend on it',
    'onError:\n  - log: a\nsteps:\n  - log: b\nname: x\n',
    'name: x\nonError:\n  - log: a\nsteps:\n  - log: b\n',
  ],
  [
    'steps inside of steps',
    'steps:\n  - if: a\n    try:\n      catch:\n        - steps:\n            - { id: b, log: c }\n      steps: [{ id: d, parallel: { branches: { e: [{ if: x, log: f }] } } }]\n',
    'steps:\n  - try:\n      catch:\n        - steps:\n            - { log: c, id: b }\n      steps: [{ parallel: { branches: { e: [{ log: f, if: x }] } }, id: d }]\n    if: a\n',
  ],
]

for (const [title, text, made] of CASES) test(title, () => assert.equal(checked(text), made))

test('a map in braces that does not fit on its line is opened, from the outside', () => {
  const inner = `{ long: ${'x'.repeat(30)}, other: ${'y'.repeat(30)} }`
  const made = checked(`steps:\n  - set: { body: ${inner}, contentType: text/plain }\n`)
  assert.equal(made, `steps:\n  - set:\n      body: ${inner}\n      contentType: text/plain\n`)
})

test('deep and long texts come to an end', () => {
  const deep = `a: ${'['.repeat(60)}${']'.repeat(60)}\n`
  checked(deep)
  checked(
    `steps:\n${'  - { id: a, log: "x" }\n'.repeat(300).replaceAll(/id: a/g, () => `id: a${Math.random().toString(36).slice(2)}`)}`,
  )
})

test('mistakes are told, and nothing is made of the text', () => {
  for (const text of ['a: "x', 'a: 1\na: 2\n', 'a: !x y\n', '', 'a: *b\n']) {
    const made = canonicalFile('a.yaml', text)
    assert.ok('problems' in made && made.problems.length > 0, text)
  }
})
