import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Problem } from '../../src/core/problem.ts'
import { printProblems } from '../../src/flow/print.ts'

const problem: Problem = {
  code: 'key/unknown',
  severity: 'error',
  message: 'something is wrong',
  file: 'a.yaml',
  line: 1,
  column: 4,
  endLine: 1,
  endColumn: 7,
}

function print(text: string | undefined, more: Partial<Problem> = {}, color = false): string[] {
  return printProblems([{ ...problem, ...more }], () => text, { color }).split('\n')
}

describe('printed problems', () => {
  it('are nothing when there are none', () =>
    assert.equal(
      printProblems([], () => '', { color: true }),
      '',
    ))
  it('have place, message, code, line, caret, help and other places', () => {
    assert.deepEqual(
      print('a: bcd\n', {
        hint: 'Do that.',
        related: [{ file: 'b.yaml', line: 2, column: 3, message: 'here' }],
      }),
      [
        'a.yaml:1:4: something is wrong [key/unknown]',
        '1 | a: bcd',
        '  |    ^~~',
        '  = help: Do that.',
        '  = see: b.yaml:2:3: here',
        '',
        '1 error in 1 file',
        '',
      ],
    )
  })
  it('say which are warnings, and count', () => {
    const others = ['b.yaml', 'b.yaml', 'c.yaml'].map((file, i) => ({
      ...problem,
      file,
      line: i + 1,
      severity: 'warning' as const,
    }))
    const text = printProblems([problem, ...others], () => undefined, { color: false })
    assert.match(text, /^b\.yaml:1:4: warning: something is wrong/m)
    assert.match(text, /\n\n1 error, 3 warnings in 3 files\n$/)
  })
  it('do without the line where the text is not there', () => {
    assert.deepEqual(print(undefined).slice(0, 2), ['a.yaml:1:4: something is wrong [key/unknown]', ''])
    assert.deepEqual(print('x', { line: 9 })[1], '')
  })
  it('cut a line that the terminal would break, so that the caret stands below its place', () => {
    const text = `${'x'.repeat(90)} bad ${'y'.repeat(90)}`
    const place = { column: 92, endColumn: 95, endLine: 1 }
    for (const columns of [80, 60]) {
      const lines = printProblems([{ ...problem, ...place }], () => text, { color: false, columns })
        .split('\n')
        .slice(1, 3)
      for (const line of lines) assert.ok(line.length <= columns, line)
      assert.equal(lines[0]!.indexOf('bad'), lines[1]!.indexOf('^~~'))
    }
  })
  it('mark to the end of the line what goes on behind it', () =>
    assert.equal(print('a: bcdef  \n  g\n', { endLine: 2, endColumn: 3 })[2], '  |    ^~~~~'))
  it('have the caret under the place, with tabs and wide characters before it', () => {
    assert.deepEqual(print('\t日x bcd', { column: 5, endColumn: 8 }).slice(1, 3), [
      '1 |   日x bcd',
      '  |       ^~~',
    ])
    assert.deepEqual(print('e\u0301: bcd', { column: 5, endColumn: 8 }).slice(1, 3), [
      '1 | e\u0301: bcd',
      '  |    ^~~',
    ])
  })
  it('cut long lines around the place', () => {
    const [, line, caret] = print(`${'x'.repeat(500)}bcd${'y'.repeat(500)}`, { column: 501, endColumn: 504 })
    assert.equal(line!.length, '1 | '.length + 120)
    assert.ok(line!.startsWith('1 | …x') && line!.endsWith('y…'))
    assert.equal(line!.slice(caret!.indexOf('^'), caret!.indexOf('^') + 3), 'bcd')
    assert.ok(caret!.endsWith('^~~'))
  })
  it('let no control character through to a terminal', () => {
    const text = print('a: \x1b[31m\u202e', { message: 'x\x1b]0;y\x07', file: 'a\n.yaml' }).join('\n')
    assert.doesNotMatch(text, /[\x1b\x07\u202e]/)
    assert.match(text, /^a \.yaml:1:4: x/)
  })
  it('colour on demand', () => {
    assert.match(print('a: bcd', {}, true).join('\n'), /\x1b\[31m {3}\^~~\x1b\[0m/)
    assert.doesNotMatch(print('a: bcd').join('\n'), /\x1b/)
  })
  it('cover literal secrets in the line and leave references', () => {
    assert.match(print('clientSecret: hunter2')[1]!, /clientSecret: \*{7}$/)
    assert.match(print('  - { password: "a b", user: x }')[1]!, /password: \*{5}, user: x/)
    assert.match(print('headers: { Authorization: Bearer abc }')[1]!, /Authorization: \*+/)
    assert.match(print('key: abcdef')[1]!, /key: \*{6}/)
    assert.equal(print('x: { token: abcdef }')[1], '1 | x: { token: ****** }')
    assert.equal(print('{"clientSecret":"abcdef","a":1}')[1], '1 | {"clientSecret":********,"a":1}')
    assert.equal(print('URL.headers.x-api-key=abcdef')[1], '1 | URL.headers.x-api-key=******')
    assert.equal(print('url: https://me:pa:ss@host:80/')[1], '1 | url: https://me:*****@host:80/')
    assert.equal(
      print('url: https://host/?client_secret=abc&x=1')[1],
      '1 | url: https://host/?client_secret=***&x=1',
    )
    for (const line of [
      'clientSecret: ${env:SECRET}',
      'tokenServiceUrl: https://example.com',
      '  key: body.id',
      'script: |',
      'url: https://host:8080/a@b',
      'body: client_secret=${param.x}',
    ])
      assert.equal(print(line)[1], `1 | ${line}`)
  })
})
