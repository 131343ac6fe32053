import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readDocument, type Document, type Path } from '../../src/core/document.ts'

function read(text: string): Document {
  const { document, problems } = readDocument('f.yaml', text)
  assert.deepEqual(problems, [])
  return document!
}

/** Offset in the text of a 1-based line and column. */
function offsetOf(text: string, line: number, column: number): number {
  const lines = text.split('\n')
  return lines.slice(0, line - 1).reduce((sum, before) => sum + before.length + 1, 0) + column - 1
}

function marked(document: Document, path: Path, target: { offset: number; length: number }): string {
  const place = document.place(path, target)
  return document.text.slice(
    offsetOf(document.text, place.line, place.column),
    offsetOf(document.text, place.endLine!, place.endColumn!),
  )
}

/** Holds every character of a scalar against the place that the document gives for it. */
function checkEveryCharacter(text: string, path: Path = ['a']): string {
  const document = read(text)
  const value = path.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], document.value)
  assert.equal(typeof value, 'string', text)
  const parsed = value as string
  let before = -1
  for (let i = 0; i < parsed.length; i++) {
    const character = parsed[i]!
    const place = document.place(path, { offset: i, length: 1 })
    const at = offsetOf(text, place.line, place.column)
    const about = `${JSON.stringify(text)}, character ${i} of ${JSON.stringify(parsed)} at ${place.line}:${place.column}`
    assert.ok(at >= before, `${about}: goes back`)
    if (/\s/.test(character)) assert.match(text[at] ?? '\n', /[\s\\]/, about)
    else if (text[at] !== '\\') assert.equal(text[at], character, about)
    before = at
  }
  const behind = document.place(path, { offset: parsed.length })
  assert.ok(offsetOf(text, behind.line, behind.column) <= text.length, JSON.stringify(text))
  return parsed
}

