import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linkTarget } from '../../src/net/link-header.ts'

const headers: [header: string, next: string | undefined][] = [
  [
    '<https://a.example/?page=2>; rel="next", <https://a.example/?page=9>; rel="last"',
    'https://a.example/?page=2',
  ],
  ['<https://a.example/?page=1>; rel=prev, </items?page=3>;rel=next', '/items?page=3'],
  ['<?page=2>;REL=Next', '?page=2'],
  ['<a>; rel="prev first", <b>; rel="start NEXT up"', 'b'],
  ['<a>; rel = "next"', 'a'],
  ['<a,b;c>; rel="next"', 'a,b;c'],
  ['<a>; title="x, <evil>; rel=next"; rel="prev", <b>; rel="next"', 'b'],
  ['<a>; title="say \\"hi\\", <evil>; rel=next"; rel=next', 'a'],
  ["<a>; title*=UTF-8''%e2%82%ac; rel=next", 'a'],
  ['<a>;;; rel=next', 'a'],
  ['<a>; rel=prev; rel=next', undefined],
  ['<a>; rel=next; anchor="#chapter", <b>; rel=next', 'b'],
  ['<a>; rel=next; anchor=""', 'a'],
  ['< a >; rel=next', 'a'],
  ['<>; rel=next', ''],
  ['<a>; rel="nextish"', undefined],
  ['<a>; rev=next', undefined],
  ['<a>', undefined],
  ['a; rel=next', undefined],
  ['; rel=next', undefined],
  ['', undefined],
]

for (const [header, next] of headers)
  test(`the next page of ${header === '' ? 'no header' : header}`, () =>
    assert.equal(linkTarget(header, 'next'), next))

test('a header made to be slow is not', () => {
  for (const header of ['<'.repeat(100_000), `<a>${'; a="'.repeat(20_000)}`, `<a>;${' '.repeat(100_000)}x`])
    assert.equal(linkTarget(header, 'next'), undefined)
})
