import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { leaksIn } from './search.ts'

const SECRET = 'r7Kq+2/x"W=%&?Lp8 ä9Zt\\vm3Yp5wX'
const bytes = Buffer.from(SECRET)

const shapes: [name: string, text: string][] = [
  ['as it is', SECRET],
  ['cut at the end', SECRET.slice(0, 15)],
  ['cut at the beginning', `...${SECRET.slice(-15)}`],
  ['in JSON', JSON.stringify({ a: SECRET })],
  ['in JSON in JSON in JSON', JSON.stringify(JSON.stringify(JSON.stringify({ a: SECRET })))],
  ['percent-encoded', encodeURIComponent(SECRET)],
  ['in a form', new URLSearchParams({ a: SECRET }).toString()],
  ['in HTML', SECRET.replaceAll('&', '&amp;').replaceAll('"', '&quot;')],
  ['in base64', `x${bytes.toString('base64')}`],
  ['in base64url in a larger text', Buffer.from(`ab${SECRET}cd`).toString('base64url')],
  [
    'in base64 of a form in JSON',
    JSON.stringify(Buffer.from(`id:${encodeURIComponent(SECRET)}`).toString('base64')),
  ],
  ['in hexadecimal digits', bytes.toString('hex').toUpperCase()],
  ['as Node prints bytes', inspect(bytes)],
  ['as JSON writes bytes', JSON.stringify(bytes)],
  ['as Node prints numbers', inspect(new Uint8Array(bytes))],
  ['as UTF-8 read as Latin-1', bytes.toString('latin1')],
]
for (const [name, text] of shapes)
  test(`the search of the canaries finds a secret ${name}`, () => {
    assert.deepEqual(leaksIn(text, { SECRET }), ['SECRET'], text)
  })

test('the search of the canaries finds nothing in other texts', () => {
  assert.deepEqual(
    leaksIn(`[secret] ${JSON.stringify({ a: 'r7Kq+2/' })} ${'ab'.repeat(100)}`, { SECRET }),
    [],
  )
})