/** A small generator of repeatable numbers. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
}

describe('places inside of scalars', () => {
  const scalars: Record<string, string> = {
    plain: 'a: one two ${x}\n',
    'plain, several lines': 'a: one\n  two  \n  three\n\n  four\n\n\n  five six\nb: 1\n',
    'plain, CRLF': 'a: one\r\n  two\r\n\r\n  three\r\nb: 1\r\n',
    'plain in a flow map': '{ a: one two, b: 2 }\n',
    'single-quoted': "a: 'it''s ''quoted'''\n",
    'single-quoted, several lines': "a: ' one\n  two''s  \n\n\n  three '\n",
    'double-quoted': 'a: "one \\"two\\" \\u00e9 \\U0001F600 \\x41 \\n \\t end"\n',
    'double-quoted, several lines': 'a: "one  \n  two \\\n  three\n\n\n  four \\n five "\n',
    'double-quoted, CRLF': 'a: "one\r\n  two \\\r\n  three\r\n\r\n  four"\r\n',
    'double-quoted, escaped blanks': 'a: "one\\ \n  \\ttwo\\\t\n  three"\n',
    literal: 'a: |\n  one\n    two\n\n  three\nb: 1\n',
    'literal, CRLF': 'a: |\r\n  one\r\n    two\r\n\r\n  three\r\nb: 1\r\n',
    'literal, stripped': 'a: |-\n  one\n  two\n\nb: 1\n',
    'literal, kept': 'a: |+\n  one\n  two\n\n   \n\nb: 1\n',
    'literal, indentation given': 'a: |2\n    one\n   two\n  three\nb: 1\n',
    'literal, indentation and chomping given, comment': 'a: |1- # why\n   one\n  two\nb: 1\n',
    'literal, empty lines first': 'a: |\n\n\n  one\n  two\n',
    'literal, at the end of the file': 'a: |\n  one\n  two',
    'literal, tabs inside': 'a: |\n  one\ttwo\n  \tthree\n',
    folded: 'a: >\n  one\n  two\n\n  three\n\n\n  four\nb: 1\n',
    'folded, more indented lines':
      'a: >\n  one\n    two\n    three\n\n    four\n  five\n\n    six\n\n  seven\n  eight\nb: 1\n',
    'folded, CRLF': 'a: >\r\n  one\r\n  two\r\n\r\n    three\r\n  four\r\n',
    'folded, stripped': 'a: >-\n  one\n  two\n',
    'folded, kept': 'a: >+\n  one\n  two\n\n\nb: 1\n',
    'folded, empty lines first': 'a: >\n\n\n  one\n  two\n',
    'characters beyond the first plane': 'a: "😀 ${x} 😀"\n',
  }
  for (const [name, text] of Object.entries(scalars))
    it(`every character of a ${name} scalar`, () => assert.ok(checkEveryCharacter(text).length > 0))

  it('every character of ten thousand made-up scalars', () => {
    const next = numbers(3)
    const pieces = ['x', 'yz', ' ', '  ', "''", '\\n', '\\"', '\\u00e9', 'é', '${a}', '.', '\t']
    for (let round = 0; round < 10_000; round++) {
      const style = ['|', '>', '|-', '>-', '|+', '>+', '"', "'", ''][next(9)]!
      const ending = next(4) === 0 ? '\r\n' : '\n'
      const block = style !== '' && '|>'.includes(style[0]!)
      const count = 1 + next(6)
      const lines = Array.from({ length: count }, (_, i) => {
        if (i > 0 && i < count - 1 && next(4) === 0) return ' '.repeat(next(4))
        const content = Array.from({ length: 1 + next(4) }, () => pieces[next(pieces.length)]).join('')
        if (block) return '  ' + (i > 0 && next(4) === 0 ? '  ' : '') + `w${content}`
        if (style === '"') return `${i > 0 ? '  ' : ''}w${content}`
        if (style === "'") return `${i > 0 ? '  ' : ''}w${content.replaceAll('\\"', '')}`
        return `${i > 0 ? '  ' : ''}w${content.replace(/[\\"]/g, '')}`
      })
      const body = lines.join(ending)
      const text = `a: ${block ? style + ending + body + ending : style + body + style + ending}b: 1${ending}`
      checkEveryCharacter(text)
    }
  })

  it('marks an escape and a doubled quote as a whole', () => {
    assert.equal(marked(read('a: "x\\u00e9y"'), ['a'], { offset: 1, length: 1 }), '\\u00e9')
    assert.equal(marked(read("a: 'x''y'"), ['a'], { offset: 1, length: 2 }), "''y")
  })

  it('finds text in a nested block scalar', () => {
    const document = read('steps:\n  - script: |\n      let a = 1\n      let b = broken\n')
    const value = (document.value as { steps: { script: string }[] }).steps[0]!.script
    const place = document.place(['steps', 0, 'script'], { offset: value.indexOf('broken'), length: 6 })
    assert.deepEqual(place, { file: 'f.yaml', line: 4, column: 15, endLine: 4, endColumn: 21 })
  })

  it('gives the end of the text for what lies behind it', () => {
    assert.deepEqual(read('a: |\n  one\nb: 1\n').place(['a'], { offset: 99 }), {
      file: 'f.yaml',
      line: 2,
      column: 6,
    })
    assert.deepEqual(read('a: one\n').place(['a'], { offset: 3 }), { file: 'f.yaml', line: 1, column: 7 })
  })
})

describe('places of keys and values', () => {
  const text = 'a:\n  b: one\n  c:\n    - d: 1\n      e: 2\n    - two\n  f:\n'
  const document = read(text)
  const at = (path: Path, on?: 'key' | 'value') => {
    const { line, column, endColumn } = document.place(path, on ? { on } : {})
    return [line, column, endColumn]
  }
  it('of a value', () => assert.deepEqual(at(['a', 'b']), [2, 6, 9]))
  it('of a key', () => assert.deepEqual(at(['a', 'b'], 'key'), [2, 3, 4]))
  it('of an entry of a list', () => assert.deepEqual(at(['a', 'c', 1]), [6, 7, 10]))
  it('of the first key where an entry is a map', () => assert.deepEqual(at(['a', 'c', 0], 'key'), [4, 7, 8]))
  it('of the key where the value is empty', () => assert.deepEqual(at(['a', 'f']), [7, 3, 4]))
  it("of the parent's key where the key is missing", () => assert.deepEqual(at(['a', 'x']), [1, 1, 2]))
  it('of the first key of an entry where one is missing', () =>
    assert.deepEqual(at(['a', 'c', 0, 'x']), [4, 7, 8]))
  it('of the first key of the file where one is missing at the top', () =>
    assert.deepEqual(at(['x']), [1, 1, 2]))
  it('counts columns in UTF-16 units and leaves the byte order mark out', () => {
    assert.equal(read('\uFEFFa: { "😀": 1, b: 2 }').place(['a', 'b']).column, 18)
  })
  it('goes through an alias to what it stands for', () => {
    const aliased = read('a: &x { b: 1 }\nc: *x\n')
    assert.equal(aliased.place(['c', 'b']).line, 1)
    assert.equal(aliased.place(['c']).line, 2)
  })
  it('gives scalars as they were written', () => {
    const scalars = read('a: 0012\nb: 1.10\nc: "x"\nd: [1]\n')
    assert.deepEqual(
      ['a', 'b', 'c', 'd', 'e'].map((key) => scalars.written([key])),
      ['0012', '1.10', '"x"', undefined, undefined],
    )
  })
})

describe('data', () => {
  it('is that of YAML 1.2: yes, on and dates are texts', () => {
    assert.deepEqual(read('a: yes\nb: on\nc: 2026-01-01\nd: 0o17\ne: ~\n').value, {
      a: 'yes',
      b: 'on',
      c: '2026-01-01',
      d: 15,
      e: null,
    })
  })
  it('takes keys as texts', () => {
    assert.deepEqual(read('1: x\ntrue: y\nnull: z\n').value, { 1: 'x', true: 'y', null: 'z' })
  })
  it('has __proto__ as a key like others', () => {
    const value = read('__proto__: { polluted: true }\nconstructor: 1\n').value as object
    assert.equal(Object.getPrototypeOf(value), Object.prototype)
    assert.ok(Object.hasOwn(value, '__proto__'))
    assert.equal(({} as { polluted?: true }).polluted, undefined)
  })
  it('is the same after CRLF and a byte order mark', () => {
    assert.deepEqual(read('\uFEFFa: |\r\n  x\r\n  y\r\nb: 1\r\n').value, { a: 'x\ny\n', b: 1 })
  })
})

describe('mistakes', () => {
  const found = (text: string) =>
    readDocument('f.yaml', text).problems.map(({ code, line, column }) => `${code} ${line}:${column}`)
  const cases: [string, string, string[]][] = [
    ['a tag', 'if: !done\nb: 1', ['yaml/tag 1:5']],
    ['a tag with more behind it', 'if: !body.done && x', ['yaml/tag 1:5']],
    ['a tag on a map', 'a: !foo\n  b: 1', ['yaml/tag 1:4']],
    ['an alias by mistake', 'cron: * * * * *\nb: 1', ['yaml/alias 1:7']],
    ['an alias by mistake in a flow map', 'a: { cron: */5 * * * *, b: 1 }', ['yaml/alias 1:12']],
    ['an unknown alias', 'a: *b', ['yaml/alias 1:4']],
    ['an alias inside of its anchor', 'a: &x [*x]', ['yaml/alias 1:8']],
    [
      'an expression in a flow map',
      'a: { b: ${x}, c: ${y.z}/1 }\nd: !e',
      ['yaml/quotes 1:9', 'yaml/quotes 1:18', 'yaml/tag 2:4'],
    ],
    ['an expression in a flow list', 'a: [${x}, 1]', ['yaml/quotes 1:5']],
    ['double braces', 'a: {{x}}/y', ['value/braces 1:4']],
    [
      'curly quotes around a key and a value',
      '“a”: 1\nb: “two”',
      ['yaml/curly-quotes 1:1', 'yaml/curly-quotes 2:4'],
    ],
    ['curly quotes around a text with a colon', 'b: “two: three”', ['yaml/curly-quotes 1:4']],
    ['a colon in a text', 'log: order: x\nb: 1', ['yaml/quotes 1:6']],
    ['a list on the line of its key', 'steps: http:\n  url: x', ['yaml/syntax 1:8']],
    ['a duplicate key', 'a: 1\nb: 2\na: 3', ['yaml/duplicate-key 3:1']],
    ['a merge key', 'a: &x { b: 1 }\nc:\n  <<: *x', ['yaml/merge-key 3:3']],
    ['a tab', 'a:\n\tb: 1\n\tc: 2', ['yaml/tab 2:1']],
    ['a list as a key', '? [a]\n: b', ['yaml/key 1:3']],
    ['a missing space', 'a: {b:1}', ['yaml/space 1:5']],
    ['an escape that is none', 'a: "\\q"', ['yaml/escape 1:5']],
    ['a quote that is not closed', 'a: 1\nb: "x\nc: 2', ['yaml/syntax 2:4']],
    ['a brace that is not closed', 'a: { b: 1\nc: 2', ['yaml/syntax 1:4']],
    ['a line indented too deep', 'a: 1\n  b: 2', ['yaml/syntax 2:3']],
    ['a second document', 'a: 1\n---\nb: 2', ['yaml/several-documents 2:1']],
    ['nothing', '', ['yaml/empty 1:1']],
    ['nothing but a comment', '# x\n', ['yaml/empty 1:1']],
  ]
  for (const [name, text, expected] of cases)
    it(`one problem for ${name}`, () => assert.deepEqual(found(text), expected))

  it('leaves the data of what was wrong undefined and keeps the rest', () => {
    const { document } = readDocument('f.yaml', 'if: !done\ncron: * * *\nb: 1')
    assert.deepEqual(document?.value, { if: undefined, cron: undefined, b: 1 })
  })
  it('reads no text that aliases would make endless', () => {
    const bomb = Array.from(
      { length: 20 },
      (_, i) => `a${i}: &a${i} [${i === 0 ? '1' : `*a${i - 1}, *a${i - 1}`}]`,
    ).join('\n')
    assert.ok(found(bomb).some((problem) => problem.startsWith('yaml/alias')))
  })
  it('reads no text that is nested without end', () => {
    assert.deepEqual(
      found('['.repeat(100_000)).map((problem) => problem.split(' ')[0]),
      ['yaml/too-deep'],
    )
    assert.deepEqual(found('a: '.concat('['.repeat(500), ']'.repeat(500))), ['yaml/too-deep 1:1'])
  })
  it('reads no text that is too large', () => {
    assert.deepEqual(found(`a: ${'x'.repeat(5 * 1024 * 1024)}`), ['yaml/too-large 1:1'])
  })
})
