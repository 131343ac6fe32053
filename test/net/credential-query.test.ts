import assert from 'node:assert/strict'
import { test } from 'node:test'
import { holdsEntry, withoutEntries, withoutNames } from '../../src/net/credential-query.ts'

/** `a~b c+d/e%f` */
const ADDED = 'key=a%7Eb+c%2Bd%2Fe%25f&client=100&flag='

const entries: [name: string, query: string, left: string][] = [
  ['as it was sent', `?${ADDED}`, ''],
  ['in another order, with others between', '?x=1&client=100&y=2&key=a%7Eb+c%2Bd%2Fe%25f&z', '?x=1&y=2&z'],
  ['lower-case digits', '?key=a%7eb+c%2bd%2fe%25f&x', '?x'],
  ['a tilde and a slash as they are', '?key=a~b+c%2Bd/e%25f&x', '?x'],
  ['%20 for a space', '?key=a~b%20c%2Bd/e%25f&x', '?x'],
  ['a plus as it is', '?key=a~b%20c+d/e%25f&x', '?x'],
  ['a space as it is', '?key=a~b c+d/e%25f&x', '?x'],
  ['a percent sign as it is', '?key=a~b+c%2Bd/e%f&x', '?x'],
  ['all percent-encoded', '?%6b%65%79=%61%7e%62%20%63%2b%64%2f%65%25%66&x', '?x'],
  ['encoded twice', '?key=a%257Eb%2Bc%252Bd%252Fe%2525f&x', '?x'],
  ['encoded three times', '?key=a%25257Eb%252Bc%25252Bd%25252Fe%252525f&x', '?x'],
  ['more than once', '?client=100&client=100&x', '?x'],
  ['an empty value without its sign', '?flag&x', '?x'],
  ['another value', '?key=other&client=200&flag=1', '?key=other&client=200&flag=1'],
  ['a longer value', '?client=1000&client=10', '?client=1000&client=10'],
  ['another name', '?Key=a~b+c%2Bd/e%25f&clients=100', '?Key=a~b+c%2Bd/e%25f&clients=100'],
  ['others, which stay byte for byte', '?sig=%7e%7E+%20&&client=100&=&a==', '?sig=%7e%7E+%20&&=&a=='],
  ['others that are no encoding', '?a=%&b=%zz&c=%e4&client=100', '?a=%&b=%zz&c=%e4'],
  ['nothing', '?x=%7e', '?x=%7e'],
  ['no entry', '?', '?'],
  ['no query', '', ''],
]
for (const [name, query, left] of entries)
  test(`entries of a credential are found again: ${name}`, () => {
    assert.equal(withoutEntries(`/path;client=100${query}`, ADDED), `/path;client=100${left}`)
    assert.equal(withoutEntries(query, ''), query)
  })

test('entries go by their name, whatever their value', () => {
  assert.equal(withoutNames('/a?key=old&x=1&k%65y&client=200&keys=1', ADDED), '/a?x=1&keys=1')
  assert.equal(withoutNames('/a?key=old', ADDED), '/a')
  assert.equal(withoutNames('/key=old', ADDED), '/key=old')
})

const elsewhere: [name: string, url: string, found: boolean][] = [
  [
    'in the value of another entry',
    '/login?back=https%3A%2F%2Fapi%2Fx%3Fkey%3Da%257Eb%2Bc%252Bd%252Fe%2525f',
    true,
  ],
  ['in the value of another entry, encoded once', '/login?back=/x?key=a~b%20c%2Bd/e%25f', true],
  ['in the path', '/login/key=a%7Eb+c%2Bd%2Fe%25f/x', true],
  ['as an entry after a semicolon', '/x?a=1;key=a%7Eb+c%2Bd%2Fe%25f', true],
  ['with more after it', '/x?a=1;key=a%7Eb+c%2Bd%2Fe%25f,more', true],
  ['another value', '/login?back=/x?key=a%7Eb+c', false],
  ['a short one, which stands there by chance', '/login?back=/x?client=100', false],
  ['nowhere', '/login?key', false],
]
for (const [name, url, found] of elsewhere)
  test(`an entry of a credential is seen elsewhere in a URL: ${name}`, () => {
    assert.equal(holdsEntry(url, ADDED), found)
  })

test('no entry is nowhere', () => {
  assert.equal(holdsEntry('/x?=', ''), false)
})
